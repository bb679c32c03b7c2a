// SPDX-License-Identifier: Apache-2.0
// Check: all CPUs take and give back pages, heap objects and stacks at once, while the heap is
// verified; in the end everything is as it was.
#include <arch/mmu.h>
#include <hv/clock.h>
#include <hv/cpu.h>
#include <hv/heap.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/selftest.h>
#include <hv/thread.h>
#include <hv/vmap.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>

#define STEPS 20000
#define SLOTS 64
#define ORDER_MAX 10
#define HEAP_MAX 6000

enum kind { NOTHING, PAGES, RANGE, OBJECT, STACK };

/* What a thread holds; its first and last word say whose it is. */
struct slot {
    enum kind kind;
    unsigned order;
    uint64_t size;
    hpa_t host;
    uint64_t *data;
};

struct stress {
    uint64_t steps; /* of each thread */
    unsigned faults;
    unsigned refused;
};

struct worker {
    struct stress *stress;
    struct thread *thread;
    uint64_t seed;
    struct slot slots[SLOTS];
};

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return *seed >> 24;
}

static void take(struct slot *slot, enum kind kind, uint64_t random)
{
    int err = 0;

    slot->data = NULL;
    slot->order = (unsigned)(random % ORDER_MAX);
    slot->size = PAGE_SIZE << slot->order;
    if (kind == PAGES) {
        err = page_alloc(slot->order, PAGE_OWNER_MISC, &slot->host);
    } else if (kind == RANGE) {
        slot->size = (1 + random % 700) * PAGE_SIZE;
        err = page_alloc_range(slot->size, PAGE_SIZE, PAGE_OWNER_MISC, &slot->host);
    } else if (kind == OBJECT) {
        slot->size = 16 + random % HEAP_MAX / 8 * 8;
        slot->data = heap_alloc(slot->size);
    } else {
        slot->size = CONFIG_STACK_SIZE;
        slot->data = vmap_stack_alloc("mm-stress");
    }
    if (kind <= RANGE && err == 0)
        slot->data = arch_mmu_linear(slot->host);
    slot->kind = slot->data != NULL ? kind : NOTHING;
}

static void give(const struct slot *slot)
{
    if (slot->kind == PAGES)
        page_free(slot->host, slot->order);
    else if (slot->kind == RANGE)
        page_free_range(slot->host, slot->size);
    else if (slot->kind == OBJECT)
        heap_free(slot->data);
    else
        vmap_stack_free(slot->data);
}

static void step(struct worker *worker, uint64_t random)
{
    struct slot *slot = &worker->slots[random % SLOTS];
    uint64_t mark = (uintptr_t)slot ^ (uintptr_t)slot->data;
    uint64_t last;

    if (slot->kind != NOTHING) {
        last = slot->size / sizeof(uint64_t) - 1;
        if (slot->data[0] != mark || slot->data[last] != mark)
            __atomic_fetch_add(&worker->stress->faults, 1, __ATOMIC_RELAXED);
        give(slot);
        slot->kind = NOTHING;
        return;
    }
    take(slot, PAGES + (enum kind)(random >> 8) % 4, random >> 12);
    if (slot->kind == NOTHING) {
        __atomic_fetch_add(&worker->stress->refused, 1, __ATOMIC_RELAXED);
        return;
    }
    last = slot->size / sizeof(uint64_t) - 1;
    mark = (uintptr_t)slot ^ (uintptr_t)slot->data;
    slot->data[0] = mark;
    slot->data[last] = mark;
}

static int work(void *arg)
{
    struct worker *worker = arg;

    for (uint64_t i = 0; i < worker->stress->steps && !thread_should_stop(); i++)
        step(worker, next_random(&worker->seed));
    for (unsigned i = 0; i < SLOTS; i++)
        if (worker->slots[i].kind != NOTHING)
            give(&worker->slots[i]);
    return 0;
}

static void count_faults(const struct heap_object *object, void *arg)
{
    *(unsigned *)arg += object->fault != NULL;
}

/* Until it ends by itself, or by Ctrl-C. */
static int wait_for(struct terminal *term, struct worker *worker, unsigned *heap_faults)
{
    int err = 0;

    while (thread_state(worker->thread) != THREAD_STOPPED && err == 0) {
        (void)heap_walk(count_faults, heap_faults);
        err = term_interrupted(term) || thread_sleep(NS_PER_MS) != 0 ? -EINTR : 0;
    }
    thread_request_stop(worker->thread);
    thread_join(worker->thread, NULL);
    return err;
}

static int run_workers(struct terminal *term, struct stress *stress, struct worker *workers,
                       unsigned count)
{
    unsigned made, heap_faults = 0;
    int err = 0;

    for (made = 0; made < count && err == 0; made++) {
        workers[made].stress = stress;
        workers[made].seed = made + 1;
        err = thread_create("mm-stress", work, &workers[made], SCHED_PRIORITY_DEFAULT, 0,
                            &workers[made].thread);
    }
    made -= err != 0;
    for (unsigned i = 0; i < made; i++)
        thread_start(workers[i].thread);
    for (unsigned i = 0; i < made; i++) {
        int stopped = wait_for(term, &workers[i], &heap_faults);

        err = err != 0 ? err : stopped;
    }
    stress->faults += heap_faults;
    return err;
}

struct census {
    uint64_t free, objects, bytes, ranges;
    uint64_t orders[PAGE_ORDER_MAX + 1];
};

static void take_census(struct census *census)
{
    struct page_stats pages;
    struct heap_stats heap;
    uint64_t largest;

    page_get_stats(&pages);
    heap_get_stats(&heap);
    *census = (struct census){
        .free = pages.free,
        .objects = heap.objects,
        .bytes = heap.bytes_used,
        .ranges = vmap_count(),
    };
    page_get_free(census->orders, &largest);
}

static int run(struct terminal *term, uint64_t amount)
{
    struct stress stress = {.steps = amount != 0 ? amount : STEPS};
    unsigned count = cpu_online_count();
    struct census before, after;
    struct worker *workers;
    int err;

    take_census(&before);
    workers = heap_calloc(count, sizeof(*workers));
    if (workers == NULL)
        return -ENOMEM;
    err = run_workers(term, &stress, workers, count);
    heap_free(workers);
    take_census(&after);
    term_printf(term, "%u faults, %u refused\n", stress.faults, stress.refused);
    if (memcmp(&before, &after, sizeof(before)) != 0) {
        term_printf(
            term, "the census differs: free %lld, objects %lld, bytes %lld, ranges %lld\n",
            (long long)(after.free - before.free), (long long)(after.objects - before.objects),
            (long long)(after.bytes - before.bytes), (long long)(after.ranges - before.ranges));
        return -EIO;
    }
    return err != 0 ? err : (stress.faults == 0 ? 0 : -EIO);
}

static const struct selftest mm_stress = {
    .name = "mm-stress",
    .help = "each CPU takes and gives back pages, heap objects and stacks, 20,000 (AMOUNT) times",
    .run = run,
};
SELFTEST(mm_stress);
