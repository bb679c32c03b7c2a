// SPDX-License-Identifier: Apache-2.0
// Exceptions of the hypervisor itself: a bug, or a stack that overflowed. Everything is printed, the machine stops.
#include <arm64/esr.h>
#include <arm64/fp.h>
#include <arm64/sysreg.h>
#include <arm64/trap.h>

#include <arch/system.h>
#include <hv/panic.h>
#include <hv/percpu.h>

void __stack_chk_fail(void);

/* What this CPU was doing when its exception came; NULL: none. */
static DEFINE_PER_CPU(const struct arm64_frame *, panic_frame);

static const char *class_name(uint64_t esr)
{
    switch (ESR_EC(esr)) {
    case EC_UNKNOWN:
        return "undefined instruction";
    case EC_FP:
        return "FP/SIMD access that the thread has not declared";
    case EC_ILLEGAL:
        return "illegal execution state";
    case EC_IABT_SAME:
        return "instruction abort";
    case EC_DABT_SAME:
        return "data abort";
    case 0x22:
        return "PC alignment fault";
    case 0x26:
        return "SP alignment fault";
    case 0x3c:
        return "BRK";
    default:
        return "exception";
    }
}

void trap_el2_sync(struct arm64_frame *frame, bool unexpected)
{
    uint64_t esr = sysreg_read(esr_el2);

    if (!unexpected && ESR_EC(esr) == EC_FP && fp_trap_thread())
        return;
    this_cpu(panic_frame) = frame;
    panic("%s in the hypervisor: ESR 0x%lx, FAR 0x%lx%s", class_name(esr), esr,
          sysreg_read(far_el2), unexpected ? " (SError or unused vector)" : "");
}

void trap_stack_overflow(struct arm64_frame *frame, uint64_t sp)
{
    this_cpu(panic_frame) = frame;
    panic("stack overflow: SP 0x%lx, ESR 0x%lx, FAR 0x%lx", sp, sysreg_read(esr_el2),
          sysreg_read(far_el2));
}

void __stack_chk_fail(void)
{
    panic("stack smashed: a function wrote beyond its local arrays");
}

void arch_system_dump_regs(void (*print)(const char *fmt, ...))
{
    const struct arm64_frame *frame = this_cpu(panic_frame);

    if (!frame)
        return;
    print("pc  %016lx ", frame->elr);
    panic_print_symbol(print, frame->elr);
    print("\nspsr %08lx  lr %016lx ", frame->spsr, frame->x[30]);
    panic_print_symbol(print, frame->x[30]);
    print("\n");
    for (unsigned i = 0; i < 30; i++)
        print("x%-2u %016lx%s", i, frame->x[i], i % 3 == 2 ? "\n" : "  ");
}
