// SPDX-License-Identifier: Apache-2.0
// A clean interrupt controller, and other CPUs that do what they are told.
#include "gic_case.h"

static struct {
    uint64_t (*volatile fn)(uint64_t arg);
    volatile uint64_t arg, result;
    volatile uint32_t asked, done;
} servants[BOOT_CPUS_MAX];
static volatile uint32_t stop, here;

static void wipe_bank(uintptr_t frame, uint32_t bank)
{
    uintptr_t at = frame + bank * 4;

    mmio_write32(at + GICD_ICENABLER, ~0u);
    mmio_write32(at + GICD_ICACTIVER, ~0u);
    mmio_write32(at + GICD_ICPENDR, ~0u);
    mmio_write32(at + GICD_IGROUPR, gic_version == 3 ? ~0u : 0);
    for (uint32_t i = 0; i < 32; i += 4)
        mmio_write32(frame + GICD_IPRIORITYR + bank * 32 + i, 0xa0a0a0a0);
    mmio_write32(frame + GICD_ICFGR + bank * 8, 0);
    mmio_write32(frame + GICD_ICFGR + bank * 8 + 4, 0);
}

static void wipe_private(void)
{
    for (unsigned i = 0; gic_version == 2 && i < 16; i += 4)
        mmio_write32(GICD_BASE + GICD_CPENDSGIR + i, ~0u);
    wipe_bank(gic_frame(0), 0);
}

static void wipe_cpu(void)
{
    irq_disable();
    if (gic_version == 3) {
        icc_write(ICC_IGRPEN0, 0);
        icc_write(ICC_AP0R0, 0);
        icc_write(ICC_AP1R0, 0);
    } else {
        mmio_write32(GICC_BASE + GICC_APR0, 0);
    }
    wipe_private();
    gic_cpu_init();
}

void gic_wipe(void)
{
    uint32_t lines = gic_lines();

    mmio_write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? GICD_CTLR_ARE : 0);
    for (uint32_t bank = 1; bank < lines / 32; bank++)
        wipe_bank(GICD_BASE, bank);
    for (uint32_t i = 32; i < lines; i++)
        gic_route(i, this_cpu()->index);
    wipe_cpu();
    mmio_write32(GICD_BASE + GICD_CTLR, gic_version == 3 ? 0x13 : 1);
}

void spi_ready(uint32_t intid, uint8_t priority)
{
    gic_set_edge(intid, true);
    gic_set_priority(intid, priority);
    gic_enable(intid);
}

uint32_t acknowledge(uint32_t *ack)
{
    *ack = gic_ack();
    return gic_intid(*ack) < GIC_SPURIOUS ? gic_intid(*ack) : GIC_SPURIOUS;
}

uint32_t take(void)
{
    uint32_t ack, intid = acknowledge(&ack);

    if (intid < GIC_SPURIOUS)
        gic_eoi(ack);
    return intid;
}

bool quiet(void)
{
    return take() == GIC_SPURIOUS;
}

bool qemu_is_wrong(const char *name, const char *reason)
{
    if (boot_is_guest())
        return false;
    report_skip(name, reason);
    return true;
}

static void serve(void)
{
    unsigned me = this_cpu()->index;
    uint32_t done = 0;

    wipe_cpu();
    __atomic_fetch_add(&here, 1, __ATOMIC_RELEASE);
    while (!stop) {
        if (__atomic_load_n(&servants[me].asked, __ATOMIC_ACQUIRE) == done) {
            relax();
            continue;
        }
        servants[me].result = servants[me].fn(servants[me].arg);
        __atomic_store_n(&servants[me].done, ++done, __ATOMIC_RELEASE);
    }
    wipe_cpu();
}

bool servants_start(const char *name, unsigned count)
{
    bool all = true;

    stop = 0;
    here = 0;
    for (unsigned i = 1; i < count; i++) {
        servants[i].asked = 0;
        servants[i].done = 0;
        all &= smp_start(i, serve) == 0;
    }
    all = all && timer_wait(&here, count - 1, 5000);
    return all || report(name, false, "a CPU did not start");
}

void servants_stop(void)
{
    stop = 1;
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_wait_off(i, 5000);
}

void on_cpu_start(unsigned cpu, uint64_t (*fn)(uint64_t arg), uint64_t arg)
{
    servants[cpu].fn = fn;
    servants[cpu].arg = arg;
    __atomic_store_n(&servants[cpu].asked, servants[cpu].asked + 1, __ATOMIC_RELEASE);
}

bool on_cpu_is_done(unsigned cpu)
{
    return __atomic_load_n(&servants[cpu].done, __ATOMIC_ACQUIRE) == servants[cpu].asked;
}

uint64_t on_cpu_result(unsigned cpu)
{
    return timer_wait(&servants[cpu].done, servants[cpu].asked, 5000) ? servants[cpu].result : ~0ul;
}

uint64_t on_cpu(unsigned cpu, uint64_t (*fn)(uint64_t arg), uint64_t arg)
{
    on_cpu_start(cpu, fn, arg);
    return on_cpu_result(cpu);
}
