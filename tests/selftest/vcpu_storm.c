// SPDX-License-Identifier: Apache-2.0
// Check: all CPUs pause, resume, halt, reset, kick, interrupt and move the same VCPUs at once.
//
// The VCPUs run a few instructions in a page of their own, without devices. First each transition
// is held against the state machine: who asks for it has a mutex of that VCPU, while interrupts,
// moves and changes of affinity come from everywhere. Then nobody has a mutex.
#include <arch/cache.h>
#include <arch/guest.h>
#include <arch/guest_mmu.h>
#include <arch/mmu.h>
#include <hv/clock.h>
#include <hv/guest.h>
#include <hv/heap.h>
#include <hv/mutex.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/selftest.h>
#include <hv/thread.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <lib/string.h>

#define VCPUS 8
#define TRANSITIONS 100000
#define SETTLE_NS (5 * NS_PER_SEC)
#define BASE 0x40000000ULL
/* Half of the VCPUs wait for an interrupt in each round. */
#define BUSY_OFFSET 0x000
#define WAITING_OFFSET 0x040
#define COUNTER_OFFSET 0x800

/* x0: its counter. ldr x1, [x0]; add x1, x1, #1; str x1, [x0]; (wfi;) b to the first */
static const uint32_t busy_code[] = {0xf9400001, 0x91000421, 0xf9000001, 0x17fffffd};
static const uint32_t waiting_code[] = {0xf9400001, 0x91000421, 0xf9000001, 0xd503207f, 0x17fffffc};

struct model {
    struct mutex mutex; /* for state and reasons */
    struct vcpu *vcpu;
    enum vcpu_state state;
    uint32_t reasons;
};

struct storm {
    struct guest guest;
    struct terminal *term;
    struct model models[VCPUS];
    hpa_t page;
    uint64_t amount; /* transitions of each thread */
    bool is_wild;    /* nobody keeps to the model */
    uint64_t done;   /* transitions that were accepted */
    uint64_t moves;
    unsigned faults;
};

struct hand {
    struct storm *storm;
    struct thread *thread;
    uint64_t seed;
};

static unsigned pick(struct hand *hand, unsigned n)
{
    hand->seed = hand->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(hand->seed >> 33) % n;
}

static void complain(struct storm *storm, const struct vcpu *vcpu, const char *what, int got,
                     int expected)
{
    if (__atomic_fetch_add(&storm->faults, 1, __ATOMIC_RELAXED) < 10)
        term_printf(storm->term, "%s: %s: %s, not %s\n", vcpu->name, what,
                    got == 0 ? "done" : error_name(got),
                    expected == 0 ? "done" : error_name(expected));
}

/* An interrupt controller without interrupts */

static int no_private(struct vcpu *vcpu, uint32_t irq, bool level, uint32_t pirq)
{
    (void)vcpu;
    (void)irq;
    (void)level;
    (void)pirq;
    return -EINVAL;
}

static void nothing(struct vcpu *vcpu)
{
    (void)vcpu;
}

static void no_flush(struct vcpu *vcpu, uint32_t work)
{
    (void)vcpu;
    (void)work;
}

static bool never(struct vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

static const struct intc_ops no_intc = {
    .private_set = no_private,
    .flush = no_flush,
    .deliverable = never,
    .maintenance = nothing,
    .vcpu_reset = nothing,
};

/* Transitions */

static const char *const event_names[VCPU_EVENTS] = {
    [VCPU_EVENT_KICK] = "kick",   [VCPU_EVENT_RESET] = "reset",   [VCPU_EVENT_HALT] = "halt",
    [VCPU_EVENT_PAUSE] = "pause", [VCPU_EVENT_RESUME] = "resume",
};

static int transit(struct vcpu *vcpu, enum vcpu_event event, uint32_t reason)
{
    int result;

    switch (event) {
    case VCPU_EVENT_KICK:
        result = vcpu_kick(vcpu);
        break;
    case VCPU_EVENT_RESET:
        result = vcpu_reset(vcpu);
        break;
    case VCPU_EVENT_HALT:
        result = vcpu_halt(vcpu);
        break;
    case VCPU_EVENT_PAUSE:
        result = vcpu_pause(vcpu, (enum vcpu_reason)reason);
        break;
    default:
        result = vcpu_resume(vcpu, (enum vcpu_reason)reason);
        break;
    }
    return result == -EINPROGRESS ? 0 : result;
}

static enum vcpu_event pick_event(struct hand *hand)
{
    static const enum vcpu_event events[] = {
        VCPU_EVENT_KICK,   VCPU_EVENT_KICK,   VCPU_EVENT_PAUSE, VCPU_EVENT_PAUSE,
        VCPU_EVENT_RESUME, VCPU_EVENT_RESUME, VCPU_EVENT_HALT,  VCPU_EVENT_RESET,
    };

    return events[pick(hand, ARRAY_SIZE(events))];
}

static uint32_t pick_reason(struct hand *hand)
{
    return pick(hand, 2) ? VCPU_REASON_OPERATOR : VCPU_REASON_DEBUG;
}

/* READY and RUNNING are the scheduler's, WFI the guest's business. */
static void compare(struct storm *storm, const struct model *model)
{
    uint32_t reasons;
    enum vcpu_state state = vcpu_logical_state(model->vcpu, &reasons);

    reasons &= ~(uint32_t)VCPU_REASON_WFI;
    if (state == VCPU_RUNNING || (state == VCPU_PAUSED && reasons == 0))
        state = VCPU_READY;
    if (state == model->state && reasons == model->reasons)
        return;
    complain(storm, model->vcpu, vcpu_state_name(state), -EIO, 0);
    complain(storm, model->vcpu, vcpu_state_name(model->state), 0, -EIO);
}

static void step_with_model(struct hand *hand, struct model *model)
{
    struct storm *storm = hand->storm;
    enum vcpu_event event = pick_event(hand);
    uint32_t reason = pick_reason(hand);
    enum vcpu_state state;
    uint32_t reasons;
    int expected, result;

    if (!mutex_trylock(&model->mutex))
        return;
    expected = vcpu_fsm(model->state, model->reasons, event, reason, &state, &reasons);
    result = transit(model->vcpu, event, reason);
    if (result == 0 && expected == 0) {
        model->state = state;
        model->reasons = reasons;
    } else if (result != expected && !(result == -EBUSY && event == VCPU_EVENT_KICK)) {
        /* Busy: its reset is asked for, but not obeyed yet. */
        complain(storm, model->vcpu, event_names[event], result, expected);
    }
    compare(storm, model);
    mutex_unlock(&model->mutex);
    if (result == 0)
        __atomic_fetch_add(&storm->done, 1, __ATOMIC_RELAXED);
}

static void step_wild(struct hand *hand, struct model *model)
{
    struct storm *storm = hand->storm;
    enum vcpu_event event = pick_event(hand);
    int result = transit(model->vcpu, event, pick_reason(hand));

    if (result == 0)
        __atomic_fetch_add(&storm->done, 1, __ATOMIC_RELAXED);
    else if (result != -EALREADY && result != -EINVAL && result != -EBUSY)
        complain(storm, model->vcpu, event_names[event], result, -EINVAL);
}

/* What does not touch the logical state. */
static void disturb(struct hand *hand, struct vcpu *vcpu)
{
    unsigned cpu = pick(hand, cpu_online_count());
    int result = 0;

    if (pick(hand, 3) == 0)
        vcpu_interrupt(vcpu);
    else if (pick(hand, 8) != 0)
        result = vcpu_move(vcpu, cpu);
    else
        result = vcpu_set_affinity(vcpu, pick(hand, 2) ? CPU_MASK(cpu) : CPU_MASK_ALL);
    if (result == 0 || result == -EINPROGRESS)
        __atomic_fetch_add(&hand->storm->moves, 1, __ATOMIC_RELAXED);
    else if (result != -EINVAL && result != -EACCES && result != -EBUSY)
        complain(hand->storm, vcpu, "move", result, -EACCES);
}

static int storm_main(void *arg)
{
    struct hand *hand = arg;
    struct storm *storm = hand->storm;

    while (__atomic_load_n(&storm->done, __ATOMIC_RELAXED) < storm->amount &&
           !thread_should_stop()) {
        struct model *model = &storm->models[pick(hand, VCPUS)];

        disturb(hand, storm->models[pick(hand, VCPUS)].vcpu);
        if (storm->is_wild)
            step_wild(hand, model);
        else
            step_with_model(hand, model);
    }
    return 0;
}

/* One thread on each CPU. */
static int run_hands(struct storm *storm, struct hand *hands)
{
    unsigned count = 0;
    int err = 0;

    for (unsigned cpu = 0; cpu < SMP_CPUS_MAX && err == 0; cpu++) {
        struct thread_config config = {.name = "vcpu-storm",
                                       .fn = storm_main,
                                       .arg = &hands[count],
                                       .priority = SCHED_PRIORITY_DEFAULT,
                                       .affinity = CPU_MASK(cpu)};

        if (!(cpu_online() & CPU_MASK(cpu)))
            continue;
        hands[count] = (struct hand){.storm = storm, .seed = clock_now() + cpu};
        err = thread_create_with(&config, &hands[count].thread);
        if (err == 0)
            count++;
    }
    for (unsigned i = 0; i < count; i++)
        thread_start(hands[i].thread);
    for (unsigned i = 0; i < count; i++) {
        while (thread_state(hands[i].thread) != THREAD_STOPPED && err == 0)
            err = term_interrupted(storm->term) || thread_sleep(10 * NS_PER_MS) != 0 ? -EINTR : 0;
        thread_request_stop(hands[i].thread);
        thread_join(hands[i].thread, NULL);
    }
    return err;
}

/* What must hold of each when the storm is over */

static int settle(struct storm *storm)
{
    for (unsigned i = 0; i < VCPUS; i++) {
        struct vcpu *vcpu = storm->models[i].vcpu;
        int err = vcpu_wait_settled(vcpu, SETTLE_NS);

        if (err == 0)
            err = vcpu_wait_moved(vcpu, SETTLE_NS);
        if (err != 0) {
            complain(storm, vcpu, "does not obey", err, 0);
            return err;
        }
        if ((vcpu->state == VCPU_PAUSED) != (vcpu->reasons != 0))
            complain(storm, vcpu, vcpu_state_name(vcpu->state), -EIO, 0);
        if (!(vcpu->se.affinity & CPU_MASK(vcpu->se.cpu)) && vcpu->state != VCPU_RESET)
            complain(storm, vcpu, "outside its affinity", -EIO, 0);
    }
    return 0;
}

static uint64_t counter(const struct storm *storm, unsigned i)
{
    uint64_t *counters = arch_mmu_linear(hpa(storm->page.v + COUNTER_OFFSET));

    arch_cache_clean_invalidate(&counters[i], sizeof(counters[i]));
    return __atomic_load_n(&counters[i], __ATOMIC_RELAXED);
}

/* All are brought to RESET, and started again: they run. */
static int check_alive(struct storm *storm)
{
    uint64_t deadline = clock_now() + SETTLE_NS;
    uint64_t before[VCPUS];
    int err;

    for (unsigned i = 0; i < VCPUS; i++)
        vcpu_reset(storm->models[i].vcpu);
    err = settle(storm);
    for (unsigned i = 0; i < VCPUS && err == 0; i++) {
        before[i] = counter(storm, i);
        vcpu_set_affinity(storm->models[i].vcpu, CPU_MASK_ALL);
        err = vcpu_kick(storm->models[i].vcpu);
    }
    for (unsigned i = 0; i < VCPUS && err == 0; i++) {
        while (counter(storm, i) == before[i] && err == 0)
            err = clock_now() > deadline ? -ETIMEDOUT : thread_sleep(NS_PER_MS);
        if (err != 0)
            complain(storm, storm->models[i].vcpu, "does not run", err, 0);
    }
    for (unsigned i = 0; i < VCPUS; i++)
        vcpu_reset(storm->models[i].vcpu);
    return err != 0 ? err : settle(storm);
}

/* Set-up */

static int make_vcpu(struct storm *storm, unsigned i)
{
    struct vcpu_config config = {
        .name = "storm", .guest = &storm->guest, .subid = i, .priority = SCHED_PRIORITY_DEFAULT - 1};
    struct model *model = &storm->models[i];
    int err = vcpu_create(&config, &model->vcpu);

    if (err != 0)
        return err;
    mutex_init(&model->mutex);
    model->state = VCPU_RESET;
    model->vcpu->start_pc = BASE + (i % 2 ? WAITING_OFFSET : BUSY_OFFSET);
    model->vcpu->start_arg = BASE + COUNTER_OFFSET + i * sizeof(uint64_t);
    return 0;
}

static int make_guest(struct storm *storm)
{
    char *page;
    int err = page_alloc_zeroed(0, PAGE_OWNER_GUEST, &storm->page);

    if (err != 0)
        return err;
    page = arch_mmu_linear(storm->page);
    memcpy(page + BUSY_OFFSET, busy_code, sizeof(busy_code));
    memcpy(page + WAITING_OFFSET, waiting_code, sizeof(waiting_code));
    arch_cache_clean_invalidate(page, PAGE_SIZE);
    arch_cache_sync_code();
    str_copy(storm->guest.name, "storm", sizeof(storm->guest.name));
    storm->guest.intc_ops = &no_intc;
    err = arch_guest_init(&storm->guest);
    if (err != 0) {
        page_free(storm->page, 0);
        storm->page = hpa(0);
        return err;
    }
    err = arch_guest_mmu_map(&storm->guest.arch.mmu, gpa(BASE), storm->page, PAGE_SIZE,
                             GUEST_MMU_RAM);
    for (unsigned i = 0; i < VCPUS && err == 0; i++)
        err = make_vcpu(storm, i);
    return err;
}

/* They are in RESET. */
static void unmake_guest(struct storm *storm)
{
    for (unsigned i = 0; i < VCPUS; i++)
        if (storm->models[i].vcpu != NULL)
            vcpu_destroy(storm->models[i].vcpu);
    arch_guest_destroy(&storm->guest);
    page_free(storm->page, 0);
}

static int run_both(struct storm *storm, struct hand *hands, uint64_t amount)
{
    int err;

    storm->amount = amount / 2;
    err = run_hands(storm, hands);
    if (err == 0)
        err = settle(storm);
    for (unsigned i = 0; i < VCPUS && err == 0; i++)
        compare(storm, &storm->models[i]);
    storm->amount = amount;
    storm->is_wild = true;
    if (err == 0)
        err = run_hands(storm, hands);
    for (unsigned i = 0; i < VCPUS; i++)
        vcpu_reset(storm->models[i].vcpu);
    if (settle(storm) != 0)
        return -ETIMEDOUT;
    return err == 0 ? check_alive(storm) : err;
}

static int run(struct terminal *term, uint64_t amount)
{
    struct storm *storm = heap_zalloc(sizeof(*storm));
    struct hand *hands = heap_calloc(SMP_CPUS_MAX, sizeof(*hands));
    int err = storm != NULL && hands != NULL ? make_guest(storm) : -ENOMEM;

    if (err == 0) {
        storm->term = term;
        err = run_both(storm, hands, amount != 0 ? amount : TRANSITIONS);
        term_printf(term, "%llu transitions, %llu moves and interrupts, %u faults\n",
                    (unsigned long long)storm->done, (unsigned long long)storm->moves,
                    storm->faults);
        if (err == 0 && storm->faults != 0)
            err = -EIO;
    }
    /* One that does not obey can not be unmade. */
    if (storm != NULL && err != -ETIMEDOUT && storm->page.v != 0)
        unmake_guest(storm);
    if (err != -ETIMEDOUT) {
        heap_free(hands);
        heap_free(storm);
    }
    return err;
}

static const struct selftest vcpu_storm = {
    .name = "vcpu-storm",
    .help = "all CPUs change and move the same VCPUs (transitions)",
    .run = run,
};
SELFTEST(vcpu_storm);
