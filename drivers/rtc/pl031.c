// SPDX-License-Identifier: Apache-2.0
// Arm PrimeCell real-time clock PL031 (DDI 0224): the host's time of day.
#include <arch/io.h>
#include <hv/class.h>
#include <hv/driver.h>
#include <hv/wallclock.h>
#include <lib/errno.h>

enum { DR = 0x00, LR = 0x08, CR = 0x0c, IMSC = 0x10, ICR = 0x1c };

#define CR_START 1

static volatile uint8_t *registers_of(const struct rtc *rtc)
{
    return rtc->priv;
}

static int pl031_get(const struct rtc *rtc, uint64_t *seconds)
{
    *seconds = arch_io_read32(registers_of(rtc) + DR);
    return 0;
}

static int pl031_set(const struct rtc *rtc, uint64_t seconds)
{
    if (seconds > UINT32_MAX)
        return -ERANGE;
    arch_io_write32(registers_of(rtc) + LR, (uint32_t)seconds);
    return 0;
}

/* Its interrupt is not used: what must happen at a time waits for a timer event. */
static int pl031_probe(struct device *dev)
{
    struct rtc *rtc = device_alloc(dev, sizeof(*rtc));
    int err = rtc == NULL ? -ENOMEM : device_map(dev, 0, &rtc->priv);

    if (err != 0)
        return err;
    rtc->name = dev->name;
    rtc->get = pl031_get;
    rtc->set = pl031_set;
    arch_io_write32(registers_of(rtc) + IMSC, 0);
    arch_io_write32(registers_of(rtc) + ICR, 1);
    /* It can not be stopped again; writing 1 to a running one may not reset it. */
    if ((arch_io_read32(registers_of(rtc) + CR) & CR_START) == 0)
        arch_io_write32(registers_of(rtc) + CR, CR_START);
    err = class_join(dev, &rtc_class, rtc);
    return err != 0 ? err : wallclock_register_rtc(rtc);
}

static const char *const pl031_match[] = {"arm,pl031", NULL};
static const struct driver rtc_pl031 = {.name = "pl031", .match = pl031_match, .probe = pl031_probe};
DRIVER(rtc_pl031);
