// SPDX-License-Identifier: Apache-2.0
// Loading flattened trees: content, merging, every way to be broken, no memory, and random
// mutations.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/dt.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <libfdt.h>
#include <port/host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_MAX 8192

static _Alignas(8) char blob[BLOB_MAX];
static size_t blob_size;
static struct heap_stats heap_empty;

static void quiet(const char *text, size_t size)
{
    (void)text;
    (void)size;
}

static int set_up(void **state)
{
    (void)state;
    if (page_add_range(hpa(HOST_RAM_BASE), 256 << 20) != 0 || dt_init() != 0)
        return 1;
    log_set_sink(quiet);
    heap_get_stats(&heap_empty);
    return 0;
}

static void blob_begin(void)
{
    assert_int_equal(fdt_create(blob, BLOB_MAX), 0);
    assert_int_equal(fdt_add_reservemap_entry(blob, 0x40000000, 0x1000), 0);
    assert_int_equal(fdt_finish_reservemap(blob), 0);
    assert_int_equal(fdt_begin_node(blob, ""), 0);
}

static void blob_end(void)
{
    assert_int_equal(fdt_end_node(blob), 0);
    assert_int_equal(fdt_finish(blob), 0);
    blob_size = fdt_totalsize(blob);
}

static void make_blob(void)
{
    blob_begin();
    fdt_property_u32(blob, "#address-cells", 2);
    fdt_property_string(blob, "model", "first");
    fdt_begin_node(blob, "cpus");
    for (unsigned i = 0; i < 4; i++) {
        char name[16];

        snprintf(name, sizeof(name), "cpu@%u", i);
        fdt_begin_node(blob, name);
        fdt_property_string(blob, "device_type", "cpu");
        fdt_property_u32(blob, "reg", i);
        fdt_property_u32(blob, "phandle", 0x80 + i);
        fdt_end_node(blob);
    }
    fdt_end_node(blob);
    fdt_begin_node(blob, "soc");
    fdt_property(blob, "ranges", "", 0);
    fdt_property(blob, "odd", "abcde", 5);
    fdt_end_node(blob);
    blob_end();
}

static int empty_tree(void **state)
{
    const struct dt_attr *attr;
    struct heap_stats stats;
    struct dt_node *node;

    (void)state;
    while ((node = dt_first_child(dt_root())) != NULL)
        assert_int_equal(dt_delete_node(node), 0);
    while ((attr = LIST_FIRST(&dt_root()->attrs, struct dt_attr, link)) != NULL)
        dt_delete_attr(dt_root(), attr->name);
    heap_get_stats(&stats);
    assert_int_equal(stats.objects, heap_empty.objects);
    assert_int_equal(stats.bytes_used, heap_empty.bytes_used);
    return 0;
}

static void assert_unchanged(void)
{
    struct heap_stats stats;

    heap_get_stats(&stats);
    assert_int_equal(stats.objects, heap_empty.objects);
    assert_null(dt_first_child(dt_root()));
}

/* Loads an exact copy, so that the sanitizer sees every read beyond it. */
static int load_copy(const void *from, size_t size)
{
    void *copy = malloc(size);
    int err;

    memcpy(copy, from, size);
    err = dt_load_fdt(dt_root(), copy, size);
    free(copy);
    return err;
}

static void test_content(void **state)
{
    uint32_t value;
    const char *model;

    (void)state;
    make_blob();
    assert_int_equal(load_copy(blob, blob_size), 0);
    assert_int_equal(dt_get_string(dt_root(), "model", &model), 0);
    assert_string_equal(model, "first");
    assert_int_equal(dt_get_u32(dt_find("/cpus/cpu@3"), "reg", &value), 0);
    assert_int_equal(value, 3);
    assert_ptr_equal(dt_find_phandle(0x82), dt_find("/cpus/cpu@2"));
    assert_int_equal(dt_attr(dt_find("/soc"), "ranges")->size, 0);
    assert_int_equal(dt_attr(dt_find("/soc"), "odd")->size, 5);
    assert_int_equal((uintptr_t)dt_attr(dt_find("/soc"), "odd")->data % 8, 0);
}

static void test_merge(void **state)
{
    const char *model;

    (void)state;
    make_blob();
    assert_int_equal(load_copy(blob, blob_size), 0);
    blob_begin();
    fdt_property_string(blob, "model", "second");
    fdt_begin_node(blob, "cpus");
    fdt_property_string(blob, "added", "x");
    fdt_begin_node(blob, "cpu@1");
    fdt_property_u32(blob, "phandle", 0x99);
    fdt_end_node(blob);
    fdt_begin_node(blob, "cpu@9");
    fdt_end_node(blob);
    fdt_end_node(blob);
    fdt_begin_node(blob, "guests");
    fdt_begin_node(blob, "g");
    fdt_end_node(blob);
    fdt_end_node(blob);
    blob_end();
    assert_int_equal(load_copy(blob, blob_size), 0);
    assert_int_equal(dt_get_string(dt_root(), "model", &model), 0);
    assert_string_equal(model, "second");
    assert_non_null(dt_attr(dt_find("/cpus"), "added"));
    assert_non_null(dt_attr(dt_find("/cpus/cpu@1"), "reg"));
    assert_ptr_equal(dt_find_phandle(0x99), dt_find("/cpus/cpu@1"));
    assert_null(dt_find_phandle(0x81));
    assert_non_null(dt_find("/cpus/cpu@9"));
    assert_non_null(dt_find("/guests/g"));
    /* Under another node than the root. */
    assert_int_equal(dt_load_fdt(dt_find("/guests/g"), blob, blob_size), 0);
    assert_non_null(dt_find("/guests/g/guests/g"));
}

static void test_every_truncation(void **state)
{
    (void)state;
    make_blob();
    for (size_t size = 0; size < blob_size; size++) {
        assert_int_equal(load_copy(blob, size), -EBADMSG);
        assert_unchanged();
    }
    /* Truncated inside: the header says less than there is. */
    for (uint32_t size = 0; size < fdt_size_dt_struct(blob); size++) {
        make_blob();
        fdt_set_size_dt_struct(blob, size);
        assert_int_equal(load_copy(blob, blob_size), -EBADMSG);
        assert_unchanged();
    }
    for (uint32_t size = 0; size < fdt_size_dt_strings(blob); size++) {
        make_blob();
        fdt_set_size_dt_strings(blob, size);
        assert_int_equal(load_copy(blob, blob_size), -EBADMSG);
        assert_unchanged();
    }
}

static void test_header_fields(void **state)
{
    static const uint32_t values[] = {
        0, 1, 3, 4, 0x28, 0x7f, 0x100, 0x1000, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};

    (void)state;
    for (unsigned field = 0; field < 10; field++) {
        for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            make_blob();
            ((fdt32_t *)blob)[field] = cpu_to_fdt32(values[i]);
            /*
             * The reserve map and the boot CPU are not looked at; the rest must be right or be
             * refused.
             */
            if (load_copy(blob, blob_size) != 0)
                assert_unchanged();
            empty_tree(NULL);
        }
    }
    make_blob();
    fdt_set_version(blob, 16);
    assert_int_equal(load_copy(blob, blob_size), -EBADMSG);
    make_blob();
    assert_int_equal(dt_load_fdt(dt_root(), blob + 4, blob_size - 4), -EBADMSG);
    assert_unchanged();
}

static void test_depth(void **state)
{
    (void)state;
    for (unsigned depth = 1; depth < 200; depth += depth < 40 ? 1 : 20) {
        blob_begin();
        for (unsigned i = 0; i < depth; i++)
            assert_int_equal(fdt_begin_node(blob, "n"), 0);
        for (unsigned i = 0; i < depth; i++)
            assert_int_equal(fdt_end_node(blob), 0);
        blob_end();
        assert_int_equal(load_copy(blob, blob_size), depth <= DT_DEPTH_MAX ? 0 : -EBADMSG);
        empty_tree(NULL);
    }
}

static int load_named(const char *node, const char *attr)
{
    int err;

    blob_begin();
    fdt_begin_node(blob, node);
    fdt_property_u32(blob, attr, 1);
    fdt_end_node(blob);
    blob_end();
    err = load_copy(blob, blob_size);
    empty_tree(NULL);
    return err;
}

static void test_names(void **state)
{
    char name[200];

    (void)state;
    assert_int_equal(load_named("good,node@1", "#good?"), 0);
    assert_int_equal(load_named("", "x"), -EBADMSG);
    assert_int_equal(load_named("a/b", "x"), -EBADMSG);
    assert_int_equal(load_named("a\x1b[2J", "x"), -EBADMSG);
    assert_int_equal(load_named("a@1@2", "x"), -EBADMSG);
    assert_int_equal(load_named("a", ""), -EBADMSG);
    assert_int_equal(load_named("a", "b c"), -EBADMSG);
    assert_int_equal(load_named("a", "b\xff"), -EBADMSG);
    memset(name, 'a', sizeof(name));
    name[DT_NAME_LOADED_MAX] = '\0';
    assert_int_equal(load_named(name, name), 0);
    name[DT_NAME_LOADED_MAX] = 'a';
    name[DT_NAME_LOADED_MAX + 1] = '\0';
    assert_int_equal(load_named(name, "x"), -EBADMSG);
    assert_int_equal(load_named("a", name), -EBADMSG);
}

static void test_tokens(void **state)
{
    uint32_t *structs;

    (void)state;
    /* Each token in turn becomes each other token. */
    make_blob();
    for (unsigned at = 0; at < fdt_size_dt_struct(blob) / 4; at++) {
        for (uint32_t token = 0; token <= 10; token++) {
            make_blob();
            structs = (uint32_t *)(blob + fdt_off_dt_struct(blob));
            structs[at] = cpu_to_fdt32(token == 10 ? 0xffffffff : token);
            if (load_copy(blob, blob_size) != 0)
                assert_unchanged();
            empty_tree(NULL);
        }
    }
}

static void test_out_of_memory_at_any_point(void **state)
{
    unsigned n = 0;
    int err;

    (void)state;
    make_blob();
    do {
        page_fail_after(++n);
        err = load_copy(blob, blob_size);
        page_fail_after(0);
        if (err != 0)
            assert_unchanged();
    } while (err == -ENOMEM);
    assert_int_equal(err, 0);
    assert_true(n > 20);
}

static uint32_t seed = 4711;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)seed * n) >> 32);
}

/* What the hypervisor would do with a tree that loaded. */
static void use_tree(void)
{
    for (struct dt_node *node = dt_root(); node != NULL; node = dt_next(dt_root(), node)) {
        char path[512];
        uint64_t addr, size;
        uint32_t cells[4];
        const char *s;

        if (dt_path(node, path, sizeof(path)) == 0)
            assert_non_null(dt_find(path));
        dt_get_reg_translated(node, 0, &addr, &size);
        dt_get_interrupt(node, 0, cells);
        dt_get_string_at(node, "device_type", 1, &s);
        dt_is_compatible(node, "cpu");
    }
}

static void test_random_mutations(void **state)
{
    unsigned loaded = 0;

    (void)state;
    for (unsigned round = 0; round < 100000; round++) {
        unsigned changes = 1 + random_below(4);

        make_blob();
        for (unsigned i = 0; i < changes; i++) {
            uint32_t at = random_below((uint32_t)blob_size);

            blob[at] = (char)(random_below(3) == 0 ? random_below(256)
                                                   : (uint8_t)blob[at] ^ (1u << random_below(8)));
        }
        if (load_copy(blob, blob_size) == 0) {
            loaded++;
            use_tree();
        } else {
            assert_unchanged();
        }
        empty_tree(NULL);
    }
    assert_in_range(loaded, 1000, 99000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_content, empty_tree),
        cmocka_unit_test_teardown(test_merge, empty_tree),
        cmocka_unit_test_teardown(test_every_truncation, empty_tree),
        cmocka_unit_test_teardown(test_header_fields, empty_tree),
        cmocka_unit_test_teardown(test_depth, empty_tree),
        cmocka_unit_test_teardown(test_names, empty_tree),
        cmocka_unit_test_teardown(test_tokens, empty_tree),
        cmocka_unit_test_teardown(test_out_of_memory_at_any_point, empty_tree),
        cmocka_unit_test_teardown(test_random_mutations, empty_tree),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
