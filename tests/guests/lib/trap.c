// SPDX-License-Identifier: Apache-2.0
// Exceptions: the expected ones, interrupts, and the end of the test for all others.
#include <payload/arch.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/psci.h>
#include <payload/smp.h>
#include <payload/string.h>
#include <payload/trap.h>

#define HANDLERS 1020
#define CODE_MAX 16
#define CODE_RET 0xd65f03c0u
#define CODE_SVC 0xd4000001u
#define CODE_SVC_A32 0xef000000u
#define SPSR_EL0 0x3c0
#define SPSR_EL0_A32 0x1d0
#define VECTOR_EL0 8
#define VECTOR_EL0_A32 12

/* Offsets are known to vectors.S. */
struct trap_context {
    uint64_t regs[14];
    uint64_t result;
    struct trap trap;
};

bool trap_guard(struct trap_context *ctx, trap_fn fn, uint64_t a, uint64_t b);
void trap_landing(void);
void trap_handle(struct trap_frame *frame, uint64_t vector);

volatile uint32_t irq_unexpected, irq_spurious;
void (*fiq_handler)(void);
static irq_handler handlers[HANDLERS];
static uint32_t code_buffer[BOOT_CPUS_MAX][CODE_MAX];
static trap_hook hooks[BOOT_CPUS_MAX];

void trap_set_hook(trap_hook hook)
{
    hooks[this_cpu()->index] = hook;
}

void irq_set_handler(uint32_t intid, irq_handler handler)
{
    if (intid < HANDLERS)
        handlers[intid] = handler;
}

static void irq_dispatch(void)
{
    uint32_t ack = gic_ack();
    uint32_t intid = gic_intid(ack);

    if (intid >= GIC_SPURIOUS) {
        irq_spurious++;
        return;
    }
    if (handlers[intid])
        handlers[intid](intid);
    else
        irq_unexpected++;
    gic_eoi(ack);
}

static void __attribute__((noreturn)) die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print_panic(fmt, ap);
    va_end(ap);
    psci_system_off();
}

void trap_handle(struct trap_frame *frame, uint64_t vector)
{
    struct cpu *cpu = this_cpu();
    unsigned kind = vector & 3;

    if (kind == 2 && fiq_handler) {
        fiq_handler();
        return;
    }
    if (kind == 1 || kind == 2) {
        irq_dispatch();
        return;
    }
    if (hooks[cpu->index] && hooks[cpu->index](frame, vector))
        return;
    if (!cpu->trap)
        die("FAIL exception cpu %u vector %u esr 0x%lx elr 0x%lx far 0x%lx\nSUMMARY aborted\n",
            cpu->index, (unsigned)vector, frame->esr, frame->elr, frame->far);
    cpu->trap->trap = (struct trap){vector, frame->esr, frame->far, frame->elr, frame->spsr, {0}};
    memcpy(cpu->trap->trap.x, frame->x, sizeof(frame->x));
    frame->x[0] = (uintptr_t)cpu->trap;
    frame->elr = (uintptr_t)trap_landing;
    frame->spsr = 0x3c5; /* EL1h, all masked; trap_guard restores the masks */
}

bool trap_try(trap_fn fn, uint64_t a, uint64_t b, uint64_t *result, struct trap *trap)
{
    struct trap_context ctx = {.result = 0};
    struct cpu *cpu = this_cpu();

    cpu->trap = &ctx;
    __asm__ volatile("" ::: "memory");
    bool ok = trap_guard(&ctx, fn, a, b);
    cpu->trap = NULL;
    if (ok && result)
        *result = ctx.result;
    if (trap)
        *trap = ctx.trap;
    return ok;
}

void trap_sync_code(const void *code, size_t size)
{
    uintptr_t start = (uintptr_t)code;

    for (uintptr_t at = start; at < start + size; at += 4)
        __asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
    dsb();
    for (uintptr_t at = start; at < start + size; at += 4)
        __asm__ volatile("ic ivau, %0" ::"r"(at) : "memory");
    dsb();
    isb();
}

static uint32_t *code_put(const uint32_t *code, unsigned count, uint32_t end)
{
    uint32_t *buffer = code_buffer[this_cpu()->index];

    for (unsigned i = 0; i < CODE_MAX; i++) {
        uint32_t word = i < count ? code[i] : end;

        if (buffer[i] != word)
            buffer[i] =
                word; /* each write costs an emulator a translation, and sweeps change one word */
    }
    trap_sync_code(buffer, sizeof(code_buffer[0]));
    return buffer;
}

bool trap_try_code(const uint32_t *code, unsigned count, uint64_t a, uint64_t b, uint64_t *result,
                   struct trap *trap)
{
    uint32_t *buffer = code_put(code, count, CODE_RET);
    struct trap seen = {0};
    bool ok = trap_try((trap_fn)(uintptr_t)buffer, a, b, result, &seen);

    seen.elr -= (uintptr_t)buffer;
    if (trap)
        *trap = seen;
    return ok;
}

bool trap_try_el0(const uint32_t *code, unsigned count, bool aarch32, struct trap *trap)
{
    uint32_t *buffer = code_put(code, count, aarch32 ? CODE_SVC_A32 : CODE_SVC);
    uintptr_t pc = (uintptr_t)buffer + EL0_ALIAS;
    struct el0_entry entry = {pc, aarch32 ? SPSR_EL0_A32 : SPSR_EL0, {trap->x[0], trap->x[1]}};

    /* The memory clobber of the call that never returns: what entry holds must be stored. */
    __asm__ volatile("" ::"r"(&entry) : "memory");
    trap_try(el0_enter, (uintptr_t)&entry, 0, NULL, trap);
    trap->elr -= pc;
    return trap->vector == (aarch32 ? VECTOR_EL0_A32 : VECTOR_EL0) &&
           trap->elr == (count + 1) * sizeof(*code);
}
