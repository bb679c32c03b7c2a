// SPDX-License-Identifier: Apache-2.0
// Uptime: counter ticks to nanoseconds and back by 128-bit multiplication.

#include <arch/barrier.h>
#include <arch/time.h>
#include <hv/clock.h>
#include <hv/log.h>
#include <hv/match.h>
#include <lib/errno.h>
#include <stdbool.h>

#define DELAY_MAX_US 10000U

TABLE_DECLARE(timers, struct dt_match);

/** value * mult >> shift */
struct scale {
    uint64_t mult;
    unsigned shift;
};

/* All zero until clock_init(): then no time passes. */
static struct scale to_ns;
static struct scale to_ticks;
static uint64_t base;

/*
 * The most exact scale for num / den, rounded up, so that whole results come out whole. Long
 * division, once at boot: 128-bit division would be a library call.
 */
static struct scale scale_make(uint64_t num, uint64_t den)
{
    uint64_t rest = num % den;
    struct scale scale = {.mult = num / den, .shift = 0};

    while (scale.mult < 1ULL << 62 && scale.shift < 127) {
        bool carry = rest >= den - rest;

        rest = carry ? rest - (den - rest) : 2 * rest;
        scale.mult = 2 * scale.mult + carry;
        scale.shift++;
    }
    scale.mult += rest != 0;
    return scale;
}

static uint64_t scale_apply(struct scale scale, uint64_t value)
{
    unsigned __int128 result = (unsigned __int128)value * scale.mult >> scale.shift;

    return result > UINT64_MAX ? UINT64_MAX : (uint64_t)result;
}

uint64_t clock_ticks_to_ns(uint64_t ticks)
{
    return scale_apply(to_ns, ticks);
}

uint64_t clock_ns_to_ticks(uint64_t ns)
{
    uint64_t ticks = scale_apply(to_ticks, ns);

    /* Up: when that counter value is reached, that much time has passed. */
    if (ticks != UINT64_MAX && clock_ticks_to_ns(ticks) < ns)
        ticks++;
    return ticks;
}

uint64_t clock_now(void)
{
    return scale_apply(to_ns, arch_time_counter() - base);
}

uint64_t clock_ns_to_counter(uint64_t uptime_ns)
{
    uint64_t ticks = clock_ns_to_ticks(uptime_ns);

    return ticks > UINT64_MAX - base ? UINT64_MAX : base + ticks;
}

uint64_t clock_counter_to_ns(uint64_t counter)
{
    return counter > base ? clock_ticks_to_ns(counter - base) : 0;
}

/* Whether one of the table's timers is in the tree and works. */
static int probe_timers(void)
{
    int error = -ENODEV;

    TABLE_FOREACH(timers, struct dt_match, it)
        for (const char *const *compatible = (*it)->compatible; *compatible != NULL; compatible++) {
            struct dt_node *node = dt_find_compatible(NULL, *compatible);

            if (node == NULL || !dt_is_enabled(node))
                continue;
            error = (*it)->init(node);
            if (error == 0)
                return 0;
            log_error("timer %s: error %d", node->name, error);
        }
    return error;
}

int clock_init(void)
{
    int error = probe_timers();

    if (error != 0)
        return error;
    to_ns = scale_make(NS_PER_SEC, arch_time_frequency());
    to_ticks = scale_make(arch_time_frequency(), NS_PER_SEC);
    base = arch_time_counter();
    log_set_clock(clock_now);
    return clock_init_cpu();
}

int clock_init_cpu(void)
{
    return arch_time_init_cpu();
}

void clock_delay_us(uint32_t us)
{
    uint64_t start = arch_time_counter();
    uint64_t ticks = clock_ns_to_ticks((us < DELAY_MAX_US ? us : DELAY_MAX_US) * NS_PER_US);

    while (arch_time_counter() - start < ticks)
        arch_cpu_relax();
}
