// SPDX-License-Identifier: Apache-2.0
// Formats error reports into whole lines for their receiver.
#include <hv/report.h>

#include <lib/fmt.h>
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
