// SPDX-License-Identifier: Apache-2.0
// What the tests of the virtual GIC share: register offsets, lines, and guests whose controller is switched on.
#pragma once

#include "fake_guest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/upcall.h>

#define SETSPI 0x040
#define CLRSPI 0x048
#define IGROUPR 0x080
#define ISENABLER 0x100
#define ICENABLER 0x180
#define ISPENDR 0x200
#define ICPENDR 0x280
#define ISACTIVER 0x300
#define ICACTIVER 0x380
#define IPRIORITYR 0x400
#define ITARGETSR 0x800
#define ICFGR 0xc00
#define SGI_FRAME 0x10000
#define TIMER_PPI 27
#define TIMER_PIRQ 27

static inline const struct intc_ops *ops(void)
{
    return fake.guest.intc_ops;
}

static inline void line(uint32_t irq, bool level)
{
    assert_int_equal(guest_irq_line(&fake.guest, irq, level), 0);
}

static inline void timer(unsigned vcpu, bool level)
{
    assert_int_equal(ops()->private_set(&fake.vcpus[vcpu], TIMER_PPI, level, TIMER_PIRQ), 0);
}

static inline uint32_t bit(uint32_t irq)
{
    return 1U << (irq % 32);
}

static inline uint32_t word(uint32_t irq)
{
    return irq / 32 * 4;
}

static inline void priority(uint32_t irq, uint8_t value)
{
    uint64_t wide = value;

    assert_int_equal(fake_access(0, IPRIORITYR + irq, 1, true, &wide), 0);
}

static inline void edge(uint32_t irq)
{
    uint32_t offset = ICFGR + irq / 16 * 4;

    gicd_write(offset, gicd_read(offset) | 2U << (irq % 16 * 2));
}

/* GICv3 on: all SPIs routed to VCPU 0, group 1, enabled. */
static inline void v3(unsigned vcpus, unsigned lrs)
{
    fake_create(3, vcpus, lrs);
    gicd_write(0, 2);
    for (uint32_t irq = 32; irq < 128; irq += 32) {
        gicd_write(IGROUPR + word(irq), ~0U);
        gicd_write(ISENABLER + word(irq), ~0U);
    }
    for (unsigned i = 0; i < vcpus; i++) {
        gicr_write(i, SGI_FRAME + IGROUPR, ~0U);
        gicr_write(i, SGI_FRAME + ISENABLER, ~0U);
    }
    fake_enter();
}

static inline void v2(unsigned vcpus, unsigned lrs)
{
    fake_create(2, vcpus, lrs);
    gicd_write(0, 1);
    for (uint32_t irq = 32; irq < 128; irq += 4)
        gicd_write(ITARGETSR + irq, 0x01010101);
    for (uint32_t irq = 32; irq < 128; irq += 32)
        gicd_write(ISENABLER + word(irq), ~0U);
    fake_enter();
}

static inline void sgi1r(unsigned from, uint64_t value)
{
    assert_int_equal(ops()->sgi(&fake.vcpus[from], value), 0);
}
