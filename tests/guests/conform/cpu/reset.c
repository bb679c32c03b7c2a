// SPDX-License-Identifier: Apache-2.0
// What a CPU starts with: CPU_ON gives the context id and nothing of the CPU's earlier life.
#include "../conform.h"

#define CURRENT_EL1 4

struct reset_dump {
    struct cpu *cpu; /* reset.S starts it */
    uint64_t x[30];  /* x1..x30 */
    uint64_t sp;
    uint64_t zero[21]; /* reset to zero here, or UNKNOWN and then better zero */
    uint64_t sctlr, cpacr, spsr, el, daif, spsel, mpidr;
    uint64_t fp; /* all FP registers together */
};

void reset_probe(void);
void reset_dirty(void);
void secondary_start(void);

static struct reset_dump dump __attribute__((aligned(64)));

static const char *const names[] = {
    "sp_el0",    "tpidr_el0", "tpidrro_el0", "tpidr_el1",      "vbar_el1", "mair_el1",
    "ttbr0_el1", "ttbr1_el1", "tcr_el1",     "contextidr_el1", "elr_el1",  "esr_el1",
    "far_el1",   "par_el1",   "cntkctl_el1", "csselr_el1",     "cntv_ctl", "cntp_ctl",
    "mdscr_el1", "afsr0_el1", "amair_el1",
};

static volatile uint32_t ran;

static void live(void)
{
    ran = 1;
    fp_fill(0x1234567812345678);
    reset_dirty();
}

static void probe_end(void)
{
    ran = 1;
}

static void start_and_stop(void (*entry)(void), uint64_t context, void (*fn)(void))
{
    ran = 0;
    cpus[1].fn = fn;
    cpus[1].online = 0;
    dsb();
    int64_t answer = psci_call(PSCI_CPU_ON, cpus[1].mpidr, (uintptr_t)entry, context);
    bool done = timer_wait(&ran, 1, 5000) && smp_wait_off(1, 5000);
    report("reset.start", answer == 0 && done, "CPU_ON says %ld, came and went %d", answer, done);
}

static void check(const char *which)
{
    unsigned general = 0;
    char name[48];
    size_t n = strlen(which);

    memcpy(name, which, n);
    for (unsigned i = 0; i < 30; i++)
        general += dump.x[i] != 0;
    memcpy(name + n, "general", 8);
    report(name, !general && !dump.sp, "%u of x1..x30, SP 0x%lx", general, dump.sp);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        memcpy(name + n, names[i], strlen(names[i]) + 1);
        report(name, !dump.zero[i], "0x%lx", dump.zero[i]);
    }
    memcpy(name + n, "sctlr", 6);
    report(name, !(dump.sctlr & 0x3081007), "MMU, caches, endianness: 0x%lx", dump.sctlr);
    memcpy(name + n, "pstate", 7);
    report(name, dump.el == CURRENT_EL1 && dump.daif == 0x3c0 && dump.spsel == 1,
           "EL 0x%lx DAIF 0x%lx SPSel %lu", dump.el, dump.daif, dump.spsel);
    memcpy(name + n, "mpidr", 6);
    report(name, (dump.mpidr & 0xff00ffffff) == boot_info.mpidr[1], "0x%lx", dump.mpidr);
    memcpy(name + n, "fp", 3);
    report(name, !dump.fp, "bits 0x%lx", dump.fp);
}

static void probe(const char *which)
{
    memset(&dump, 0xee, sizeof(dump));
    dump.cpu = &cpus[1];
    for (uintptr_t at = (uintptr_t)&dump; at < (uintptr_t)(&dump + 1); at += 16)
        __asm__ volatile("dc civac, %0" ::"r"(at) : "memory");
    start_and_stop(reset_probe, (uintptr_t)&dump, probe_end);
    check(which);
}

static void case_reset(void)
{
    probe("reset.first.");
    start_and_stop(secondary_start, (uintptr_t)&cpus[1], live);
    probe("reset.again.");
}

TEST_CASE("cpu.reset", 2, case_reset);
