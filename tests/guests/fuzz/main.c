// SPDX-License-Identifier: Apache-2.0
// Random operations from a seed ("seed=", "n=" for each CPU, "what=sysreg,smccc,mmio,gic"): each executes, aborts or is undefined.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/hostile.h>
#include <payload/main.h>
#include <payload/psci.h>
#include <payload/report.h>
#include <payload/smp.h>
#include <payload/timer.h>
#include <payload/trap.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ESR_UNDEF 0x02000000u
#define EC_SME 0x1d
#define PATTERN_WORDS 512
#define CHECK_EVERY 4096
#define PROGRESS_LINES 10
#define HASH_PRIME 0x100000001b3ull

enum { EXECUTED, ABORTED, UNDEFINED, STRANGE, OUTCOMES };

struct kind {
    const char *name;
    unsigned (*run)(uint64_t random);
    bool on;
};

static uint64_t counts[BOOT_CPUS_MAX][OUTCOMES], hashes[BOOT_CPUS_MAX];
static uint64_t pattern[PATTERN_WORDS];
static struct trap strangest;

static unsigned judge(bool done, const struct trap *trap)
{
    unsigned ec = TRAP_EC(*trap);

    if (done)
        return EXECUTED;
    if (ec == EC_DABT)
        return ABORTED;
    /* The ID space may say so with the syndrome of a trap (FEAT_IDST); FP and vectors may be closed. */
    if (trap->esr == ESR_UNDEF || ec == EC_SYSREG || ec == EC_FP || ec == EC_SVE || ec == EC_SME)
        return UNDEFINED;
    strangest = *trap;
    return STRANGE;
}

/* Numbers that break things are small, large, or have a single bit. */
static uint64_t pick_value(void)
{
    uint64_t random = random_word();

    switch (random & 7) {
    case 0:
        return 0;
    case 1:
        return ~0ul;
    case 2:
        return 1ul << (random >> 8 & 63);
    case 3:
        return random >> 8 & 0xff;
    case 4:
        return (random >> 8 & 0xffff) - 0x8000;
    default:
        return random_word();
    }
}

static unsigned fuzz_sysreg(uint64_t random)
{
    unsigned i = random >> 8 & 0x3fff;
    uint32_t read = CODE_MRS(2 + (random >> 32 & 1), i >> 11 & 7, i >> 7 & 15, i >> 3 & 15, i & 7);
    uint32_t code = random >> 33 & 1 ? read : read & ~0x00200000u;
    struct trap trap;

    if (register_is_own(read))
        return EXECUTED;
    return judge(trap_try_code(&code, 1, register_value(read, pick_value()), 0, NULL, &trap), &trap);
}

static unsigned fuzz_smccc(uint64_t random)
{
    static const uint32_t bases[] = {0x80000000, 0x84000000, 0xc4000000, 0x85000000,
                                     0x86000000, 0xc6000000, 0x82000000, 0xb2000000};
    struct smccc regs;
    uint32_t id = (uint32_t)random_word();

    if (random & 1ul << 40)
        id = bases[id >> 16 & 7] | (id & 0x1f);
    if (call_ends_us(id))
        return EXECUTED;
    for (unsigned i = 0; i < COUNT(regs.x); i++)
        regs.x[i] = pick_value();
    regs.x[0] = (regs.x[0] & ~0xfffffffful) | id;
    if (random & 1ul << 41 && boot_is_guest())
        smccc_smc(&regs);
    else
        smccc_hvc(&regs);
    return EXECUTED;
}

/* Accesses with and without a syndrome: plain, pairs, write-back, exclusive, acquire and release, atomic, vectors. */
static unsigned access(uint64_t addr, uint64_t random)
{
    static const uint32_t codes[] = {
        0x39400001, 0x39000001, 0x79400001, 0x79000001, 0xb9400001, 0xb9000001, 0xf9400001,
        0xf9000001, 0xb8404401, 0xb8004401, 0x29400801, 0x29000801, 0xa9400801, 0xa9000801,
        0x885f7c01, 0x88027c01, 0x88dffc01, 0x889ffc01, 0x39800001, 0xb9800001, 0xb940001f,
        0xb900001f, 0x3dc00001, 0x3d800001, 0xb8210002, 0x88a17c02, 0xd50b7e20, 0xf9800000,
    };
    struct trap trap;
    bool done = trap_try_code(&codes[random % COUNT(codes)], 1, addr, pick_value(), NULL, &trap);

    return judge(done, &trap);
}

static unsigned fuzz_mmio(uint64_t random)
{
    static const uint64_t places[] = {0x09000000, 0x09010000,   0x09000000, 0x09010000,
                                      0x0b000000, 0x3fc0000000, 0x08020000, 0x0a000000,
                                      0x00000000, 0x08040000,   0x0900f000, 0x20000000};
    uint64_t addr = places[(random >> 8 & 0xff) % COUNT(places)] + (random >> 16 & 0xfff);

    if ((addr & ~7ul) == UART_BASE)
        addr += 8; /* what is sent is no test, but much text */
    if (!boot_is_guest())
        return EXECUTED;
    return access(random >> 28 & 1 ? addr & ~7ul : addr, random >> 32);
}

static unsigned fuzz_gic(uint64_t random)
{
    uint64_t addr = GICD_BASE + (random >> 16 & 0xffff), code = random >> 60;
    uint32_t read = CODE_MRS(3, 0, 12, 8 + (random >> 8 & 7), random >> 11 & 7);
    struct trap trap;

    if (code == 0) { /* take what is there, and end it, or something else */
        uint32_t ack = gic_ack();

        gic_eoi(random & 1ul << 40 ? ack : (uint32_t)random_word() & 0x3ff);
        return EXECUTED;
    }
    if (!boot_is_guest())
        return EXECUTED;
    if (code < 4 && !register_is_own(read)) {
        uint64_t value = register_value(read, pick_value());

        read = code == 1 ? read : read & ~0x00200000u;
        return judge(trap_try_code(&read, 1, value, 0, NULL, &trap), &trap);
    }
    if (code < 8 && gic_version == 3)
        addr = GICR_BASE + (random >> 16 & 0x3ffff);
    else if (code < 6)
        addr = GICC_BASE + (random >> 16 & 0x1fff);
    return access(random >> 40 & 3 ? addr & ~3ul : addr, random >> 44);
}

static struct kind kinds[] = {
    {"sysreg", fuzz_sysreg, true},
    {"smccc", fuzz_smccc, true},
    {"mmio", fuzz_mmio, true},
    {"gic", fuzz_gic, true},
};

static unsigned pattern_errors(void)
{
    unsigned errors = 0;

    for (unsigned i = 0; i < PATTERN_WORDS; i++)
        errors += ((volatile uint64_t *)pattern)[i] != (i + 1) * HASH_PRIME;
    return errors;
}

static void fuzz(void)
{
    uint64_t total = boot_number("n", 20000), random;
    unsigned cpu = this_cpu()->index, selected[COUNT(kinds)], kind_count = 0;

    for (unsigned i = 0; i < COUNT(kinds); i++) {
        if (kinds[i].on)
            selected[kind_count++] = i;
    }
    for (uint64_t i = 0; i < total && kind_count; i++) {
        random = random_word();
        unsigned outcome = kinds[selected[(random & 0xff) % kind_count]].run(random);

        counts[cpu][outcome]++;
        hashes[cpu] = (hashes[cpu] ^ outcome) * HASH_PRIME;
        if (i % CHECK_EVERY == 0)
            counts[cpu][STRANGE] += pattern_errors();
        if (!cpu && total >= PROGRESS_LINES && i % (total / PROGRESS_LINES) == 0) {
            console_init();
            print("fuzz: %lu of %lu\n", i, total);
        }
    }
}

static void report_all(void)
{
    uint64_t sum[OUTCOMES] = {0}, hash = 0;

    for (unsigned cpu = 0; cpu < boot_info.cpu_count; cpu++) {
        for (unsigned i = 0; i < OUTCOMES; i++)
            sum[i] += counts[cpu][i];
        hash ^= hashes[cpu];
    }
    console_init();
    print("\nfuzz: executed %lu aborted %lu undefined %lu hash 0x%lx\n", sum[EXECUTED],
          sum[ABORTED], sum[UNDEFINED], hash);
    report("fuzz", !sum[STRANGE], "%lu strange; the last esr 0x%lx far 0x%lx", sum[STRANGE],
           strangest.esr, strangest.far);
}

void payload_main(void)
{
    uint64_t seed = boot_number("seed", 1);

    random_seed(seed);
    gic_init();
    gic_cpu_init();
    print("fuzz: seed %lu, %u cpu(s), GICv%u, args \"%s\"\n", seed, boot_info.cpu_count,
          gic_version, boot_info.args);
    for (unsigned i = 0; i < COUNT(kinds); i++)
        kinds[i].on = boot_selects("what", kinds[i].name);
    for (unsigned i = 0; i < PATTERN_WORDS; i++)
        pattern[i] = (i + 1) * HASH_PRIME;
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_start(i, fuzz);
    fuzz();
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        smp_wait_off(i, 600000);
    report_all();
}
