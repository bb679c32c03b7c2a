// SPDX-License-Identifier: Apache-2.0
// A hostile guest: sweeps that end with a verdict, and (only by name, "case=") attacks that never end.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/main.h>
#include <payload/psci.h>
#include <payload/report.h>
#include <payload/smp.h>
#include <payload/string.h>
#include <payload/timer.h>
#include <payload/trap.h>

#define HOLE 0x0b000000ul
#define ESR_UNDEF 0x02000000u
#define CODE_WRITE(read) ((read) & ~0x00200000u)

typedef void (*conduit)(struct smccc *);

static uint64_t seed = 88172645463325252ull;

static uint64_t random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Those that are meant to end or stop this VCPU: PSCI's SUSPEND, OFF, RESET and their later kin. */
static bool ends_us(uint32_t id)
{
    uint32_t function = id & 0xffff;

    if ((id & 0xbf000000u) != 0x84000000u)
        return false;
    return function == 1 || function == 2 || function == 3 || function == 8 || function == 9 ||
           function == 12 || function == 13 || function == 14 || function == 18;
}

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

static void sweep_calls(const char *name, conduit call)
{
    uint64_t rounds = boot_number("n", 20000), known = 0, dirty = 0;
    bool unknown;

    for (unsigned owner = 0; owner < 64; owner++) {
        for (unsigned i = 0; i < 64; i++) {
            uint32_t id = 0x80000000u | (i & 1) << 30 | owner << 24 | i >> 1;

            if (ends_us(id))
                continue;
            dirty += !call_is_clean(call, id, &unknown);
            known += !unknown;
        }
    }
    for (uint64_t i = 0; i < rounds; i++) {
        uint32_t id = (uint32_t)random_word();

        if (!ends_us(id))
            dirty += !call_is_clean(call, id, &unknown);
    }
    report(name, !dirty, "%lu calls changed registers", dirty);
    print("evil: %s: %lu known functions\n", name, known);
}

static void evil_hvc(void)
{
    sweep_calls("evil.hvc", smccc_hvc);
}

static void evil_smc(void)
{
    if (boot_is_guest())
        sweep_calls("evil.smc", smccc_smc);
}

static void sweep_immediates(const char *name, uint32_t base)
{
    unsigned executed = 0, undefined = 0, other = 0;

    for (uint32_t imm = 1; imm < 0x10000; imm++) {
        uint32_t code = base | imm << 5;
        uint64_t value = 0;
        struct trap trap;

        bool done = trap_try_code(&code, 1, PSCI_SYSTEM_OFF, 0, &value, &trap);

        if (done && value == ~0ul)
            executed++;
        else if (!done && trap.esr == ESR_UNDEF)
            undefined++;
        else
            other++;
    }
    report(name, !other, "%u strange answers", other);
    print("evil: %s: %u refused, %u undefined\n", name, executed, undefined);
}

static void evil_immediates(void)
{
    if (!boot_is_guest())
        return;
    sweep_immediates("evil.hvc_imm", 0xd4000002);
    sweep_immediates("evil.smc_imm", 0xd4000003);
}

/* Registers that this program itself stands on. */
static bool stands_on(uint32_t read)
{
    static const uint32_t own[] = {
        CODE_MRS(3, 0, 1, 0, 0),   /* SCTLR */
        CODE_MRS(3, 0, 4, 2, 0),   /* SPSel */
        CODE_MRS(3, 3, 4, 2, 1),   /* DAIF */
        CODE_MRS(3, 0, 4, 1, 0),   /* SP_EL0 */
        CODE_MRS(3, 0, 12, 12, 0), /* ICC_IAR1: acknowledges */
        CODE_MRS(3, 0, 12, 8, 0),  /* ICC_IAR0 */
    };

    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (own[i] == read)
            return true;
    }
    return false;
}

/* Reads every encoding, and writes back what was read. */
static void sweep_sysregs(const char *name, unsigned op0)
{
    unsigned executed = 0, undefined = 0, other = 0;
    uint64_t first_other = 0;

    sysreg_write(cpacr_el1, 3 << 24 | 3 << 20 | 3 << 16);
    isb();
    for (unsigned i = 0; i < 16384; i++) {
        uint32_t code = CODE_MRS(op0, i >> 11 & 7, i >> 7 & 15, i >> 3 & 15, i & 7), write;
        uint64_t value = 0;
        struct trap trap;

        if (stands_on(code))
            continue;
        if (trap_try_code(&code, 1, 0, 0, &value, &trap)) {
            executed++;
            write = CODE_WRITE(code);
            trap_try_code(&write, 1, value, 0, NULL, NULL);
        } else if (trap.esr == ESR_UNDEF || (code >> 12 & 15) == 0) {
            undefined++; /* the ID space may say so with the syndrome of a trap (FEAT_IDST) */
        } else if (!other++) {
            first_other = (uint64_t)code << 32 | trap.esr;
        }
    }
    report(name, !other, "%u strange, the first 0x%lx", other, first_other);
    print("evil: %s: %u readable, %u undefined\n", name, executed, undefined);
}

static void evil_sysreg(void)
{
    sweep_sysregs("evil.sysreg3", 3);
    sweep_sysregs("evil.sysreg2", 2);
}

static void evil_id(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < 64; i++) {
        uint32_t write = CODE_MSR(3, 0, 0, i / 8, i % 8);
        struct trap trap;

        wrong += trap_try_code(&write, 1, random_word(), 0, NULL, &trap) || trap.esr != ESR_UNDEF;
    }
    report("evil.id", !wrong, "%u writes of ID registers went through", wrong);
}

static void nothing(void)
{
}

static void evil_cpu_on(void)
{
    uint64_t rounds = boot_number("n", 2000);
    unsigned wrong = 0, lost = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        int32_t answer = (int32_t)psci_call(PSCI_CPU_ON, random_word() | 0x100, random_word(), i);

        wrong += answer != PSCI_INVALID_PARAMETERS;
        wrong += (int32_t)psci_call(PSCI_CPU_ON, boot_info.mpidr[0], random_word(), i) >= 0;
    }
    report("evil.cpu_on", !wrong, "%u of %lu wrong answers", wrong, 2 * rounds);
    if (boot_info.cpu_count < 2 || !boot_is_guest()) /* QEMU's own PSCI lets both win */
        return;
    for (unsigned i = 0; i < 50; i++) {
        int64_t first = smp_start(1, nothing);
        int32_t second = (int32_t)psci_call(PSCI_CPU_ON, boot_info.mpidr[1], HOLE, 0);

        lost += first != 0 || second == 0 || !smp_wait_off(1, 10000);
    }
    report("evil.cpu_on_race", !lost, "%u rounds", lost);
}

static uint64_t load(uint64_t addr, uint64_t width)
{
    switch (width) {
    case 1:
        return mmio_read8(addr);
    case 2:
        return mmio_read16(addr);
    case 4:
        return mmio_read32(addr);
    default:
        return mmio_read64(addr);
    }
}

static uint64_t store_width; /* trap_try passes two arguments only */

static uint64_t store(uint64_t addr, uint64_t value)
{
    switch (store_width) {
    case 1:
        mmio_write8(addr, (uint8_t)value);
        break;
    case 2:
        mmio_write16(addr, (uint16_t)value);
        break;
    case 4:
        mmio_write32(addr, (uint32_t)value);
        break;
    default:
        mmio_write64(addr, value);
        break;
    }
    return 0;
}

/* Loads and stores of all widths, also misaligned, over a device; aborts are fine, other exceptions not. */
static void sweep_device(const char *name, uint64_t base, uint64_t size, uint64_t step)
{
    const uint64_t values[] = {0, ~0ul, random_word()};
    unsigned strange = 0;
    struct trap trap;

    for (uint64_t offset = 0; offset < size; offset += step) {
        for (uint64_t width = 1; width <= 8; width *= 2) {
            if (!trap_try(load, base + offset, width, NULL, &trap))
                strange += TRAP_EC(trap) != EC_DABT;
            store_width = width;
            for (unsigned i = 0; i < 3; i++) {
                if (!trap_try(store, base + offset, values[i], NULL, &trap))
                    strange += TRAP_EC(trap) != EC_DABT;
            }
        }
    }
    console_init();
    report(name, !strange, "%u exceptions that are no data aborts", strange);
}

static void evil_mmio(void)
{
    unsigned redists = gic_version == 3 ? boot_info.cpu_count : 0;

    if (!boot_is_guest())
        return;
    sweep_device("evil.gicd", GICD_BASE, 0x1000, 1);
    sweep_device("evil.gicd_high", GICD_BASE + 0x1000, 0xf000, 4);
    for (unsigned i = 0; i < redists; i++) {
        sweep_device("evil.gicr_rd", GICR_BASE + 0x20000 * i, 0x1000, 1);
        sweep_device("evil.gicr_sgi", GICR_BASE + 0x20000 * i + 0x10000, 0x1000, 1);
    }
    if (gic_version == 3)
        sweep_device("evil.gicr_behind", GICR_BASE + 0x20000 * redists, 0x2000, 8);
    gic_init();
    gic_cpu_init();
}

/* The same for the console, silently: what it prints is garbage. */
static void evil_uart(void)
{
    if (boot_is_guest())
        sweep_device("evil.uart", UART_BASE + 4, 0xffc, 1);
}

static void evil_vbar(void)
{
    sysreg_write(vbar_el1, boot_number("addr", HOLE) & ~0x7fful);
    isb();
    __asm__ volatile("brk #0");
}

static void evil_spin(void)
{
    irq_disable();
    while (true)
        __asm__ volatile("");
}

static void evil_reset(void)
{
    psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
}

/* What would make the hypervisor log a line each time, for ever. */
static void evil_log(void)
{
    uint32_t codes[] = {0xb9000001, 0xd4000022, CODE_MRS(3, 0, 11, 0, 0), 0xd4000023};

    for (unsigned i = 0;; i++)
        trap_try_code(&codes[i % 4], 1, HOLE, 0, NULL, NULL);
}

static void evil_flood(void)
{
    while (true)
        print("\033[6n\033[c\033]0;reset\a\x9b"
              "0c guest list; shutdown\n");
}

static const struct {
    const char *name;
    bool ends;
    void (*run)(void);
} cases[] = {
    {"hvc", true, evil_hvc},      {"smc", true, evil_smc},       {"imm", true, evil_immediates},
    {"id", true, evil_id},        {"sysreg", true, evil_sysreg}, {"cpu_on", true, evil_cpu_on},
    {"mmio", true, evil_mmio},    {"uart", true, evil_uart},     {"vbar", false, evil_vbar},
    {"spin", false, evil_spin},   {"reset", false, evil_reset},  {"log", false, evil_log},
    {"flood", false, evil_flood},
};

void payload_main(void)
{
    print("evil: args \"%s\"\n", boot_info.args);
    gic_init();
    gic_cpu_init();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (boot_flag("case") ? boot_selects("case", cases[i].name) : cases[i].ends)
            cases[i].run();
    }
}
