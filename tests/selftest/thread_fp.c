// SPDX-License-Identifier: Apache-2.0
// What a thread computes in FP and SIMD registers, so that a register lost to another shows. Built
// with FP, as all files of this name (*_fp.c).

#include "thread_fp.h"

#define VECTORS 24
#define STEPS 20000

typedef uint64_t v2 __attribute__((vector_size(16)));

/* One step of a generator, on both halves. */
static inline v2 step(v2 v)
{
    v ^= v << 13;
    v ^= v >> 7;
    return v ^ v << 17;
}

static inline v2 start(uint64_t seed, unsigned i)
{
    return (v2){seed + i, ~seed * (i + 3)};
}

/* Fully unrolled, each vector lives in a register of its own. */
static void run_together(v2 out[VECTORS], uint64_t seed)
{
    v2 v[VECTORS];

#pragma GCC unroll 24
    for (unsigned i = 0; i < VECTORS; i++)
        v[i] = start(seed, i);
    for (unsigned n = 0; n < STEPS; n++) {
#pragma GCC unroll 24
        for (unsigned i = 0; i < VECTORS; i++)
            v[i] = step(v[i]);
    }
#pragma GCC unroll 24
    for (unsigned i = 0; i < VECTORS; i++)
        out[i] = v[i];
}

/* The same, one after the other. */
static v2 run_alone(uint64_t seed, unsigned i)
{
    v2 v = start(seed, i);

    for (unsigned n = 0; n < STEPS; n++)
        v = step(v);
    return v;
}

/* Rounding hides nothing: both sums are made in the same order. */
static double sum(double first, unsigned count)
{
    double result = first;

    for (unsigned n = 1; n <= count; n++)
        result += first / (double)n;
    return result;
}

unsigned thread_fp_exercise(uint64_t seed)
{
    v2 out[VECTORS];
    unsigned wrong = 0;
    double before = sum((double)(seed & 0xffff), STEPS);

    run_together(out, seed);
    for (unsigned i = 0; i < VECTORS; i++) {
        v2 expected = run_alone(seed, i);

        wrong += expected[0] != out[i][0] || expected[1] != out[i][1];
    }
    return wrong + (before != sum((double)(seed & 0xffff), STEPS));
}
