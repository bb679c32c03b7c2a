// SPDX-License-Identifier: Apache-2.0
// Node /vmm: the hypervisor's own settings, checked property by property.
#include <hv/guest_config.h>

#include <hv/balancer.h>
#include <hv/bundle.h>
#include <hv/log.h>
#include <hv/sched.h>
#include <lib/calendar.h>
#include <lib/errno.h>
#include <lib/string.h>

TABLE_DECLARE(sched_policies, struct sched_policy);
TABLE_DECLARE(balancers, struct balancer);

/* One property of /vmm; the value is there. */
struct vmm_property {
    const char *name;
    void (*check)(const struct dt_node *vmm, const char *property, bool without_files,
                  struct report *report);
};

static void check_device(const struct dt_node *vmm, const char *property, const char *path,
                         struct report *report)
{
    const struct dt_node *node = dt_find(path);

    if (node == NULL || !dt_is_host(node)) {
        guest_config_error(report, vmm, property,
                           "the host has no device \"%s\"; give the path of its node or an alias",
                           path);
    }
}

static void check_console(const struct dt_node *vmm, const char *property, bool without_files,
                          struct report *report)
{
    const char *path = NULL;

    (void)without_files;
    guest_config_string(report, vmm, property, &path);
    if (path != NULL)
        check_device(vmm, property, path, report);
}

static void check_consoles(const struct dt_node *vmm, const char *property, bool without_files,
                           struct report *report)
{
    const char *path = NULL;

    (void)without_files;
    if (dt_count_strings(vmm, property) < 0)
        guest_config_error(report, vmm, property, "must be a list of strings");
    while ((path = dt_next_string(vmm, property, path)) != NULL)
        check_device(vmm, property, path, report);
}

static void check_scheduler(const struct dt_node *vmm, const char *property, bool without_files,
                            struct report *report)
{
    const char *name = NULL;

    (void)without_files;
    if (!guest_config_string(report, vmm, property, &name)) {
        return;
    }
    TABLE_FOREACH(sched_policies, struct sched_policy, policy) {
        if (str_equal((*policy)->name, name)) {
            return;
        }
    }
    guest_config_error(report, vmm, property, "no policy \"%s\" in this build; it has \"%s\"", name,
                       CONFIG_SCHED_DEFAULT);
}

static void check_balancer(const struct dt_node *vmm, const char *property, bool without_files,
                           struct report *report)
{
    const char *name = NULL;

    (void)without_files;
    if (!guest_config_string(report, vmm, property, &name)) {
        return;
    }
    TABLE_FOREACH(balancers, struct balancer, balancer) {
        if (str_equal((*balancer)->name, name)) {
            return;
        }
    }
    guest_config_error(report, vmm, property, "no strategy \"%s\" in this build; it has \"%s\"",
                       name, CONFIG_BALANCER_DEFAULT);
}

static void check_isolated_cpus(const struct dt_node *vmm, const char *property, bool without_files,
                                struct report *report)
{
    cpumask_t isolated = 0;
    uint32_t cpu;

    (void)without_files;
    if (dt_get_u32_array(vmm, property, &cpu, 1) < 0) {
        guest_config_error(report, vmm, property, "must be CPU numbers, like <2 3>");
    }
    for (unsigned i = 0; dt_get_u32_at(vmm, property, i, &cpu) == 0; i++) {
        if (cpu >= SMP_CPUS_MAX || (cpu_online() & CPU_MASK(cpu)) == 0) {
            guest_config_error(report, vmm, property,
                               "this host has no CPU %u online; \"host cpu\" lists those it has",
                               cpu);
        } else {
            isolated |= CPU_MASK(cpu);
        }
    }
    if (isolated == cpu_online()) {
        guest_config_warning(report, vmm, property, "leaves no CPU for the rest; leave one out");
    }
}

static void check_time_slice(const struct dt_node *vmm, const char *property, bool without_files,
                             struct report *report)
{
    uint32_t us = GUEST_TIME_SLICE_MIN_US;

    (void)without_files;
    if (guest_config_u32(report, vmm, property, GUEST_TIME_SLICE_MAX_US, &us) &&
        us < GUEST_TIME_SLICE_MIN_US) {
        guest_config_error(report, vmm, property, "%u is too small; at least %u", us,
                           GUEST_TIME_SLICE_MIN_US);
    }
}

static void check_startup(const struct dt_node *vmm, const char *property, bool without_files,
                          struct report *report)
{
    const char *name = NULL;
    const void *data;
    size_t size;

    guest_config_string(report, vmm, property, &name);
    if (name != NULL && !without_files && bundle_find(name, &data, &size) != 0) {
        guest_config_error(report, vmm, property, "the boot bundle has no file \"%s\"", name);
    }
}

static void check_log_level(const struct dt_node *vmm, const char *property, bool without_files,
                            struct report *report)
{
    enum log_level level;
    const char *name = NULL;

    (void)without_files;
    guest_config_string(report, vmm, property, &name);
    if (name != NULL && log_level_find(name, &level) != 0) {
        guest_config_error(report, vmm, property,
                           "\"%s\" is unknown; choose one of error, warn, info, debug", name);
    }
}

static void check_time_zone(const struct dt_node *vmm, const char *property, bool without_files,
                            struct report *report)
{
    const char *text = NULL;
    int minutes;

    (void)without_files;
    guest_config_string(report, vmm, property, &text);
    if (text != NULL && calendar_parse_zone(text, &minutes) != 0) {
        guest_config_error(report, vmm, property,
                           "\"%s\" is no time zone; it has the form " CALENDAR_ZONE_FORMAT
                           ", from -12:00 to +14:00",
                           text);
    }
}

static const struct vmm_property properties[] = {
    {"bulkhead,console", check_console},
    {"bulkhead,scheduler", check_scheduler},
    {"bulkhead,time-slice-us", check_time_slice},
    {"bulkhead,startup", check_startup},
    {"bulkhead,log-level", check_log_level},
    {"bulkhead,consoles", check_consoles},
    {"bulkhead,time-zone", check_time_zone},
    {"bulkhead,balancer", check_balancer},
    {"bulkhead,isolated-cpus", check_isolated_cpus},
};

void guest_config_vmm(bool without_files, struct report *report)
{
    static const char *const standard[] = {"phandle", "linux,phandle", "compatible", NULL};
    static const char *const no_children[] = {NULL};
    const char *known[ARRAY_SIZE(properties) + 1] = {NULL};
    const struct dt_node *vmm = dt_find("/vmm");

    if (vmm == NULL) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(properties); i++) {
        known[i] = properties[i].name;
        if (dt_attr(vmm, properties[i].name) != NULL) {
            properties[i].check(vmm, properties[i].name, without_files, report);
        }
    }
    guest_config_known(report, vmm, known);
    guest_config_standard(report, vmm, standard, no_children);
}

void guest_config_vmm_apply(void)
{
    const struct dt_node *vmm = dt_find("/vmm");
    enum log_level level;
    const char *name;

    if (vmm != NULL && dt_get_string(vmm, "bulkhead,log-level", &name) == 0 &&
        log_level_find(name, &level) == 0) {
        log_set_level(level);
    }
}
