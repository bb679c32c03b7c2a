// SPDX-License-Identifier: Apache-2.0
// The Gregorian calendar and Unix time, which knows no leap seconds.
#ifndef LIB_CALENDAR_H
#define LIB_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include <lib/macros.h>

struct calendar {
    unsigned year;    // 1970..9999
    unsigned month;   // 1..12
    unsigned day;     // 1..31
    unsigned hour;    // 0..23
    unsigned minute;  // 0..59
    unsigned second;  // 0..59
    unsigned weekday; // 0 Sunday .. 6; not read by calendar_to_unix()
};

// The last second of the year 9999; later ones are taken for it.
#define CALENDAR_UNIX_MAX 253402300799ULL

// The shape of a date and time, and of a time zone.
#define CALENDAR_FORMAT "YYYY-MM-DDTHH:MM:SS"
#define CALENDAR_ZONE_FORMAT "+HH:MM"

// Minutes east of UTC that time zones have.
#define CALENDAR_ZONE_MIN (-12 * 60)
#define CALENDAR_ZONE_MAX (14 * 60)

// Unix seconds to date and time.
void calendar_from_unix(uint64_t seconds, struct calendar *out);
// And back. -EINVAL: there is no such date or time.
int calendar_to_unix(const struct calendar *time, uint64_t *seconds) MUST_CHECK;
// CALENDAR_FORMAT, a blank in place of the T, a Z behind it or not (*utc). -EINVAL: something else,
// or no such date.
int calendar_parse(const char *text, struct calendar *out, bool *utc) MUST_CHECK;
// CALENDAR_ZONE_FORMAT or -HH:MM. -EINVAL, or -ERANGE: no zone is that far from UTC.
int calendar_parse_zone(const char *text, int *minutes) MUST_CHECK;
// "Sun" for 0 to "Sat" for 6.
const char *calendar_weekday_name(unsigned weekday);

#endif
