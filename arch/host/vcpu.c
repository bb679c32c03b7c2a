// SPDX-License-Identifier: Apache-2.0
// Host port: VCPUs as user contexts, with the sanitizer told of every change of stack; guests as a
// function of the test.

#include <arch/irqflags.h>
#include <arch/time.h>
#include <arch/vcpu.h>
#include <hv/sched.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <port/internal.h>
#include <port/stack.h>
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_BYTES (256UL << 10)
/* Most that calls take on the main stack between host_run() and a switch away. */
#define ABANDONED_BYTES (64UL << 10)

static_assert(sizeof(ucontext_t) <= HOST_CONTEXT_WORDS * 8, "HOST_CONTEXT_WORDS is too small");

void (*host_guest_code)(struct vcpu *vcpu);

/* The stack that runs, and whom the code that arrives on another stack comes from. */
static _Thread_local const void *stack_bottom;
static _Thread_local uint64_t stack_size;
static _Thread_local struct vcpu *switched_from;

static ucontext_t *context(struct vcpu *vcpu)
{
    return (ucontext_t *)vcpu->arch.context;
}

static void stack_learn(void)
{
    pthread_attr_t attr;
    void *addr;
    size_t size;

    if (stack_bottom != NULL || pthread_getattr_np(pthread_self(), &attr) != 0)
        return;
    pthread_attr_getstack(&attr, &addr, &size);
    pthread_attr_destroy(&attr);
    stack_bottom = addr;
    stack_size = size;
}

static struct {
    const void *bottom;
    uint64_t size;
} mark;

void host_stack_mark(void)
{
    stack_learn();
    mark.bottom = stack_bottom;
    mark.size = stack_size;
}

void host_stack_leave_to_mark(void)
{
    if (stack_bottom == mark.bottom)
        return;
    __sanitizer_start_switch_fiber(NULL, mark.bottom, mark.size);
    stack_bottom = NULL;
}

/* The jump came from another stack, so that nobody has cleaned up after the frames it left behind on this one. */
static void abandoned_frames_unpoison(void)
{
    const char *here = __builtin_frame_address(0);

    ASAN_UNPOISON_MEMORY_REGION(here - ABANDONED_BYTES, ABANDONED_BYTES);
}

void host_stack_arrived(void)
{
    if (stack_bottom == NULL) {
        __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
        stack_bottom = mark.bottom;
        stack_size = mark.size;
    }
    abandoned_frames_unpoison();
}

/* First act on a stack that was switched to. */
static void arrive(struct vcpu *vcpu, void *fake_stack)
{
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
    stack_bottom = vcpu->arch.stack_bottom;
    stack_size = vcpu->arch.stack_size;
}

struct vcpu *host_vcpu_switch(struct vcpu *prev, struct vcpu *next)
{
    void *fake_stack;

    stack_learn();
    prev->arch.stack_bottom = stack_bottom;
    prev->arch.stack_size = stack_size;
    switched_from = prev;
    __sanitizer_start_switch_fiber(&fake_stack, next->arch.stack_bottom, next->arch.stack_size);
    swapcontext(context(prev), context(next));
    arrive(prev, fake_stack);
    return switched_from;
}

static struct vcpu *vcpu_from_words(unsigned high, unsigned low)
{
    return (struct vcpu *)(((uintptr_t)high << 32) | low);
}

static void orphan_start(unsigned high, unsigned low)
{
    struct vcpu *vcpu = vcpu_from_words(high, low);

    arrive(vcpu, NULL);
    sched_switch_finish(switched_from);
    arch_irq_enable();
    vcpu->arch.entry(vcpu->arch.arg);
    abort();
}

static void normal_start(unsigned high, unsigned low)
{
    struct vcpu *vcpu = vcpu_from_words(high, low);

    arrive(vcpu, NULL);
    sched_switch_finish(switched_from);
    for (;;) {
        host_guest_enter(vcpu);
        vcpu->exit_stats[EXIT_OTHER].count++;
        if (host_guest_code == NULL) {
            fprintf(stderr, "host port: VCPU %s runs, but the test has set no host_guest_code\n",
                    vcpu->name);
            abort();
        }
        host_guest_code(vcpu);
    }
}

static void stack_make(struct vcpu *vcpu)
{
    if (vcpu->arch.stack == NULL) {
        void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (stack == MAP_FAILED || mprotect(stack, 4096, PROT_NONE) != 0) {
            perror("host port: stack");
            abort();
        }
        vcpu->arch.stack = stack;
    }
    /* A stack that was left for good has poisoned frames on it. */
    ASAN_UNPOISON_MEMORY_REGION((char *)vcpu->arch.stack + 4096, STACK_BYTES - 4096);
    vcpu->arch.stack_bottom = (char *)vcpu->arch.stack + 4096;
    vcpu->arch.stack_size = STACK_BYTES - 4096;
}

static void context_make(struct vcpu *vcpu, void (*start)(unsigned, unsigned))
{
    ucontext_t *uc = context(vcpu);
    uintptr_t addr = (uintptr_t)vcpu;

    stack_make(vcpu);
    getcontext(uc);
    uc->uc_stack.ss_sp = (void *)vcpu->arch.stack_bottom;
    uc->uc_stack.ss_size = vcpu->arch.stack_size;
    uc->uc_link = NULL;
    makecontext(uc, (void (*)(void))start, 2, (unsigned)(addr >> 32), (unsigned)addr);
}

void arch_vcpu_init_orphan(struct vcpu *vcpu, void (*entry)(void *), void *arg)
{
    vcpu->arch.entry = entry;
    vcpu->arch.arg = arg;
    context_make(vcpu, orphan_start);
}

int arch_vcpu_init_normal(struct vcpu *vcpu)
{
    (void)vcpu;
    return 0;
}

void arch_vcpu_destroy(struct vcpu *vcpu)
{
    if (vcpu->arch.stack == NULL)
        return;
    ASAN_UNPOISON_MEMORY_REGION((char *)vcpu->arch.stack + 4096, STACK_BYTES - 4096);
    munmap(vcpu->arch.stack, STACK_BYTES);
    vcpu->arch.stack = NULL;
}

void arch_vcpu_reset(struct vcpu *vcpu, uint64_t pc, uint64_t arg)
{
    if (vcpu->arch.world_cpu != 0) {
        fprintf(stderr, "host port: reset of VCPU %s, whose world is loaded\n", vcpu->name);
        abort();
    }
    memset(vcpu->arch.regs, 0, sizeof(vcpu->arch.regs));
    memset(vcpu->arch.lr, 0, sizeof(vcpu->arch.lr));
    vcpu->arch.regs[HOST_REG_X0] = arg;
    vcpu->arch.regs[HOST_REG_PC] = pc;
    vcpu->arch.interrupt_pending = false;
    context_make(vcpu, normal_start);
}

/* Interrupts of the host leave the guest: they are served, then the way out is taken again. */
void host_guest_enter(struct vcpu *vcpu)
{
    do {
        struct host_cpu_state *cpu;

        if (vcpu->exit_work != 0)
            hv_exit_to_guest(vcpu);
        cpu = &host_cpus[host_cpu()];
        host_irq_serve(host_cpu(), false);
        cpu->resched_check = false;
        cpu->irq_masked = true;
    } while (vcpu->exit_work != 0);
}

/* World */

struct vcpu *host_world_owner(unsigned cpu)
{
    return host_cpus[cpu].world_owner;
}

static void world_unload(struct host_cpu_state *cpu, bool keep)
{
    struct vcpu *owner = cpu->world_owner;

    if (owner == NULL)
        return;
    if (keep)
        memcpy(owner->arch.lr, cpu->lr, sizeof(cpu->lr));
    owner->arch.world_cpu = 0;
    cpu->world_owner = NULL;
    memset(cpu->lr, 0, sizeof(cpu->lr));
    cpu->lr_ended = 0;
}

void arch_vcpu_world_load(struct vcpu *vcpu)
{
    struct host_cpu_state *cpu = &host_cpus[host_cpu()];

    if (cpu->world_owner == vcpu)
        return;
    if (vcpu->arch.world_cpu != 0) {
        fprintf(stderr, "host port: the world of VCPU %s is loaded on two CPUs\n", vcpu->name);
        abort();
    }
    world_unload(cpu, true);
    cpu->world_owner = vcpu;
    vcpu->arch.world_cpu = (int)host_cpu() + 1;
    memcpy(cpu->lr, vcpu->arch.lr, sizeof(cpu->lr));
}

void arch_vcpu_world_unload(struct vcpu *vcpu)
{
    if (vcpu->arch.world_cpu == (int)host_cpu() + 1)
        world_unload(&host_cpus[host_cpu()], true);
}

bool arch_vcpu_world_is_loaded(const struct vcpu *vcpu)
{
    return vcpu->arch.world_cpu != 0;
}

int arch_vcpu_world_cpu(const struct vcpu *vcpu)
{
    return vcpu->arch.world_cpu - 1;
}

/* Guests of the host port have no timers. */
void arch_vcpu_timers_move(struct vcpu *vcpu, unsigned cpu)
{
    (void)vcpu;
    (void)cpu;
}

void arch_vcpu_sync(struct vcpu *vcpu)
{
    if (vcpu->arch.world_cpu != 0)
        world_unload(&host_cpus[vcpu->arch.world_cpu - 1], true);
}

void arch_vcpu_drop(struct vcpu *vcpu)
{
    if (vcpu->arch.world_cpu != 0)
        world_unload(&host_cpus[vcpu->arch.world_cpu - 1], false);
}

/* Registers */

#define X(n)                                                                                       \
    {                                                                                              \
        .name = "x" #n, .id = (n)                                                                  \
    }

static const struct arch_reg_desc reg_table[] = {
    X(0),
    X(1),
    X(2),
    X(3),
    X(4),
    X(5),
    X(6),
    X(7),
    X(8),
    X(9),
    X(10),
    X(11),
    X(12),
    X(13),
    X(14),
    X(15),
    X(16),
    X(17),
    X(18),
    X(19),
    X(20),
    X(21),
    X(22),
    X(23),
    X(24),
    X(25),
    X(26),
    X(27),
    X(28),
    X(29),
    X(30),
    {.name = "sp", .id = HOST_REG_SP},
    {.name = "pc", .id = HOST_REG_PC},
    {.name = "pstate", .id = HOST_REG_PSTATE},
};

const struct arch_reg_desc *arch_vcpu_reg_table(unsigned *count)
{
    *count = ARRAY_SIZE(reg_table);
    return reg_table;
}

int arch_vcpu_get_reg(struct vcpu *vcpu, unsigned id, uint64_t *value)
{
    if (id >= HOST_REG_COUNT)
        return -ENOENT;
    *value = vcpu->arch.regs[id];
    return 0;
}

int arch_vcpu_set_reg(struct vcpu *vcpu, unsigned id, uint64_t value)
{
    if (id >= HOST_REG_COUNT)
        return -ENOENT;
    vcpu->arch.regs[id] = value;
    return 0;
}

/* A user context has no frame records that could be followed: where it began. */
unsigned arch_vcpu_backtrace(const struct vcpu *vcpu, uintptr_t *pcs, unsigned max)
{
    if (max == 0 || vcpu->arch.entry == NULL)
        return 0;
    pcs[0] = (uintptr_t)vcpu->arch.entry;
    return 1;
}

void arch_vcpu_guest_frame(struct vcpu *vcpu, struct arch_vcpu_frame *frame)
{
    frame->pc = vcpu->arch.regs[HOST_REG_PC];
    frame->fp = vcpu->arch.regs[29];
}

/* Guests of the host port have the upper half of their address space unmapped, the lower one mapped to itself. */
int arch_vcpu_translate(struct vcpu *vcpu, uint64_t va, uint64_t *ipa)
{
    (void)vcpu;
    *ipa = va;
    return va >> 63 ? -EFAULT : 0;
}

uint64_t arch_vcpu_get_gpr(struct vcpu *vcpu, unsigned n)
{
    return n < 31 ? vcpu->arch.regs[n] : 0;
}

void arch_vcpu_set_gpr(struct vcpu *vcpu, unsigned n, uint64_t value)
{
    if (n < 31)
        vcpu->arch.regs[n] = value;
}

uint64_t arch_vcpu_affinity(unsigned subid)
{
    return ((uint64_t)(subid / 16) << 8) | subid % 16;
}

bool arch_vcpu_interrupt_pending(struct vcpu *vcpu)
{
    const struct host_cpu_state *cpu = &host_cpus[host_cpu()];

    for (unsigned i = 0; i < arch_guest_irq_lr_count(); i++)
        if (cpu->world_owner == vcpu && cpu->lr[i].pending)
            return true;
    return vcpu->arch.interrupt_pending;
}

/* Faults of the simulated guest */

enum { HOST_FAULT_UNDEF, HOST_FAULT_ABORT };

static void fault_record(struct vcpu *vcpu, uint64_t syndrome)
{
    vcpu->fault = (struct vcpu_fault){
        .count = vcpu->fault.count + 1,
        .syndrome = syndrome,
        .pc = vcpu->arch.regs[HOST_REG_PC],
        .when = arch_time_counter(),
    };
}

void arch_fault_text(uint64_t syndrome, char *buf, size_t size)
{
    snprintf(buf, size, "%s",
             syndrome == HOST_FAULT_UNDEF ? "undefined instruction" : "external abort");
}

void arch_vcpu_inject_undef(struct vcpu *vcpu)
{
    vcpu->arch.undef_count++;
    fault_record(vcpu, HOST_FAULT_UNDEF);
}

void arch_vcpu_inject_abort(struct vcpu *vcpu, bool instruction, uint64_t far)
{
    (void)instruction;
    vcpu->arch.abort_count++;
    vcpu->arch.abort_address = far;
    fault_record(vcpu, HOST_FAULT_ABORT);
    vcpu->fault.va = vcpu->fault.ipa = far;
    vcpu->fault.has_address = vcpu->fault.has_ipa = true;
}

void host_vcpu_reset(void)
{
    host_guest_code = NULL;
    switched_from = NULL;
}
