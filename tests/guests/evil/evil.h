// SPDX-License-Identifier: Apache-2.0
// What all hostile cases share. A case is named after its row of docs/hostile.md; a file is a group of them.
#pragma once

#include "../conform/conform.h"

#include <payload/hostile.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MEMORY_END(info) ((info).ram_base + (info).ram_size)

/** First byte behind this program. */
extern uint8_t _bss_end[];

/** Runs fn on all other CPUs and on this one, and waits until the others are off again. */
bool on_all_cpus(void (*fn)(void));
/** What is pending now is delivered to this CPU, then interrupts are masked again. */
void take_interrupts(void);
/** Data abort or instruction abort, synchronous external, as for an address where nothing is. */
bool is_external_abort(const struct trap *trap);
