// SPDX-License-Identifier: Apache-2.0
// Sets of CPUs as an operator writes them: numbers and ranges, "0,2-3".
#include <hv/cpu.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/parse.h>
#include <lib/string.h>

#define NUMBER_MAX 8

/* A decimal number at *text, which ends before it. */
static int take_number(const char **text, uint32_t *number)
{
    char digits[NUMBER_MAX];
    size_t length = 0;

    while ((*text)[length] >= '0' && (*text)[length] <= '9' && length < sizeof(digits) - 1) {
        digits[length] = (*text)[length];
        length++;
    }
    digits[length] = '\0';
    *text += length;
    return parse_u32(digits, number);
}

static int take_range(const char **text, cpumask_t *cpus)
{
    uint32_t first, last;
    int err = take_number(text, &first);

    last = first;
    if (err == 0 && **text == '-') {
        (*text)++;
        err = take_number(text, &last);
    }
    if (err == 0 && last < first)
        err = -EINVAL;
    if (err == 0 && last >= SMP_CPUS_MAX)
        err = -ERANGE;
    for (uint32_t cpu = first; err == 0 && cpu <= last; cpu++)
        *cpus |= CPU_MASK(cpu);
    return err;
}

int mterm_parse_cpus(const char *text, cpumask_t *out)
{
    cpumask_t cpus = 0;
    int err = take_range(&text, &cpus);

    while (err == 0 && *text == ',') {
        text++;
        err = take_range(&text, &cpus);
    }
    if (err == 0 && *text != '\0')
        err = -EINVAL;
    if (err == 0)
        *out = cpus;
    return err;
}

void mterm_cpus_text(cpumask_t cpus, char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = '\0';
    while (cpus != 0 && used < size) {
        unsigned first = (unsigned)__builtin_ctzll(cpus), last = first;

        while (last + 1 < SMP_CPUS_MAX && (cpus & CPU_MASK(last + 1)))
            last++;
        for (unsigned cpu = first; cpu <= last; cpu++)
            cpus &= ~CPU_MASK(cpu);
        used += (size_t)fmt_snprintf(buf + used, size - used, "%s%u", used == 0 ? "" : ",", first);
        if (last > first && used < size)
            used += (size_t)fmt_snprintf(buf + used, size - used, "-%u", last);
    }
}
