// SPDX-License-Identifier: Apache-2.0
// The start of Bulkhead, in order, on one screen.
#include <hv/init.h>

#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/system.h>
#include <hv/bundle.h>
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/driver.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/initcall.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/panic.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <hv/thread.h>
#include <hv/upcall.h>
#include <hv/version.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <stdbool.h>

TABLE_DECLARE(initcalls, struct initcall);

/* A blob that some tools write larger than its header says would be cut; this is more than any board needs. */
#define FDT_SIZE_MAX (2UL << 20)

static void require(int err, enum boot_failure failure, const char *text)
{
    if (err) {
        log_error("start-up: %s", error_name(err));
        arch_system_boot_failed(failure, text);
    }
}

static void run_initcalls(enum initcall_level level)
{
    TABLE_FOREACH(initcalls, struct initcall, call) {
        int err = (*call)->level == level ? (*call)->fn() : 0;

        if (err)
            log_error("%s: %s", (*call)->name, error_name(err));
    }
}

/* What needs a thread to sleep in: drivers, guests, the shell. */
static int start_services(void *arg)
{
    (void)arg;
    run_initcalls(INITCALL_CORE);
    driver_probe_all();
    run_initcalls(INITCALL_DEVICE);
    run_initcalls(INITCALL_LATE);
    run_initcalls(INITCALL_SHELL);
    return 0;
}

static void load_device_tree(void)
{
    uint64_t limit;
    size_t size = 0;
    const void *fdt = arch_system_fdt(&limit);
    int err = init_memory(fdt, limit, &size);

    if (err == -EBADMSG || size > FDT_SIZE_MAX)
        arch_system_boot_failed(BOOT_FAILURE_FDT,
                                "\r\nBulkhead: the device tree blob is broken.\r\n");
    require(err, BOOT_FAILURE_MEMORY, "\r\nBulkhead: no usable RAM in the device tree.\r\n");
    require(dt_init(), BOOT_FAILURE_MEMORY, "\r\nBulkhead: out of memory.\r\n");
    require(dt_load_fdt(dt_root(), fdt, size), BOOT_FAILURE_FDT,
            "\r\nBulkhead: the device tree blob is broken.\r\n");
    bundle_init();             /* says what is wrong; the files before a damage are usable */
    guest_load_bundle_trees(); /* early: /vmm says how the rest starts */
}

static void start_first_thread(void)
{
    struct thread *thread;

    if (thread_create("init", start_services, NULL, SCHED_PRIORITY_DEFAULT, 0, &thread))
        panic("no memory for the first thread");
    thread_detach(thread);
    thread_start(thread);
}

void hv_main(void)
{
    log_info(HV_NAME " " HV_VERSION);
    cpu_info(0)->hwid = arch_smp_hwid();
    cpu_set_count(1);
    cpu_set_online(0);
    arch_cpu_init();
    load_device_tree();
    require(irq_init(), BOOT_FAILURE_DEVICE,
            "\r\nBulkhead: no interrupt controller that a driver knows (GICv2, GICv3).\r\n");
    require(clock_init(), BOOT_FAILURE_DEVICE, "\r\nBulkhead: no usable timer.\r\n");
    sched_init(); /* an unknown policy is logged, the default is used */
    require(sched_init_cpu(), BOOT_FAILURE_MEMORY, "\r\nBulkhead: out of memory.\r\n");
    require(smp_init_cpu(), BOOT_FAILURE_DEVICE, "\r\nBulkhead: no cross-CPU interrupts.\r\n");
    arch_irq_enable();
    smp_boot();
    require(workqueue_start(), BOOT_FAILURE_MEMORY, "\r\nBulkhead: out of memory.\r\n");
    require(guest_init(), BOOT_FAILURE_MEMORY, "\r\nBulkhead: out of memory.\r\n");
    start_first_thread();
    sched_idle();
}

/* -EIO and the like leave the CPU off: the boot CPU sees that it never came online. */
void hv_secondary_main(unsigned cpu)
{
    int err;

    arch_cpu_init();
    err = irq_init_cpu();
    if (!err)
        err = clock_init_cpu();
    if (!err)
        err = sched_init_cpu();
    if (!err)
        err = smp_init_cpu();
    if (err) {
        cpu_info(cpu)->error = err;
        arch_system_halt();
    }
    cpu_set_online(cpu);
    arch_irq_enable();
    sched_idle();
}
