// SPDX-License-Identifier: Apache-2.0
// Reads a guest's node: files, format, policies, VCPUs. Says everything that is wrong with it at once.
#include <hv/guest_config.h>

#include <hv/clock.h>
#include <hv/sched.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Words of the Devicetree Specification that mean something anywhere, or that dtc adds. */
#define ANYWHERE "#address-cells", "#size-cells", "phandle", "linux,phandle"
/* What all VCPUs can have, or one of them. */
#define VCPU_PROPERTIES                                                                            \
    "bulkhead,priority", "bulkhead,time-slice-us", "bulkhead,affinity", "bulkhead,period-us",      \
        "bulkhead,budget-us", "bulkhead,deadline-us"

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

/* A time of the reservation, in ns. */
static void read_time(struct report *report, const struct dt_node *node, const char *property,
                      uint32_t min_us, uint64_t *ns)
{
    uint32_t us = min_us;

    if (dt_attr(node, property) == NULL ||
        !guest_config_u32(report, node, property, UINT32_MAX, &us)) {
        return;
    }
    if (us < min_us) {
        guest_config_error(report, node, property, "%u is too small; at least %u", us, min_us);
    }
    *ns = us * NS_PER_US;
}

/* Budget of CPU time in each period, by its deadline, which is the period's end unless it is given. */
static void read_reservation(struct report *report, const struct dt_node *node,
                             struct guest_vcpu_config *config)
{
    uint64_t deadline;

    read_time(report, node, "bulkhead,period-us", GUEST_PERIOD_MIN_US, &config->period);
    read_time(report, node, "bulkhead,budget-us", GUEST_BUDGET_MIN_US, &config->budget);
    read_time(report, node, "bulkhead,deadline-us", GUEST_PERIOD_MIN_US, &config->deadline);
    if (config->period == 0 && config->budget == 0 && config->deadline == 0) {
        return;
    }
    if (config->period == 0 || config->budget == 0) {
        guest_config_error(report, node,
                           config->period == 0 ? "bulkhead,period-us" : "bulkhead,budget-us",
                           "missing; a reservation is a budget in each period");
        return;
    }
    deadline = config->deadline != 0 ? config->deadline : config->period;
    if (deadline > config->period) {
        guest_config_error(report, node, "bulkhead,deadline-us",
                           "is after the period's end; at most %llu",
                           (unsigned long long)(config->period / NS_PER_US));
    } else if (config->budget > deadline) {
        guest_config_error(report, node, "bulkhead,budget-us",
                           "is more than there is time for; at most %llu",
                           (unsigned long long)(deadline / NS_PER_US));
    }
}

/* What node says of one VCPU (or of all, for node "vcpus"), over what config holds already. */
static void read_vcpu(struct report *report, const struct dt_node *node,
                      struct guest_vcpu_config *config)
{
    uint32_t priority = config->priority;
    uint32_t slice_us = GUEST_TIME_SLICE_MIN_US;

    guest_config_u32(report, node, "bulkhead,priority", SCHED_PRIORITY_MAX, &priority);
    config->priority = (uint8_t)priority;
    guest_config_u32(report, node, "bulkhead,time-slice-us", GUEST_TIME_SLICE_MAX_US, &slice_us);
    if (slice_us < GUEST_TIME_SLICE_MIN_US) {
        guest_config_error(report, node, "bulkhead,time-slice-us", "%u is too small; at least %u",
                           slice_us, GUEST_TIME_SLICE_MIN_US);
    } else if (dt_attr(node, "bulkhead,time-slice-us") != NULL) {
        config->time_slice = slice_us * NS_PER_US;
    }
    config->affinity = read_affinity(report, node, config->affinity);
    read_reservation(report, node, config);
}

static void read_vcpu_nodes(struct guest_config *config, struct dt_node *vcpus,
                            struct report *report)
{
    static const char *const known[] = {VCPU_PROPERTIES, NULL};
    static const char *const standard[] = {ANYWHERE, "reg", "device_type", "compatible", NULL};
    uint64_t seen = 0;

    for (struct dt_node *node = dt_first_child(vcpus); node != NULL; node = dt_next_sibling(node)) {
        uint32_t number;

        guest_config_known(report, node, known);
        guest_config_standard(report, node, standard, NULL);
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
        config->vcpus[number].node = node;
        read_vcpu(report, node, &config->vcpus[number]);
    }
}

void guest_config_vcpus(struct guest_config *config, struct report *report)
{
    static const char *const known[] = {"bulkhead,count", VCPU_PROPERTIES, NULL};
    static const char *const standard[] = {ANYWHERE, NULL};
    struct guest_vcpu_config all = {.priority = SCHED_PRIORITY_DEFAULT};
    struct dt_node *vcpus = dt_child(config->node, "vcpus");
    uint32_t count = 0;

    if (vcpus == NULL) {
        guest_config_error(report, config->node, NULL,
                           "no VCPUs; add a node: vcpus { bulkhead,count = <1>; };");
        return;
    }
    guest_config_known(report, vcpus, known);
    guest_config_standard(report, vcpus, standard, NULL);
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
    all.node = vcpus;
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
    static const char *const known[] = {
        "bulkhead,form",     "bulkhead,kernel",    "bulkhead,initrd",  "bulkhead,dtb",
        "bulkhead,format",   "bulkhead,load",      "bulkhead,entry",   "bulkhead,autostart",
        "bulkhead,on-crash", "bulkhead,on-reboot", "bulkhead,counter", NULL};
    static const char *const standard[] = {ANYWHERE, "compatible", "model", "status", NULL};
    static const char *const children[] = {"vcpus", "aspace", "chosen", NULL};
    struct dt_node *node = config->node;
    const char *form = "vm";

    guest_config_known(report, node, known);
    guest_config_standard(report, node, standard, children);
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

int guest_config_check(struct dt_node *node, struct guest_config *config,
                       struct guest_layout *layout, bool without_files, struct report *report)
{
    unsigned before = report->errors;

    memset(config, 0, sizeof(*config));
    memset(layout, 0, sizeof(*layout));
    config->node = node;
    config->without_files = without_files;
    read_guest(config, report);
    guest_config_vcpus(config, report);
    guest_config_aspace(config, report);
    guest_validate(config, report);
    if (!without_files) {
        guest_layout_plan(config, layout, report);
    }
    return report->errors == before ? 0 : -EINVAL;
}

int guest_config_read(struct dt_node *node, struct guest_config *config,
                      struct guest_layout *layout, struct report *report)
{
    return guest_config_check(node, config, layout, false, report);
}
