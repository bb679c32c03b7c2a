// SPDX-License-Identifier: Apache-2.0
// Probing of host device drivers against the device tree, in tree order.
#include <hv/driver.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <lib/errno.h>
#include <lib/string.h>

TABLE_DECLARE(drivers, struct driver);

/** What became of one node that a driver matched. */
struct probe_record {
    struct list link;
    const struct driver *driver;
    struct dt_node *node;
    struct dt_hold hold; /**< while the driver serves it: result >= 0 */
    int result;
};

static struct list probe_records = LIST_INIT(probe_records);

#define DRIVER_PATH_MAX 256

static bool driver_matches(const struct driver *driver, const char *compatible)
{
    for (const char *const *match = driver->match; *match != NULL; match++) {
        if (str_equal(*match, compatible)) {
            return true;
        }
    }
    return false;
}

// The node's compatible strings go from the most to the least specific one.
static const struct driver *driver_find(const struct dt_node *node)
{
    const char *compatible = NULL;

    while ((compatible = dt_next_string(node, "compatible", compatible)) != NULL) {
        TABLE_FOREACH(drivers, struct driver, iter) {
            if (driver_matches(*iter, compatible)) {
                return *iter;
            }
        }
    }
    return NULL;
}

static bool driver_node_is_enabled(const struct dt_node *node)
{
    for (; node != NULL; node = node->parent) {
        if (!dt_is_enabled(node)) {
            return false;
        }
    }
    return true;
}

static void driver_record(const struct driver *driver, struct dt_node *node, int result)
{
    struct probe_record *record = heap_alloc(sizeof(*record));

    if (record == NULL) {
        return;
    }
    *record = (struct probe_record){.driver = driver, .node = node, .result = result};
    list_add_tail(&probe_records, &record->link);
    if (result >= 0)
        dt_hold(node, &record->hold, driver->name);
}

static void driver_probe_node(struct dt_node *node)
{
    const struct driver *driver = driver_find(node);
    int result;

    if (driver == NULL || !driver_node_is_enabled(node)) {
        return;
    }
    result = driver->probe(node);
    driver_record(driver, node, result);
    if (result < 0) {
        log_error("%s: driver %s failed: %s", node->name, driver->name, error_name(result));
    }
}

// Nodes that describe guests have the compatibles of real devices, at addresses of the guest.
static bool driver_is_host_subtree(const struct dt_node *node)
{
    static const char *const not_host[] = {"vmm", "guests", "templates", "chosen", "aliases"};

    for (size_t i = 0; i < ARRAY_SIZE(not_host); i++) {
        if (str_equal(node->name, not_host[i])) {
            return false;
        }
    }
    return true;
}

void driver_probe_all(void)
{
    for (struct dt_node *top = dt_first_child(dt_root()); top != NULL; top = dt_next_sibling(top)) {
        if (!driver_is_host_subtree(top)) {
            continue;
        }
        for (struct dt_node *node = top; node != NULL; node = dt_next(top, node)) {
            driver_probe_node(node);
        }
    }
}

void driver_for_each(void (*fn)(const struct driver *drv, const char *path, int result, void *arg),
                     void *arg)
{
    char path[DRIVER_PATH_MAX];

    LIST_FOR_EACH(record, &probe_records, struct probe_record, link) {
        if (dt_path(record->node, path, sizeof(path)) < 0) {
            str_copy(path, record->node->name, sizeof(path));
        }
        fn(record->driver, path, record->result, arg);
    }
}
