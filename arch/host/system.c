// SPDX-License-Identifier: Apache-2.0
// Host port: console, caches, CPU start, and stopping the machine, which leads back to the test.

#include <arch/cache.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/fdt_guest.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <arch/smp.h>
#include <arch/system.h>
#include <hv/ctx.h>
#include <hv/percpu.h>
#include <port/internal.h>
#include <port/stack.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char console_text[HOST_CONSOLE_SIZE];
static size_t console_used;

void host_console_reset(void)
{
    console_used = 0;
    console_text[0] = '\0';
}

void host_console_clear(void)
{
    host_console_reset();
}

const char *host_console_text(void)
{
    return console_text;
}

void arch_console_putc(char c)
{
    if (console_used == HOST_CONSOLE_SIZE - 1) {
        memmove(console_text, console_text + HOST_CONSOLE_SIZE / 2, HOST_CONSOLE_SIZE / 2);
        console_used -= HOST_CONSOLE_SIZE / 2;
    }
    console_text[console_used++] = c;
    console_text[console_used] = '\0';
}

void arch_cache_clean(const void *addr, size_t size)
{
    (void)addr;
    (void)size;
}

void arch_cache_scrub(void *page, size_t size)
{
    memset(page, 0, size);
}

void arch_cache_clean_invalidate(const void *addr, size_t size)
{
    (void)addr;
    (void)size;
}

void arch_cache_sync_code(void)
{
}

/* Stopping */

void (*host_idle_hook)(void);
bool host_idles_anywhere;

static struct {
    bool active;
    jmp_buf jump;
    enum host_stop stop;
} run_state;

enum host_stop host_run(void (*fn)(void *arg), void *arg)
{
    unsigned cpu = host_cpu();
    bool masked = host_cpus[cpu].irq_masked;
    struct ctx_state ctx = this_cpu(ctx_state);

    run_state.active = true;
    run_state.stop = HOST_STOP_NONE;
    host_stack_mark();
    if (setjmp(run_state.jump) == 0) {
        fn(arg);
    } else {
        host_stack_arrived();
        host_cpus[cpu].irq_masked = true;
        host_cpu_switch(cpu);
        this_cpu(ctx_state) = ctx;
        host_cpus[cpu].irq_masked = masked;
    }
    run_state.active = false;
    return run_state.stop;
}

NORETURN static void stop(enum host_stop how)
{
    if (!run_state.active) {
        fprintf(stderr, "host port: the machine stopped outside host_run(); its console:\n%s\n",
                console_text);
        abort();
    }
    run_state.stop = how;
    host_stack_leave_to_mark();
    longjmp(run_state.jump, 1);
}

void arch_system_off(void)
{
    stop(HOST_STOP_OFF);
}

void arch_system_reset(void)
{
    stop(HOST_STOP_RESET);
}

void arch_system_halt(void)
{
    stop(HOST_STOP_HALT);
}

void arch_system_boot_failed(enum boot_failure failure, const char *text)
{
    (void)failure;
    while (*text != '\0')
        arch_console_putc(*text++);
    stop(HOST_STOP_HALT);
}

void arch_cpu_init(void)
{
}

void arch_system_idle(void)
{
    if (host_idle_hook != NULL)
        host_idle_hook();
    else if (!host_clock_advance_to_event())
        stop(HOST_STOP_HALT);
}

bool arch_system_idles_anywhere(void)
{
    return host_idles_anywhere;
}

void arch_system_cpu_name(char *buf, unsigned size)
{
    snprintf(buf, size, "simulated CPU %u", host_cpu());
}

/*
 * Frames as GCC lays them out with frame pointers: saved frame pointer, return address. The C library has none, so that the
 * last step may lead to any readable place: that is no error of the program.
 */
__attribute__((no_sanitize("address", "undefined"))) unsigned arch_system_backtrace(uintptr_t fp,
                                                                                    uintptr_t *pcs,
                                                                                    unsigned max)
{
    unsigned count = 0;

    while (count < max && fp % sizeof(fp) == 0 && arch_mmu_is_readable(fp, 2 * sizeof(fp))) {
        uintptr_t next = ((const uintptr_t *)fp)[0];

        pcs[count++] = ((const uintptr_t *)fp)[1];
        if (next <= fp)
            break;
        fp = next;
    }
    return count;
}

static const uintptr_t *interrupted_pcs;
static unsigned interrupted_count;

void host_set_interrupted(const uintptr_t *pcs, unsigned count)
{
    interrupted_pcs = pcs;
    interrupted_count = count;
}

unsigned arch_system_interrupted(uintptr_t *pcs, unsigned max)
{
    unsigned count = MIN(interrupted_count, max);

    for (unsigned i = 0; i < count; i++)
        pcs[i] = interrupted_pcs[i];
    return count;
}

uintptr_t arch_system_frame(void)
{
    return (uintptr_t)__builtin_frame_address(0);
}

void arch_system_dump_regs(void (*print)(const char *fmt, ...))
{
    print("registers: not kept by the host port\n");
}

extern char __executable_start[];

uintptr_t arch_system_image_base(void)
{
    return (uintptr_t)__executable_start;
}

static const void *fdt_blob;
static uint64_t fdt_size;

void host_set_fdt(const void *fdt, uint64_t size)
{
    fdt_blob = fdt;
    fdt_size = size;
}

const void *arch_system_fdt(uint64_t *size)
{
    *size = fdt_size;
    return fdt_blob;
}

/* CPUs */

int (*host_smp_start_hook)(unsigned cpu, uint64_t hwid, uintptr_t percpu_offset,
                           uintptr_t stack_top);
static bool smp_stopped;

void host_smp_set_hwid(unsigned cpu, uint64_t hwid)
{
    host_cpus[cpu].hwid = hwid;
}

bool host_smp_stopped(void)
{
    return smp_stopped;
}

uint64_t arch_smp_hwid(void)
{
    return host_cpus[host_cpu()].hwid;
}

int arch_smp_start(unsigned cpu, uint64_t hwid, const struct dt_node *node, uintptr_t percpu_offset,
                   uintptr_t stack_top)
{
    (void)node;
    if (host_smp_start_hook != NULL)
        return host_smp_start_hook(cpu, hwid, percpu_offset, stack_top);
    host_cpus[cpu].hwid = hwid;
    return 0;
}

void arch_smp_stop_others(void)
{
    smp_stopped = true;
}

/*
 * What a guest's DTB says of CPUs and timers: as on the arm64 port, so that what core generates can
 * be checked.
 */

const char *arch_guest_cpu_compatible(void)
{
    return "arm,armv8";
}

void arch_guest_timer_ppis(uint32_t ppi[4])
{
    static const uint32_t numbers[4] = {13, 14, 11, 10};

    memcpy(ppi, numbers, sizeof(numbers));
}

void host_system_reset(void)
{
    run_state.active = false;
    host_idle_hook = NULL;
    host_idles_anywhere = false;
    host_smp_start_hook = NULL;
    smp_stopped = false;
    fdt_blob = NULL;
    fdt_size = 0;
}
