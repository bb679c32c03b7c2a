// SPDX-License-Identifier: Apache-2.0
// Uptime: counter ticks to nanoseconds and back by 128-bit multiplication.

#include <arch/barrier.h>
#include <arch/time.h>
#include <hv/clock.h>
#include <hv/hrtimer.h>
#include <hv/log.h>
#include <hv/match.h>
#include <lib/errno.h>
#include <stdbool.h>

#define DELAY_MAX_US 10000U
/** (NS_PER_SEC - 1) / NS_PER_SEC of 2^32, rounded up. */
#define CARRY_UP (((NS_PER_SEC - 1) << 32) / NS_PER_SEC + 1)

TABLE_DECLARE(timers, struct dt_match);

/*
 * floor((value * num / den) + carry) as ((value * mult) >> 96) + carry, mult = num / den * 2^96
 * rounded up: exact for all 64-bit values and num, den < 2^32, as the error of mult, less than
 * 2^-96 each time, adds up to less than 2^-32 < 1 / den.
 */
struct scale {
    uint64_t high, low; /**< of mult */
    uint32_t carry;     /**< of 2^32, to round up: (den - 1) / den rounded up; 0 to round down */
};

/* All zero until clock_init(): then no time passes. */
static struct scale to_ns;
static struct scale to_ticks;
struct clock_base clock_base = {.shift = CLOCK_NO_SHIFT};

/* Long division, once at boot: 128-bit division would be a library call. */
static struct scale scale_make(uint64_t num, uint64_t den)
{
    unsigned __int128 mult = num / den;
    uint64_t rest = num % den;

    for (unsigned bit = 0; bit < 96; bit++) {
        rest *= 2;
        mult = 2 * mult + (rest >= den);
        rest -= rest >= den ? den : 0;
    }
    mult += rest != 0;
    return (struct scale){.high = (uint64_t)(mult >> 64), .low = (uint64_t)mult};
}

static uint64_t scale_apply(const struct scale *scale, uint64_t value)
{
    unsigned __int128 low = (unsigned __int128)value * scale->low >> 64;
    unsigned __int128 sum = (unsigned __int128)value * scale->high + low + scale->carry;

    return sum >> 96 != 0 ? UINT64_MAX : (uint64_t)(sum >> 32);
}

uint64_t clock_ticks_to_ns(uint64_t ticks)
{
    return scale_apply(&to_ns, ticks);
}

uint64_t clock_ns_to_ticks(uint64_t ns)
{
    return scale_apply(&to_ticks, ns);
}

uint64_t clock_scale_now(void)
{
    return scale_apply(&to_ns, arch_time_counter() - clock_base.base);
}

uint64_t clock_scale_to_counter(uint64_t uptime_ns)
{
    uint64_t ticks = clock_ns_to_ticks(uptime_ns);

    return ticks > UINT64_MAX - clock_base.base ? UINT64_MAX : clock_base.base + ticks;
}

uint64_t clock_counter_to_ns(uint64_t counter)
{
    return counter > clock_base.base ? clock_ticks_to_ns(counter - clock_base.base) : 0;
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

static uint64_t shift_of(uint64_t hz)
{
    for (unsigned shift = 0; shift < 16; shift++)
        if (hz << shift == NS_PER_SEC)
            return shift;
    return CLOCK_NO_SHIFT;
}

/* For who needs it as a function. */
static uint64_t clock_uptime(void)
{
    return clock_now();
}

int clock_init(void)
{
    int error = probe_timers();
    uint64_t hz;

    if (error != 0)
        return error;
    hz = arch_time_frequency();
    if (hz == 0 || hz > UINT32_MAX)
        return -ERANGE;
    to_ns = scale_make(NS_PER_SEC, hz);
    to_ticks = scale_make(hz, NS_PER_SEC);
    to_ticks.carry = CARRY_UP;
    clock_base.base = arch_time_counter();
    clock_base.shift = shift_of(hz);
    log_set_clock(clock_uptime);
    return clock_init_cpu();
}

int clock_init_cpu(void)
{
    int error = arch_time_init_cpu();

    return error != 0 ? error : hrtimer_init_cpu();
}

void clock_delay_us(uint32_t us)
{
    uint64_t start = arch_time_counter();
    uint64_t ticks = clock_ns_to_ticks((us < DELAY_MAX_US ? us : DELAY_MAX_US) * NS_PER_US);

    while (arch_time_counter() - start < ticks)
        arch_cpu_relax();
}
