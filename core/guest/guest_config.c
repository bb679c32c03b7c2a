// SPDX-License-Identifier: Apache-2.0
// Reads a guest's node: files, format, policies, VCPUs. Says everything that is wrong with it at once.
#include <hv/guest_config.h>

#include <hv/clock.h>
#include <hv/sched.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define PATH_MAX_TEXT 128
#define MESSAGE_MAX 160
#define TIME_SLICE_MIN_US 100
#define TIME_SLICE_MAX_US 1000000

void guest_config_error(struct report *report, const struct dt_node *node, const char *property,
                        const char *fmt, ...)
{
    char path[PATH_MAX_TEXT];
    char message[MESSAGE_MAX];
    va_list ap;

    if (dt_path(node, path, sizeof(path)) != 0) {
        str_copy(path, node->name, sizeof(path));
    }
    va_start(ap, fmt);
    fmt_vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    report_error(report, "%s: %s%s%s", path, property != NULL ? property : "",
                 property != NULL ? ": " : "", message);
}

bool guest_config_u32(struct report *report, const struct dt_node *node, const char *property,
                      uint32_t max, uint32_t *value)
{
    uint32_t read;
    int err = dt_get_u32(node, property, &read);

    if (err == -ENOENT) {
        return true;
    }
    if (err != 0) {
        guest_config_error(report, node, property, "must be one cell, like <1>");
        return false;
    }
    if (read > max) {
        guest_config_error(report, node, property, "%u is too big; at most %u", read, max);
        return false;
    }
    *value = read;
    return true;
}

bool guest_config_address(struct report *report, const struct dt_node *node, const char *property,
                          uint64_t *value)
{
    uint32_t low;

    if (dt_attr(node, property) == NULL || dt_get_u64(node, property, value) == 0) {
        return true;
    }
    if (dt_get_u32(node, property, &low) == 0) {
        *value = low;
        return true;
    }
    guest_config_error(report, node, property, "must be an address of one or two cells");
    return false;
}

bool guest_config_string(struct report *report, const struct dt_node *node, const char *property,
                         const char **value)
{
    const char *read;
    int err = dt_get_string(node, property, &read);

    if (err == -ENOENT) {
        return true;
    }
    if (err != 0 || read[0] == '\0') {
        guest_config_error(report, node, property, "must be a string that is not empty");
        return false;
    }
    *value = read;
    return true;
}

void guest_config_known(struct report *report, const struct dt_node *node, const char *const *known)
{
    LIST_FOR_EACH(attr, &node->attrs, struct dt_attr, link) {
        const char *const *name = known;

        if (!str_starts_with(attr->name, "bulkhead,")) {
            continue;
        }
        while (*name != NULL && !str_equal(*name, attr->name)) {
            name++;
        }
        if (*name == NULL) {
            guest_config_error(report, node, attr->name,
                               "no such property here; look for a typing error");
        }
    }
}

/* Index of the node's string in the NULL-terminated list of choices; 0 when absent. */
static unsigned read_choice(struct report *report, const struct dt_node *node, const char *property,
                            const char *const *choices)
{
    const char *text = choices[0];

    if (!guest_config_string(report, node, property, &text)) {
        return 0;
    }
    for (unsigned i = 0; choices[i] != NULL; i++) {
        if (str_equal(choices[i], text)) {
            return i;
        }
    }
    guest_config_error(report, node, property, "\"%s\" is unknown; choose one of %s, %s%s%s", text,
                       choices[0], choices[1], choices[2] != NULL ? ", " : "",
                       choices[2] != NULL ? choices[2] : "");
    return 0;
}

static enum guest_crash_policy read_policy(struct report *report, const struct dt_node *node,
                                           const char *property, enum guest_crash_policy absent)
{
    static const char *const choices[] = {"halt", "restart", "destroy", NULL};
    static const enum guest_crash_policy policies[] = {GUEST_ON_CRASH_HALT, GUEST_ON_CRASH_RESTART,
                                                       GUEST_ON_CRASH_DESTROY};

    if (dt_attr(node, property) == NULL) {
        return absent;
    }
    return policies[read_choice(report, node, property, choices)];
}

static cpumask_t read_affinity(struct report *report, const struct dt_node *node, cpumask_t absent)
{
    const struct dt_attr *attr = dt_attr(node, "bulkhead,affinity");
    cpumask_t mask = 0;
    uint32_t cpu;

    if (attr == NULL) {
        return absent;
    }
    if (attr->size == 0 || attr->size % sizeof(uint32_t) != 0) {
        guest_config_error(report, node, "bulkhead,affinity", "must be CPU numbers, like <0 1>");
        return absent;
    }
    for (unsigned i = 0; dt_get_u32_at(node, "bulkhead,affinity", i, &cpu) == 0; i++) {
        if (cpu >= SMP_CPUS_MAX || (cpu_online() & CPU_MASK(cpu)) == 0) {
            guest_config_error(report, node, "bulkhead,affinity",
                               "this host has no CPU %u online; \"host cpu\" lists those it has",
                               cpu);
        } else {
            mask |= CPU_MASK(cpu);
        }
    }
    return mask;
}

/* What node says of one VCPU (or of all, for node "vcpus"), over what config holds already. */
static void read_vcpu(struct report *report, const struct dt_node *node,
                      struct guest_vcpu_config *config)
{
    uint32_t priority = config->priority;
    uint32_t slice_us = TIME_SLICE_MIN_US;

    guest_config_u32(report, node, "bulkhead,priority", SCHED_PRIORITY_MAX, &priority);
    config->priority = (uint8_t)priority;
    guest_config_u32(report, node, "bulkhead,time-slice-us", TIME_SLICE_MAX_US, &slice_us);
    if (slice_us < TIME_SLICE_MIN_US) {
        guest_config_error(report, node, "bulkhead,time-slice-us", "%u is too small; at least %u",
                           slice_us, TIME_SLICE_MIN_US);
    } else if (dt_attr(node, "bulkhead,time-slice-us") != NULL) {
        config->time_slice = slice_us * NS_PER_US;
    }
    config->affinity = read_affinity(report, node, config->affinity);
}

static void read_vcpu_nodes(struct guest_config *config, struct dt_node *vcpus,
                            struct report *report)
{
    static const char *const known[] = {"bulkhead,priority", "bulkhead,time-slice-us",
                                        "bulkhead,affinity", NULL};
    uint64_t seen = 0;

    for (struct dt_node *node = dt_first_child(vcpus); node != NULL; node = dt_next_sibling(node)) {
        uint32_t number;

        guest_config_known(report, node, known);
        if (dt_get_u32(node, "reg", &number) != 0 || number >= config->vcpu_count) {
            guest_config_error(report, node, "reg",
                               "must be the number of the VCPU, one cell of 0 to %u",
                               config->vcpu_count - 1);
            continue;
        }
        if ((seen & BIT(number)) != 0) {
            guest_config_error(report, node, "reg", "VCPU %u has a node already; remove one",
                               number);
        }
        seen |= BIT(number);
        read_vcpu(report, node, &config->vcpus[number]);
    }
}

void guest_config_vcpus(struct guest_config *config, struct report *report)
{
    static const char *const known[] = {"bulkhead,count", "bulkhead,priority",
                                        "bulkhead,time-slice-us", "bulkhead,affinity", NULL};
    struct guest_vcpu_config all = {.priority = SCHED_PRIORITY_DEFAULT};
    struct dt_node *vcpus = dt_child(config->node, "vcpus");
    uint32_t count = 0;

    if (vcpus == NULL) {
        guest_config_error(report, config->node, NULL,
                           "no VCPUs; add a node: vcpus { bulkhead,count = <1>; };");
        return;
    }
    guest_config_known(report, vcpus, known);
    for (struct dt_node *node = dt_first_child(vcpus); node != NULL; node = dt_next_sibling(node)) {
        count++;
    }
    if (!guest_config_u32(report, vcpus, "bulkhead,count", UINT32_MAX, &count)) {
        return;
    }
    if (count == 0 || count > CONFIG_GUEST_VCPUS_MAX) {
        guest_config_error(report, vcpus, "bulkhead,count",
                           "%u VCPUs; give 1 to %u, as a count or as one node each", count,
                           CONFIG_GUEST_VCPUS_MAX);
        return;
    }
    config->vcpu_count = count;
    read_vcpu(report, vcpus, &all);
    for (unsigned i = 0; i < count; i++) {
        config->vcpus[i] = all;
    }
    read_vcpu_nodes(config, vcpus, report);
}

static void read_guest(struct guest_config *config, struct report *report)
{
    static const char *const formats[] = {"image", "raw", "elf", NULL};
    static const char *const counters[] = {"own", "host", NULL};
    static const char *const known[] = {"bulkhead,form",
                                        "bulkhead,kernel",
                                        "bulkhead,initrd",
                                        "bulkhead,dtb",
                                        "bulkhead,format",
                                        "bulkhead,load",
                                        "bulkhead,entry",
                                        "bulkhead,autostart",
                                        "bulkhead,on-crash",
                                        "bulkhead,on-reboot",
                                        "bulkhead,counter",
                                        NULL};
    struct dt_node *node = config->node;
    const char *form = "vm";

    guest_config_known(report, node, known);
    if (!dt_is_compatible(node, "bulkhead,guest")) {
        guest_config_error(report, node, "compatible",
                           "is not a guest; add compatible = \"bulkhead,guest\";");
    }
    if (guest_config_string(report, node, "bulkhead,form", &form) && !str_equal(form, "vm")) {
        guest_config_error(report, node, "bulkhead,form",
                           "\"%s\" is not available in this version; use \"vm\"", form);
    }
    if (dt_attr(node, "bulkhead,kernel") == NULL) {
        guest_config_error(report, node, "bulkhead,kernel",
                           "missing; name a file of the boot bundle");
    }
    guest_config_string(report, node, "bulkhead,kernel", &config->kernel);
    guest_config_string(report, node, "bulkhead,initrd", &config->initrd);
    guest_config_string(report, node, "bulkhead,dtb", &config->dtb);
    config->format = (enum guest_format)read_choice(report, node, "bulkhead,format", formats);
    config->has_load = dt_attr(node, "bulkhead,load") != NULL;
    config->has_entry = dt_attr(node, "bulkhead,entry") != NULL;
    guest_config_address(report, node, "bulkhead,load", &config->load);
    guest_config_address(report, node, "bulkhead,entry", &config->entry);
    config->on_crash = read_policy(report, node, "bulkhead,on-crash", GUEST_ON_CRASH_HALT);
    config->on_reboot = read_policy(report, node, "bulkhead,on-reboot", GUEST_ON_CRASH_RESTART);
    config->host_counter = read_choice(report, node, "bulkhead,counter", counters) == 1;
}

int guest_config_read(struct dt_node *node, struct guest_config *config,
                      struct guest_layout *layout, struct report *report)
{
    unsigned before = report->errors;

    memset(config, 0, sizeof(*config));
    memset(layout, 0, sizeof(*layout));
    config->node = node;
    read_guest(config, report);
    guest_config_vcpus(config, report);
    guest_config_aspace(config, report);
    guest_validate(config, report);
    guest_layout_plan(config, layout, report);
    return report->errors == before ? 0 : -EINVAL;
}
