// SPDX-License-Identifier: Apache-2.0
// Keeping and printing what was measured.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/figures.h>
#include <payload/timer.h>

#define FIGURES_MAX 24
#define QUIET_US 20000 /* in which the one who typed comes to rest */

static struct {
    const char *name;
    uint64_t value;
} figures[FIGURES_MAX];
static unsigned count;

void figures_begin(void)
{
    if (!boot_flag("wait"))
        return;
    while (console_getc() < 0)
        relax();
    for (uint64_t end = timer_now() + timer_us(QUIET_US); timer_now() < end;)
        relax();
}

void figures_add(const char *name, uint64_t value)
{
    if (count == FIGURES_MAX)
        return;
    figures[count].name = name;
    figures[count++].value = value;
}

void figures_print(void)
{
    for (unsigned i = 0; i < count; i++)
        print("BENCH %s %lu\n", figures[i].name, figures[i].value);
}
