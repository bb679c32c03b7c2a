// SPDX-License-Identifier: Apache-2.0
// What a payload provides.
#pragma once

/** Boot CPU, MMU on, interrupts masked, console ready; the summary and power-off follow its return. */
void payload_main(void);
/** Before anything is set up: to see how the machine was found. A payload need not have it. */
void payload_early(void);
