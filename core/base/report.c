// SPDX-License-Identifier: Apache-2.0
// Formats error reports into whole lines for their receiver.
#include <hv/report.h>

#include <lib/fmt.h>
#include <lib/string.h>
#include <stdarg.h>

#define REPORT_LINE_MAX 256

void report_error(struct report *report, const char *fmt, ...)
{
    char text[REPORT_LINE_MAX];
    va_list ap;

    va_start(ap, fmt);
    fmt_vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    report->errors++;
    report->line(report, text);
}

void report_warning(struct report *report, const char *fmt, ...)
{
    static const char mark[] = "warning: ";
    char text[REPORT_LINE_MAX];
    va_list ap;

    memcpy(text, mark, sizeof(mark));
    va_start(ap, fmt);
    fmt_vsnprintf(text + sizeof(mark) - 1, sizeof(text) - sizeof(mark) + 1, fmt, ap);
    va_end(ap);
    report->warnings++;
    report->line(report, text);
}
