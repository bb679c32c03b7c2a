// SPDX-License-Identifier: Apache-2.0
// What hostile payloads share: random numbers with a seed, accesses of any width, what they must not touch.
#pragma once

#include <payload/trap.h>

/** xorshift; the same numbers for the same seed, others on each CPU. First of all, once. */
void random_seed(uint64_t seed);
uint64_t random_word(void);

/** Load or store of 1, 2, 4 or 8 bytes; as trap_try. */
bool try_load(uint64_t addr, unsigned width, uint64_t *value, struct trap *trap);
bool try_store(uint64_t addr, unsigned width, uint64_t value, struct trap *trap);

/** PSCI calls that are meant to end or stop this CPU, by any conduit and convention. */
bool call_ends_us(uint32_t id);
/** Registers that a payload itself stands on, by the encoding of their MRS. */
bool register_is_own(uint32_t read);
/**
 * The value as it may be written there. QEMU 7.2 fails an assertion when a virtual binary point has more than 3 bits, and hangs
 * when a virtual compare value plus the offset has more than 64.
 */
uint64_t register_value(uint32_t read, uint64_t value);
