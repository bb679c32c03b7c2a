// SPDX-License-Identifier: Apache-2.0
// GICv2, between its host driver and its virtual CPU interface.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * gich: virtual interface control frame, mapped. forgets_lines: a guest's end of a hardware-linked interrupt does not make the
 * distributor look at the line again.
 */
void gicv2_guest_init(volatile char *gich, bool forgets_lines);
/* Private interrupts of this CPU. IRQs masked. */
void gicv2_set_active(uint32_t irq);
void gicv2_clear_active(uint32_t irq);
