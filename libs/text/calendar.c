// SPDX-License-Identifier: Apache-2.0
// Gregorian calendar: dates from days and back, and the text forms of dates and time zones.
#include <lib/calendar.h>
#include <lib/errno.h>
#include <lib/macros.h>

#define DAY 86400U
#define YEAR_FIRST 1970U
#define YEAR_LAST 9999U

// Days before each month in a year that is no leap year.
static const uint16_t month_days[13] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

// Days from year 1 to the first day of a year.
static unsigned days_before_year(unsigned year)
{
    unsigned past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400;
}

// Days in the year before the first of a month, month 13 being the next year's first.
static unsigned days_before_month(unsigned year, unsigned month)
{
    return month_days[month - 1] + (month > 2 && is_leap(year));
}

void calendar_from_unix(uint64_t seconds, struct calendar *out)
{
    uint64_t time = MIN(seconds, CALENDAR_UNIX_MAX);
    unsigned rest = (unsigned)(time % DAY);
    unsigned days = (unsigned)(time / DAY);
    unsigned day = days + days_before_year(YEAR_FIRST);
    // No year is longer than 366 days: never beyond the right one, and near it.
    unsigned year = YEAR_FIRST + days / 366;
    unsigned month = 1;

    while (days_before_year(year + 1) <= day)
        year++;
    day -= days_before_year(year);
    while (days_before_month(year, month + 1) <= day)
        month++;
    *out = (struct calendar){
        .year = year,
        .month = month,
        .day = day - days_before_month(year, month) + 1,
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
        .weekday = (days + 4) % 7, // 1970 began on a Thursday
    };
}

int calendar_to_unix(const struct calendar *time, uint64_t *seconds)
{
    uint64_t days;

    if (time->year < YEAR_FIRST || time->year > YEAR_LAST || time->month < 1 || time->month > 12 ||
        time->hour > 23 || time->minute > 59 || time->second > 59)
        return -EINVAL;
    days = days_before_month(time->year, time->month);
    if (time->day < 1 || days + time->day > days_before_month(time->year, time->month + 1))
        return -EINVAL;
    days += days_before_year(time->year) - days_before_year(YEAR_FIRST) + time->day - 1;
    *seconds = days * DAY + time->hour * 3600ULL + time->minute * 60ULL + time->second;
    return 0;
}

// Exactly `count` digits.
static bool take_number(const char **text, unsigned count, unsigned *out)
{
    unsigned value = 0;

    for (unsigned i = 0; i < count; i++) {
        char c = (*text)[i];

        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (unsigned)(c - '0');
    }
    *text += count;
    *out = value;
    return true;
}

static bool take_char(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static bool take_date(const char **text, struct calendar *out)
{
    return take_number(text, 4, &out->year) && take_char(text, '-') &&
           take_number(text, 2, &out->month) && take_char(text, '-') &&
           take_number(text, 2, &out->day);
}

static bool take_time(const char **text, struct calendar *out)
{
    return take_number(text, 2, &out->hour) && take_char(text, ':') &&
           take_number(text, 2, &out->minute) && take_char(text, ':') &&
           take_number(text, 2, &out->second);
}

int calendar_parse(const char *text, struct calendar *out, bool *utc)
{
    struct calendar time = {0};
    uint64_t seconds;
    int err;

    if (!take_date(&text, &time) || !(take_char(&text, 'T') || take_char(&text, ' ')) ||
        !take_time(&text, &time))
        return -EINVAL;
    *utc = take_char(&text, 'Z');
    if (*text != '\0')
        return -EINVAL;
    err = calendar_to_unix(&time, &seconds);
    if (err == 0)
        calendar_from_unix(seconds, out);
    return err;
}

int calendar_parse_zone(const char *text, int *minutes)
{
    bool west = *text == '-';
    unsigned hour, minute;
    int offset;

    if (!take_char(&text, west ? '-' : '+') || !take_number(&text, 2, &hour) ||
        !take_char(&text, ':') || !take_number(&text, 2, &minute) || *text != '\0' || minute > 59)
        return -EINVAL;
    offset = (int)(hour * 60 + minute) * (west ? -1 : 1);
    if (offset < CALENDAR_ZONE_MIN || offset > CALENDAR_ZONE_MAX)
        return -ERANGE;
    *minutes = offset;
    return 0;
}

const char *calendar_weekday_name(unsigned weekday)
{
    static const char names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

    return names[weekday % 7];
}
