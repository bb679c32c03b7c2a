// SPDX-License-Identifier: Apache-2.0
// Threaded interrupt handlers: a first half in IRQ context and a second one that may sleep.
// Room: thread.
#pragma once

#include <hv/irq.h>

/**
 * first looks whether the device asks, in IRQ context: IRQ_WAKE_THREAD runs second in a thread of
 * its own and leaves the interrupt off until that is done, so that a level need not be quieted
 * before; its other results are as ever. first may be NULL: always wake. The interrupt is shared
 * (not private to a CPU). To be enabled with irq_enable() and given back with
 * irq_thread_release(). Errors as of irq_request(). Orphan.
 */
int irq_thread_request(uint32_t irq, const char *name, irq_handler first,
                       void (*second)(uint32_t irq, void *arg), void *arg);
/** Waits until neither half runs. Orphan, not from second. */
void irq_thread_release(uint32_t irq);
/** Has it a thread? Any context. */
bool irq_thread_exists(uint32_t irq);
