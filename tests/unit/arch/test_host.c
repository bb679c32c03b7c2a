// SPDX-License-Identifier: Apache-2.0
// The host port itself: RAM and maps, clock, interrupts, stopping, stage 2, world.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/barrier.h>
#include <arch/console.h>
#include <arch/guest_mmu.h>
#include <arch/io.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <arch/system.h>
#include <arch/time.h>
#include <hv/vcpu.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

static int start(void **state)
{
    (void)state;
    machine_start(2);
    return 0;
}

static void test_linear_map(void **state)
{
    char *first = arch_mmu_linear(hpa(HOST_RAM_BASE + HOST_RAM_SIZE - PAGE_SIZE));

    (void)state;
    first[0] = 1;
    assert_int_equal(arch_mmu_hpa(first).v, HOST_RAM_BASE + HOST_RAM_SIZE - PAGE_SIZE);
    assert_true(arch_mmu_is_readable((uintptr_t)first, PAGE_SIZE));
    assert_false(arch_mmu_is_readable((uintptr_t)first, PAGE_SIZE + 1));
    assert_false(arch_mmu_is_readable(0, 1));
    assert_false(arch_mmu_is_readable(UINTPTR_MAX - 1, 8));
}

static void test_window_maps_ram(void **state)
{
    hpa_t pa = hpa(HOST_RAM_BASE + HOST_RAM_SIZE / 2);
    char *linear = arch_mmu_linear(pa);
    uintptr_t base;
    size_t size;

    (void)state;
    arch_mmu_window(&base, &size);
    base += size / 2;
    assert_int_equal(arch_mmu_map(base, pa, 2 * PAGE_SIZE, MMU_RW), 0);
    assert_int_equal(arch_mmu_map(base + PAGE_SIZE, pa, PAGE_SIZE, MMU_RW), -EEXIST);
    strcpy((char *)base, "seen twice");
    assert_string_equal(linear, "seen twice");
    arch_mmu_unmap(base, 2 * PAGE_SIZE);
    assert_false(arch_mmu_is_readable(base, 1));
    assert_int_equal(arch_mmu_map(base, pa, PAGE_SIZE, MMU_RO), 0);
    assert_string_equal((char *)base, "seen twice");
    arch_mmu_unmap(base, PAGE_SIZE);
}

static void test_interrupts_wait_for_the_mask(void **state)
{
    irqflags_t flags;

    (void)state;
    flags = arch_irq_save();
    host_irq_raise(0, 7);
    assert_true(host_irq_is_pending(0, 7));
    arch_irq_restore(flags);
    assert_false(host_irq_is_pending(0, 7));
    host_irq_raise(1, 7);
    assert_false(host_irq_is_pending(1, 7));
}

static void test_time_passes_in_spins_only(void **state)
{
    uint64_t before = arch_time_counter();

    (void)state;
    assert_int_equal(arch_time_counter(), before);
    arch_cpu_relax();
    assert_int_equal(arch_time_counter(), before + 1);
    host_clock_set_relax_step(0);
    arch_cpu_relax();
    assert_int_equal(arch_time_counter(), before + 1);
}

static void stop_how(void *arg)
{
    switch (*(enum host_stop *)arg) {
    case HOST_STOP_HALT:
        arch_irq_disable();
        arch_system_halt();
    case HOST_STOP_OFF:
        host_cpu_switch(1);
        arch_system_off();
    case HOST_STOP_RESET:
        arch_system_reset();
    default:
        break;
    }
}

static void test_stops_lead_back(void **state)
{
    (void)state;
    for (enum host_stop how = HOST_STOP_NONE; how <= HOST_STOP_RESET; how++) {
        assert_int_equal(host_run(stop_how, &how), how);
        assert_int_equal(host_cpu(), 0);
        assert_false(arch_irq_is_disabled());
    }
}

static void test_console(void **state)
{
    (void)state;
    arch_console_putc('a');
    arch_console_putc('b');
    assert_string_equal(host_console_text(), "ab");
    for (unsigned i = 0; i < 2 * HOST_CONSOLE_SIZE; i++)
        arch_console_putc('x');
    assert_true(strlen(host_console_text()) >= HOST_CONSOLE_SIZE / 2 - 1);
    host_console_clear();
    assert_string_equal(host_console_text(), "");
}

static uint64_t device_value;

static void device_access(uint64_t offset, unsigned size, bool is_write, uint64_t *value)
{
    assert_int_equal(size, 4);
    if (is_write)
        device_value = *value + offset;
    else
        *value = device_value;
}

static void test_device_registers(void **state)
{
    static uint32_t frame[4];

    (void)state;
    arch_io_write32(&frame[1], 5);
    assert_int_equal(arch_io_read32(&frame[1]), 5);
    host_io_handler(frame, sizeof(frame), device_access);
    arch_io_write32(&frame[2], 100);
    assert_int_equal(arch_io_read32(&frame[0]), 108);
    assert_int_equal(frame[2], 0);
    host_io_handler(frame, sizeof(frame), NULL);
    assert_int_equal(arch_io_read32(&frame[1]), 5);
}

static void test_stage2(void **state)
{
    struct machine_census before = machine_census();
    struct arch_guest_mmu mmu;
    enum guest_mmu_attr attr;
    hpa_t pa;

    (void)state;
    assert_int_equal(arch_guest_mmu_init(&mmu, 1), 0);
    assert_int_equal(
        arch_guest_mmu_map(&mmu, gpa(0x40000000), hpa(0x80000000), 0x10000, GUEST_MMU_RAM), 0);
    assert_int_equal(arch_guest_mmu_map(&mmu, gpa(0x4000f000), hpa(0), 0x1000, GUEST_MMU_RAM),
                     -EEXIST);
    assert_int_equal(arch_guest_mmu_map(&mmu, gpa(1ULL << 40), hpa(0), 0x1000, GUEST_MMU_RAM),
                     -ERANGE);
    assert_int_equal(arch_guest_mmu_lookup(&mmu, gpa(0x40000123), &pa, &attr), 0);
    assert_int_equal(pa.v, 0x80000123);
    arch_guest_mmu_unmap(&mmu, gpa(0x40004000), 0x2000);
    assert_int_equal(arch_guest_mmu_lookup(&mmu, gpa(0x40004000), &pa, &attr), -ENOENT);
    assert_int_equal(arch_guest_mmu_lookup(&mmu, gpa(0x40003fff), &pa, &attr), 0);
    assert_int_equal(arch_guest_mmu_lookup(&mmu, gpa(0x40006000), &pa, &attr), 0);
    assert_int_equal(pa.v, 0x80006000);
    arch_guest_mmu_destroy(&mmu);
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
}

static void test_world(void **state)
{
    static struct vcpu a;
    static struct vcpu b;
    struct guest_irq_lr lr = {.virq = 27, .pending = true};

    (void)state;
    arch_vcpu_world_load(&a);
    arch_guest_irq_lr_write(1, &lr);
    assert_int_equal(arch_guest_irq_lr_empty(), 0xd);
    arch_vcpu_world_load(&b);
    assert_int_equal(arch_guest_irq_lr_empty(), 0xf);
    assert_ptr_equal(host_world_owner(0), &b);
    arch_vcpu_drop(&b);
    assert_null(host_world_owner(0));
    arch_vcpu_world_load(&a);
    arch_guest_irq_lr_read(1, &lr);
    assert_int_equal(lr.virq, 27);
    assert_true(arch_vcpu_interrupt_pending(&a));
    arch_vcpu_sync(&a);
    assert_int_equal(a.arch.lr[1].virq, 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_linear_map, start),
        cmocka_unit_test_setup(test_window_maps_ram, start),
        cmocka_unit_test_setup(test_interrupts_wait_for_the_mask, start),
        cmocka_unit_test_setup(test_time_passes_in_spins_only, start),
        cmocka_unit_test_setup(test_stops_lead_back, start),
        cmocka_unit_test_setup(test_console, start),
        cmocka_unit_test_setup(test_device_registers, start),
        cmocka_unit_test_setup(test_stage2, start),
        cmocka_unit_test_setup(test_world, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
