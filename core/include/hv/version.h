// SPDX-License-Identifier: Apache-2.0
// Name and version of the hypervisor. Room: base.
#pragma once

#define HV_NAME "Bulkhead"
#define HV_VERSION "0.1.0"
