// SPDX-License-Identifier: Apache-2.0
// Threads over orphan VCPUs.

#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/panic.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <lib/string.h>

#include "thread_internal.h"

struct thread {
    struct vcpu *vcpu;
    int (*fn)(void *arg);
    void *arg;
    int code;
    bool ended;    /**< fn has returned; under fate_lock */
    bool detached; /**< under fate_lock */
    struct work reap;
};

/* Decides, between the end of a thread and thread_detach(), who hands it to the worker. */
static struct spinlock fate_lock = SPINLOCK_INIT;

static void thread_free(struct thread *thread)
{
    int error = vcpu_destroy(thread->vcpu);

    ASSERT(error == 0);
    heap_free(thread);
}

static void reap(struct work *work)
{
    struct thread *thread = container_of(work, struct thread, reap);

    vcpu_wait_halted(thread->vcpu);
    thread_free(thread);
}

static void thread_main(void *arg)
{
    struct thread *thread = arg;
    irqflags_t flags;

    thread->code = thread->fn(thread->arg);
    ASSERT(list_is_empty(&thread->vcpu->held_mutexes));
    lockdep_assert_none(&thread->vcpu->lockdep);
    flags = spin_lock_irqsave(&fate_lock);
    thread->ended = true;
    if (thread->detached)
        work_queue(&thread->reap);
    spin_unlock_irqrestore(&fate_lock, flags);
    sched_exit();
}

int thread_create_with(const struct thread_config *config, struct thread **out)
{
    struct vcpu_config vcpu = {.name = config->name,
                               .priority = config->priority,
                               .time_slice = config->time_slice,
                               .affinity = config->affinity};
    struct thread *thread;
    int error;

    if (config->name == NULL || config->fn == NULL)
        return -EINVAL;
    vcpu_wait_init();
    mutex_start();
    thread = heap_zalloc(sizeof(*thread));
    if (thread == NULL)
        return -ENOMEM;
    thread->fn = config->fn;
    thread->arg = config->arg;
    work_init(&thread->reap, reap);
    error = vcpu_create(&vcpu, &thread->vcpu);
    if (error != 0) {
        heap_free(thread);
        return error;
    }
    arch_vcpu_init_orphan(thread->vcpu, thread_main, thread);
    thread->vcpu->uses_fp = config->uses_fp;
    thread->vcpu->start_pc = (uintptr_t)config->fn;
    /* Those who list threads know by this that it is one. */
    __atomic_store_n(&thread->vcpu->thread, thread, __ATOMIC_RELEASE);
    *out = thread;
    return 0;
}

int thread_create(const char *name, int (*fn)(void *arg), void *arg, uint8_t priority,
                  uint64_t time_slice, struct thread **out)
{
    const struct thread_config config = {
        .name = name, .fn = fn, .arg = arg, .priority = priority, .time_slice = time_slice};

    return thread_create_with(&config, out);
}

int thread_set_priority(struct thread *thread, uint8_t priority)
{
    if (priority > SCHED_PRIORITY_MAX)
        return -EINVAL;
    sched_set_priority(thread->vcpu, priority);
    return 0;
}

int thread_start(struct thread *thread)
{
    return vcpu_kick(thread->vcpu);
}

void thread_request_stop(struct thread *thread)
{
    vcpu_request_stop(thread->vcpu);
}

bool thread_should_stop(void)
{
    return __atomic_load_n(&sched_current()->requests, __ATOMIC_RELAXED) & VCPU_REQUEST_STOP;
}

int thread_join(struct thread *thread, int *code)
{
    int result = -ECANCELED;

    ctx_assert_may_sleep();
    if (thread == thread_current())
        return -EDEADLK;
    if (thread_state(thread) != THREAD_CREATED) {
        vcpu_wait_halted(thread->vcpu);
        result = thread->code;
    }
    thread_free(thread);
    if (code != NULL)
        *code = result;
    return 0;
}

void thread_detach(struct thread *thread)
{
    irqflags_t flags = spin_lock_irqsave(&fate_lock);

    thread->detached = true;
    if (thread->ended)
        work_queue(&thread->reap);
    spin_unlock_irqrestore(&fate_lock, flags);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

int thread_sleep(uint64_t ns)
{
    struct waitqueue nobody_wakes;
    int result;

    waitqueue_init(&nobody_wakes);
    result = waitqueue_wait(&nobody_wakes, never, NULL, ns);
    return result == -ETIMEDOUT ? 0 : result;
}

void thread_give_way(uint64_t *since)
{
    struct sched_cpu_stats stats;

    if (clock_now() - *since < THREAD_PIECE_NS)
        return;
    sched_get_cpu_stats(cpu_id(), &stats);
    if (stats.ready != 0)
        (void)thread_sleep(THREAD_PIECE_NS);
    *since = clock_now();
}

struct thread *thread_current(void)
{
    return sched_current()->thread;
}

static enum thread_state state_of(const struct vcpu *vcpu)
{
    switch (__atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE)) {
    case VCPU_RESET:
        return THREAD_CREATED;
    case VCPU_PAUSED:
        return THREAD_SLEEPING;
    case VCPU_HALTED:
    case VCPU_UNKNOWN:
        return THREAD_STOPPED;
    default:
        return THREAD_RUNNING;
    }
}

enum thread_state thread_state(const struct thread *thread)
{
    return state_of(thread->vcpu);
}

const char *thread_state_name(enum thread_state state)
{
    static const char *const names[] = {[THREAD_CREATED] = "created",
                                        [THREAD_RUNNING] = "running",
                                        [THREAD_SLEEPING] = "sleeping",
                                        [THREAD_STOPPED] = "stopped"};

    return names[state];
}

const char *thread_name(const struct thread *thread)
{
    return thread->vcpu->name;
}

struct vcpu *thread_vcpu(struct thread *thread)
{
    return thread->vcpu;
}

/* Listing */

struct listing {
    struct thread_info *rows;
    unsigned count;
    unsigned room;
};

static void describe(struct vcpu *vcpu, struct thread_info *row)
{
    const struct thread *thread = vcpu->thread;

    static_assert(sizeof(row->name) == sizeof(vcpu->name), "name of a thread");
    memcpy(row->name, vcpu->name, sizeof(row->name));
    row->id = vcpu->id;
    row->state = state_of(vcpu);
    row->priority = sched_priority(vcpu);
    row->base_priority = vcpu->se.base_priority;
    row->uses_fp = vcpu->uses_fp;
    row->cpu = vcpu->se.cpu;
    row->time_slice = vcpu->se.time_slice;
    row->run_ns = vcpu->se.time_in[VCPU_RUNNING];
    if (vcpu->state == VCPU_RUNNING)
        row->run_ns += clock_now() - vcpu->se.state_since;
    row->switches = vcpu->se.switches;
    row->fn = (uintptr_t)thread->fn;
}

static void list_thread(struct vcpu *vcpu, void *arg)
{
    struct listing *listing = arg;

    if (__atomic_load_n(&vcpu->thread, __ATOMIC_ACQUIRE) != NULL && listing->count < listing->room)
        describe(vcpu, &listing->rows[listing->count++]);
}

int thread_get_all(struct thread_info **rows, unsigned *count)
{
    /* Threads that are made meanwhile are left out. */
    struct listing listing = {.room = vcpu_count()};

    listing.rows = heap_zalloc((listing.room + 1) * sizeof(*listing.rows));
    if (listing.rows == NULL)
        return -ENOMEM;
    vcpu_for_each(list_thread, &listing);
    *rows = listing.rows;
    *count = listing.count;
    return 0;
}
