// SPDX-License-Identifier: Apache-2.0
// Checks of what a guest asks of the host itself: a place in its RAM, its devices.
#include <hv/guest_config.h>

#include <hv/heap.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <lib/string.h>

static bool overlaps(uint64_t start, uint64_t size, uint64_t other, uint64_t other_size)
{
    return start < other ? other - start < size : start - other < other_size;
}

static void check_reserved(const struct guest_region_config *region, struct report *report)
{
    uint64_t size;
    const char *what;
    hpa_t start;

    for (unsigned i = 0; page_reserved_range(i, &start, &size, &what); i++) {
        if (overlaps(region->host, region->size, start.v, size)) {
            guest_config_error(report, region->node, "bulkhead,host-address",
                               "0x%llx overlaps \"%s\" (0x%llx, size 0x%llx); move it",
                               (unsigned long long)region->host, what, (unsigned long long)start.v,
                               (unsigned long long)size);
        }
    }
}

/* A size that is wrong anyway has been reported. */
void guest_config_fixed(const struct guest_region_config *region, struct report *report)
{
    if (!IS_ALIGNED(region->host, PAGE_SIZE)) {
        guest_config_error(report, region->node, "bulkhead,host-address",
                           "0x%llx must be a multiple of 0x%llx", (unsigned long long)region->host,
                           (unsigned long long)PAGE_SIZE);
    } else if (region->size == 0) {
        return;
    } else if (region->size > UINT64_MAX - region->host ||
               !page_is_ram(hpa(region->host), region->size)) {
        guest_config_error(report, region->node, "bulkhead,host-address",
                           "0x%llx, size 0x%llx: is not RAM of this host; \"host memory\" lists it",
                           (unsigned long long)region->host, (unsigned long long)region->size);
    } else {
        check_reserved(region, report);
    }
}

static const struct dt_node *host_console(void)
{
    static const char *const places[][2] = {{"/vmm", "bulkhead,console"},
                                            {"/chosen", "stdout-path"}};
    const struct dt_node *node;
    const char *path;

    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        node = dt_find(places[i][0]);
        if (node != NULL && dt_get_string(node, places[i][1], &path) == 0) {
            node = dt_find(path);
            if (node != NULL && dt_is_host(node)) {
                return node;
            }
        }
    }
    return NULL;
}

/* What the hypervisor needs the node for; NULL: it does not. */
static const char *host_role(const struct dt_node *node, const struct dt_node *console)
{
    const char *type = "";

    dt_get_string(node, "device_type", &type);
    if (dt_attr(node, "interrupt-controller") != NULL) {
        return "interrupt controller";
    }
    if (dt_is_compatible(node, "arm,armv8-timer") || dt_is_compatible(node, "arm,armv7-timer")) {
        return "timer";
    }
    if (str_equal(type, "memory")) {
        return "memory";
    }
    if (str_equal(type, "cpu")) {
        return "CPU";
    }
    return node == console ? "console" : NULL;
}

int guest_config_hold_host(void)
{
    const struct dt_node *console = host_console();

    for (struct dt_node *node = dt_root(); node != NULL; node = dt_next(dt_root(), node)) {
        struct dt_hold *hold;

        if (!dt_is_host(node) || host_role(node, console) == NULL || node == console) {
            continue;
        }
        hold = heap_alloc(sizeof(*hold));
        if (hold == NULL) {
            return -ENOMEM;
        }
        dt_hold(node, hold, "the hypervisor");
    }
    return 0;
}

/* Is it one of the owner's interrupts? */
static bool has_interrupt(const struct dt_node *owner, const struct dt_node *controller,
                          const uint32_t *cells)
{
    uint32_t own[4];

    for (unsigned i = 0; dt_get_interrupt(owner, i, own) >= 2; i++) {
        if (dt_interrupt_controller(owner, i) == controller && own[0] == cells[0] &&
            own[1] == cells[1]) {
            return true;
        }
    }
    return false;
}

static void check_interrupt(const struct dt_node *node, const struct dt_node *host, unsigned index,
                            const uint32_t *cells, struct report *report)
{
    const struct dt_node *controller = dt_interrupt_controller(host, index);
    const struct dt_node *console = host_console();

    for (const struct dt_node *owner = dt_root(); owner != NULL; owner = dt_next(dt_root(), owner)) {
        if (owner != host && dt_is_host(owner) && host_role(owner, console) != NULL &&
            has_interrupt(owner, controller, cells)) {
            guest_config_error(report, node, "bulkhead,passthrough",
                               "interrupt %u of \"%s\" is also that of \"%s\", the hypervisor's %s",
                               cells[1], host->name, owner->name, host_role(owner, console));
        }
    }
}

static void check_twice(const struct guest_config *config, const struct dt_node *node,
                        const struct dt_node *host, struct report *report)
{
    for (unsigned i = 0; i < config->passthrough_count; i++) {
        if (config->passthroughs[i].host == host) {
            guest_config_error(report, node, "bulkhead,passthrough",
                               "\"%s\" is passed to \"%s\" already; remove one of them", host->name,
                               config->passthroughs[i].node->name);
        }
    }
}

static void check_device(struct guest_config *config, struct dt_node *node, struct dt_node *host,
                         struct report *report)
{
    const char *role = host_role(host, host_console());
    uint32_t cells[4];

    if (role != NULL) {
        guest_config_error(report, node, "bulkhead,passthrough",
                           "\"%s\" is the hypervisor's %s; choose another device", host->name, role);
    }
    check_twice(config, node, host, report);
    for (unsigned i = 0; dt_get_interrupt(host, i, cells) >= 2; i++) {
        check_interrupt(node, host, i, cells, report);
    }
    if (config->passthrough_count < CONFIG_GUEST_DEVICES_MAX) {
        config->passthroughs[config->passthrough_count++] =
            (struct guest_passthrough_config){.node = node, .host = host};
    }
}

void guest_config_passthrough(struct guest_config *config, struct dt_node *node,
                              struct report *report)
{
    const char *path = NULL;
    struct dt_node *host;

    guest_config_error(report, node, "bulkhead,passthrough",
                       "host devices can not be passed to guests in this version");
    if (!guest_config_string(report, node, "bulkhead,passthrough", &path)) {
        return;
    }
    host = dt_find(path);
    if (host == NULL || !dt_is_host(host)) {
        guest_config_error(report, node, "bulkhead,passthrough",
                           "the host has no device \"%s\"; give the path of its node", path);
        return;
    }
    check_device(config, node, host, report);
}
