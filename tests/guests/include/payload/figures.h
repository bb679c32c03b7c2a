// SPDX-License-Identifier: Apache-2.0
// Figures that a payload measures: kept until its end, because printing one would disturb the next.
#pragma once

#include <stdint.h>

/** With the boot argument "wait": returns when something was typed, and a moment after it. */
void figures_begin(void);
/** At most 24. */
void figures_add(const char *name, uint64_t value);
/** Prints a line "BENCH name value" for each. */
void figures_print(void);
