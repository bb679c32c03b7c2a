// SPDX-License-Identifier: Apache-2.0
// Host port: what the lock checker finds ends the test, unless the test looks at findings itself.

#include <hv/lockdep.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kinds[] = {
    [LOCKDEP_ORDER] = "taken in both orders",
    [LOCKDEP_RECURSION] = "taken twice",
    [LOCKDEP_IRQ] = "taken in IRQ context and with interrupts enabled",
    [LOCKDEP_FULL] = "too many locks for the checker",
};

static void refuse(const struct lockdep_report *report)
{
    fprintf(stderr, "lock checker: %s: held %s at %p, wanted %s at %p, earlier %p, %p\n",
            kinds[report->kind], report->held, (void *)report->held_at,
            report->wanted != NULL ? report->wanted : "-", (void *)report->wanted_at,
            (void *)report->earlier[0], (void *)report->earlier[1]);
    abort();
}

__attribute__((constructor)) static void lockdep_refuse(void)
{
    lockdep_report_hook = refuse;
}
