// SPDX-License-Identifier: Apache-2.0
// Host port: an interrupt controller of bits, for irq_set_chip().

#include <arch/smp.h>
#include <hv/irq.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <port/internal.h>
#include <string.h>

#define FIRST_SHARED 32

static uint64_t enabled[HOST_IRQ_COUNT / 64];
static uint8_t target[HOST_IRQ_COUNT];

void host_irqchip_reset(void)
{
    memset(enabled, 0, sizeof(enabled));
    memset(target, 0, sizeof(target));
}

/* What is pending and not turned off; those private to each CPU always get through. */
static uint64_t deliverable(unsigned cpu, unsigned word)
{
    uint64_t on = word == 0 ? enabled[0] | BITS(FIRST_SHARED - 1, 0) : enabled[word];

    return host_cpus[cpu].irq_pending[word] & on;
}

bool host_irqchip_has_work(unsigned cpu)
{
    for (unsigned word = 0; word < HOST_IRQ_COUNT / 64; word++)
        if (deliverable(cpu, word) != 0)
            return true;
    return false;
}

void host_irq_raise(unsigned cpu, uint32_t irq)
{
    if (irq >= FIRST_SHARED)
        cpu = target[irq];
    bitmap_set(host_cpus[cpu].irq_pending, irq);
    host_irq_poll_all();
}

bool host_irq_is_enabled(uint32_t irq)
{
    return bitmap_test(enabled, irq);
}

bool host_irq_is_pending(unsigned cpu, uint32_t irq)
{
    return bitmap_test(host_cpus[cpu].irq_pending, irq);
}

static uint32_t chip_ack(void)
{
    unsigned cpu = host_cpu();

    for (unsigned word = 0; word < HOST_IRQ_COUNT / 64; word++) {
        uint64_t ready = deliverable(cpu, word);
        unsigned irq = word * 64 + (ready == 0 ? 0 : (unsigned)__builtin_ctzll(ready));

        if (ready == 0)
            continue;
        bitmap_clear(host_cpus[cpu].irq_pending, irq);
        return irq;
    }
    return IRQ_NONE;
}

static void chip_end(uint32_t irq, bool deactivate)
{
    (void)irq;
    (void)deactivate;
}

static void chip_enable(uint32_t irq)
{
    bitmap_set(enabled, irq);
}

static void chip_disable(uint32_t irq)
{
    bitmap_clear(enabled, irq);
}

/* The caller may hold locks: it is served when interrupts are polled next. */
static void chip_raise(uint32_t irq)
{
    bitmap_set(host_cpus[irq < FIRST_SHARED ? host_cpu() : target[irq]].irq_pending, irq);
}

static int chip_configure(uint32_t irq, uint32_t trigger)
{
    (void)trigger;
    return irq < HOST_IRQ_COUNT ? 0 : -EINVAL;
}

static int chip_set_affinity(uint32_t irq, unsigned cpu)
{
    if (irq < FIRST_SHARED || irq >= HOST_IRQ_COUNT)
        return -EINVAL;
    if (bitmap_test(host_cpus[target[irq]].irq_pending, irq)) {
        bitmap_clear(host_cpus[target[irq]].irq_pending, irq);
        bitmap_set(host_cpus[cpu].irq_pending, irq);
    }
    target[irq] = (uint8_t)cpu;
    return 0;
}

static void chip_send(uint32_t sgi, cpumask_t cpus)
{
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        if (cpus & CPU_MASK(cpu))
            bitmap_set(host_cpus[cpu].irq_pending, sgi);
    /*
     * Other CPUs serve theirs when this one spins, or when they are played: the sender may hold a
     * lock.
     */
    host_irq_poll();
}

/* The specifier of the Arm GIC binding: type, number, trigger. */
static int chip_translate(const uint32_t *cells, unsigned count, uint32_t *irq, uint32_t *trigger)
{
    if (count != 3 || cells[0] > 1)
        return -EINVAL;
    *irq = cells[1] + (cells[0] == 0 ? FIRST_SHARED : 16);
    *trigger = cells[2] & 15;
    return *irq < HOST_IRQ_COUNT ? 0 : -EINVAL;
}

static int chip_init_cpu(void)
{
    return 0;
}

const struct irqchip host_irqchip = {
    .name = "host",
    .ack = chip_ack,
    .end = chip_end,
    .enable = chip_enable,
    .disable = chip_disable,
    .raise = chip_raise,
    .configure = chip_configure,
    .set_affinity = chip_set_affinity,
    .send = chip_send,
    .translate = chip_translate,
    .init_cpu = chip_init_cpu,
    .total = HOST_IRQ_COUNT,
};
