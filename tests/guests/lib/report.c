// SPDX-License-Identifier: Apache-2.0
// Verdicts, counted and printed.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/psci.h>
#include <payload/report.h>

static unsigned passed, failed, skipped;

bool report(const char *name, bool cond, const char *fmt, ...)
{
    va_list ap;

    if (cond) {
        passed++;
        print("PASS %s\n", name);
        return true;
    }
    failed++;
    print("FAIL %s ", name);
    va_start(ap, fmt);
    print_panic(fmt, ap);
    va_end(ap);
    print("\n");
    return false;
}

void report_skip(const char *name, const char *reason)
{
    skipped++;
    print("SKIP %s %s\n", name, reason);
}

void report_finish(void)
{
    print("SUMMARY passed=%u failed=%u skipped=%u\n", passed, failed, skipped);
    if (!boot_flag("stay"))
        psci_system_off();
    irq_disable();
    while (true)
        wfi();
}
