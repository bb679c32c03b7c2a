// SPDX-License-Identifier: Apache-2.0
// GICv2, between its host driver and its virtual CPU interface.
#pragma once

#include <stdint.h>

/** gich: virtual interface control frame, mapped. */
void gicv2_guest_init(volatile char *gich);
/* Private interrupts of this CPU. IRQs masked. */
void gicv2_set_active(uint32_t irq);
void gicv2_clear_active(uint32_t irq);
