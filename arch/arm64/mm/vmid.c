// SPDX-License-Identifier: Apache-2.0
// VMIDs with generations: numbers are handed out until they run out; then a new generation begins, in which numbers loaded
// on some CPU stay with their owners and every CPU flushes its TLB before it runs a guest again.
#include <arm64/stage2.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <hv/cpu.h>
#include <lib/bitmap.h>
#include <lib/string.h>

#define GENERATION_STEP (1UL << VMID_BITS_MAX)
#define MMFR1_VMIDBITS(mmfr1) (((mmfr1) >> 4) & 0xf)

static struct spinlock vmid_lock;
uint64_t vmid_generation = GENERATION_STEP; /* in units of GENERATION_STEP */
static unsigned vmid_count;
static uint64_t used[(1UL << VMID_BITS_MAX) / 64];
struct vmid_cpu vmid_cpus[SMP_CPUS_MAX];

void vmid_init(void)
{
    vmid_count = MMFR1_VMIDBITS(sysreg_read(id_aa64mmfr1_el1)) == 2 ? 1U << 16 : 1U << 8;
    bitmap_set(used, 0); /* VMID 0: the empty translation */
}

static void rollover(void)
{
    __atomic_store_n(&vmid_generation, vmid_generation + GENERATION_STEP, __ATOMIC_SEQ_CST);
    memset(used, 0, vmid_count / 8);
    bitmap_set(used, 0);
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        uint64_t id = __atomic_exchange_n(&vmid_cpus[cpu].active, 0, __ATOMIC_SEQ_CST);

        /* A CPU that loaded nothing since the rollover before this one still runs under its reserved number. */
        if (id)
            vmid_cpus[cpu].reserved = id;
        bitmap_set(used, VMID_NUMBER(vmid_cpus[cpu].reserved));
        vmid_cpus[cpu].flush_pending = true;
    }
}

/* A number that a CPU kept over the rollover goes on under the new generation. */
static bool keep_reserved(uint64_t id, uint64_t renewed)
{
    bool kept = false;

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        if (vmid_cpus[cpu].reserved == id) {
            vmid_cpus[cpu].reserved = renewed;
            kept = true;
        }
    }
    return kept;
}

static uint64_t allocate(uint64_t old)
{
    size_t number;

    if (old && keep_reserved(old, vmid_generation | VMID_NUMBER(old)))
        return vmid_generation | VMID_NUMBER(old);
    number = bitmap_find_zero(used, vmid_count, 1);
    if (number >= vmid_count) {
        rollover();
        number = bitmap_find_zero(used, vmid_count, 1);
    }
    bitmap_set(used, number);
    return vmid_generation | number;
}

uint16_t vmid_get_slow(struct arch_guest_mmu *mmu, struct vmid_cpu *cpu)
{
    irqflags_t flags = spin_lock_irqsave(&vmid_lock);
    uint64_t id = mmu->vmid;

    if (id / GENERATION_STEP != vmid_generation / GENERATION_STEP) {
        id = allocate(id);
        __atomic_store_n(&mmu->vmid, id, __ATOMIC_RELEASE);
    }
    if (cpu->flush_pending) {
        cpu->flush_pending = false;
        __asm__ volatile("tlbi alle1" : : : "memory");
        arch_barrier_complete();
        arch_barrier_context();
    }
    __atomic_store_n(&cpu->active, id, __ATOMIC_SEQ_CST);
    spin_unlock_irqrestore(&vmid_lock, flags);
    return VMID_NUMBER(id);
}

void vmid_put(void)
{
    struct vmid_cpu *cpu = &vmid_cpus[cpu_id()];

    __atomic_store_n(&cpu->active, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&cpu->reserved, 0, __ATOMIC_RELAXED);
}
