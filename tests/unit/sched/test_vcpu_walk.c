// SPDX-License-Identifier: Apache-2.0
// Random walks of VCPUs through all operations, on two CPUs, held against the state machine at
// every step.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/clock.h>
#include <hv/guest.h>
#include <hv/sched.h>
#include <hv/upcall.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define CPUS 2
#define VCPUS 7
#define STEPS 1000000

/** What the state machine says of one VCPU; its logical state. */
struct model {
    struct vcpu *vcpu;
    enum vcpu_state state;
    uint32_t reasons;
    unsigned budget; /**< rounds of guest code before it waits for an interrupt */
};

static struct model models[VCPUS];
static struct guest guest;
static struct waitqueue sleepers;
static bool wake_sleepers;
static uint64_t seed;
static unsigned obeyed[VCPU_STATES];
static unsigned tried[VCPU_STATES][VCPU_EVENTS];

static unsigned pick(unsigned n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % n;
}

static struct model *model_of(struct vcpu *vcpu)
{
    for (unsigned i = 0; i < VCPUS; i++)
        if (models[i].vcpu == vcpu)
            return &models[i];
    fail_msg("unknown VCPU runs");
    return NULL;
}

/* READY and RUNNING are the scheduler's business. */
static enum vcpu_state fold(enum vcpu_state state)
{
    return state == VCPU_RUNNING ? VCPU_READY : state;
}

static int model_event(struct model *m, enum vcpu_event event, uint32_t reason)
{
    tried[m->state][event]++;
    return vcpu_fsm(m->state, m->reasons, event, reason, &m->state, &m->reasons);
}

static void wait_begins(struct model *m, uint32_t reason)
{
    if (m->state == VCPU_READY)
        m->state = VCPU_RUNNING;
    model_event(m, VCPU_EVENT_PAUSE, reason);
}

static void check(struct model *m)
{
    uint32_t reasons;
    enum vcpu_state state = vcpu_logical_state(m->vcpu, &reasons);

    /*
     * What happens inside the waitqueue its code can not tell the model: that it was woken but has
     * not run yet, and that it sleeps again because a request that woke it was taken back.
     */
    if ((m->reasons & ~reasons) == VCPU_REASON_SLEEP && m->vcpu->state == VCPU_READY)
        model_event(m, VCPU_EVENT_RESUME, VCPU_REASON_SLEEP);
    else if ((reasons & ~m->reasons) == VCPU_REASON_SLEEP && m->vcpu->wait_queue == &sleepers)
        wait_begins(m, VCPU_REASON_SLEEP);
    if (fold(state) != fold(m->state) || reasons != m->reasons)
        fail_msg("%s is %s {%x}, should be %s {%x}", m->vcpu->name, vcpu_state_name(state), reasons,
                 vcpu_state_name(m->state), m->reasons);
}

/* Guest code: what a handler may do. The model follows what the VCPU does on its own behalf. */

static void wait_ends(struct model *m, uint32_t reason)
{
    if (m->reasons & reason)
        model_event(m, VCPU_EVENT_RESUME, reason);
}

static bool may_wake(void *arg)
{
    (void)arg;
    return wake_sleepers;
}

static void guest_sleep(struct model *m)
{
    uint64_t timeout = pick(2) ? WAIT_FOREVER : pick(1000) * NS_PER_US;

    wait_begins(m, VCPU_REASON_SLEEP);
    if (pick(2))
        waitqueue_wait(&sleepers, may_wake, NULL, timeout);
    else
        waitqueue_wait_uninterruptible(&sleepers, may_wake, NULL, timeout);
    wait_ends(m, VCPU_REASON_SLEEP);
}

static void guest_wfi(struct model *m)
{
    wait_begins(m, VCPU_REASON_WFI);
    hv_vcpu_wait(m->vcpu);
    wait_ends(m, VCPU_REASON_WFI);
}

static void guest_act_on_itself(struct model *m)
{
    static const enum vcpu_event events[] = {VCPU_EVENT_HALT, VCPU_EVENT_RESET, VCPU_EVENT_PAUSE};
    enum vcpu_event event = events[pick(3)];
    int expected = model_event(m, event, event == VCPU_EVENT_PAUSE ? VCPU_REASON_FAULT : 0);
    int result = event == VCPU_EVENT_HALT    ? vcpu_halt(m->vcpu)
                 : event == VCPU_EVENT_RESET ? vcpu_reset(m->vcpu)
                                             : vcpu_pause(m->vcpu, VCPU_REASON_FAULT);

    assert_int_equal(result, expected == 0 ? -EINPROGRESS : expected);
}

/* A slow handler unmasks interrupts and may be preempted in the middle. */
static void guest_slow(void)
{
    arch_irq_enable();
    host_clock_advance_ns(pick(20) * NS_PER_MS);
    arch_irq_disable();
}

static void guest_code(struct vcpu *vcpu)
{
    struct model *m = model_of(vcpu);

    if (m->budget == 0) {
        guest_wfi(m);
        return;
    }
    m->budget--;
    switch (pick(12)) {
    case 0:
    case 1:
        guest_sleep(m);
        break;
    case 2:
        guest_act_on_itself(m);
        break;
    case 3:
        guest_slow();
        break;
    case 4:
        guest_wfi(m);
        break;
    case 5:
        sched_yield_cpu();
        break;
    default:
        host_clock_advance_ns(pick(1000) * NS_PER_US);
        break;
    }
}

/* Operations from outside */

/* All that is requested gets done. */
static void settle(void)
{
    wake_sleepers = true;
    waitqueue_wake_all(&sleepers);
    machine_run();
    wake_sleepers = false;
    for (unsigned i = 0; i < VCPUS; i++)
        assert_int_equal(models[i].vcpu->requests, 0);
}

static void create(struct model *m, unsigned index)
{
    struct vcpu_config config = {
        .name = (const char[]){'v', (char)('0' + index), 0},
        .guest = &guest,
        .subid = index,
        .priority = (uint8_t)pick(SCHED_PRIORITY_MAX + 1),
        .time_slice = (1 + pick(20)) * NS_PER_MS,
        .affinity = pick(3),
    };

    *m = (struct model){.state = VCPU_UNKNOWN};
    assert_int_equal(model_event(m, VCPU_EVENT_CREATE, 0), 0);
    assert_int_equal(vcpu_create(&config, &m->vcpu), 0);
}

static void recreate(struct model *m)
{
    struct model before = *m;
    int expected;

    if (m->vcpu->requests != 0)
        settle();
    before = *m;
    expected = model_event(m, VCPU_EVENT_DESTROY, 0);
    assert_int_equal(vcpu_destroy(m->vcpu), expected);
    if (expected == 0)
        create(m, (unsigned)(m - models));
    else
        *m = before;
}

/* The model goes first: what the operation sets free may run before it returns. */
static void operate(struct model *m, enum vcpu_event event, uint32_t reason)
{
    int expected;
    int result;

    if (event == VCPU_EVENT_KICK && m->vcpu->requests != 0) {
        /* The one thing that needs the actual state. */
        if (m->state == VCPU_RESET)
            assert_int_equal(vcpu_kick(m->vcpu), -EBUSY);
        settle();
    }
    expected = model_event(m, event, reason);
    result = event == VCPU_EVENT_KICK    ? vcpu_kick(m->vcpu)
             : event == VCPU_EVENT_HALT  ? vcpu_halt(m->vcpu)
             : event == VCPU_EVENT_RESET ? vcpu_reset(m->vcpu)
             : event == VCPU_EVENT_PAUSE ? vcpu_pause(m->vcpu, (enum vcpu_reason)reason)
                                         : vcpu_resume(m->vcpu, (enum vcpu_reason)reason);
    if (result == -EINPROGRESS)
        result = 0;
    assert_int_equal(result, expected);
}

static uint32_t outside_reason(void)
{
    return 1U << (2 + pick(4));
}

static void interrupt(struct model *m)
{
    wait_ends(m, VCPU_REASON_WFI);
    vcpu_interrupt(m->vcpu);
}

static void step(void)
{
    struct model *m = &models[pick(VCPUS)];

    switch (pick(16)) {
    case 0:
    case 1:
        operate(m, VCPU_EVENT_KICK, 0);
        break;
    case 2:
    case 3:
        operate(m, VCPU_EVENT_PAUSE, outside_reason());
        break;
    case 4:
    case 5:
    case 6:
        operate(m, VCPU_EVENT_RESUME, outside_reason());
        break;
    case 7:
        operate(m, pick(2) ? VCPU_EVENT_HALT : VCPU_EVENT_RESET, 0);
        break;
    case 8:
    case 9:
    case 10:
        m->budget += pick(8);
        interrupt(m);
        break;
    case 11:
        machine_run();
        break;
    case 12:
        machine_run_for(pick(3000) * NS_PER_US);
        break;
    case 13:
        settle();
        break;
    case 14:
        host_cpu_switch(pick(CPUS));
        break;
    default:
        recreate(m);
        break;
    }
}

static void count_changes(struct notifier *self, unsigned event, void *data)
{
    (void)self;
    (void)data;
    assert_true(arch_irq_is_disabled());
    obeyed[event]++;
}

static void finish(void)
{
    settle();
    for (unsigned i = 0; i < VCPUS; i++) {
        vcpu_reset(models[i].vcpu);
        models[i].state = VCPU_RESET;
        models[i].reasons = 0;
    }
    settle();
    for (unsigned i = 0; i < VCPUS; i++)
        assert_int_equal(vcpu_destroy(models[i].vcpu), 0);
}

static void test_walk(void **state)
{
    static struct notifier listener = {.notify = count_changes};
    struct machine_census before;

    (void)state;
    machine_start(CPUS);
    notifier_add(&vcpu_state_chain, &listener);
    waitqueue_init(&sleepers);
    host_guest_code = guest_code;
    before = machine_census();
    seed = 20261121;
    for (unsigned i = 0; i < VCPUS; i++)
        create(&models[i], i);
    for (unsigned i = 0; i < STEPS; i++) {
        step();
        for (unsigned k = 0; k < VCPUS; k++)
            check(&models[k]);
    }
    finish();
    assert_int_equal(machine_census().heap_objects, before.heap_objects);
    assert_int_equal(machine_census().vcpus, before.vcpus);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        assert_int_equal(hrtimer_count(cpu), 0);
    /* The walk must have been everywhere. */
    assert_true(obeyed[VCPU_RESET] > 1000 && obeyed[VCPU_HALTED] > 1000 &&
                obeyed[VCPU_PAUSED] > 1000);
}

/*
 * Each event in each state. Two have no call that asks for them: RUN and PREEMPT are the scheduler's
 * own. The model calls RUNNING what waits at that moment; nobody from outside finds that state.
 */
static bool can_happen(unsigned state, unsigned event)
{
    if (event == VCPU_EVENT_RUN || event == VCPU_EVENT_PREEMPT)
        return false;
    if (state == VCPU_RUNNING)
        return event == VCPU_EVENT_PAUSE;
    /* Only what is not there is created, and nothing else can be asked of it. */
    return (state == VCPU_UNKNOWN) == (event == VCPU_EVENT_CREATE);
}

static void test_coverage(void **state)
{
    static const char *const events[VCPU_EVENTS] = {
        [VCPU_EVENT_CREATE] = "create",   [VCPU_EVENT_KICK] = "kick",
        [VCPU_EVENT_RESET] = "reset",     [VCPU_EVENT_HALT] = "halt",
        [VCPU_EVENT_PAUSE] = "pause",     [VCPU_EVENT_RESUME] = "resume",
        [VCPU_EVENT_RUN] = "run",         [VCPU_EVENT_PREEMPT] = "preempt",
        [VCPU_EVENT_DESTROY] = "destroy",
    };

    (void)state;
    for (unsigned s = 0; s < VCPU_STATES; s++) {
        print_message("%-8s", vcpu_state_name((enum vcpu_state)s));
        for (unsigned e = 0; e < VCPU_EVENTS; e++) {
            print_message(" %s %u", events[e], tried[s][e]);
            if (can_happen(s, e) && tried[s][e] == 0)
                fail_msg("never tried: %s of one that is %s", events[e],
                         vcpu_state_name((enum vcpu_state)s));
        }
        print_message("\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_coverage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
