// SPDX-License-Identifier: Apache-2.0
// Group C: SMCCC and PSCI.
#include "evil.h"

#define ENTRY_ODD 0x40080001ul
#define SGI_GHOST 5

typedef void (*conduit)(struct smccc *);

static volatile uint32_t sgis;

/* One call with marked registers: x4..x17 must survive, x1..x3 must not tell anything. */
static bool call_is_clean(conduit call, uint32_t id, bool *unknown)
{
    struct smccc regs, before;
    bool clean = true;

    for (unsigned i = 0; i < 18; i++)
        regs.x[i] = ~0ul - i;
    regs.x[0] = id;
    before = regs;
    call(&regs);
    *unknown = regs.x[0] == ~0ul || regs.x[0] == 0xffffffffu;
    for (unsigned i = 4; i < 18; i++)
        clean &= regs.x[i] == before.x[i];
    for (unsigned i = 1; i < 4; i++)
        clean &= !*unknown || regs.x[i] == before.x[i] || regs.x[i] == 0;
    return clean;
}

static void sweep_ids(const char *name, conduit call)
{
    uint64_t rounds = boot_number("n", 20000), known = 0, dirty = 0;
    bool unknown;

    for (unsigned i = 0; i < 64 * 128; i++) {
        /* owner; fast and yielding; both conventions; the first 32 numbers */
        uint32_t id = (i >> 7) << 24 | (i >> 6 & 1) << 31 | (i & 1) << 30 | (i >> 1 & 31);

        if (call_ends_us(id))
            continue;
        dirty += !call_is_clean(call, id, &unknown);
        known += !unknown;
    }
    for (uint64_t i = 0; i < rounds; i++) {
        uint32_t id = (uint32_t)random_word();

        if (!call_ends_us(id))
            dirty += !call_is_clean(call, id, &unknown);
    }
    report(name, !dirty, "%lu calls changed registers", dirty);
    print("evil: %s: %lu known functions\n", name, known);
}

static void c01_ids(void)
{
    sweep_ids("C01.hvc_ids", smccc_hvc);
    if (boot_is_guest())
        sweep_ids("C01.smc_ids", smccc_smc);
}
TEST_CASE("C01.ids", 1, c01_ids);

/* What the host's firmware might honour is refused here, or means this guest only. */
static void c02_firmware(void)
{
    static const uint32_t ids[] = {
        0x82000000, 0x83000001, 0x84000005, 0x84000007,
        0xc4000005, 0xc4000007, /* SiP, OEM, MIGRATE */
        0x8400000b, 0x84000010, 0xc4000010, 0x84000011,
        0xc4000011, 0x8400000f,                         /* statistics, mode */
        0x84000013, 0xc4000013, 0x84000014, 0xc4000014, /* MEM_PROTECT */
        0x84000050, 0x84000053, 0xc4000053, 0x84000060,
        0x84000063, 0x84000070, /* TRNG, FF-A */
        0xb2000000, 0xbf00ff01, 0x86000000, 0xc6000001,
    };
    unsigned honoured = 0;

    if (!boot_is_guest())
        return;
    for (unsigned i = 0; i < COUNT(ids); i++) {
        struct smccc smc = {.x = {ids[i], 0, 0, 0}}, hvc = smc;

        smccc_smc(&smc);
        smccc_hvc(&hvc);
        honoured += (int32_t)smc.x[0] != -1 || (int32_t)hvc.x[0] != -1;
    }
    report("C02.firmware", !honoured, "%u of %u calls", honoured, (unsigned)COUNT(ids));
}
TEST_CASE("C02.firmware", 1, c02_firmware);

static void c02_smc_off(void)
{
    struct smccc regs = {.x = {PSCI_SYSTEM_OFF}};

    if (boot_is_guest())
        smccc_smc(&regs);
    report("C02.smc_off", !boot_is_guest(), "SYSTEM_OFF by SMC came back: 0x%lx", regs.x[0]);
}
TEST_CASE_BY_NAME("C02.smc_off", 1, c02_smc_off);

static void c04_upper_halves(void)
{
    uint64_t dirt = 0xdeadbeef00000000ul, first = boot_info.mpidr[0];
    unsigned wrong = 0;

    if (!boot_is_guest())
        return;
    wrong += psci_call(PSCI_VERSION, dirt, dirt, dirt) != psci_call(PSCI_VERSION, 0, 0, 0);
    wrong += psci_call(0x84000004, dirt | first, dirt, 0) != 0; /* AFFINITY_INFO: on */
    wrong +=
        (uint32_t)psci_call(PSCI_CPU_ON_32, dirt | first, dirt, 0) != (uint32_t)PSCI_ALREADY_ON;
    wrong += (uint32_t)psci_call(PSCI_FEATURES, dirt | PSCI_VERSION, 0, 0) != 0;
    report("C04.upper_halves", !wrong, "%u calls looked at them", wrong);
}
TEST_CASE("C04.upper_halves", 1, c04_upper_halves);

/* HVC and SMC of EL0 are undefined there; nothing is called. */
static void c05_el0(void)
{
    /* movz x0, #0x8400, lsl #16; movk x0, #8; hvc or smc #0: SYSTEM_OFF */
    static const uint32_t hvc[] = {0xd2b08000, 0xf2800100, 0xd4000002};
    static const uint32_t smc[] = {0xd2b08000, 0xf2800100, 0xd4000003};
    struct trap a = {0}, b = {0};

    trap_try_el0(hvc, 3, false, &a);
    trap_try_el0(smc, 3, false, &b);
    report("C05.el0", a.vector == 8 && a.esr == ESR_UNDEF && b.vector == 8 && b.esr == ESR_UNDEF,
           "vectors %lu %lu esr 0x%lx 0x%lx", a.vector, b.vector, a.esr, b.esr);
}
TEST_CASE("C05.el0", 1, c05_el0);

static void nothing(void)
{
}

static void c07_cpu_on(void)
{
    uint64_t rounds = boot_number("n", 2000);
    unsigned wrong = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        wrong += (int32_t)psci_call(PSCI_CPU_ON, random_word() | 0x100, random_word(), i) !=
                 PSCI_INVALID_PARAMETERS;
        wrong += (int32_t)psci_call(PSCI_CPU_ON, boot_info.mpidr[0], random_word(), i) >= 0;
    }
    report("C07.cpu_on", !wrong, "%u of %lu wrong answers", wrong, 2 * rounds);
}
TEST_CASE("C07.cpu_on", 1, c07_cpu_on);

static void c08_race(void)
{
    unsigned lost = 0;

    if (!boot_is_guest()) {
        report_skip("C08.cpu_on_race", "QEMU's own PSCI lets both win");
        return;
    }
    for (unsigned i = 0; i < 50; i++) {
        int64_t first = smp_start(1, nothing);
        int32_t second = (int32_t)psci_call(PSCI_CPU_ON, boot_info.mpidr[1], HOLE, 0);

        lost += first != 0 || second == 0 || !smp_wait_off(1, 10000);
    }
    report("C08.cpu_on_race", !lost, "%u rounds", lost);
}
TEST_CASE("C08.cpu_on_race", 2, c08_race);

/* Entries that are none: refused, or that VCPU faults, for ever and for itself only. */
static void c10_entry(void)
{
    const uint64_t entries[] = {ENTRY_ODD, ENTRY_ODD + 1, UART_BASE, HOLE, 1ul << 45, 0, ~0ul};
    unsigned refused = 0, started = 0, other = 0;

    for (unsigned i = 0; i < COUNT(entries); i++) {
        unsigned target = 1 + i % (boot_info.cpu_count - 1);
        int32_t answer = (int32_t)psci_call(PSCI_CPU_ON, boot_info.mpidr[target], entries[i], i);

        refused += answer == PSCI_INVALID_ADDRESS;
        started += answer == 0 || answer == PSCI_ALREADY_ON || answer == PSCI_ON_PENDING;
        other += answer != 0 && answer != PSCI_INVALID_ADDRESS && answer != PSCI_ALREADY_ON &&
                 answer != PSCI_ON_PENDING;
    }
    report("C10.entry", !other, "%u refused, %u started, %u other", refused, started, other);
    print("evil: C10.entry: %u refused, %u started\n", refused, started);
}
TEST_CASE_BY_NAME("C10.entry", 2, c10_entry);

static void count_sgi(uint32_t intid)
{
    (void)intid;
    sgis++;
}

static volatile uint32_t stage;

static void end_with_pending(void)
{
    __atomic_store_n(&stage, 1, __ATOMIC_RELEASE);
    timer_wait((volatile uint32_t *)&stage, 2, 5000);
}

static void count_what_comes(void)
{
    take_interrupts();
    sgis = 0;
    gic_send_sgi(SGI_GHOST, this_cpu()->index);
    take_interrupts();
}

/* A VCPU goes off with interrupts pending, and on again: a new one still comes exactly once. */
static void c13_off_pending(void)
{
    unsigned wrong = 0;

    irq_set_handler(SGI_GHOST, count_sgi);
    for (unsigned i = 0; i < 20; i++) {
        stage = 0;
        wrong += smp_start(1, end_with_pending) != 0;
        wrong += !timer_wait(&stage, 1, 5000);
        for (unsigned n = 0; n < 4; n++)
            gic_send_sgi(SGI_GHOST + n % 2, 1);
        __atomic_store_n(&stage, 2, __ATOMIC_RELEASE);
        wrong += !smp_wait_off(1, 5000);
        wrong += smp_start(1, count_what_comes) != 0 || !smp_wait_off(1, 5000);
        wrong += sgis != 1;
    }
    report("C13.off_pending", !wrong, "%u wrong", wrong);
    irq_set_handler(SGI_GHOST, NULL);
}

static void c13(void)
{
    irq_set_handler(SGI_GHOST + 1, count_sgi);
    c13_off_pending();
    irq_set_handler(SGI_GHOST + 1, NULL);
}
TEST_CASE("C13.off_pending", 2, c13);

/* Any power state with a timer to wake: comes back, refused or slept. */
static void c14_suspend(void)
{
    uint64_t rounds = boot_number("n", 2000) / 10;
    unsigned wrong = 0;

    gic_enable(TIMER_VIRT_INTID);
    for (uint64_t i = 0; i < rounds; i++) {
        int32_t answer;

        timer_start(false, 50);
        answer = (int32_t)psci_call(i & 1 ? PSCI_CPU_SUSPEND : PSCI_CPU_SUSPEND & ~0x40000000u,
                                    random_word() & ~(1ul << 30), random_word(), i);
        wrong += answer != 0 && answer != PSCI_INVALID_PARAMETERS && answer != PSCI_NOT_SUPPORTED &&
                 answer != PSCI_INVALID_ADDRESS;
    }
    timer_stop(false);
    gic_disable(TIMER_VIRT_INTID);
    if (boot_is_guest())
        report("C14.suspend", !wrong, "%u strange answers", wrong);
}
TEST_CASE("C14.suspend", 1, c14_suspend);

static void c14_no_wake(void)
{
    irq_disable();
    gic_set_mask(0);
    while (true)
        psci_call(PSCI_CPU_SUSPEND, 0, 0, 0);
}
TEST_CASE_BY_NAME("C14.no_wake", 1, c14_no_wake);

/* What PSCI_FEATURES denies is refused, and the other way round. */
static void c16_features(void)
{
    unsigned differ = 0;
    uint32_t first = 0;

    for (uint32_t i = 0; i < 64; i++) {
        uint32_t id = 0x84000000u | (i & 1) << 30 | i >> 1;
        int32_t feature, answer;

        if (call_ends_us(id))
            continue;
        feature = (int32_t)psci_call(PSCI_FEATURES, id, 0, 0);
        answer = (int32_t)psci_call(id, ~0ul, ~0ul, ~0ul);
        if (feature == PSCI_NOT_SUPPORTED && answer != PSCI_NOT_SUPPORTED && !differ++)
            first = id;
    }
    if (boot_is_guest())
        report("C16.features", !differ, "%u differ, the first 0x%x", differ, first);
}
TEST_CASE("C16.features", 1, c16_features);

static void c17_reset2(void)
{
    static const uint32_t types[] = {1, 2, 0x7fffffff, 0x40000000};
    unsigned wrong = 0;

    if (!boot_is_guest())
        return;
    for (unsigned i = 0; i < COUNT(types); i++) {
        int32_t answer = (int32_t)psci_call(PSCI_SYSTEM_RESET2, types[i], ~0ul, 0);

        wrong += answer != PSCI_INVALID_PARAMETERS && answer != PSCI_NOT_SUPPORTED;
    }
    report("C17.reset2", !wrong, "%u wrong answers", wrong);
}
TEST_CASE("C17.reset2", 1, c17_reset2);

static void c19_reset(void)
{
    psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
}
TEST_CASE_BY_NAME("C19.reset", 1, c19_reset);

/* The calls that the guest's operator disturbs: VCPUs go on and off all the time. */
static void c22_power(void)
{
    for (unsigned i = 0;; i++) {
        unsigned target = 1 + i % (boot_info.cpu_count - 1);

        smp_start(target, nothing);
        psci_call(PSCI_AFFINITY_INFO, boot_info.mpidr[target], 0, 0);
        mmio_read32(UART_BASE + UART_FR);
    }
}
TEST_CASE_BY_NAME("C22.power", 2, c22_power);
