// SPDX-License-Identifier: Apache-2.0
// Back-traces of the hypervisor's own code: taken on the CPU that the VCPU belongs to, where it holds still.

#include <arch/system.h>
#include <arch/vcpu.h>
#include <hv/backtrace.h>
#include <hv/sched.h>
#include <hv/smp.h>
#include <lib/errno.h>

/* How often a VCPU that changes its CPU is run after. */
#define TRIES 8

struct request {
    uint32_t id;
    bool found;
    bool moved;
    unsigned cpu;      /* where it was */
    struct vcpu *self; /* who asks */
    struct backtrace *out;
};

static void find(struct vcpu *vcpu, void *arg)
{
    struct request *request = arg;

    if (vcpu->id != request->id)
        return;
    request->found = true;
    request->cpu = __atomic_load_n(&vcpu->se.cpu, __ATOMIC_RELAXED);
}

static unsigned trace_here(const struct vcpu *vcpu, const struct request *request, uintptr_t *pcs)
{
    if (vcpu == request->self)
        return arch_system_backtrace(arch_system_frame(), pcs, BACKTRACE_DEPTH);
    if (vcpu == sched_current())
        return arch_system_interrupted(pcs, BACKTRACE_DEPTH);
    return arch_vcpu_backtrace(vcpu, pcs, BACKTRACE_DEPTH);
}

/* The list of VCPUs is locked meanwhile, so that it stays one. */
static void trace(struct vcpu *vcpu, void *arg)
{
    struct request *request = arg;
    uintptr_t pcs[BACKTRACE_DEPTH];

    if (vcpu->id != request->id)
        return;
    request->found = true;
    if (vcpu->se.cpu != cpu_id() || (vcpu != sched_current() && vcpu->se.on_cpu))
        return;
    request->moved = false;
    request->out->count = trace_here(vcpu, request, pcs);
    for (unsigned i = 0; i < request->out->count; i++)
        request->out->pc[i] = pcs[i];
}

static void trace_on_cpu(void *arg)
{
    vcpu_for_each(trace, arg);
}

int backtrace_hypervisor(uint32_t id, struct backtrace *out)
{
    struct request request = {.id = id, .out = out, .self = sched_current()};

    for (unsigned i = 0; i < TRIES; i++) {
        request.found = false;
        vcpu_for_each(find, &request);
        if (!request.found)
            return -ENOENT;
        request.found = false;
        request.moved = true;
        smp_call(CPU_MASK(request.cpu), trace_on_cpu, &request);
        if (!request.found)
            return -ENOENT;
        if (!request.moved)
            return 0;
    }
    return -EAGAIN;
}
