// SPDX-License-Identifier: Apache-2.0
// Lock checker of debug builds: remembers which class was taken while which was held, and says when
// two orders contradict each other before the machine hangs by it.

#include <hv/lockdep.h>

#ifdef CONFIG_DEBUG_LOCKS

#include <arch/system.h>
#include <hv/panic.h>
#include <hv/spinlock.h>
#include <lib/string.h>
#include <stddef.h>

#define CLASSES_MAX 256
#define EDGES_MAX 2048
#define WORD_BITS 64

enum { USED_IN_IRQ = 1, USED_WITH_IRQS = 2, TOLD_IRQ = 4 };

struct lock_class {
    const char *site;
    const void *map; /* what distinguishes locks without a site */
    bool nested;
    uint8_t usage;
    uintptr_t irq_ip;
    uintptr_t enabled_ip;
};

/* "to" was wanted with "from" held. */
struct edge {
    uint16_t from, to;
    uintptr_t from_ip, to_ip;
};

struct held_locks {
    struct lockdep_held locks[LOCKDEP_HELD_MAX];
};
DECLARE_PER_CPU(struct held_locks, held_locks);
DEFINE_PER_CPU(struct held_locks, held_locks);

void (*lockdep_report_hook)(const struct lockdep_report *report);

/* Under the bare lock; class 0 is none. */
static struct spinlock tables_lock = SPINLOCK_INIT;
static struct lock_class classes[CLASSES_MAX];
static unsigned class_count = 1;
static struct edge edges[EDGES_MAX];
static unsigned edge_count;
static bool told_full;
static unsigned findings;

/* Read without the lock: bits are only ever set. */
static uint64_t after[CLASSES_MAX][CLASSES_MAX / WORD_BITS];

unsigned lockdep_count(void)
{
    return __atomic_load_n(&findings, __ATOMIC_RELAXED);
}

static const char *class_name(unsigned class)
{
    return classes[class].site != NULL ? classes[class].site : "a lock without initialiser";
}

static void print_place(const char *text, uintptr_t ip)
{
    panic_print("%s ", text);
    panic_print_symbol(panic_print, ip);
    panic_print("\n");
}

static void print_report(const struct lockdep_report *report)
{
    switch (report->kind) {
    case LOCKDEP_ORDER:
        panic_print("\nLOCK ORDER: %s is held, %s wanted\n", report->held, report->wanted);
        print_place("  held since", report->held_at);
        print_place("  wanted at", report->wanted_at);
        print_place("  the reverse order: held since", report->earlier[0]);
        print_place("  the reverse order: wanted at", report->earlier[1]);
        break;
    case LOCKDEP_RECURSION:
        panic_print("\nLOCK RECURSION: %s wanted with %s held\n", report->wanted, report->held);
        print_place("  held since", report->held_at);
        print_place("  wanted at", report->wanted_at);
        break;
    case LOCKDEP_IRQ:
        panic_print("\nLOCK IRQ: %s\n", report->held);
        print_place("  taken in IRQ context at", report->held_at);
        print_place("  taken with interrupts enabled at", report->wanted_at);
        break;
    case LOCKDEP_FULL:
        panic_print("\nLOCK CHECKER: a table is full, what is new is not checked\n");
        return;
    }
    panic_print_backtrace(panic_print, arch_system_frame());
}

static void tell(const struct lockdep_report *report)
{
    __atomic_fetch_add(&findings, 1, __ATOMIC_RELAXED);
    if (lockdep_report_hook != NULL)
        lockdep_report_hook(report);
    else
        print_report(report);
}

static void tell_full(void)
{
    const struct lockdep_report report = {.kind = LOCKDEP_FULL};

    if (!__atomic_exchange_n(&told_full, true, __ATOMIC_RELAXED))
        tell(&report);
}

/* Classes */

static bool is_class(const struct lock_class *class, const struct lockdep_map *map, bool nested)
{
    if (class->nested != nested)
        return false;
    if (class->site == NULL || map->site == NULL)
        return class->site == map->site && class->map == map;
    return class->site == map->site || str_equal(class->site, map->site);
}

/* 0: the table is full. tables_lock held. */
static unsigned find_or_add(const struct lockdep_map *map, bool nested)
{
    for (unsigned i = 1; i < class_count; i++)
        if (is_class(&classes[i], map, nested))
            return i;
    if (class_count == CLASSES_MAX)
        return 0;
    classes[class_count] = (struct lock_class){.site = map->site, .map = map, .nested = nested};
    return class_count++;
}

static unsigned class_of(struct lockdep_map *map, bool nested)
{
    unsigned class = __atomic_load_n(&map->class, __ATOMIC_RELAXED);

    if (class != 0 && !nested)
        return class;
    spin_take(&tables_lock);
    class = find_or_add(map, nested);
    spin_drop(&tables_lock);
    if (!nested)
        __atomic_store_n(&map->class, (uint16_t) class, __ATOMIC_RELAXED);
    if (class == 0)
        tell_full();
    return class;
}

/* Order */

static bool follows(unsigned from, unsigned to)
{
    uint64_t word = __atomic_load_n(&after[from][to / WORD_BITS], __ATOMIC_RELAXED);

    return word >> (to % WORD_BITS) & 1;
}

static const struct edge *find_edge(unsigned from, unsigned to)
{
    for (unsigned i = 0; i < edge_count; i++)
        if (edges[i].from == from && edges[i].to == to)
            return &edges[i];
    return NULL;
}

/*
 * The first edge of a way from "from" to "to", NULL when there is none: search by breadth, each
 * class entered once, so that the loop is bounded. tables_lock held.
 */
static const struct edge *find_way(unsigned from, unsigned to)
{
    static uint16_t queue[CLASSES_MAX], first[CLASSES_MAX];
    static bool seen[CLASSES_MAX];
    unsigned head = 0, tail = 0;

    memset(seen, 0, sizeof(seen));
    queue[tail++] = (uint16_t)from;
    seen[from] = true;
    while (head < tail) {
        unsigned at = queue[head++];

        for (unsigned next = 1; next < class_count; next++) {
            if (seen[next] || !follows(at, next))
                continue;
            seen[next] = true;
            first[next] = at == from ? (uint16_t)next : first[at];
            if (next == to)
                return find_edge(from, first[next]);
            queue[tail++] = (uint16_t)next;
        }
    }
    return NULL;
}

/* tables_lock held. False when the edge was there or does not fit. */
static bool add_edge(const struct lockdep_held *held, unsigned class, uintptr_t ip, bool *full)
{
    if (follows(held->class, class))
        return false;
    *full = edge_count == EDGES_MAX;
    if (*full)
        return false;
    edges[edge_count++] = (struct edge){
        .from = held->class, .to = (uint16_t) class, .from_ip = held->ip, .to_ip = ip};
    after[held->class][class / WORD_BITS] |= 1ULL << (class % WORD_BITS);
    return true;
}

static void check_order(const struct lockdep_held *held, unsigned class, uintptr_t ip)
{
    struct lockdep_report report = {.kind = LOCKDEP_ORDER,
                                    .held = class_name(held->class),
                                    .wanted = class_name(class),
                                    .held_at = held->ip,
                                    .wanted_at = ip};
    const struct edge *reverse = NULL;
    bool full = false;
    bool recursion = held->class == class;

    if (follows(held->class, class))
        return;
    spin_take(&tables_lock);
    if (add_edge(held, class, ip, &full) && !recursion)
        reverse = find_way(class, held->class);
    spin_drop(&tables_lock);
    if (full) {
        tell_full();
    } else if (recursion) {
        report.kind = LOCKDEP_RECURSION;
        tell(&report);
    } else if (reverse != NULL) {
        report.earlier[0] = reverse->from_ip;
        report.earlier[1] = reverse->to_ip;
        tell(&report);
    }
}

/* Interrupts */

static void check_irq(unsigned index, bool in_irq, bool enabled, uintptr_t ip)
{
    struct lock_class *class = &classes[index];
    struct lockdep_report report = {.kind = LOCKDEP_IRQ, .held = class_name(index)};
    uint8_t usage = in_irq ? USED_IN_IRQ : enabled ? USED_WITH_IRQS : 0;
    uint8_t all = USED_IN_IRQ | USED_WITH_IRQS;

    if ((class->usage & usage) == usage)
        return;
    spin_take(&tables_lock);
    class->usage |= usage;
    if (in_irq)
        class->irq_ip = ip;
    else
        class->enabled_ip = ip;
    report.held_at = class->irq_ip;
    report.wanted_at = class->enabled_ip;
    usage = class->usage;
    if ((usage & all) == all)
        class->usage |= TOLD_IRQ;
    spin_drop(&tables_lock);
    if ((usage & all) == all && !(usage & TOLD_IRQ))
        tell(&report);
}

/* Held locks */

static void push(struct lockdep_held *held, unsigned *depth, const struct lockdep_held *one)
{
    if (*depth == LOCKDEP_HELD_MAX)
        tell_full();
    else
        held[(*depth)++] = *one;
}

static void pop(struct lockdep_held *held, unsigned *depth, const void *lock)
{
    unsigned i = *depth;

    while (i != 0 && held[i - 1].lock != lock)
        i--;
    if (i == 0)
        return;
    for (; i < *depth; i++)
        held[i - 1] = held[i];
    (*depth)--;
}

static void take(struct lockdep_map *map, struct lockdep_held *one, unsigned how,
                 struct lockdep_held *held, unsigned *depth)
{
    one->class = (uint16_t)class_of(map, how & LOCKDEP_NESTED);
    if (one->class == 0)
        return;
    for (unsigned i = 0; i < *depth && !(how & LOCKDEP_TRY); i++)
        check_order(&held[i], one->class, one->ip);
    push(held, depth, one);
}

void lockdep_take(struct lockdep_map *map, const void *lock, unsigned how,
                  struct lockdep_task *task, uintptr_t ip)
{
    bool enabled = !arch_irq_is_disabled();
    irqflags_t flags = arch_irq_save();
    struct ctx_state *ctx = &this_cpu(ctx_state);
    struct lockdep_held one = {.lock = lock, .ip = ip};

    if (!ctx->lockdep_busy) {
        ctx->lockdep_busy = true;
        if (task != NULL)
            take(map, &one, how, task->held, &task->depth);
        else
            take(map, &one, how, this_cpu(held_locks).locks, &ctx->locks_depth);
        if (one.class != 0 && !(how & (LOCKDEP_SLEEPING | LOCKDEP_TRY)))
            check_irq(one.class, ctx->irq_depth != 0, enabled, ip);
        ctx->lockdep_busy = false;
    }
    arch_irq_restore(flags);
}

void lockdep_drop(const void *lock, struct lockdep_task *task)
{
    irqflags_t flags = arch_irq_save();
    struct ctx_state *ctx = &this_cpu(ctx_state);

    if (!ctx->lockdep_busy) {
        if (task != NULL)
            pop(task->held, &task->depth, lock);
        else
            pop(this_cpu(held_locks).locks, &ctx->locks_depth, lock);
    }
    arch_irq_restore(flags);
}

void lockdep_assert_none(const struct lockdep_task *task)
{
    if (task->depth != 0)
        panic("a thread ends with a mutex of %s", class_name(task->held[0].class));
}

void lockdep_print_held(void (*print)(const char *fmt, ...))
{
    const struct lockdep_held *held = this_cpu(held_locks).locks;

    for (unsigned i = 0; i < this_cpu(ctx_state).locks_depth; i++) {
        print("lock %s held since ", class_name(held[i].class));
        panic_print_symbol(print, held[i].ip);
        print("\n");
    }
}

#endif
