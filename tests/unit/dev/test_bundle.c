// SPDX-License-Identifier: Apache-2.0
// The boot bundle: where /chosen says it is, what is no bundle, and files before the damage of a broken one.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/bundle.h>
#include <hv/dt.h>
#include <hv/page.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <port/host.h>
#include <stdio.h>
#include <string.h>

#define PLACE (HOST_RAM_BASE + 0x100004)

static struct dt_node *chosen;
static size_t archive_size;

static int boot(void **state)
{
    (void)state;
    host_reset();
    return page_add_range(hpa(HOST_RAM_BASE), 64 << 20) != 0 || dt_init() != 0 ||
           dt_add_node(dt_root(), "chosen", &chosen) != 0;
}

static char *archive(void)
{
    return arch_mmu_linear(hpa(PLACE));
}

/* One entry of a "newc" archive. */
static void add_entry(const char *name, uint32_t mode, const char *data)
{
    size_t name_size = strlen(name) + 1, size = strlen(data);
    char *at = archive() + archive_size;

    at += sprintf(at, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 0, mode, 0, 0,
                  1, 0, (unsigned)size, 0, 0, 0, 0, (unsigned)name_size, 0);
    memcpy(at, name, name_size);
    at += name_size;
    while ((at - archive()) % 4 != 0)
        *at++ = '\0';
    memcpy(at, data, size);
    at += size;
    while ((at - archive()) % 4 != 0)
        *at++ = '\0';
    archive_size = (size_t)(at - archive());
}

static int make_archive(void **state)
{
    (void)state;
    memset(archive(), 0, 65536);
    archive_size = 0;
    add_entry(".", 0040755, "");
    add_entry("linux.dtb", 0100644, "the tree");
    add_entry("./guests/a", 0100644, "");
    add_entry("startup.mterm", 0100644, "help\n");
    add_entry("TRAILER!!!", 0, "");
    return 0;
}

static void set_cells(const char *name, uint64_t value, unsigned cells)
{
    uint8_t data[8];

    be64_store(data, value);
    assert_int_equal(dt_set_attr(chosen, name, data + 8 - 4 * cells, 4 * cells), 0);
}

static void set_range(uint64_t start, uint64_t end, unsigned cells)
{
    set_cells("linux,initrd-start", start, cells);
    set_cells("linux,initrd-end", end, cells);
}

/* Before any bundle was found, and with nothing in /chosen. */
static void test_none(void **state)
{
    const void *data;
    size_t size;

    (void)state;
    assert_int_equal(bundle_init(), -ENOENT);
    assert_int_equal(bundle_find("linux.dtb", &data, &size), -ENOENT);
}

static void test_not_a_range(void **state)
{
    (void)state;
    set_range(PLACE, PLACE, 2);
    assert_int_equal(bundle_init(), -EBADMSG);
    set_range(PLACE, PLACE - 1, 2);
    assert_int_equal(bundle_init(), -EBADMSG);
    assert_int_equal(dt_set_attr(chosen, "linux,initrd-end", "abc", 3), 0);
    assert_int_equal(bundle_init(), -EBADMSG);
}

static void test_not_ram(void **state)
{
    (void)state;
    set_range(0x09000000, 0x09001000, 1);
    assert_int_equal(bundle_init(), -EBADMSG);
    set_range(PLACE, HOST_RAM_BASE + (65 << 20), 2);
    assert_int_equal(bundle_init(), -EBADMSG);
    set_range(PLACE, UINT64_MAX, 2);
    assert_int_equal(bundle_init(), -EBADMSG);
    set_range(0, UINT64_MAX, 2);
    assert_int_equal(bundle_init(), -EBADMSG);
}

static void assert_file(const char *name, const char *content)
{
    const void *data;
    size_t size;

    assert_int_equal(bundle_find(name, &data, &size), 0);
    assert_int_equal(size, strlen(content));
    assert_memory_equal(data, content, size);
    assert_int_equal((uintptr_t)data % 4, 0);
}

static void collect(const char *name, size_t size, void *arg)
{
    char *text = arg;

    sprintf(text + strlen(text), "%s=%zu ", name, size);
}

static void assert_whole(void)
{
    char text[256] = "";
    const void *data;
    size_t size;

    assert_file("linux.dtb", "the tree");
    assert_file("/guests/a", "");
    assert_file("startup.mterm", "help\n");
    assert_int_equal(bundle_find("nothing", &data, &size), -ENOENT);
    assert_int_equal(bundle_find(".", &data, &size), -ENOENT);
    bundle_for_each(collect, text);
    assert_string_equal(text, "linux.dtb=8 guests/a=0 startup.mterm=5 ");
}

static void test_files(void **state)
{
    (void)state;
    set_range(PLACE, PLACE + archive_size, 2);
    assert_int_equal(bundle_init(), 0);
    assert_whole();
    set_range(PLACE, PLACE + archive_size, 1);
    assert_int_equal(bundle_init(), 0);
    assert_whole();
}

static void test_broken_in_the_middle(void **state)
{
    const void *data;
    char text[256] = "";
    size_t size;

    (void)state;
    for (char *at = archive(); (at = memchr(at, 's', 4096)) != NULL; at++)
        if (memcmp(at, "startup.mterm", 13) == 0) {
            at[-110] = 'x'; /* magic of its header */
            break;
        }
    set_range(PLACE, PLACE + archive_size, 2);
    assert_int_equal(bundle_init(), -EBADMSG);
    assert_file("linux.dtb", "the tree");
    assert_int_equal(bundle_find("startup.mterm", &data, &size), -ENOENT);
    bundle_for_each(collect, text);
    assert_non_null(strstr(text, "linux.dtb=8 "));
}

/* Cut anywhere but in the last padding: no access beyond, and a verdict each time. */
static void test_truncated(void **state)
{
    char text[256];

    (void)state;
    for (size_t size = 1; size + 4 <= archive_size; size++) {
        set_range(PLACE, PLACE + size, 2);
        assert_int_equal(bundle_init(), -EBADMSG);
        text[0] = '\0';
        bundle_for_each(collect, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_not_a_range),
        cmocka_unit_test(test_not_ram),
        cmocka_unit_test_setup(test_files, make_archive),
        cmocka_unit_test_setup(test_broken_in_the_middle, make_archive),
        cmocka_unit_test_setup(test_truncated, make_archive),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
