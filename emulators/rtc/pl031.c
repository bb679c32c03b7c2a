// SPDX-License-Identifier: Apache-2.0
// PL031 real-time clock (DDI 0224): the host's time of day, moved by what the guest has set, with a
// match interrupt. Like one with a battery it goes on over resets and pauses of its guest.

#include <hv/clock.h>
#include <hv/emulator.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/notifier.h>
#include <hv/spinlock.h>
#include <hv/wallclock.h>
#include <lib/errno.h>
#include <lib/macros.h>

enum pl031_reg {
    PL031_DR = 0x000,
    PL031_MR = 0x004,
    PL031_LR = 0x008,
    PL031_CR = 0x00c,
    PL031_IMSC = 0x010,
    PL031_RIS = 0x014,
    PL031_MIS = 0x018,
    PL031_ICR = 0x01c,
};

struct pl031_state {
    uint32_t offset; /**< to the host's time of day in seconds, modulo 2^32 */
    uint32_t match;
    uint32_t load;
    uint32_t imsc;
    uint32_t ris;
    uint32_t armed; /**< 1: the match is yet to come */
    uint32_t seen;  /**< the host's time of day when the state was saved */
};

struct pl031 {
    struct spinlock
        lock; /**< emu_device::lock; taken before the interrupt controller's and the timer's locks */
    struct hrtimer timer;
    uint64_t due; /**< uptime ns of the match, if armed */
    struct notifier clock_set;
    struct emu_device *dev;
    bool line;
};

static uint32_t counter(const struct pl031_state *s)
{
    return (uint32_t)wallclock_seconds() + s->offset;
}

static void pl031_changed(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;
    bool line = (s->ris & s->imsc) != 0;

    if (line != rtc->line) {
        rtc->line = line;
        emu_device_irq(dev, 0, line);
    }
}

static void match_reached(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;

    s->ris = 1;
    s->armed = 0;
    hrtimer_stop(&rtc->timer);
}

/* Fire when the counter becomes equal to the match register, at once when it is. */
static void match_arm(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;
    uint64_t seconds = wallclock_seconds();
    uint32_t left = s->match - s->offset - (uint32_t)seconds;

    if (left == 0) {
        match_reached(dev);
        return;
    }
    s->armed = 1;
    rtc->due = wallclock_to_uptime(seconds + left);
    hrtimer_start(&rtc->timer, rtc->due);
}

static void match_expired(struct hrtimer *timer)
{
    struct emu_device *dev = timer->data;
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;
    irqflags_t flags = spin_lock_irqsave(&rtc->lock);

    /* The guest may have moved the match while this was on its way. */
    if (s->armed != 0 && clock_now() >= rtc->due)
        match_reached(dev);
    pl031_changed(dev);
    spin_unlock_irqrestore(&rtc->lock, flags);
}

/*
 * The host's clock went from one second to another without the timer having run. A match that it jumped over forwards has
 * come, as it has for one who slept; otherwise the match is as far away as the clock says now.
 */
static void clock_moved(struct emu_device *dev, uint64_t before, uint64_t after)
{
    struct pl031_state *s = dev->state;
    uint32_t left = s->match - s->offset - (uint32_t)before;

    if (s->armed != 0 && after > before && left <= after - before)
        match_reached(dev);
    else if (s->armed != 0 || after != before)
        match_arm(dev);
}

static void clock_set(struct notifier *self, unsigned event UNUSED, void *data)
{
    struct pl031 *rtc = container_of(self, struct pl031, clock_set);
    const struct wallclock_step *step = data;
    irqflags_t flags = spin_lock_irqsave(&rtc->lock);

    clock_moved(rtc->dev, step->before / NS_PER_SEC, step->after / NS_PER_SEC);
    pl031_changed(rtc->dev);
    spin_unlock_irqrestore(&rtc->lock, flags);
}

static uint64_t read_counter(struct emu_device *dev)
{
    return counter(dev->state);
}

static uint64_t read_masked(struct emu_device *dev)
{
    const struct pl031_state *s = dev->state;

    return s->ris & s->imsc;
}

static void write_match(struct emu_device *dev, uint64_t value UNUSED)
{
    match_arm(dev);
}

static void write_load(struct emu_device *dev, uint64_t value)
{
    struct pl031_state *s = dev->state;

    s->offset = (uint32_t)value - (uint32_t)wallclock_seconds();
    match_arm(dev);
}

#define REG(at, member) .offset = (at), .size = 4, EMU_PLACE(struct pl031_state, member)

static const struct emu_register pl031_registers[] = {
    {.offset = PL031_DR, .size = 4, .flags = EMU_REGISTER_RO, .read = read_counter},
    {REG(PL031_MR, match), .mask = UINT32_MAX, .write = write_match},
    {REG(PL031_LR, load), .mask = UINT32_MAX, .write = write_load},
    EMU_CONSTANT(PL031_CR, 1), /* always running */
    {REG(PL031_IMSC, imsc), .mask = 1},
    {REG(PL031_RIS, ris), .flags = EMU_REGISTER_RO},
    {.offset = PL031_MIS, .size = 4, .flags = EMU_REGISTER_RO, .read = read_masked},
    {REG(PL031_ICR, ris), .flags = EMU_REGISTER_WO | EMU_REGISTER_W1C, .mask = 1},
    EMU_PRIMECELL_ID(0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1),
};

/* What the guest has set the clock to stays. */
static void pl031_reset(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;
    irqflags_t flags = spin_lock_irqsave(&rtc->lock);

    hrtimer_stop(&rtc->timer);
    s->armed = 0;
    spin_unlock_irqrestore(&rtc->lock, flags);
    emu_register_reset(dev);
}

static void pl031_saving(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;

    s->seen = (uint32_t)wallclock_seconds();
}

static int pl031_check(const struct emu_device *dev UNUSED, const void *state)
{
    const struct pl031_state *s = state;

    return s->ris > 1 || s->imsc > 1 || s->armed > 1 ? -EINVAL : 0;
}

/* The clock went on while the state lay somewhere. */
static void pl031_restored(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;
    uint64_t now = wallclock_seconds();
    uint32_t away = (uint32_t)now - s->seen;

    hrtimer_stop(&rtc->timer);
    if (s->armed != 0)
        clock_moved(dev, now - away, now);
    rtc->line = (s->ris & s->imsc) != 0;
    emu_device_irq(dev, 0, rtc->line);
}

static int pl031_probe(struct emu_device *dev)
{
    struct pl031 *rtc = heap_zalloc(sizeof(*rtc));

    if (rtc == NULL)
        return -ENOMEM;
    spin_init(&rtc->lock);
    hrtimer_init(&rtc->timer, match_expired, dev);
    rtc->dev = dev;
    rtc->clock_set.notify = clock_set;
    dev->priv = rtc;
    dev->lock = &rtc->lock;
    notifier_add(&wallclock_chain, &rtc->clock_set);
    return 0;
}

static void pl031_remove(struct emu_device *dev)
{
    struct pl031 *rtc = dev->priv;

    if (rtc == NULL)
        return;
    notifier_remove(&wallclock_chain, &rtc->clock_set);
    notifier_drain(&wallclock_chain);
    hrtimer_cancel(&rtc->timer);
    heap_free(rtc);
    dev->priv = NULL;
}

static const char *const pl031_match[] = {"arm,pl031", NULL};

static const struct emulator pl031 = {
    .name = "pl031",
    .match = pl031_match,
    .state_size = sizeof(struct pl031_state),
    .version = 1,
    .widths = EMU_WIDTH_8 | EMU_WIDTH_16 | EMU_WIDTH_32,
    .registers = pl031_registers,
    .register_count = ARRAY_SIZE(pl031_registers),
    .probe = pl031_probe,
    .reset = pl031_reset,
    .access = emu_register_access,
    .remove = pl031_remove,
    .changed = pl031_changed,
    .saving = pl031_saving,
    .check = pl031_check,
    .restored = pl031_restored,
};
EMULATOR(pl031);
