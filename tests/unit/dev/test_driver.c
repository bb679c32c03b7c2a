// SPDX-License-Identifier: Apache-2.0
// Probing of drivers: order, the most specific compatible first, disabled nodes, nodes that describe guests.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/driver.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <port/host.h>
#include <string.h>

static char probed[512];

static int record(const char *driver, struct dt_node *node)
{
    strcat(probed, driver);
    strcat(probed, ":");
    strcat(probed, node->name);
    strcat(probed, " ");
    return 0;
}

static int probe_special(struct dt_node *node)
{
    return record("special", node);
}

static int probe_general(struct dt_node *node)
{
    return record("general", node);
}

static int probe_broken(struct dt_node *node)
{
    record("broken", node);
    return -EINVAL;
}

static const char *const special_match[] = {"test,unused", "test,special", NULL};
static const struct driver special = {"special", special_match, probe_special};
DRIVER(special);
static const char *const general_match[] = {"test,general", NULL};
static const struct driver general = {"general", general_match, probe_general};
DRIVER(general);
static const char *const broken_match[] = {"test,broken", NULL};
static const struct driver broken = {"broken", broken_match, probe_broken};
DRIVER(broken);

static struct dt_node *add(struct dt_node *parent, const char *name, const char *compatible,
                           size_t size)
{
    struct dt_node *node;

    assert_int_equal(dt_add_node(parent, name, &node), 0);
    if (compatible != NULL)
        assert_int_equal(dt_set_attr(node, "compatible", compatible, (uint32_t)size), 0);
    return node;
}
#define ADD(parent, name, compatible) add(parent, name, compatible, sizeof(compatible))

static void collect(const struct driver *drv, const char *path, int result, void *arg)
{
    char *text = arg;

    strcat(text, drv->name);
    strcat(text, "=");
    strcat(text, path);
    strcat(text, result == 0 ? " " : "! ");
}

static void test_probing(void **state)
{
    struct dt_node *root = dt_root(), *soc, *off, *guests;
    char text[512] = "";

    (void)state;
    soc = ADD(root, "soc", "simple-bus");
    ADD(soc, "uart@1", "test,special\0test,general");
    ADD(soc, "uart@2", "test,newer\0test,general");
    ADD(soc, "uart@3", "test,broken");
    off = ADD(soc, "uart@4", "test,general");
    assert_int_equal(dt_set_string(off, "status", "disabled"), 0);
    off = add(root, "off", NULL, 0);
    assert_int_equal(dt_set_string(off, "status", "disabled"), 0);
    ADD(off, "uart@5", "test,general");
    guests = add(root, "guests", NULL, 0);
    ADD(add(guests, "linux0", NULL, 0), "uart@6", "test,general");
    ADD(add(root, "templates", NULL, 0), "uart@7", "test,general");
    ADD(root, "last", "test,general");

    driver_probe_all();
    assert_string_equal(probed, "special:uart@1 general:uart@2 broken:uart@3 general:last ");
    driver_for_each(collect, text);
    assert_string_equal(text, "special=/soc/uart@1 general=/soc/uart@2 broken=/soc/uart@3! "
                              "general=/last ");
}

static int boot(void **state)
{
    (void)state;
    host_reset();
    return page_add_range(hpa(HOST_RAM_BASE), 64 << 20) != 0 || dt_init() != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_probing)};

    return cmocka_run_group_tests(tests, boot, NULL);
}
