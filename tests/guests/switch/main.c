// SPDX-License-Identifier: Apache-2.0
// Two guests on one CPU, stamping into a page they share: what a switch from one to the other takes.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/figures.h>
#include <payload/main.h>
#include <payload/report.h>
#include <payload/timer.h>

#define SHARED_PAGE 0x50000000ul
#define SWITCHES 1000
/* Ticks between two stamps that only an interruption takes; a round is less than one. */
#define GAP 8

struct line {
    uint64_t stamp;
    uint64_t pad[7];
};

struct figures {
    uint64_t count, total, min, max;
};

void switch_stamp(volatile uint64_t *mine, volatile uint64_t *other, uint64_t gap,
                  uint64_t sample[3]);

/* An interruption in which the other did not run is none of ours. */
static void take(struct figures *figures, const uint64_t sample[3])
{
    uint64_t ticks = sample[2] - sample[1];

    if (sample[1] <= sample[0])
        return;
    figures->count++;
    figures->total += ticks;
    if (ticks < figures->min)
        figures->min = ticks;
    if (ticks > figures->max)
        figures->max = ticks;
}

static void tell(const struct figures *figures)
{
    uint64_t ns = 1000000000 / timer_hz();

    figures_add("vcpu_switch_min", figures->min * ns);
    figures_add("vcpu_switch_mean", figures->total * ns / figures->count);
    figures_add("vcpu_switch_max", figures->max * ns);
}

void payload_main(void)
{
    volatile struct line *lines = (struct line *)SHARED_PAGE;
    unsigned self = (unsigned)boot_number("slot", 0);
    volatile struct line *mine = &lines[self], *other = &lines[1 - self];
    struct figures figures = {.min = UINT64_MAX};
    uint64_t sample[3];

    figures_begin();
    mine->stamp = 1;
    while (!other->stamp)
        relax();
    /* Armed, but not due in this test. */
    sysreg_write(cntv_cval_el0, timer_now() + 3600 * timer_hz());
    sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
    /* Only one of them comes to an end, so that it has the other until then. */
    while (self != 0 || figures.count < SWITCHES) {
        switch_stamp(&mine->stamp, &other->stamp, GAP, sample);
        take(&figures, sample);
    }
    report("switch.samples", figures.min > 0, "stamps of both at once");
    tell(&figures);
    figures_print();
}
