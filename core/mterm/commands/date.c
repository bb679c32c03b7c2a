// SPDX-License-Identifier: Apache-2.0
// Command date: the time of day and the zone that it is shown in.
#include <hv/mterm.h>
#include <hv/wallclock.h>
#include <lib/calendar.h>
#include <lib/errno.h>
#include <lib/string.h>

/* What the calendar and the RTC can hold; local times before 1970 or behind it are shown as UTC. */
static uint64_t local_seconds(uint64_t seconds, int zone)
{
    uint64_t shift = (uint64_t)(zone < 0 ? -zone : zone) * 60;

    if (zone >= 0)
        return seconds + shift;
    return seconds > shift ? seconds - shift : 0;
}

static void print_time(struct terminal *term, uint64_t seconds)
{
    struct calendar time;

    calendar_from_unix(seconds, &time);
    term_printf(term, "%s %04u-%02u-%02u %02u:%02u:%02u", calendar_weekday_name(time.weekday),
                time.year, time.month, time.day, time.hour, time.minute, time.second);
}

static void print_zone(struct terminal *term, int zone)
{
    int minutes = zone < 0 ? -zone : zone;

    term_printf(term, "%c%02d:%02d", zone < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static int date_show(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    const char *source = wallclock_source();
    uint64_t seconds = wallclock_seconds();
    int zone = wallclock_zone();

    term_printf(term, "local:  ");
    print_time(term, local_seconds(seconds, zone));
    term_printf(term, " ");
    print_zone(term, zone);
    term_printf(term, "\nUTC:    ");
    print_time(term, seconds);
    term_printf(term, "\nUnix:   %llu\nsource: ", (unsigned long long)seconds);
    if (source != NULL)
        term_puts_cell(term, source, 0);
    else
        term_printf(term, "none: no RTC, nobody has set it");
    term_printf(term, "\n");
    return 0;
}

static int date_set(struct terminal *term, int argc UNUSED, char **argv)
{
    struct calendar time;
    uint64_t seconds, shift;
    int zone = wallclock_zone();
    bool utc;
    int err = calendar_parse(argv[0], &time, &utc);

    if (err == 0)
        err = calendar_to_unix(&time, &seconds);
    if (err != 0) {
        (void)mterm_error(term, err, "date set", argv[0]);
        term_printf(term, "a date has the form " CALENDAR_FORMAT "[Z], Z for UTC\n");
        return err;
    }
    if (!utc) {
        shift = (uint64_t)(int64_t)zone * 60;
        seconds = zone > 0 && seconds < shift ? UINT64_MAX : seconds - shift;
    }
    err = wallclock_set(seconds);
    if (err == -ERANGE && seconds > WALLCLOCK_MAX) {
        (void)mterm_error(term, err, "date set", argv[0]);
        term_printf(term, "from 1970-01-01T00:00:00Z to 2106-02-07T06:28:15Z\n");
        return err;
    }
    return err == 0 ? 0 : mterm_error(term, err, "date set: the RTC", wallclock_source());
}

static int date_zone(struct terminal *term, int argc, char **argv)
{
    int minutes, err;

    if (argc == 0) {
        print_zone(term, wallclock_zone());
        term_printf(term, "\n");
        return 0;
    }
    err = calendar_parse_zone(argv[0], &minutes);
    if (err == 0)
        err = wallclock_set_zone(minutes);
    if (err != 0) {
        (void)mterm_error(term, err, "date zone", argv[0]);
        term_printf(term, "a zone has the form " CALENDAR_ZONE_FORMAT ", from -12:00 to +14:00\n");
    }
    return err;
}

static const struct command_verb date_verbs[] = {
    {
        .name = "",
        .usage = "",
        .help = "local time, UTC, and where they come from",
        .run = date_show,
    },
    {
        .name = "set",
        .usage = CALENDAR_FORMAT "[Z]",
        .help = "set clock and RTC to a local time, with Z to UTC",
        .min_args = 1,
        .max_args = 1,
        .run = date_set,
    },
    {
        .name = "zone",
        .usage = "[" CALENDAR_ZONE_FORMAT "]",
        .help = "show or set how far east of UTC local time is",
        .max_args = 1,
        .run = date_zone,
    },
};
static const struct command date = {
    .name = "date",
    .group = "System",
    .help = "the time of day",
    .details = "The time is read from the host's real-time clock at the start and written\n"
               "back when it is set. Guests' emulated clocks follow it. The zone is only for\n"
               "showing times here; its start value is /vmm bulkhead,time-zone. Lines of the\n"
               "log carry the uptime, which setting the date does not change.\n",
    .verbs = date_verbs,
    .verb_count = ARRAY_SIZE(date_verbs),
};
COMMAND(date);
