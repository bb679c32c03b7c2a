// SPDX-License-Identifier: Apache-2.0
// Time of day: one offset to the uptime, which setting the clock replaces.

#include <hv/clock.h>
#include <hv/dt.h>
#include <hv/initcall.h>
#include <hv/log.h>
#include <hv/spinlock.h>
#include <hv/wallclock.h>
#include <lib/calendar.h>
#include <lib/errno.h>

struct notifier_chain wallclock_chain;

/** Of offset, source and RTC while the time is set. */
static struct spinlock lock = SPINLOCK_INIT;
/** Unix time in ns at uptime 0, modulo 2^64: negative when set to less than the uptime. */
static uint64_t offset = CONFIG_WALLCLOCK_EPOCH * NS_PER_SEC;
static const struct rtc *host_rtc;
static const char *source;
static int zone;

static uint64_t wallclock_ns(void)
{
    return __atomic_load_n(&offset, __ATOMIC_RELAXED) + clock_now();
}

void wallclock_get(struct wallclock_time *time)
{
    uint64_t ns = wallclock_ns();

    time->seconds = ns / NS_PER_SEC;
    time->ns = (uint32_t)(ns % NS_PER_SEC);
}

uint64_t wallclock_seconds(void)
{
    return wallclock_ns() / NS_PER_SEC;
}

uint64_t wallclock_to_uptime(uint64_t seconds)
{
    uint64_t now = clock_now();
    uint64_t wall = __atomic_load_n(&offset, __ATOMIC_RELAXED) + now;
    uint64_t target;

    if (__builtin_mul_overflow(seconds, NS_PER_SEC, &target))
        return UINT64_MAX;
    if (target < wall)
        return wall - target > now ? 0 : now - (wall - target);
    return target - wall > UINT64_MAX - now ? UINT64_MAX : now + (target - wall);
}

/* Make it that time now. */
static void step_to(uint64_t seconds, const char *from, struct wallclock_step *step)
{
    uint64_t now = clock_now();

    step->before = offset + now;
    step->after = seconds * NS_PER_SEC;
    __atomic_store_n(&offset, step->after - now, __ATOMIC_RELAXED);
    __atomic_store_n(&source, from, __ATOMIC_RELAXED);
}

int wallclock_set(uint64_t seconds)
{
    struct wallclock_step step;
    irqflags_t flags;
    int err = 0;

    if (seconds > WALLCLOCK_MAX)
        return -ERANGE;
    flags = spin_lock_irqsave(&lock);
    if (host_rtc != NULL)
        err = host_rtc->set(host_rtc, seconds);
    step_to(seconds, "operator", &step);
    spin_unlock_irqrestore(&lock, flags);
    notifier_call(&wallclock_chain, 0, &step);
    return err;
}

const char *wallclock_source(void)
{
    return __atomic_load_n(&source, __ATOMIC_RELAXED);
}

int wallclock_zone(void)
{
    return __atomic_load_n(&zone, __ATOMIC_RELAXED);
}

int wallclock_set_zone(int minutes)
{
    if (minutes < CALENDAR_ZONE_MIN || minutes > CALENDAR_ZONE_MAX)
        return -ERANGE;
    __atomic_store_n(&zone, minutes, __ATOMIC_RELAXED);
    return 0;
}

int wallclock_register_rtc(const struct rtc *rtc)
{
    struct wallclock_step step;
    uint64_t seconds;
    irqflags_t flags;
    int err;

    if (host_rtc != NULL)
        return -EBUSY;
    err = rtc->get(rtc, &seconds);
    if (err != 0)
        return err;
    if (seconds > WALLCLOCK_MAX)
        return -ERANGE;
    flags = spin_lock_irqsave(&lock);
    host_rtc = rtc;
    step_to(seconds, rtc->name, &step);
    spin_unlock_irqrestore(&lock, flags);
    notifier_call(&wallclock_chain, 0, &step);
    return 0;
}

static void zone_init(void)
{
    const struct dt_node *vmm = dt_find("/vmm");
    const char *text;
    int minutes;
    int err = vmm == NULL ? -ENOENT : dt_get_string(vmm, "bulkhead,time-zone", &text);

    if (err == -ENOENT)
        return;
    if (err == 0)
        err = calendar_parse_zone(text, &minutes);
    if (err == 0)
        err = wallclock_set_zone(minutes);
    if (err != 0)
        log_error("/vmm: bulkhead,time-zone: not " CALENDAR_ZONE_FORMAT " from -12:00 to +14:00: "
                  "UTC is used");
}

/* What the log's uptimes are counted from. */
static int wallclock_init(void)
{
    struct calendar now;

    zone_init();
    calendar_from_unix(wallclock_seconds(), &now);
    log_info("wall clock: %04u-%02u-%02uT%02u:%02u:%02uZ %s%s", now.year, now.month, now.day,
             now.hour, now.minute, now.second, source != NULL ? "from " : "assumed: no RTC",
             source != NULL ? source : "");
    return 0;
}
INITCALL(INITCALL_LATE, wallclock_init);
