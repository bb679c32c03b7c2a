// SPDX-License-Identifier: Apache-2.0
// The end of the road: says what happened, where and on whose behalf, and stops every CPU.

#include <arch/console.h>
#include <arch/irqflags.h>
#include <arch/smp.h>
#include <arch/system.h>
#include <hv/cpu.h>
#include <hv/panic.h>
#include <hv/symbol.h>
#include <lib/fmt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKTRACE_MAX 24
#define NO_CPU UINT32_MAX

void (*panic_describe_hook)(void (*print)(const char *fmt, ...));

/* The CPU whose panic is being shown. */
static uint32_t panic_cpu = NO_CPU;
/* Panics on that CPU: more than one when showing the first one failed. */
static unsigned panic_depth;

static void console_put(void *ctx, const char *s, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n')
            arch_console_putc('\r');
        arch_console_putc(s[i]);
    }
}

static void panic_vprint(const char *fmt, va_list args)
{
    fmt_vprint(console_put, NULL, fmt, args);
}

void panic_print(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    panic_vprint(fmt, args);
    va_end(args);
}

void panic_print_symbol(void (*print)(const char *fmt, ...), unsigned long addr)
{
    struct symbol symbol;

    if (symbol_find(addr, &symbol))
        print("%s+0x%x", symbol.name, symbol.offset);
    else
        print("0x%lx", addr);
}

void panic_print_backtrace(void (*print)(const char *fmt, ...), unsigned long fp)
{
    uintptr_t pcs[BACKTRACE_MAX];
    unsigned count = arch_system_backtrace(fp, pcs, BACKTRACE_MAX);

    print("back-trace:\n");
    for (unsigned i = 0; i < count; i++) {
        print("  %2u  0x%016lx  ", i, (unsigned long)pcs[i]);
        /* One less: the return address of a call that never returns is in the next function. */
        panic_print_symbol(print, pcs[i] - 1);
        print("\n");
    }
}

/* True when this CPU is the one that may go on and print. */
static bool panic_enter(uint32_t cpu)
{
    uint32_t expected = NO_CPU;

    if (__atomic_compare_exchange_n(&panic_cpu, &expected, cpu, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return true;
    return expected == cpu;
}

static void panic_details(void)
{
    if (panic_describe_hook != NULL)
        panic_describe_hook(panic_print);
    arch_system_dump_regs(panic_print);
    panic_print_backtrace(panic_print, arch_system_frame());
}

void panic(const char *fmt, ...)
{
    uint32_t cpu;
    va_list args;

    arch_irq_disable();
    cpu = cpu_id();
    if (!panic_enter(cpu) || ++panic_depth > 2)
        arch_system_halt();
    panic_print(panic_depth == 1 ? "\nPANIC: " : "\nPANIC while showing a panic: ");
    va_start(args, fmt);
    panic_vprint(fmt, args);
    va_end(args);
    panic_print("\nCPU %u\n", cpu);
    if (panic_depth == 1) {
        arch_smp_stop_others();
        panic_details();
    }
    panic_print("system halted\n");
    arch_system_halt();
}

void panic_assert(const char *cond, const char *file, int line)
{
    panic("assertion failed: %s (%s:%d)", cond, file, line);
}
