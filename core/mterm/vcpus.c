// SPDX-License-Identifier: Apache-2.0
// Copies of what there is to tell about VCPUs, taken while they can not go away.
#include <hv/clock.h>
#include <hv/guest.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

/** VCPUs that may come to be between counting and copying. */
#define SNAPSHOT_SPARE 8

struct snapshot {
    struct mterm_vcpu *rows;
    unsigned count, size;
};

// No lock of the VCPU is taken: figures that change meanwhile may be one step apart.
void mterm_vcpu_copy(const struct vcpu *vcpu, struct mterm_vcpu *row)
{
    uint64_t now = clock_now();

    *row = (struct mterm_vcpu){
        .id = vcpu->id,
        .is_normal = vcpu->is_normal,
        .is_thread = vcpu->thread != NULL,
        .state = vcpu->state,
        .reasons = vcpu->reasons,
        .priority = vcpu->se.priority,
        .cpu = vcpu->se.cpu,
        .affinity = vcpu->se.affinity,
        .time_slice = vcpu->se.time_slice,
        .run_ns = vcpu->se.time_in[VCPU_RUNNING],
        .switches = vcpu->se.switches,
        .exits = exit_stats_count(vcpu),
        .reset_count = vcpu->reset_count,
        .subid = vcpu->subid,
        .start_pc = vcpu->start_pc,
        .start_sp = vcpu->start_sp,
        .deadline = vcpu->se.deadline,
        .period = vcpu->se.period,
        .budget = vcpu->se.budget,
        .slice_left = vcpu->se.slice_left,
        .claims = vcpu->se.claims,
        .waits = vcpu->wait_queue != NULL,
        .has_irq = vcpu->irq != NULL,
        .has_emu = vcpu->emu != NULL,
        .requests = vcpu->requests,
        .state_since = vcpu->se.state_since,
    };
    (void)str_copy(row->name, vcpu->name, sizeof(row->name));
    (void)str_copy(row->guest, vcpu->guest != NULL ? vcpu->guest->name : "", sizeof(row->guest));
    (void)str_copy(row->node, vcpu->node != NULL ? vcpu->node->name : "", sizeof(row->node));
    memcpy(row->exit_stats, vcpu->exit_stats, sizeof(row->exit_stats));
    memcpy(row->time_in, vcpu->se.time_in, sizeof(row->time_in));
    if (row->state == VCPU_RUNNING && now > vcpu->se.state_since)
        row->run_ns += now - vcpu->se.state_since;
}

static void copy_row(struct vcpu *vcpu, void *arg)
{
    struct snapshot *snapshot = arg;

    if (snapshot->count < snapshot->size)
        mterm_vcpu_copy(vcpu, &snapshot->rows[snapshot->count++]);
}

static void sort_rows(struct mterm_vcpu *rows, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct mterm_vcpu row = rows[i];
        unsigned at = i;

        for (; at > 0 && rows[at - 1].id > row.id; at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

int mterm_vcpu_snapshot(struct mterm_vcpu **rows, unsigned *count)
{
    struct snapshot snapshot = {.size = vcpu_count() + SNAPSHOT_SPARE};

    snapshot.rows = heap_calloc(snapshot.size, sizeof(*snapshot.rows));
    if (snapshot.rows == NULL)
        return -ENOMEM;
    vcpu_for_each(copy_row, &snapshot);
    sort_rows(snapshot.rows, snapshot.count);
    *rows = snapshot.rows;
    *count = snapshot.count;
    return 0;
}

void mterm_vcpu_state_text(const struct mterm_vcpu *row, char *buf, size_t size)
{
    char reasons[64] = "";

    if (row->state == VCPU_PAUSED) {
        vcpu_reasons_text(row->reasons, reasons, sizeof(reasons));
        (void)fmt_snprintf(buf, size, "%s(%s)", vcpu_state_name(row->state), reasons);
    } else {
        (void)str_copy(buf, vcpu_state_name(row->state), size);
    }
}

unsigned mterm_timer_count(void)
{
    unsigned total = 0;

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX; cpu++)
        if ((cpu_online() & CPU_MASK(cpu)) != 0)
            total += hrtimer_count(cpu);
    return total;
}
