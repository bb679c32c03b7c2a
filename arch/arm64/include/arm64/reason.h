// SPDX-License-Identifier: Apache-2.0
// Reason codes that a start-up failure leaves in the image's word "boot_reason"; shared with assembly.
#pragma once

#define BOOT_REASON_NONE 0
#define BOOT_REASON_NOT_EL2 1
#define BOOT_REASON_MISALIGNED 2
#define BOOT_REASON_NO_DTB 3
/* 4 and up: enum boot_failure of <arch/system.h> */
