// SPDX-License-Identifier: Apache-2.0
// Every register of a CPU is its own while CPUs take turns: values of one never show up on another.
#include "../conform.h"

#define MS 40 /* of each CPU's watch: several time slices of a hypervisor */
#define FIELD(reg, bit) ((unsigned)((reg) >> (bit)) & 15)
#define VERIFY_AFTER 200

/* name, bits that differ from CPU to CPU and do nothing here */
#define REGISTERS(X)                                                                               \
    X(tpidr_el0, ~0ul)                                                                             \
    X(tpidrro_el0, ~0ul)                                                                           \
    X(contextidr_el1, 0xfffffffful)                                                                \
    X(ttbr1_el1, 0xfffffff000ul)                                                                   \
    X(elr_el1, 0x7fffffffffful)                                                                    \
    X(spsr_el1, 0xf0000000ul)                                                                      \
    X(esr_el1, 0xfffffffful)                                                                       \
    X(far_el1, ~0ul)                                                                               \
    X(par_el1, 0xffffff000ul)                                                                      \
    X(sp_el0, ~0ul)                                                                                \
    X(cntkctl_el1, 0x303ul)                                                                        \
    X(csselr_el1, 2ul)                                                                             \
    X(mair_el1, 0xffffffff00000000ul)                                                              \
    X(mdscr_el1, 0x3000ul)                                                                         \
    X(cntv_cval_el0, ~0ul)                                                                         \
    X(cntp_cval_el0, ~0ul)                                                                         \
    X(dbgbvr0_el1, 0x7ffffffffffcul)                                                               \
    X(dbgbvr1_el1, 0x7ffffffffffcul)                                                               \
    X(dbgwvr0_el1, 0x7ffffffffffcul)                                                               \
    X(dbgwcr0_el1, 0x1fe0ul)

/* Only with pointer authentication. */
#define KEYS(X)                                                                                    \
    X(s3_0_c2_c1_0, ~0ul)                                                                          \
    X(s3_0_c2_c1_1, ~0ul)                                                                          \
    X(s3_0_c2_c1_2, ~0ul)                                                                          \
    X(s3_0_c2_c1_3, ~0ul)                                                                          \
    X(s3_0_c2_c2_0, ~0ul)                                                                          \
    X(s3_0_c2_c2_1, ~0ul)                                                                          \
    X(s3_0_c2_c2_2, ~0ul)                                                                          \
    X(s3_0_c2_c2_3, ~0ul)                                                                          \
    X(s3_0_c2_c3_0, ~0ul)                                                                          \
    X(s3_0_c2_c3_1, ~0ul)

enum {
#define X(name, bits) REG_##name,
    REGISTERS(X) KEYS(X)
#undef X
        REG_COUNT
};

static const char *const names[] = {
#define X(name, bits) #name,
    REGISTERS(X) KEYS(X)
#undef X
};

static volatile uint32_t ready, finished;
static uint32_t lost[REG_COUNT], lost_fp;
static bool has_keys;

static uint64_t pattern(unsigned reg)
{
    return (0x0123456789abcdeful * (reg * BOOT_CPUS_MAX + this_cpu()->index + 1)) ^ 0x5a5a5a5a5a5a;
}

static void fill(void)
{
#define X(name, bits)                                                                              \
    sysreg_write(name, (sysreg_read(name) & ~(bits)) | (pattern(REG_##name) & (bits)));
    REGISTERS(X)
    if (has_keys) {
        KEYS(X)
    }
#undef X
    isb();
}

static void verify(void)
{
#define X(name, bits)                                                                              \
    if ((sysreg_read(name) ^ pattern(REG_##name)) & (bits))                                        \
        __atomic_fetch_add(&lost[REG_##name], 1, __ATOMIC_RELAXED);
    REGISTERS(X)
    if (has_keys) {
        KEYS(X)
    }
#undef X
}

static void restore(void)
{
    static const uint64_t mair = 0xff04;

    sysreg_write(dbgbvr0_el1, 0);
    sysreg_write(dbgbvr1_el1, 0);
    sysreg_write(dbgwvr0_el1, 0);
    sysreg_write(dbgwcr0_el1, 0);
    sysreg_write(mdscr_el1, 0);
    sysreg_write(mair_el1, mair);
    sysreg_write(ttbr1_el1, 0);
    sysreg_write(cntkctl_el1, 0);
    isb();
}

/* Interrupts stay masked, so that nothing here writes ELR, SPSR, ESR and FAR. */
static void watch(void)
{
    uint64_t seed = pattern(REG_COUNT);

    __asm__ volatile("msr oslar_el1, xzr\n\tisb");
    fill();
    fp_fill(seed);
    __atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
    while (ready < boot_info.cpu_count)
        relax();
    uint64_t end = timer_now() + timer_us(MS * 1000);
    while (timer_now() < end) {
        for (unsigned i = 0; i < VERIFY_AFTER; i++)
            relax();
        verify();
        __atomic_fetch_add(&lost_fp, (uint32_t)fp_mismatches(seed), __ATOMIC_RELAXED);
    }
    restore();
    __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
}

static void case_context(void)
{
    char name[40] = "context.";

    has_keys = sysreg_read(id_aa64isar1_el1) & 0xff000ff0; /* API, APA, GPI, GPA */
    ready = finished = lost_fp = 0;
    memset(lost, 0, sizeof(lost));
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_start(i, watch);
    watch();
    bool done = timer_wait(&finished, boot_info.cpu_count, 10000);
    report("context.done", done, "%u of %u CPUs", finished, boot_info.cpu_count);
    for (unsigned i = 0; i < (has_keys ? REG_COUNT : REG_s3_0_c2_c1_0); i++) {
        memcpy(name + 8, names[i], strlen(names[i]) + 1);
        report(name, !lost[i], "lost %u times", lost[i]);
    }
    report("context.fp", !lost_fp, "lost %u times", lost_fp);
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_wait_off(i, 5000);
}

TEST_CASE("cpu.context", 1, case_context);
