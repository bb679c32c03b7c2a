// SPDX-License-Identifier: Apache-2.0
// Device tree: lookups, changes, typed access, reg and ranges, interrupts, failures of memory.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/dt.h>
#include <hv/heap.h>
#include <hv/page.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <stdio.h>
#include <string.h>

static int set_up(void **state)
{
    (void)state;
    return page_add_range(hpa(HOST_RAM_BASE), 256 << 20) != 0 || dt_init() != 0;
}

static int empty_tree(void **state)
{
    const struct dt_attr *attr;
    struct dt_node *node;

    (void)state;
    while ((node = dt_first_child(dt_root())) != NULL)
        assert_int_equal(dt_delete_node(node), 0);
    while ((attr = LIST_FIRST(&dt_root()->attrs, struct dt_attr, link)) != NULL)
        dt_delete_attr(dt_root(), attr->name);
    return 0;
}

static struct dt_node *add(struct dt_node *parent, const char *name)
{
    struct dt_node *node = NULL;

    assert_int_equal(dt_add_node(parent, name, &node), 0);
    assert_ptr_equal(node->parent, parent);
    return node;
}

/* Sets an attribute of count cells. */
static void set_cells(struct dt_node *node, const char *name, unsigned count, ...)
{
    uint8_t cells[64];
    va_list args;

    va_start(args, count);
    for (unsigned i = 0; i < count; i++)
        be32_store(cells + 4 * i, va_arg(args, uint32_t));
    va_end(args);
    assert_int_equal(dt_set_attr(node, name, cells, 4 * count), 0);
}

static void test_paths(void **state)
{
    struct dt_node *soc = add(dt_root(), "soc");
    struct dt_node *uart0 = add(soc, "serial@9000000");
    struct dt_node *uart1 = add(soc, "serial@9040000");
    struct dt_node *rtc = add(soc, "rtc@9010000");
    struct dt_node *aliases = add(dt_root(), "aliases");
    char buf[32];

    (void)state;
    assert_ptr_equal(dt_find("/"), dt_root());
    assert_ptr_equal(dt_find("/soc"), soc);
    assert_ptr_equal(dt_find("//soc/"), soc);
    assert_ptr_equal(dt_find("/soc/rtc@9010000"), rtc);
    assert_ptr_equal(dt_find("/soc/rtc"), rtc);
    assert_ptr_equal(dt_find("/soc/rtc:115200"), rtc);
    assert_null(dt_find("/soc/serial"));
    assert_null(dt_find("/soc/rtc@9"));
    assert_null(dt_find("/so"));
    assert_null(dt_find("/soc/rtc/more"));
    assert_null(dt_find(""));
    assert_ptr_equal(dt_child(soc, "serial@9040000"), uart1);
    dt_set_string(aliases, "serial0", "/soc/serial@9000000");
    dt_set_string(aliases, "loop", "loop");
    assert_ptr_equal(dt_find("serial0:9600n8"), uart0);
    assert_null(dt_find("serial0/x"));
    assert_null(dt_find("loop"));
    assert_null(dt_find("serial"));
    assert_int_equal(dt_path(uart0, buf, sizeof(buf)), 0);
    assert_string_equal(buf, "/soc/serial@9000000");
    assert_int_equal(dt_path(uart0, buf, 20), 0);
    assert_int_equal(dt_path(uart0, buf, 19), -ENAMETOOLONG);
    assert_int_equal(dt_path(dt_root(), buf, 2), 0);
    assert_string_equal(buf, "/");
    assert_int_equal(dt_path(dt_root(), buf, 1), -ENAMETOOLONG);
}

static void test_order(void **state)
{
    struct dt_node *a = add(dt_root(), "a"), *b = add(dt_root(), "b");
    struct dt_node *a1 = add(a, "a1"), *a11 = add(a1, "a11"), *a2 = add(a, "a2");
    const struct dt_node *expected[] = {dt_root(), a, a1, a11, a2, b};
    unsigned n = 0;

    (void)state;
    for (struct dt_node *node = dt_root(); node != NULL; node = dt_next(dt_root(), node))
        assert_ptr_equal(node, expected[n++]);
    assert_int_equal(n, 6);
    assert_null(dt_next(a, a2));
    assert_null(dt_next(a2, a2));
    assert_null(dt_next_sibling(dt_root()));
}

static void test_names(void **state)
{
    static const char *const bad_nodes[] = {"",
                                            "a/b",
                                            "a b",
                                            "@1",
                                            "a@",
                                            "a@b@c",
                                            "a#",
                                            "a?",
                                            "\xff",
                                            "a\n",
                                            "abcdefghijklmnopqrstuvwxyzabcdef",
                                            "a@abcdefghijklmnopqrstuvwxyzabcdef"};
    static const char *const good_nodes[] = {"a", "a@0", "x,y.z_1+2-3@f0,1",
                                             "abcdefghijklmnopqrstuvwxyzabcde"};
    static const char *const bad_attrs[] = {"",    "a@b",  "a/b",
                                            "a b", "\x80", "abcdefghijklmnopqrstuvwxyzabcdef"};
    struct dt_node *node;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad_nodes) / sizeof(bad_nodes[0]); i++)
        assert_int_equal(dt_add_node(dt_root(), bad_nodes[i], &node), -EINVAL);
    for (unsigned i = 0; i < sizeof(good_nodes) / sizeof(good_nodes[0]); i++) {
        assert_int_equal(dt_add_node(dt_root(), good_nodes[i], &node), 0);
        assert_int_equal(dt_add_node(dt_root(), good_nodes[i], &node), -EEXIST);
    }
    for (unsigned i = 0; i < sizeof(bad_attrs) / sizeof(bad_attrs[0]); i++)
        assert_int_equal(dt_set_u32(dt_root(), bad_attrs[i], 1), -EINVAL);
    assert_int_equal(dt_set_u32(dt_root(), "#a?,._+-Z9", 1), 0);
}

static void test_depth_is_bounded(void **state)
{
    struct dt_node *node = dt_root(), *other;

    (void)state;
    for (unsigned depth = 1; depth <= DT_DEPTH_MAX; depth++)
        node = add(node, "n");
    assert_int_equal(dt_add_node(node, "n", &other), -EINVAL);
    other = add(dt_root(), "other");
    assert_int_equal(dt_copy_node(dt_find("/n"), other, "n", &node), -EINVAL);
    assert_int_equal(dt_copy_node(dt_find("/n/n"), other, "n", &node), 0);
}

static void test_typed_access(void **state)
{
    struct dt_node *node = add(dt_root(), "n");
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    const char *s;

    (void)state;
    set_cells(node, "one", 1, 0x12345678);
    set_cells(node, "two", 2, 0x1u, 0x2u);
    dt_set_attr(node, "odd", "abcdef", 6);
    dt_set_attr(node, "empty", NULL, 0);
    dt_set_attr(node, "list", "ab\0\0cde", 8);
    assert_int_equal(dt_get_u32(node, "none", &u32), -ENOENT);
    assert_int_equal(dt_get_u32(node, "two", &u32), -EINVAL);
    assert_int_equal(dt_get_u32(node, "one", &u32), 0);
    assert_int_equal(u32, 0x12345678);
    assert_int_equal(dt_get_u32_at(node, "two", 1, &u32), 0);
    assert_int_equal(u32, 2);
    assert_int_equal(dt_get_u32_at(node, "two", 2, &u32), -ENOENT);
    assert_int_equal(dt_get_u32_at(node, "two", UINT32_MAX, &u32), -ENOENT);
    assert_int_equal(dt_get_u32_at(node, "odd", 0, &u32), -EINVAL);
    assert_int_equal(dt_get_u64(node, "two", &u64), 0);
    assert_int_equal(u64, 0x100000002);
    assert_int_equal(dt_get_u64(node, "one", &u64), 0);
    assert_int_equal(u64, 0x12345678);
    assert_int_equal(dt_get_u64(node, "odd", &u64), -EINVAL);
    assert_int_equal(dt_get_string(node, "odd", &s), -EINVAL);
    assert_int_equal(dt_get_string(node, "empty", &s), -EINVAL);
    assert_int_equal(dt_get_string_at(node, "list", 0, &s), 0);
    assert_string_equal(s, "ab");
    assert_int_equal(dt_get_string_at(node, "list", 1, &s), 0);
    assert_string_equal(s, "");
    assert_int_equal(dt_get_string_at(node, "list", 2, &s), 0);
    assert_string_equal(s, "cde");
    assert_int_equal(dt_get_string_at(node, "list", 3, &s), -ENOENT);
    dt_set_u32(node, "one", 7);
    dt_get_u32(node, "one", &u32);
    assert_int_equal(u32, 7);
    assert_int_equal(dt_delete_attr(node, "one"), 0);
    assert_int_equal(dt_delete_attr(node, "one"), -ENOENT);
}

static void test_status_and_compatible(void **state)
{
    struct dt_node *a = add(dt_root(), "a");
    struct dt_node *guests = add(dt_root(), "guests");
    struct dt_node *inner = add(add(guests, "g"), "uart");
    struct dt_node *b = add(dt_root(), "b");

    (void)state;
    assert_true(dt_is_enabled(a));
    dt_set_string(a, "status", "disabled");
    assert_false(dt_is_enabled(a));
    dt_set_string(a, "status", "okay");
    assert_true(dt_is_enabled(a));
    dt_set_attr(a, "status", "okay", 4);
    assert_false(dt_is_enabled(a));
    dt_set_attr(a, "compatible", "arm,pl011\0arm,primecell", 24);
    dt_set_string(inner, "compatible", "arm,pl011");
    dt_set_string(b, "compatible", "arm,pl011");
    assert_true(dt_is_compatible(a, "arm,primecell"));
    assert_false(dt_is_compatible(a, "arm,pl01"));
    /* What guests see is no device of the host. */
    assert_ptr_equal(dt_find_compatible(NULL, "arm,pl011"), a);
    assert_ptr_equal(dt_find_compatible(a, "arm,pl011"), b);
    assert_null(dt_find_compatible(b, "arm,pl011"));
    assert_true(dt_is_host(a) && dt_is_host(dt_root()));
    assert_false(dt_is_host(guests) || dt_is_host(inner));
    dt_set_attr(a, "compatible", "arm,pl011", 9);
    assert_false(dt_is_compatible(a, "arm,pl011"));
}

static void test_phandles(void **state)
{
    struct dt_node *guests = add(dt_root(), "guests");
    struct dt_node *a = add(dt_root(), "a");

    (void)state;
    dt_set_u32(add(guests, "g"), "phandle", 5);
    assert_null(dt_find_phandle(5));
    dt_set_u32(a, "phandle", 5);
    assert_ptr_equal(dt_find_phandle(5), a);
    dt_set_u32(a, "phandle", 6);
    assert_null(dt_find_phandle(5));
    assert_ptr_equal(dt_find_phandle(6), a);
    dt_delete_attr(a, "phandle");
    assert_null(dt_find_phandle(6));
    assert_null(dt_find_phandle(0));
}

static void test_reg(void **state)
{
    struct dt_node *a = add(dt_root(), "a");
    uint64_t addr, size;

    (void)state;
    assert_int_equal(dt_get_reg(a, 0, &addr, &size), -ENOENT);
    /* Without cell counts: 2 and 1. */
    set_cells(a, "reg", 6, 1u, 2u, 3u, 4u, 5u, 6u);
    assert_int_equal(dt_reg_count(a), 2);
    assert_int_equal(dt_get_reg(a, 1, &addr, &size), 0);
    assert_int_equal(addr, 0x400000005);
    assert_int_equal(size, 6);
    assert_int_equal(dt_get_reg(a, 2, &addr, &size), -ENOENT);
    dt_set_u32(dt_root(), "#address-cells", 2);
    dt_set_u32(dt_root(), "#size-cells", 2);
    assert_int_equal(dt_get_reg(a, 0, &addr, &size), -EINVAL);
    for (uint32_t cells = 0; cells < 7; cells++) {
        dt_set_u32(dt_root(), "#address-cells", cells);
        dt_set_u32(dt_root(), "#size-cells", 0);
        assert_int_equal(dt_get_reg(a, 0, &addr, &size), cells == 1 || cells == 2 ? 0 : -EINVAL);
        assert_int_equal(dt_reg_count(a), cells == 1 ? 6 : cells == 2 ? 3 : 0);
    }
    dt_set_u32(dt_root(), "#address-cells", 2);
    dt_set_u32(dt_root(), "#size-cells", 3);
    assert_int_equal(dt_get_reg(a, 0, &addr, &size), -EINVAL);
    assert_int_equal(dt_get_reg(dt_root(), 0, &addr, &size), -ENOENT);
    set_cells(dt_root(), "reg", 1, 5u);
    assert_int_equal(dt_get_reg(dt_root(), 0, &addr, &size), -EINVAL);
}

static void test_translation(void **state)
{
    struct dt_node *bus = add(dt_root(), "bus"), *inner = add(bus, "inner"),
                   *dev = add(inner, "dev");
    uint64_t addr, size;

    (void)state;
    dt_set_u32(dt_root(), "#address-cells", 2);
    dt_set_u32(dt_root(), "#size-cells", 2);
    dt_set_u32(bus, "#address-cells", 1);
    dt_set_u32(bus, "#size-cells", 1);
    dt_set_u32(inner, "#address-cells", 1);
    dt_set_u32(inner, "#size-cells", 1);
    set_cells(dev, "reg", 2, 0x100u, 0x10u);
    assert_int_equal(dt_get_reg_translated(dev, 0, &addr, &size), -EINVAL);
    dt_set_attr(inner, "ranges", NULL, 0);
    set_cells(bus, "ranges", 8, 0x5000u, 0u, 0x1000u, 0x10u, 0u, 0xfu, 0xe0000000u, 0x200u);
    assert_int_equal(dt_get_reg_translated(dev, 0, &addr, &size), 0);
    assert_int_equal(addr, 0xfe0000100);
    assert_int_equal(size, 0x10);
    assert_int_equal(dt_get_reg_translated(bus, 0, &addr, &size), -ENOENT);
    set_cells(dev, "reg", 2, 0x1f8u, 0x10u);
    assert_int_equal(dt_get_reg_translated(dev, 0, &addr, &size), -EINVAL);
    set_cells(dev, "reg", 2, 0x5008u, 0x8u);
    assert_int_equal(dt_get_reg_translated(dev, 0, &addr, &size), 0);
    assert_int_equal(addr, 0x1008);
    /* Wraps, or cut off. */
    set_cells(bus, "ranges", 4, 0x0u, 0xffffffffu, 0xffffff00u, 0x10000u);
    assert_int_equal(dt_get_reg_translated(dev, 0, &addr, &size), -EINVAL);
    set_cells(bus, "ranges", 3, 0x0u, 0u, 0x1000u);
    assert_int_equal(dt_get_reg_translated(dev, 0, &addr, &size), -EINVAL);
    dt_set_u32(bus, "#address-cells", 3);
    assert_int_equal(dt_get_reg_translated(dev, 0, &addr, &size), -EINVAL);
}

static void test_interrupts(void **state)
{
    struct dt_node *gic = add(dt_root(), "gic"), *gpio = add(dt_root(), "gpio"),
                   *dev = add(gpio, "dev");
    uint32_t cells[4];

    (void)state;
    assert_int_equal(dt_get_interrupt(dev, 0, cells), -ENOENT);
    set_cells(dev, "interrupts", 6, 0u, 33u, 4u, 1u, 11u, 1u);
    assert_int_equal(dt_get_interrupt(dev, 0, cells), -EINVAL);
    dt_set_u32(gic, "phandle", 1);
    dt_set_u32(gic, "#interrupt-cells", 3);
    dt_set_u32(dt_root(), "interrupt-parent", 1);
    assert_int_equal(dt_get_interrupt(dev, 1, cells), 3);
    assert_int_equal(cells[0], 1);
    assert_int_equal(cells[1], 11);
    assert_int_equal(dt_get_interrupt(dev, 2, cells), -ENOENT);
    assert_ptr_equal(dt_interrupt_controller(dev, 0), gic);
    /* A controller above goes before what the root names. */
    dt_set_u32(gpio, "#interrupt-cells", 2);
    assert_ptr_equal(dt_interrupt_controller(dev, 0), gpio);
    assert_int_equal(dt_get_interrupt(dev, 2, cells), 2);
    dt_set_u32(dev, "interrupt-parent", 1);
    assert_ptr_equal(dt_interrupt_controller(dev, 0), gic);
    dt_set_u32(dev, "interrupt-parent", 9);
    assert_int_equal(dt_get_interrupt(dev, 0, cells), -EINVAL);
    assert_null(dt_interrupt_controller(dev, 0));
    dt_set_u32(gpio, "phandle", 2);
    set_cells(dev, "interrupts-extended", 7, 2u, 7u, 8u, 1u, 0u, 50u, 4u);
    assert_int_equal(dt_get_interrupt(dev, 0, cells), 2);
    assert_int_equal(cells[1], 8);
    assert_int_equal(dt_get_interrupt(dev, 1, cells), 3);
    assert_int_equal(cells[1], 50);
    assert_int_equal(dt_get_interrupt(dev, 2, cells), -ENOENT);
    set_cells(dev, "interrupts-extended", 3, 1u, 0u, 50u);
    assert_int_equal(dt_get_interrupt(dev, 0, cells), -EINVAL);
    dt_set_u32(gic, "#interrupt-cells", 0);
    assert_int_equal(dt_get_interrupt(dev, 0, cells), -EINVAL);
    dt_set_u32(gic, "#interrupt-cells", 5);
    assert_int_equal(dt_get_interrupt(dev, 0, cells), -EINVAL);
}

static void test_delete_and_hold(void **state)
{
    struct dt_node *a = add(dt_root(), "a"), *b = add(a, "b"), *c = add(b, "c"), *new;
    struct dt_hold first, second;

    (void)state;
    assert_int_equal(dt_delete_node(dt_root()), -EINVAL);
    dt_hold(b, &first, "linux0");
    dt_hold(b, &second, "uart");
    /* Nothing above can go, nothing below can change. */
    assert_int_equal(dt_delete_node(a), -EBUSY);
    assert_int_equal(dt_delete_node(c), -EBUSY);
    assert_int_equal(dt_add_node(c, "d", &new), -EBUSY);
    assert_int_equal(dt_copy_node(a, c, "d", &new), -EINVAL);
    assert_int_equal(dt_copy_node(c, b, "d", &new), -EBUSY);
    assert_int_equal(dt_set_u32(c, "value", 1), -EBUSY);
    assert_int_equal(dt_set_u32(b, "value", 1), -EBUSY);
    assert_int_equal(dt_delete_attr(c, "value"), -ENOENT);
    /* What is beside it, and what stands above, may. */
    assert_int_equal(dt_set_u32(a, "value", 1), 0);
    assert_int_equal(dt_add_node(a, "e", &new), 0);
    assert_int_equal(dt_delete_node(new), 0);
    assert_string_equal(dt_user(a), "linux0");
    assert_string_equal(dt_holder(c), "linux0");
    assert_null(dt_holder(a));
    dt_release(&first);
    assert_string_equal(dt_user(b), "uart");
    dt_release(&second);
    assert_null(dt_user(b));
    assert_int_equal(dt_set_u32(c, "value", 1), 0);
    assert_int_equal(dt_delete_node(a), 0);
    assert_null(dt_find("/a"));
}

static void test_attributes_of_held_nodes_stay(void **state)
{
    struct dt_node *a = add(dt_root(), "a");
    struct dt_hold hold;

    (void)state;
    dt_set_u32(a, "value", 1);
    dt_hold(a, &hold, "x");
    assert_int_equal(dt_delete_attr(a, "value"), -EBUSY);
    assert_non_null(dt_attr(a, "value"));
    dt_release(&hold);
    assert_int_equal(dt_delete_attr(a, "value"), 0);
}

static void test_numbers(void **state)
{
    static const uint8_t raw[] = {0, 1, 2, 3, 4, 5, 6, 7};
    struct dt_node *a = add(dt_root(), "a");
    uint64_t v64 = 0, v64s[2];
    uint32_t v32s[2], cells[] = {7, 0x80000000};
    uint16_t v16 = 0, v16s[8];
    uint8_t v8 = 0, v8s[8];

    (void)state;
    assert_int_equal(dt_set_attr(a, "raw", raw, sizeof(raw)), 0);
    assert_int_equal(dt_get_u8_array(a, "raw", v8s, 8), 8);
    assert_int_equal(v8s[7], 7);
    assert_int_equal(dt_get_u16_array(a, "raw", v16s, 8), 4);
    assert_int_equal(v16s[1], 0x0203);
    assert_int_equal(dt_get_u32_array(a, "raw", v32s, 1), 2);
    assert_int_equal(v32s[0], 0x00010203);
    assert_int_equal(dt_get_u64_array(a, "raw", v64s, 2), 1);
    assert_int_equal(v64s[0], 0x0001020304050607);
    assert_int_equal(dt_get_u64_array(a, "none", v64s, 2), -ENOENT);
    assert_int_equal(dt_set_attr(a, "odd", raw, 3), 0);
    assert_int_equal(dt_get_u16_array(a, "odd", v16s, 8), -EINVAL);
    assert_int_equal(dt_set_attr(a, "flag", NULL, 0), 0);
    assert_int_equal(dt_get_u32_array(a, "flag", v32s, 2), -EINVAL);
    assert_int_equal(dt_get_u8(a, "odd", &v8), -EINVAL);
    assert_int_equal(dt_set_u8(a, "v8", 0xfe), 0);
    assert_int_equal(dt_get_u8(a, "v8", &v8), 0);
    assert_int_equal(v8, 0xfe);
    assert_int_equal(dt_set_u16(a, "v16", 0xfedc), 0);
    assert_int_equal(dt_get_u16(a, "v16", &v16), 0);
    assert_int_equal(v16, 0xfedc);
    assert_int_equal(dt_set_u64(a, "v64", 0xfedcba9876543210), 0);
    assert_int_equal(dt_get_u64(a, "v64", &v64), 0);
    assert_true(v64 == 0xfedcba9876543210);
    assert_int_equal(dt_set_u32_array(a, "cells", cells, 2), 0);
    assert_memory_equal(dt_attr(a, "cells")->data, "\0\0\0\7\x80\0\0\0", 8);
    assert_int_equal(dt_set_attr(a, "huge", raw, DT_ATTR_SIZE_MAX + 1), -EINVAL);
}

static void test_string_lists(void **state)
{
    static const char *const names[] = {"arm,pl011", "", "arm,primecell"};
    struct dt_node *a = add(dt_root(), "a");
    const char *value;

    (void)state;
    assert_int_equal(dt_set_strings(a, "list", names, 3), 0);
    assert_int_equal(dt_attr(a, "list")->size, 10 + 1 + 14);
    assert_int_equal(dt_count_strings(a, "list"), 3);
    assert_int_equal(dt_get_string_at(a, "list", 2, &value), 0);
    assert_string_equal(value, "arm,primecell");
    assert_int_equal(dt_find_string(a, "list", "arm,primecell"), 2);
    value = dt_next_string(a, "list", NULL);
    assert_string_equal(value, "arm,pl011");
    value = dt_next_string(a, "list", dt_next_string(a, "list", value));
    assert_string_equal(value, "arm,primecell");
    assert_null(dt_next_string(a, "list", value));
    assert_null(dt_next_string(a, "none", NULL));
    assert_int_equal(dt_find_string(a, "list", "arm"), -ENOENT);
    assert_int_equal(dt_find_string(a, "none", "arm"), -ENOENT);
    assert_int_equal(dt_set_strings(a, "list", names, 0), -EINVAL);
    assert_int_equal(dt_set_attr(a, "open", "ab", 2), 0);
    assert_int_equal(dt_count_strings(a, "open"), -EINVAL);
    assert_int_equal(dt_find_string(a, "open", "ab"), -EINVAL);
    assert_int_equal(dt_count_strings(a, "none"), -ENOENT);
}

static void test_phandle_targets(void **state)
{
    struct dt_node *a = add(dt_root(), "a"), *b = add(dt_root(), "b"), *found = NULL;
    const uint32_t cells[] = {1, 9};

    (void)state;
    dt_set_u32(b, "phandle", 9);
    dt_set_u32_array(a, "clocks", cells, 2);
    assert_int_equal(dt_get_phandle(a, "clocks", 1, &found), 0);
    assert_ptr_equal(found, b);
    assert_int_equal(dt_get_phandle(a, "clocks", 0, &found), -ENOENT);
    assert_int_equal(dt_get_phandle(a, "clocks", 2, &found), -ENOENT);
    assert_int_equal(dt_get_phandle(a, "none", 0, &found), -ENOENT);
}

static struct dt_node *make_template(void)
{
    struct dt_node *src = add(add(dt_root(), "templates"), "linux");
    struct dt_node *deep = add(add(src, "aspace"), "uart@9000000");

    add(src, "vcpus");
    dt_set_u32(deep, "deep", 3);
    dt_set_string(src, "model", "x");
    return src;
}

static void test_copy(void **state)
{
    struct dt_node *src = make_template(), *guests = add(dt_root(), "guests"), *copy;
    uint32_t value;

    (void)state;
    assert_int_equal(dt_copy_node(src, guests, "a/b", &copy), -EINVAL);
    assert_int_equal(dt_copy_node(src, src, "self", &copy), -EINVAL);
    assert_int_equal(dt_copy_node(src, guests, "linux0", &copy), 0);
    assert_int_equal(dt_copy_node(src, guests, "linux0", &copy), -EEXIST);
    assert_ptr_equal(copy, dt_find("/guests/linux0"));
    assert_int_equal(dt_get_u32(dt_find("/guests/linux0/aspace/uart@9000000"), "deep", &value), 0);
    assert_int_equal(value, 3);
    assert_non_null(dt_find("/guests/linux0/vcpus"));
    assert_int_equal(dt_delete_node(dt_find("/templates")), 0);
    assert_non_null(dt_attr(copy, "model"));
}

static void test_out_of_memory_at_any_point(void **state)
{
    struct dt_node *src = make_template(), *guests = add(dt_root(), "guests"), *copy;
    struct heap_stats before, after;
    unsigned n = 0;
    int err;

    (void)state;
    heap_get_stats(&before);
    do {
        page_fail_after(++n);
        err = dt_copy_node(src, guests, "copy", &copy);
        page_fail_after(0);
        if (err == 0)
            dt_delete_node(copy);
        heap_get_stats(&after);
        assert_int_equal(after.bytes_used, before.bytes_used);
        assert_int_equal(after.objects, before.objects);
    } while (err == -ENOMEM);
    assert_int_equal(err, 0);
    assert_true(n > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_paths, empty_tree),
        cmocka_unit_test_teardown(test_order, empty_tree),
        cmocka_unit_test_teardown(test_names, empty_tree),
        cmocka_unit_test_teardown(test_depth_is_bounded, empty_tree),
        cmocka_unit_test_teardown(test_typed_access, empty_tree),
        cmocka_unit_test_teardown(test_status_and_compatible, empty_tree),
        cmocka_unit_test_teardown(test_phandles, empty_tree),
        cmocka_unit_test_teardown(test_reg, empty_tree),
        cmocka_unit_test_teardown(test_translation, empty_tree),
        cmocka_unit_test_teardown(test_interrupts, empty_tree),
        cmocka_unit_test_teardown(test_delete_and_hold, empty_tree),
        cmocka_unit_test_teardown(test_attributes_of_held_nodes_stay, empty_tree),
        cmocka_unit_test_teardown(test_numbers, empty_tree),
        cmocka_unit_test_teardown(test_string_lists, empty_tree),
        cmocka_unit_test_teardown(test_phandle_targets, empty_tree),
        cmocka_unit_test_teardown(test_copy, empty_tree),
        cmocka_unit_test_teardown(test_out_of_memory_at_any_point, empty_tree),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
