// SPDX-License-Identifier: Apache-2.0
// PL031 real-time clock (DDI 0224): seconds on the uptime clock, with a match interrupt.

#include <hv/clock.h>
#include <hv/emulator.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/spinlock.h>
#include <lib/errno.h>

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

/** 2026-01-01 00:00:00 UTC: the host's own clock is not known. */
#define PL031_EPOCH 1767225600U

static const uint8_t pl031_id[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

struct pl031_state {
    uint32_t offset; /**< counter value at uptime 0, modulo 2^32 */
    uint32_t match;
    uint32_t load;
    uint32_t imsc;
    uint32_t ris;
};

struct pl031 {
    struct spinlock lock; /**< state; taken before the interrupt controller's and the timer's locks */
    struct hrtimer timer;
    bool line;
};

static uint32_t counter(const struct pl031_state *s, uint64_t now)
{
    return s->offset + (uint32_t)(now / NS_PER_SEC);
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

/* Fire when the counter becomes equal to the match register, at once when it is. */
static void match_arm(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;
    uint64_t now = clock_now();
    uint32_t left = s->match - counter(s, now);

    if (left == 0) {
        s->ris = 1;
        hrtimer_stop(&rtc->timer);
    } else {
        hrtimer_start(&rtc->timer, (now / NS_PER_SEC + left) * NS_PER_SEC);
    }
}

static void match_expired(struct hrtimer *timer)
{
    struct emu_device *dev = timer->data;
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;
    irqflags_t flags = spin_lock_irqsave(&rtc->lock);

    /* The guest may have moved the match while this was on its way. */
    if (counter(s, clock_now()) == s->match)
        s->ris = 1;
    update(dev);
    spin_unlock_irqrestore(&rtc->lock, flags);
}

static uint32_t read_reg(const struct pl031_state *s, uint64_t offset)
{
    switch (offset) {
    case PL031_DR:
        return counter(s, clock_now());
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
        s->offset = value - (uint32_t)(clock_now() / NS_PER_SEC);
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

/* The time of day goes on over a reset of the guest, as if it had a battery. */
static void pl031_reset(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = dev->priv;
    irqflags_t flags = spin_lock_irqsave(&rtc->lock);

    hrtimer_stop(&rtc->timer);
    *s = (struct pl031_state){.offset = s->offset};
    update(dev);
    spin_unlock_irqrestore(&rtc->lock, flags);
}

static int pl031_probe(struct emu_device *dev)
{
    struct pl031_state *s = dev->state;
    struct pl031 *rtc = heap_zalloc(sizeof(*rtc));

    if (rtc == NULL)
        return -ENOMEM;
    spin_init(&rtc->lock);
    hrtimer_init(&rtc->timer, match_expired, dev);
    dev->priv = rtc;
    s->offset = PL031_EPOCH;
    return 0;
}

static void pl031_remove(struct emu_device *dev)
{
    struct pl031 *rtc = dev->priv;

    if (rtc == NULL)
        return;
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
