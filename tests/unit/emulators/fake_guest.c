// SPDX-License-Identifier: Apache-2.0
// A guest of hand-made VCPUs with a virtual GIC, for tests of emulators.

#include "fake_guest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/guest_parts.h>
#include <arch/vcpu.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/mmu.h>
#include <string.h>

TABLE_DECLARE(emulators, struct emulator);

struct fake_guest fake;

void fake_boot(void)
{
    static bool has_memory;

    host_reset();
    if (!has_memory)
        assert_int_equal(page_add_range(hpa(HOST_RAM_BASE), 16 << 20), 0);
    has_memory = true;
}

const struct emulator *fake_emulator(const char *name)
{
    TABLE_FOREACH(emulators, struct emulator, iter) {
        if (strcmp((*iter)->name, name) == 0)
            return *iter;
    }
    fail_msg("no emulator %s", name);
    return NULL;
}

static void node_make(struct dt_node *node)
{
    static char name[] = "intc@8000000";

    memset(node, 0, sizeof(*node));
    list_init(&node->link);
    list_init(&node->children);
    list_init(&node->attrs);
    node->name = name;
}

void fake_create(unsigned version, unsigned vcpu_count, unsigned lr_count)
{
    const struct emulator *emulator = fake_emulator(version == 2 ? "vgic-v2" : "vgic-v3");

    memset(&fake, 0, sizeof(fake));
    host_guest_irq_set(version == 2 ? GUEST_IRQ_V2 : GUEST_IRQ_V3, lr_count);
    strcpy(fake.guest.name, "fake");
    list_init(&fake.guest.devices);
    guest_irq_router_init(&fake.guest);
    fake.guest.vcpu_count = vcpu_count;
    fake.guest.vcpus = fake.by_subid;
    for (unsigned i = 0; i < vcpu_count; i++) {
        fake.by_subid[i] = &fake.vcpus[i];
        fake.vcpus[i].guest = &fake.guest;
        fake.vcpus[i].subid = i;
        fake.vcpus[i].is_normal = true;
    }
    node_make(&fake.node);
    fake.gic = (struct emu_device){
        .emulator = emulator, .guest = &fake.guest, .node = &fake.node, .name = "intc"};
    assert_int_equal(emulator->probe(&fake.gic), 0);
    for (unsigned i = 0; i < vcpu_count; i++)
        assert_int_equal(fake.guest.intc_ops->vcpu_init(&fake.vcpus[i]), 0);
    emulator->reset(&fake.gic);
    (void)fake_switch(0);
}

void fake_destroy(void)
{
    for (unsigned i = 0; i < fake.guest.vcpu_count; i++)
        arch_vcpu_drop(&fake.vcpus[i]);
    for (unsigned i = 0; i < fake.guest.vcpu_count; i++)
        fake.guest.intc_ops->vcpu_exit(&fake.vcpus[i]);
    fake.gic.emulator->remove(&fake.gic);
}

struct vcpu *fake_switch(unsigned n)
{
    fake.current = n;
    arch_vcpu_world_load(&fake.vcpus[n]);
    return &fake.vcpus[n];
}

static unsigned lrs_in_use(void)
{
    unsigned used = ~arch_guest_irq_lr_empty() & ((1U << arch_guest_irq_lr_count()) - 1);

    return (unsigned)__builtin_popcount(used);
}

static bool is_asked_for(void)
{
    unsigned when = host_guest_irq_maintain(), pending = 0;
    struct guest_irq_lr lr;

    for (unsigned i = 0; i < arch_guest_irq_lr_count(); i++) {
        arch_guest_irq_lr_read(i, &lr);
        pending += lr.pending;
    }
    return ((when & GUEST_IRQ_WHEN_FEW) != 0 && lrs_in_use() <= 1) ||
           ((when & GUEST_IRQ_WHEN_NO_PENDING) != 0 && pending == 0) ||
           host_guest_irq_groups_changed();
}

bool fake_enter(void)
{
    struct vcpu *vcpu = &fake.vcpus[fake.current];
    uint32_t work;

    if (arch_guest_irq_lr_ended() != 0 || is_asked_for())
        fake.guest.intc_ops->maintenance(vcpu);
    work = vcpu->exit_work & (VCPU_WORK_IRQ | VCPU_WORK_IRQ_NEW);
    if (work == 0)
        return false;
    vcpu->exit_work &= ~work;
    fake.guest.intc_ops->flush(vcpu, work);
    return true;
}

uint32_t fake_ack_source(unsigned *source)
{
    struct guest_irq_lr lr, best = {.priority = 0xff};
    unsigned at = GUEST_IRQ_LR_MAX;

    for (unsigned i = 0; i < arch_guest_irq_lr_count(); i++) {
        arch_guest_irq_lr_read(i, &lr);
        if (lr.pending && !lr.active && arch_guest_irq_accepts(lr.group1, 0) &&
            (at == GUEST_IRQ_LR_MAX || lr.priority < best.priority)) {
            best = lr;
            at = i;
        }
    }
    if (at == GUEST_IRQ_LR_MAX)
        return FAKE_SPURIOUS;
    best.pending = false;
    best.active = true;
    arch_guest_irq_lr_write(at, &best);
    *source = best.source;
    return best.virq;
}

uint32_t fake_ack(void)
{
    unsigned source;

    return fake_ack_source(&source);
}

void fake_end(uint32_t intid)
{
    for (unsigned i = 0; i < arch_guest_irq_lr_count(); i++) {
        struct guest_irq_lr lr;

        arch_guest_irq_lr_read(i, &lr);
        if (lr.virq != intid || !lr.active)
            continue;
        lr.active = false;
        if (lr.hw) {
            fake.physical_ends++;
            fake.physical_last = lr.pirq;
        }
        arch_guest_irq_lr_write(i, &lr);
        if (!lr.pending && lr.eoi)
            host_guest_irq_set_ended(i);
        return;
    }
    fail_msg("interrupt %u is not active in a list register", intid);
}

uint32_t fake_take(void)
{
    uint32_t intid;

    fake_enter();
    intid = fake_ack();
    if (intid != FAKE_SPURIOUS)
        fake_end(intid);
    return intid;
}

const struct guest_irq_lr *fake_lr(uint32_t intid)
{
    static struct guest_irq_lr lr;

    for (unsigned i = 0; i < arch_guest_irq_lr_count(); i++) {
        arch_guest_irq_lr_read(i, &lr);
        if (lr.virq == intid && (lr.pending || lr.active))
            return &lr;
    }
    return NULL;
}

int fake_access(unsigned frame, uint64_t offset, unsigned size, bool is_write, uint64_t *value)
{
    struct emu_access access = {.vcpu = &fake.vcpus[fake.current],
                                .offset = offset,
                                .frame = frame,
                                .size = (uint8_t)size,
                                .is_write = is_write,
                                .value = is_write ? *value : 0};
    int err;

    if ((fake.gic.emulator->widths & size) == 0)
        return -EFAULT;
    arch_irq_disable();
    err = fake.gic.emulator->access(&fake.gic, &access);
    arch_irq_enable();
    *value = access.value;
    return err;
}

uint32_t gicd_read(uint32_t offset)
{
    uint64_t value = 0;

    assert_int_equal(fake_access(0, offset, 4, false, &value), 0);
    return (uint32_t)value;
}

void gicd_write(uint32_t offset, uint32_t value)
{
    uint64_t wide = value;

    assert_int_equal(fake_access(0, offset, 4, true, &wide), 0);
}

uint32_t gicr_read(unsigned vcpu, uint32_t offset)
{
    uint64_t value = 0;

    assert_int_equal(fake_access(1, vcpu * 0x20000ULL + offset, 4, false, &value), 0);
    return (uint32_t)value;
}

void gicr_write(unsigned vcpu, uint32_t offset, uint32_t value)
{
    uint64_t wide = value;

    assert_int_equal(fake_access(1, vcpu * 0x20000ULL + offset, 4, true, &wide), 0);
}

uint64_t device_read(struct emu_device *dev, uint64_t offset, unsigned size)
{
    struct emu_access access = {.offset = offset, .size = (uint8_t)size, .value = 0x5a5a5a5a};

    assert_int_equal(dev->emulator->access(dev, &access), 0);
    return access.value;
}

void device_write(struct emu_device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    struct emu_access access = {
        .offset = offset, .size = (uint8_t)size, .is_write = true, .value = value};

    assert_int_equal(dev->emulator->access(dev, &access), 0);
}
