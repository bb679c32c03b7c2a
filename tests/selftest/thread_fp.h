// SPDX-License-Identifier: Apache-2.0
// The code of the self test of threads that uses FP and SIMD registers.
#pragma once

#include <stdint.h>

/** Keep all registers busy for some milliseconds; the number of values that came out wrong. */
unsigned thread_fp_exercise(uint64_t seed);
