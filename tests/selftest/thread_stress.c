// SPDX-License-Identifier: Apache-2.0
// Self tests of threads: many of them on everything they can sleep in; more of them than memory has.

#include <hv/clock.h>
#include <hv/completion.h>
#include <hv/heap.h>
#include <hv/mutex.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/selftest.h>
#include <hv/semaphore.h>
#include <hv/thread.h>
#include <hv/vcpu.h>
#include <hv/workqueue.h>
#include <lib/errno.h>
#include <lib/string.h>

#define THREADS 200
#define MUTEXES 4
#define SLOTS 8
#define DEFAULT_SECONDS 2

typedef unsigned long long ull;

struct stress;

struct worker {
    struct stress *stress;
    struct thread *thread;
    struct delayed_work work;
    struct hrtimer timer;
    struct completion fired;
    uint64_t random;
    uint64_t counted; /* in turns of this thread, with a mutex */
    uint64_t put, taken;
    uint64_t queued, cancelled;
    uint64_t rounds;
};

struct stress {
    uint64_t end;
    bool stop;
    struct mutex mutex[MUTEXES];
    uint64_t counter[MUTEXES]; /* plain: only the mutex keeps it right */
    struct semaphore slots;
    uint32_t in_slots;
    struct waitqueue tokens_wq;
    uint64_t tokens; /* with the queue's lock */
    uint64_t worked; /* by the queue's one thread */
    struct workqueue *queue;
    uint32_t errors;
    struct worker worker[THREADS];
};

static unsigned draw(struct worker *w, unsigned below)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (unsigned)(w->random % below);
}

static void check(struct worker *w, bool good)
{
    if (!good)
        __atomic_fetch_add(&w->stress->errors, 1, __ATOMIC_RELAXED);
}

/* What a race would lose. */
static void count(struct worker *w, unsigned i)
{
    uint64_t seen = __atomic_load_n(&w->stress->counter[i], __ATOMIC_RELAXED);

    if (draw(w, 8) == 0)
        thread_sleep(draw(w, 20000));
    else if (draw(w, 2) == 0)
        sched_yield_cpu();
    __atomic_store_n(&w->stress->counter[i], seen + 1, __ATOMIC_RELAXED);
    w->counted++;
}

static void use_mutex(struct worker *w)
{
    unsigned i = draw(w, MUTEXES);

    mutex_lock(&w->stress->mutex[i]);
    count(w, i);
    mutex_unlock(&w->stress->mutex[i]);
}

static void use_two_mutexes(struct worker *w)
{
    unsigned i = draw(w, MUTEXES - 1);
    struct mutex *m = w->stress->mutex;
    int result = mutex_lock_timeout(&m[i], draw(w, 2000000));

    if (result != 0) {
        check(w, result == -ETIMEDOUT);
        return;
    }
    result = mutex_lock_timeout(&m[i + 1], draw(w, 200000));
    if (result == 0) {
        count(w, i + 1);
        mutex_unlock(&m[i + 1]);
    } else {
        check(w, result == -ETIMEDOUT);
    }
    mutex_unlock(&m[i]);
}

static void use_semaphore(struct worker *w)
{
    struct stress *s = w->stress;
    int result = semaphore_down(&s->slots, draw(w, 5000000));

    check(w, result == 0 || result == -ETIMEDOUT);
    if (result != 0)
        return;
    check(w, __atomic_add_fetch(&s->in_slots, 1, __ATOMIC_RELAXED) <= SLOTS);
    thread_sleep(draw(w, 50000));
    __atomic_sub_fetch(&s->in_slots, 1, __ATOMIC_RELAXED);
    check(w, semaphore_up(&s->slots) == 0);
}

static bool take_token(void *arg)
{
    struct stress *s = arg;

    if (s->tokens == 0)
        return false;
    s->tokens--;
    return true;
}

static void use_waitqueue(struct worker *w)
{
    struct stress *s = w->stress;

    if (draw(w, 2) == 0) {
        irqflags_t flags = spin_lock_irqsave(&s->tokens_wq.lock);

        s->tokens++;
        waitqueue_wake_locked(&s->tokens_wq, draw(w, 2) == 0 ? 1 : UINT32_MAX);
        spin_unlock_irqrestore(&s->tokens_wq.lock, flags);
        w->put++;
    } else {
        int result = waitqueue_wait(&s->tokens_wq, take_token, s, draw(w, 3000000));

        check(w, result == 0 || result == -ETIMEDOUT);
        w->taken += result == 0;
    }
}

static void do_work(struct work *work)
{
    struct worker *w = container_of(work, struct worker, work.work);

    w->stress->worked++;
}

static void use_workqueue(struct worker *w)
{
    if (draw(w, 3) != 0)
        w->queued +=
            work_state(&w->work.work) == WORK_IDLE && work_queue_after(&w->work, draw(w, 300000));
    else if (draw(w, 4) != 0)
        w->cancelled += work_cancel(&w->work.work);
    else
        w->cancelled += work_cancel_wait(&w->work.work);
}

static void timer_fired(struct hrtimer *timer)
{
    completion_signal(&((struct worker *)timer->data)->fired);
}

static void use_timer(struct worker *w)
{
    hrtimer_start(&w->timer, clock_now() + draw(w, 200000));
    if (draw(w, 4) != 0)
        check(w, completion_wait(&w->fired, 60 * NS_PER_SEC) == 0);
    else if (!hrtimer_stop(&w->timer))
        check(w, completion_wait(&w->fired, 60 * NS_PER_SEC) == 0);
    check(w, w->fired.done == 0);
}

static int hammer(void *arg)
{
    static void (*const uses[])(struct worker * w) = {use_mutex,     use_mutex,     use_two_mutexes,
                                                      use_semaphore, use_waitqueue, use_workqueue,
                                                      use_workqueue, use_timer};
    struct worker *w = arg;
    struct stress *s = w->stress;

    while (clock_now() < s->end && !__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
        uses[draw(w, ARRAY_SIZE(uses))](w);
        if (draw(w, 16) == 0)
            thread_set_priority(thread_current(), (uint8_t)draw(w, SCHED_PRIORITY_DEFAULT + 1));
        w->rounds++;
    }
    w->cancelled += work_cancel_wait(&w->work.work);
    hrtimer_cancel(&w->timer);
    return 0;
}

static int start_worker(struct stress *s, unsigned i)
{
    struct worker *w = &s->worker[i];
    int error;

    w->stress = s;
    w->random = 0x9e3779b97f4a7c15ULL * (i + 1);
    work_init_delayed(&w->work, do_work, s->queue);
    hrtimer_init(&w->timer, timer_fired, w);
    completion_init(&w->fired);
    error = thread_create("stress", hammer, w, (uint8_t)(i % (SCHED_PRIORITY_DEFAULT + 1)), 0,
                          &w->thread);
    return error != 0 ? error : thread_start(w->thread);
}

static int start_all(struct terminal *term, struct stress *s)
{
    for (unsigned i = 0; i < THREADS; i++) {
        int error = start_worker(s, i);

        if (error != 0) {
            term_printf(term, "thread %u of %u: %s\n", i + 1, THREADS, error_name(error));
            return error;
        }
    }
    return 0;
}

static bool wait_for_end(struct terminal *term, const struct stress *s)
{
    while (clock_now() < s->end)
        if (term_interrupted(term) || thread_sleep(50 * NS_PER_MS) != 0)
            return false;
    return true;
}

static bool is(struct terminal *term, const char *what, uint64_t got, uint64_t wanted)
{
    if (got != wanted)
        term_printf(term, "%s: %llu instead of %llu\n", what, (ull)got, (ull)wanted);
    return got == wanted;
}

static int judge(struct terminal *term, const struct stress *s)
{
    struct worker sum = {0};
    uint64_t counted = 0;
    bool good;

    for (unsigned i = 0; i < THREADS; i++) {
        sum.counted += s->worker[i].counted;
        sum.put += s->worker[i].put;
        sum.taken += s->worker[i].taken;
        sum.queued += s->worker[i].queued;
        sum.cancelled += s->worker[i].cancelled;
        sum.rounds += s->worker[i].rounds;
    }
    for (unsigned i = 0; i < MUTEXES; i++)
        counted += s->counter[i];
    term_printf(term, "%llu rounds: %llu with mutexes, %llu items of work, %llu tokens\n",
                (ull)sum.rounds, (ull)counted, (ull)s->worked, (ull)sum.taken);
    good = is(term, "counted with mutexes", counted, sum.counted);
    good &= is(term, "tokens", s->tokens + sum.taken, sum.put);
    good &= is(term, "items of work", s->worked + sum.cancelled, sum.queued);
    good &= is(term, "free slots", s->slots.count, SLOTS);
    good &= is(term, "broken promises", s->errors, 0);
    for (unsigned i = 0; i < MUTEXES; i++)
        good &= is(term, "owner of a mutex", (uintptr_t)mutex_owner(&s->mutex[i]), 0);
    return good ? 0 : -EIO;
}

static int run_stress(struct terminal *term, struct stress *s)
{
    int error = workqueue_create("stress", SCHED_PRIORITY_DEFAULT, &s->queue);

    if (error != 0)
        return error;
    for (unsigned i = 0; i < MUTEXES; i++)
        mutex_init(&s->mutex[i]);
    /* They are taken in this order, which the lock checker is to know. */
    semaphore_init(&s->slots, SLOTS, SLOTS);
    waitqueue_init(&s->tokens_wq);
    error = start_all(term, s);
    if (error == 0 && !wait_for_end(term, s))
        error = -EINTR;
    __atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THREADS && s->worker[i].thread != NULL; i++)
        thread_join(s->worker[i].thread, NULL);
    workqueue_destroy(s->queue);
    return error != 0 ? error : judge(term, s);
}

/* What must be as it was. */
struct census {
    uint64_t objects;
    unsigned vcpus;
};

/* Others, like the load balancer, may keep what they need for so many threads. */
static bool is_ours(const struct heap_site *site)
{
    static const char *const places[] = {"core/thread/", "core/sched/vcpu", "core/mm/vmap",
                                         "tests/selftest/thread"};

    for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
        if (str_starts_with(site->file, places[i]))
            return true;
    return false;
}

static struct census take_census(void)
{
    struct census census = {.vcpus = vcpu_count()};
    struct heap_site site;

    for (unsigned i = 0; heap_get_site(i, &site); i++)
        if (is_ours(&site))
            census.objects += site.objects;
    return census;
}

static int compare_census(struct terminal *term, const struct census *before, int result)
{
    struct census after = take_census();
    bool good = is(term, "heap objects left", after.objects, before->objects);

    good &= is(term, "VCPUs left", after.vcpus, before->vcpus);
    return result == 0 && !good ? -EIO : result;
}

static int stress_run(struct terminal *term, uint64_t amount)
{
    struct census before = take_census();
    struct stress *s = heap_zalloc(sizeof(*s));
    int result;

    if (s == NULL)
        return -ENOMEM;
    s->end = clock_now() + (amount != 0 ? amount : DEFAULT_SECONDS) * NS_PER_SEC;
    result = run_stress(term, s);
    heap_free(s);
    return compare_census(term, &before, result);
}

static const struct selftest stress_test = {
    .name = "thread-stress",
    .help = "200 threads on mutexes, semaphores, timers, work; seconds (2)",
    .run = stress_run,
};
SELFTEST(stress_test);

/* More threads than memory has. */

struct crowd {
    struct crowd *next;
    struct thread *thread;
};

static int never_run(void *arg)
{
    (void)arg;
    return -EIO;
}

/* One more, in front of the others. */
static int grow(struct crowd **crowd)
{
    struct crowd *one = heap_zalloc(sizeof(*one));
    int error;

    if (one == NULL)
        return -ENOMEM;
    error = thread_create("crowd", never_run, NULL, 0, 0, &one->thread);
    if (error != 0) {
        heap_free(one);
        return error;
    }
    one->next = *crowd;
    *crowd = one;
    return 0;
}

static int disperse(struct crowd *crowd)
{
    int result = 0;

    while (crowd != NULL) {
        struct crowd *next = crowd->next;
        int code;

        if (thread_join(crowd->thread, &code) != 0 || code != -ECANCELED)
            result = -EIO;
        heap_free(crowd);
        crowd = next;
    }
    return result;
}

static int crowd_run(struct terminal *term, uint64_t amount)
{
    struct census before = take_census();
    struct crowd *crowd = NULL;
    uint64_t made = 0;
    int error = 0, result;

    while ((amount == 0 || made < amount) && !term_interrupted(term)) {
        error = grow(&crowd);
        if (error != 0)
            break;
        made++;
    }
    term_printf(term, "%llu threads: %s\n", (ull)made, error_name(error));
    result = disperse(crowd);
    if (error != 0 && error != -ENOMEM)
        result = error;
    return compare_census(term, &before, result);
}

static const struct selftest crowd_test = {
    .name = "thread-crowd",
    .help = "as many threads as memory has, or as told; all are given back",
    .run = crowd_run,
};
SELFTEST(crowd_test);
