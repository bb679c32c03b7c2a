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
    PL031_ID = 0xfe0,
    PL031_END = 0x1000,
};

static const uint8_t pl031_id[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

struct pl031_state {
    uint32_t offset; /**< to the host's time of day in seconds, modulo 2^32 */
    uint32_t match;
    uint32_t load;
    uint32_t imsc;
    uint32_t ris;
};

struct pl031 {
    struct spinlock lock; /**< state; taken before the interrupt controller's and the timer's locks */
    struct hrtimer timer;
    uint64_t due; /**< uptime ns of the match; UINT64_MAX: it has been */
    struct notifier clock_set;
    struct emu_device *dev;
    bool line;
};

static uint32_t counter(const struct pl031_state *s)
{
    return (uint32_t)wallclock_seconds() + s->offset;
}

static void update(struct emu_device *dev)
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
    rtc->due = UINT64_MAX;
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
    rtc->due = wallclock_to_uptime(seconds + left);
    hrtimer_start(&rtc->timer, rtc->due);
}

static void match_expired(struct hrtimer *timer)
{
    struct emu_device *dev = timer->data;
    struct pl031 *rtc = dev->priv;
    irqflags_t flags = spin_lock_irqsave(&rtc->lock);

    /* The guest may have moved the match while this was on its way. */
    if (clock_now() >= rtc->due)
        match_reached(dev);
    update(dev);
    spin_unlock_irqrestore(&rtc->lock, flags);
}

/*
 * The host's clock was set. A match that it jumped over forwards has come, as it has for one who
 * slept; otherwise the match is as far away as the clock says now.
 */
static void clock_set(struct notifier *self, unsigned event UNUSED, void *data)
{
    struct pl031 *rtc = container_of(self, struct pl031, clock_set);
    const struct wallclock_step *step = data;
    struct pl031_state *s = rtc->dev->state;
    uint64_t before = step->before / NS_PER_SEC, after = step->after / NS_PER_SEC;
    irqflags_t flags = spin_lock_irqsave(&rtc->lock);
    uint32_t left = s->match - s->offset - (uint32_t)before;

    if (rtc->due != UINT64_MAX && after > before && left <= after - before)
        match_reached(rtc->dev);
    else if (rtc->due != UINT64_MAX || after != before)
        match_arm(rtc->dev);
    update(rtc->dev);
    spin_unlock_irqrestore(&rtc->lock, flags);
}

static uint32_t read_reg(const struct pl031_state *s, uint64_t offset)
{
    switch (offset) {
    case PL031_DR:
        return counter(s);
    case PL031_MR:
        return s->match;
    case PL031_LR:
        return s->load;
    case PL031_CR:
        return 1; /* always running */
    case PL031_IMSC:
        return s->imsc;
    case PL031_RIS:
        return s->ris;
    case PL031_MIS:
        return s->ris & s->imsc;
    default:
        return offset >= PL031_ID && offset < PL031_END ? pl031_id[(offset - PL031_ID) / 4] : 0;
    }
}

static void write_reg(struct emu_device *dev, uint64_t offset, uint32_t value)
{
    struct pl031_state *s = dev->state;

    switch (offset) {
    case PL031_MR:
        s->match = value;
        match_arm(dev);
        break;
    case PL031_LR:
        s->load = value;
        s->offset = value - (uint32_t)wallclock_seconds();
        match_arm(dev);
        break;
    case PL031_IMSC:
        s->imsc = value & 1;
        break;
    case PL031_ICR:
        s->ris &= ~value;
        break;
    default:
        break;
    }
}

static int pl031_access(struct emu_device *dev, struct emu_access *access)
{
    struct pl031 *rtc = dev->priv;
    irqflags_t flags = spin_lock_irqsave(&rtc->lock);

    if (access->is_write) {
        write_reg(dev, access->offset, (uint32_t)access->value);
        update(dev);
    } else {
        access->value = read_reg(dev->state, access->offset);
    }
    spin_unlock_irqrestore(&rtc->lock, flags);
    return 0;
}

/* What the guest has set the clock to stays. */
static void pl031_reset(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;
    irqflags_t flags = spin_lock_irqsave(&rtc->lock);

    hrtimer_stop(&rtc->timer);
    rtc->due = UINT64_MAX;
    *s = (struct pl031_state){.offset = s->offset};
    update(dev);
    spin_unlock_irqrestore(&rtc->lock, flags);
}

static int pl031_probe(struct emu_device *dev)
{
    struct pl031 *rtc = heap_zalloc(sizeof(*rtc));

    if (rtc == NULL)
        return -ENOMEM;
    spin_init(&rtc->lock);
    hrtimer_init(&rtc->timer, match_expired, dev);
    rtc->due = UINT64_MAX;
    rtc->dev = dev;
    rtc->clock_set.notify = clock_set;
    dev->priv = rtc;
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
    .widths = EMU_WIDTH_8 | EMU_WIDTH_16 | EMU_WIDTH_32,
    .probe = pl031_probe,
    .reset = pl031_reset,
    .access = pl031_access,
    .remove = pl031_remove,
};
EMULATOR(pl031);
