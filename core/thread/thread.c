// SPDX-License-Identifier: Apache-2.0
// Threads over orphan VCPUs.

#include <hv/heap.h>
#include <hv/panic.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <hv/worker.h>
#include <lib/errno.h>

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
    flags = spin_lock_irqsave(&fate_lock);
    thread->ended = true;
    if (thread->detached)
        work_queue(&thread->reap);
    spin_unlock_irqrestore(&fate_lock, flags);
    sched_exit();
}

int thread_create(const char *name, int (*fn)(void *arg), void *arg, uint8_t priority,
                  uint64_t time_slice, struct thread **out)
{
    struct vcpu_config config = {.name = name, .priority = priority, .time_slice = time_slice};
    struct thread *thread;
    int error;

    if (name == NULL || fn == NULL)
        return -EINVAL;
    vcpu_wait_init();
    thread = heap_zalloc(sizeof(*thread));
    if (thread == NULL)
        return -ENOMEM;
    thread->fn = fn;
    thread->arg = arg;
    work_init(&thread->reap, reap);
    error = vcpu_create(&config, &thread->vcpu);
    if (error != 0) {
        heap_free(thread);
        return error;
    }
    thread->vcpu->thread = thread;
    arch_vcpu_init_orphan(thread->vcpu, thread_main, thread);
    *out = thread;
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

struct thread *thread_current(void)
{
    return sched_current()->thread;
}

enum thread_state thread_state(const struct thread *thread)
{
    switch (__atomic_load_n(&thread->vcpu->state, __ATOMIC_ACQUIRE)) {
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

const char *thread_name(const struct thread *thread)
{
    return thread->vcpu->name;
}

struct vcpu *thread_vcpu(struct thread *thread)
{
    return thread->vcpu;
}
