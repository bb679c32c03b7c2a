// SPDX-License-Identifier: Apache-2.0
// VMIDs with generations: numbers are handed out until they run out; then a new generation begins, in which numbers loaded
// on some CPU stay with their owners and every CPU flushes its TLB before it runs a guest again.
#include <arm64/stage2.h>
#include <arm64/sysreg.h>

#include <arch/barrier.h>
#include <hv/cpu.h>
#include <lib/bitmap.h>
#include <lib/string.h>

#define VMID_BITS_MAX 16
#define GENERATION_STEP (1UL << VMID_BITS_MAX)
#define VMID_NUMBER(id) ((uint16_t)(id))
#define MMFR1_VMIDBITS(mmfr1) (((mmfr1) >> 4) & 0xf)

static struct spinlock vmid_lock;
static uint64_t generation = GENERATION_STEP; /* in units of GENERATION_STEP */
static unsigned vmid_count;
static uint64_t used[(1UL << VMID_BITS_MAX) / 64];
static struct vmid_cpu {
    uint64_t active;   /* what the CPU has loaded; 0: nothing */
    uint64_t reserved; /* what it had loaded at the last rollover */
    bool flush_pending;
} cpus[SMP_CPUS_MAX];

void vmid_init(void)
{
    vmid_count = MMFR1_VMIDBITS(sysreg_read(id_aa64mmfr1_el1)) == 2 ? 1U << 16 : 1U << 8;
    bitmap_set(used, 0); /* VMID 0: the empty translation */
}

static void rollover(void)
{
    __atomic_store_n(&generation, generation + GENERATION_STEP, __ATOMIC_SEQ_CST);
    memset(used, 0, vmid_count / 8);
    bitmap_set(used, 0);
    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        uint64_t id = __atomic_exchange_n(&cpus[cpu].active, 0, __ATOMIC_SEQ_CST);

        /* A CPU that loaded nothing since the rollover before this one still runs under its reserved number. */
        if (id)
            cpus[cpu].reserved = id;
        bitmap_set(used, VMID_NUMBER(cpus[cpu].reserved));
        cpus[cpu].flush_pending = true;
    }
}

/* A number that a CPU kept over the rollover goes on under the new generation. */
static bool keep_reserved(uint64_t id, uint64_t renewed)
{
    bool kept = false;

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++) {
        if (cpus[cpu].reserved == id) {
            cpus[cpu].reserved = renewed;
            kept = true;
        }
    }
    return kept;
}

static uint64_t allocate(uint64_t old)
{
    size_t number;

    if (old && keep_reserved(old, generation | VMID_NUMBER(old)))
        return generation | VMID_NUMBER(old);
    number = bitmap_find_zero(used, vmid_count, 1);
    if (number >= vmid_count) {
        rollover();
        number = bitmap_find_zero(used, vmid_count, 1);
    }
    bitmap_set(used, number);
    return generation | number;
}

static NOINLINE uint16_t get_slow(struct arch_guest_mmu *mmu, struct vmid_cpu *cpu)
{
    irqflags_t flags = spin_lock_irqsave(&vmid_lock);
    uint64_t id = mmu->vmid;

    if (id / GENERATION_STEP != generation / GENERATION_STEP) {
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

uint16_t vmid_get(struct arch_guest_mmu *mmu)
{
    struct vmid_cpu *cpu = &cpus[cpu_id()];
    uint64_t id = __atomic_load_n(&mmu->vmid, __ATOMIC_ACQUIRE);

    /* Publish first, look at the generation after: a rollover either sees this number or is seen here. */
    if (id) {
        __atomic_store_n(&cpu->active, id, __ATOMIC_SEQ_CST);
        if (id / GENERATION_STEP ==
                __atomic_load_n(&generation, __ATOMIC_SEQ_CST) / GENERATION_STEP &&
            !cpu->flush_pending)
            return VMID_NUMBER(id);
    }
    return get_slow(mmu, cpu);
}

void vmid_put(void)
{
    struct vmid_cpu *cpu = &cpus[cpu_id()];

    __atomic_store_n(&cpu->active, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&cpu->reserved, 0, __ATOMIC_RELAXED);
}
