// SPDX-License-Identifier: Apache-2.0
// GICv3, between its host driver and its virtual CPU interface.
#pragma once

#include <stdint.h>

void gicv3_guest_init(void);
/* Private interrupts of this CPU. IRQs masked. */
void gicv3_set_active(uint32_t irq);
void gicv3_clear_active(uint32_t irq);
