// SPDX-License-Identifier: Apache-2.0
// Threaded interrupt handlers, and the timer that ends the pause after an interrupt storm.

#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/hrtimer.h>
#include <hv/initcall.h>
#include <hv/irq_thread.h>
#include <hv/panic.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/list.h>

struct irq_thread {
    struct list link;
    uint32_t irq;
    irq_handler first;
    void (*second)(uint32_t irq, void *arg);
    void *arg;
    bool due; /**< the first half has woken it */
    struct waitqueue wake;
    struct thread *thread;
};

static struct list irq_threads = LIST_INIT(irq_threads);
static struct spinlock irq_threads_lock = SPINLOCK_INIT;

static enum irq_result first_half(uint32_t irq, void *arg)
{
    struct irq_thread *half = arg;
    enum irq_result result = half->first == NULL ? IRQ_WAKE_THREAD : half->first(irq, half->arg);

    if (result != IRQ_WAKE_THREAD)
        return result;
    irq_hold(irq);
    __atomic_store_n(&half->due, true, __ATOMIC_RELEASE);
    waitqueue_wake_all(&half->wake);
    return IRQ_HANDLED;
}

static bool is_due(void *arg)
{
    const struct irq_thread *half = arg;

    return __atomic_load_n(&half->due, __ATOMIC_ACQUIRE);
}

static int second_half(void *arg)
{
    struct irq_thread *half = arg;

    while (waitqueue_wait(&half->wake, is_due, half, WAIT_FOREVER) == 0) {
        __atomic_store_n(&half->due, false, __ATOMIC_RELAXED);
        half->second(half->irq, half->arg);
        irq_unhold(half->irq);
    }
    return 0;
}

static int half_start(struct irq_thread *half)
{
    char name[24];
    int err;

    (void)fmt_snprintf(name, sizeof(name), "irq%u", half->irq);
    err = thread_create(name, second_half, half, SCHED_PRIORITY_MAX, 0, &half->thread);
    if (err == 0)
        err = thread_start(half->thread);
    return err;
}

static void half_stop(struct irq_thread *half)
{
    if (half->thread == NULL)
        return;
    thread_request_stop(half->thread);
    thread_join(half->thread, NULL);
}

static void half_enter(struct irq_thread *half)
{
    spin_lock(&irq_threads_lock);
    list_add_tail(&irq_threads, &half->link);
    spin_unlock(&irq_threads_lock);
}

int irq_thread_request(uint32_t irq, const char *name, irq_handler first,
                       void (*second)(uint32_t irq, void *arg), void *arg)
{
    struct irq_thread *half;
    int err;

    if (irq < IRQ_SHARED_FIRST || second == NULL)
        return -EINVAL;
    half = heap_zalloc(sizeof(*half));
    if (half == NULL)
        return -ENOMEM;
    *half = (struct irq_thread){.irq = irq, .first = first, .second = second, .arg = arg};
    waitqueue_init(&half->wake);
    err = half_start(half);
    if (err == 0)
        err = irq_request(irq, name, first_half, half);
    if (err != 0) {
        half_stop(half);
        heap_free(half);
        return err;
    }
    half_enter(half);
    return 0;
}

static struct irq_thread *half_find(uint32_t irq)
{
    LIST_FOR_EACH(half, &irq_threads, struct irq_thread, link) {
        if (half->irq == irq)
            return half;
    }
    return NULL;
}

bool irq_thread_exists(uint32_t irq)
{
    bool found;

    spin_lock(&irq_threads_lock);
    found = half_find(irq) != NULL;
    spin_unlock(&irq_threads_lock);
    return found;
}

void irq_thread_release(uint32_t irq)
{
    struct irq_thread *half;

    spin_lock(&irq_threads_lock);
    half = half_find(irq);
    ASSERT(half != NULL);
    list_remove(&half->link);
    spin_unlock(&irq_threads_lock);
    irq_disable(irq);
    half_stop(half);
    irq_release(irq);
    heap_free(half);
}

/* The pause after a storm */

static void storm_over(struct hrtimer *timer)
{
    (void)timer;
    irq_storm_expired();
}

static struct hrtimer storm_timer;

/* An earlier one stays: it arms the timer for the rest. */
static void storm_timer_arm(uint64_t ns)
{
    uint64_t at = clock_now() + ns;

    if (!hrtimer_is_armed(&storm_timer) || storm_timer.expires > at)
        hrtimer_start(&storm_timer, at);
}

static int irq_thread_init(void)
{
    hrtimer_init(&storm_timer, storm_over, NULL);
    irq_set_storm_timer(storm_timer_arm);
    return 0;
}
INITCALL(INITCALL_CORE, irq_thread_init);
