// SPDX-License-Identifier: Apache-2.0
// Device accesses of every form, on registers that keep what is written.
#include "../conform.h"

#define UART_IBRD 0x24
#define SPI_SCRATCH 52 /* a word of four priorities that nobody uses */

static bool try(uint32_t code, uint64_t addr, uint64_t data, uint64_t *value)
{
    /* the access uses x0 as address and x1 as data; the result goes to x0 */
    uint32_t words[2] = {code, 0xaa0103e0};
    uint64_t ignored;

    return trap_try_code(words, 2, addr, data, value ? value : &ignored, NULL);
}

static void expect(const char *name, uint32_t code, uint64_t addr, uint64_t want)
{
    uint64_t value = 0;
    bool done = try(code, addr, 0x1111111111111111, &value);

    report(name, done && value == want, "executed %d value 0x%lx, not 0x%lx", done, value, want);
}

static void check_loads(uint64_t priority)
{
    mmio_write32(priority, 0xf08090e0);
    expect("mmio.ldrb", 0x39400001, priority, 0xe0);
    expect("mmio.ldrb_3", 0x39400c01, priority, 0xf0);
    expect("mmio.ldrsb_w", 0x39c00001, priority, 0xffffffe0);
    expect("mmio.ldrsb_x", 0x39800001, priority, 0xffffffffffffffe0);
    expect("mmio.ldr_w", 0xb9400001, priority, 0xf08090e0);
    expect("mmio.ldrsw", 0xb9800001, priority, 0xfffffffff08090e0);
    expect("mmio.ldar", 0x88dffc01, priority, 0xf08090e0);
    expect("mmio.ldr_wzr", 0xb940001f, priority, 0x1111111111111111);
    mmio_write32(UART_BASE + UART_IBRD, 0x8001);
    expect("mmio.ldrh", 0x79400001, UART_BASE + UART_IBRD, 0x8001);
    expect("mmio.ldrsh_w", 0x79c00001, UART_BASE + UART_IBRD, 0xffff8001);
    expect("mmio.ldrsh_x", 0x79800001, UART_BASE + UART_IBRD, 0xffffffffffff8001);
}

static void check_stores(uint64_t priority)
{
    mmio_write32(priority, 0);
    try(0x39000401, priority, 0x88, NULL); /* strb w1, [x0, #1] */
    report("mmio.strb", mmio_read32(priority) == 0x8800, "0x%x", mmio_read32(priority));
    try(0xb9000001, priority, 0xffffffff40506070, NULL);
    report("mmio.str_w", mmio_read32(priority) == 0x40506070, "0x%x", mmio_read32(priority));
    try(0x889ffc01, priority, 0x80a0c0e0, NULL);
    report("mmio.stlr", mmio_read32(priority) == 0x80a0c0e0, "0x%x", mmio_read32(priority));
    try(0xb900001f, priority, 0, NULL);
    report("mmio.str_wzr", mmio_read32(priority) == 0, "0x%x", mmio_read32(priority));
    try(0x79000001, UART_BASE + UART_IBRD, 0xabcd1234, NULL);
    report("mmio.strh", mmio_read32(UART_BASE + UART_IBRD) == 0x1234, "0x%x",
           mmio_read32(UART_BASE + UART_IBRD));
}

static void check_wide(void)
{
    uint64_t router = GICD_BASE + GICD_IROUTER + SPI_SCRATCH * 8, typer;

    if (gic_version != 3)
        return;
    mmio_write64(router, boot_info.mpidr[0]);
    report("mmio.str_x", mmio_read64(router) == boot_info.mpidr[0], "0x%lx", mmio_read64(router));
    typer = mmio_read64(GICR_BASE + 8);
    report("mmio.halves",
           mmio_read32(GICR_BASE + 8) == (uint32_t)typer &&
               mmio_read32(GICR_BASE + 12) == typer >> 32,
           "TYPER 0x%lx", typer);
}

/* No syndrome for these: emulated or an abort for the guest, and the guest goes on. */
static void check_strange(void)
{
    static const uint32_t codes[] = {0x29400801, 0xb8404401, 0xf9400001, 0x885f7c01, 0x29000801};
    struct trap trap = {0};
    bool sane = true;

    for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (!trap_try_code(&codes[i], 1, UART_BASE + UART_IBRD, 0, NULL, &trap))
            sane &= TRAP_EC(trap) == EC_DABT && trap.far >= UART_BASE + UART_IBRD &&
                    trap.far < UART_BASE + UART_IBRD + 8 && trap.elr == 0;
    }
    report("mmio.strange", sane, "esr 0x%lx far 0x%lx elr +0x%lx", trap.esr, trap.far, trap.elr);
}

static void case_mmio(void)
{
    uint64_t priority = GICD_BASE + GICD_IPRIORITYR + SPI_SCRATCH;

    check_loads(priority);
    check_stores(priority);
    check_wide();
    check_strange();
    console_init();
}

TEST_CASE("memory.mmio", 1, case_mmio);
