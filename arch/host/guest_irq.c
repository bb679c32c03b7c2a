// SPDX-License-Identifier: Apache-2.0
// Host port: list registers as an array per simulated CPU.

#include <arch/guest_irq.h>
#include <hv/vcpu.h>
#include <port/internal.h>
#include <string.h>

#define PRIORITY_BITS 5
#define GICV_BASE 0x08040000ULL
#define GICV_SIZE 0x2000ULL

static struct {
    enum guest_irq_version version;
    unsigned lr_count;
    unsigned mask;
    unsigned closed;
    unsigned maintain;
    unsigned maintain_closed; /* closed when that was asked */
    bool splits;
    bool low;
    unsigned deactivated;
    uint32_t last_deactivated;
} state;

void host_guest_irq_reset(void)
{
    memset(&state, 0, sizeof(state));
    state.version = GUEST_IRQ_V3;
    state.lr_count = 4;
    state.mask = 256;
}

void host_guest_irq_set(enum guest_irq_version version, unsigned lr_count)
{
    state.version = version;
    state.lr_count = lr_count;
}

void host_guest_irq_set_mask(unsigned priority)
{
    state.mask = priority;
}

void host_guest_irq_set_asserts(bool asserts)
{
    state.low = !asserts;
}

unsigned host_guest_irq_maintain(void)
{
    return state.maintain;
}

bool host_guest_irq_groups_changed(void)
{
    return (state.maintain & GUEST_IRQ_WHEN_GROUPS) != 0 && state.closed != state.maintain_closed;
}

unsigned host_guest_irq_deactivated(uint32_t *pirq)
{
    *pirq = state.last_deactivated;
    return state.deactivated;
}

void host_guest_irq_set_ended(unsigned index)
{
    host_cpus[host_cpu()].lr_ended |= 1U << index;
}

enum guest_irq_version arch_guest_irq_version(void)
{
    return state.version;
}

void arch_guest_irq_gicv(hpa_t *base, uint64_t *size)
{
    bool exists = state.version == GUEST_IRQ_V2;

    *base = hpa(exists ? GICV_BASE : 0);
    *size = exists ? GICV_SIZE : 0;
}

unsigned arch_guest_irq_lr_count(void)
{
    return state.lr_count;
}

unsigned arch_guest_irq_priority_bits(void)
{
    return PRIORITY_BITS;
}

void arch_guest_irq_lr_read(unsigned index, struct guest_irq_lr *lr)
{
    *lr = host_cpus[host_cpu()].lr[index];
}

void arch_guest_irq_lr_write(unsigned index, const struct guest_irq_lr *lr)
{
    struct host_cpu_state *cpu = &host_cpus[host_cpu()];

    cpu->lr[index] = *lr;
    cpu->lr_ended &= ~(1U << index);
}

void arch_guest_irq_lr_pend(unsigned index, uint32_t virq, uint32_t pirq, uint8_t priority,
                            bool group1)
{
    struct guest_irq_lr lr = {.virq = virq & 0x3ff,
                              .source = (uint8_t)(virq >> 10),
                              .pirq = pirq,
                              .hw = pirq != 0,
                              .priority = priority,
                              .group1 = group1,
                              .pending = true};

    arch_guest_irq_lr_write(index, &lr);
}

void arch_guest_irq_lr_clear(unsigned index)
{
    static const struct guest_irq_lr empty;

    arch_guest_irq_lr_write(index, &empty);
}

uint32_t arch_guest_irq_lr_empty(void)
{
    const struct host_cpu_state *cpu = &host_cpus[host_cpu()];
    uint32_t empty = 0;

    for (unsigned i = 0; i < state.lr_count; i++)
        if (!cpu->lr[i].pending && !cpu->lr[i].active)
            empty |= 1U << i;
    return empty;
}

uint32_t arch_guest_irq_lr_ended(void)
{
    return host_cpus[host_cpu()].lr_ended;
}

void arch_guest_irq_maintain(unsigned when)
{
    state.maintain = when;
    state.maintain_closed = state.closed;
}

void host_guest_irq_set_split(bool splits)
{
    state.splits = splits;
}

bool arch_guest_irq_splits(void)
{
    return state.splits;
}

void host_guest_irq_set_groups(unsigned open)
{
    state.closed = ~open & 3;
}

unsigned arch_guest_irq_groups(void)
{
    return ~state.closed & 3;
}

bool arch_guest_irq_accepts(bool group1, uint8_t priority)
{
    return (state.closed & (group1 ? 2U : 1U)) == 0 && priority < state.mask;
}

bool arch_guest_irq_asserts(const struct vcpu *vcpu, uint32_t pirq)
{
    (void)vcpu;
    (void)pirq;
    return !state.low;
}

void arch_guest_irq_activate(uint32_t pirq)
{
    (void)pirq;
}

void arch_guest_irq_deactivate(uint32_t pirq)
{
    state.deactivated++;
    state.last_deactivated = pirq;
}

bool arch_guest_irq_saved_read(const struct vcpu *vcpu, unsigned index, struct guest_irq_lr *lr)
{
    *lr = vcpu->arch.lr[index];
    return lr->pending || lr->active;
}

void arch_guest_irq_saved_clear(struct vcpu *vcpu)
{
    memset(vcpu->arch.lr, 0, sizeof(vcpu->arch.lr));
}
