// SPDX-License-Identifier: Apache-2.0
// Driver of the host's PL031 against a model of its registers.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/driver.h>
#include <hv/wallclock.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

enum { DR = 0x00, LR = 0x08, CR = 0x0c, IMSC = 0x10, ICR = 0x1c };

static struct {
    uint32_t time, imsc, cleared;
    unsigned starts;
    bool runs;
} model;

static void model_access(uint64_t offset, unsigned size, bool is_write, uint64_t *value)
{
    uint32_t data = (uint32_t)*value;

    assert_int_equal(size, 4);
    offset &= 0xfff;
    if (!is_write) {
        *value = offset == DR ? model.time : offset == CR ? model.runs : 0;
    } else if (offset == LR) {
        model.time = data;
    } else if (offset == CR) {
        model.starts++;
        model.runs = data & 1;
    } else if (offset == IMSC) {
        model.imsc = data;
    } else if (offset == ICR) {
        model.cleared |= data;
    } else {
        fail_msg("write to register 0x%x", (unsigned)offset);
    }
}

static void set_cells(struct dt_node *node, const char *name, unsigned count, const uint32_t *cells)
{
    uint8_t data[32];

    for (unsigned i = 0; i < count; i++)
        be32_store(data + 4 * i, cells[i]);
    assert_int_equal(dt_set_attr(node, name, data, 4 * count), 0);
}

static int boot(void **state)
{
    const uint32_t reg[4] = {0, 0x09010000, 0, 0x1000}, interrupts[3] = {0, 2, 4};
    struct dt_node *root, *gic, *rtc;
    uintptr_t base;
    size_t size;

    (void)state;
    machine_start(1);
    arch_mmu_window(&base, &size);
    host_io_handler((void *)base, size, model_access);
    model.time = 1234567890;
    model.imsc = 1;
    root = dt_root();
    dt_set_u32(root, "#address-cells", 2);
    dt_set_u32(root, "#size-cells", 2);
    dt_set_u32(root, "interrupt-parent", 1);
    if (dt_add_node(root, "gic", &gic) != 0 || dt_add_node(root, "rtc@9010000", &rtc) != 0)
        return -1;
    dt_set_u32(gic, "#interrupt-cells", 3);
    dt_set_u32(gic, "phandle", 1);
    dt_set_attr(gic, "interrupt-controller", NULL, 0);
    dt_set_string(rtc, "compatible", "arm,pl031");
    set_cells(rtc, "reg", 4, reg);
    set_cells(rtc, "interrupts", 3, interrupts);
    driver_probe_all();
    return 0;
}

/* Started when it stands still, quiet, and read. */
static void probes(void **state)
{
    (void)state;
    assert_string_equal(wallclock_source(), "rtc@9010000");
    assert_int_equal(wallclock_seconds(), 1234567890);
    assert_true(model.runs);
    assert_int_equal(model.starts, 1);
    assert_int_equal(model.imsc, 0);
    assert_int_equal(model.cleared, 1);
}

static void sets(void **state)
{
    (void)state;
    assert_int_equal(wallclock_set(1700000000), 0);
    assert_int_equal(model.time, 1700000000);
    assert_int_equal(wallclock_set(WALLCLOCK_MAX), 0);
    assert_int_equal(model.time, UINT32_MAX);
    assert_int_equal(wallclock_set(WALLCLOCK_MAX + 1ULL), -ERANGE);
    assert_int_equal(model.time, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probes),
        cmocka_unit_test(sets),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
