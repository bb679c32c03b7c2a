// SPDX-License-Identifier: Apache-2.0
// Makes and frees the VCPUs of a guest.
#include <hv/guest_parts.h>

#include <hv/heap.h>
#include <hv/sched.h>
#include <lib/errno.h>
#include <lib/fmt.h>

static int vcpu_add(struct guest *guest, unsigned number)
{
    const struct guest_vcpu_config *config = &guest->config->vcpus[number];
    struct vcpu_config vcpu_config = {
        .guest = guest,
        .subid = number,
        .node = config->node,
        .priority = config->priority,
        .time_slice = config->time_slice,
        .deadline = config->deadline,
        .period = config->period,
        .budget = config->budget,
        .affinity = config->affinity,
    };
    char name[VCPU_NAME_MAX];
    struct guest_vcpu *own = heap_zalloc(sizeof(*own));
    struct vcpu *vcpu;
    int err;

    if (own == NULL) {
        return -ENOMEM;
    }
    fmt_snprintf(name, sizeof(name), "%s/vcpu%u", guest->name, number);
    vcpu_config.name = name;
    err = vcpu_create(&vcpu_config, &vcpu);
    if (err != 0) {
        heap_free(own);
        return err;
    }
    vcpu->emu = own;
    if (number == 0) {
        vcpu->start_pc = guest->entry;
        vcpu->start_arg = guest->dtb;
    }
    guest->vcpus[number] = vcpu;
    guest->vcpu_count = number + 1;
    return 0;
}

static void report_refusal(const struct guest *guest, unsigned number, int err,
                           struct report *report)
{
    const struct sched_policy *policy = sched_policy();

    if (err == -ENOSPC && policy->refusal != NULL)
        guest_config_error(report, guest->node, "vcpus",
                           "VCPU %u is not admitted by scheduler policy \"%s\": %s", number,
                           policy->name, policy->refusal);
    else
        guest_config_error(report, guest->node, "vcpus", "VCPU %u can not be made: %s", number,
                           error_name(err));
}

int guest_vcpus_create(struct guest *guest, struct report *report)
{
    int err = 0;

    guest->vcpus = heap_calloc(guest->config->vcpu_count, sizeof(guest->vcpus[0]));
    if (guest->vcpus == NULL) {
        guest_config_error(report, guest->node, "vcpus", "no memory for VCPUs");
        return -ENOMEM;
    }
    for (unsigned i = 0; i < guest->config->vcpu_count && err == 0; i++) {
        err = vcpu_add(guest, i);
        if (err != 0)
            report_refusal(guest, i, err, report);
    }
    return err;
}

void guest_vcpus_destroy(struct guest *guest)
{
    while (guest->vcpu_count > 0) {
        struct vcpu *vcpu = guest->vcpus[--guest->vcpu_count];

        heap_free(vcpu->emu);
        vcpu_destroy(vcpu);
    }
    heap_free(guest->vcpus);
    guest->vcpus = NULL;
}
