// SPDX-License-Identifier: Apache-2.0
// The load balancer: what the strategies choose, and what becomes of it on simulated CPUs.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/balancer.h>
#include <hv/clock.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/hrtimer.h>
#include <hv/sched.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <port/host.h>
#include <port/machine.h>
#include <string.h>

#define CPUS 4
#define VCPUS 8
#define MANY 40

TABLE_DECLARE(balancers, struct balancer);

static const struct balancer *find(const char *name)
{
    TABLE_FOREACH(balancers, struct balancer, it)
        if (strcmp((*it)->name, name) == 0)
            return *it;
    fail_msg("no balancer %s", name);
    return NULL;
}

/* Strategies: pure functions of a view */

static struct balance_cpu cpus[CPUS];
static struct balance_vcpu rows[MANY];
static struct balance_view view = {.cpus = cpus, .cpu_count = CPUS, .vcpus = rows};

static void view_clear(void)
{
    view.vcpu_count = 0;
    for (unsigned i = 0; i < CPUS; i++)
        cpus[i] = (struct balance_cpu){.usable = true};
}

static void view_add(unsigned cpu, uint32_t weight, cpumask_t allowed)
{
    rows[view.vcpu_count] = (struct balance_vcpu){
        .id = view.vcpu_count, .cpu = cpu, .weight = weight, .allowed = allowed};
    cpus[cpu].load += weight;
    view.vcpu_count++;
}

static void make_move(const struct balance_move *move)
{
    struct balance_vcpu *vcpu = &rows[move->vcpu];

    assert_true(move->vcpu < view.vcpu_count && move->to < CPUS && move->to != vcpu->cpu);
    assert_true(vcpu->allowed & CPU_MASK(move->to));
    assert_true(cpus[move->to].usable && cpus[vcpu->cpu].usable);
    cpus[vcpu->cpu].load -= vcpu->weight;
    cpus[move->to].load += vcpu->weight;
    vcpu->cpu = move->to;
}

/* All moves that the strategy has; how many. Without the module's rule that none moves twice. */
static unsigned settle(void)
{
    struct balance_move move;
    unsigned moves = 0;

    while (find("weight")->choose(&view, &move)) {
        make_move(&move);
        assert_in_range(++moves, 1, 1000);
    }
    return moves;
}

static unsigned count_on(unsigned cpu)
{
    unsigned count = 0;

    for (unsigned i = 0; i < view.vcpu_count; i++)
        count += rows[i].cpu == cpu;
    return count;
}

static void test_weight_spreads(void **state)
{
    (void)state;
    view_clear();
    for (unsigned i = 0; i < 8; i++)
        view_add(0, BALANCE_FULL, CPU_MASK_ALL);
    assert_int_equal(settle(), 6);
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(count_on(i), 2);
    assert_int_equal(settle(), 0);
}

/* The busy one and the ten that sleep count for what they use, not by their number. */
static void test_weight_is_time(void **state)
{
    (void)state;
    view_clear();
    cpus[2].usable = cpus[3].usable = false;
    for (unsigned i = 0; i < 10; i++)
        view_add(0, BALANCE_FULL / 100, CPU_MASK_ALL);
    view_add(1, BALANCE_FULL, CPU_MASK_ALL);
    assert_int_equal(settle(), 0);
    view_add(1, BALANCE_FULL, CPU_MASK_ALL);
    assert_int_equal(settle(), 1);
    assert_int_equal(count_on(0), 11);
    assert_int_equal(count_on(1), 1);
}

static void test_weight_leaves_what_is_balanced(void **state)
{
    (void)state;
    view_clear();
    /* One more than CPUs: whoever moved, another CPU would have two. */
    for (unsigned i = 0; i < CPUS + 1; i++)
        view_add(i % CPUS, BALANCE_FULL, CPU_MASK_ALL);
    assert_int_equal(settle(), 0);
    view_clear();
    /* A difference that comes and goes. */
    view_add(0, BALANCE_FULL / 2, CPU_MASK_ALL);
    view_add(0, BALANCE_FULL / 20, CPU_MASK_ALL);
    for (unsigned i = 1; i < CPUS; i++)
        view_add(i, BALANCE_FULL / 2, CPU_MASK_ALL);
    assert_int_equal(settle(), 0);
}

static void test_weight_keeps_to_what_is_allowed(void **state)
{
    (void)state;
    view_clear();
    for (unsigned i = 0; i < 4; i++)
        view_add(0, BALANCE_FULL, CPU_MASK(0));
    assert_int_equal(settle(), 0);
    view_add(0, BALANCE_FULL, CPU_MASK(0) | CPU_MASK(2));
    assert_int_equal(settle(), 1);
    assert_int_equal(rows[4].cpu, 2);
    view_clear();
    cpus[1].usable = false;
    for (unsigned i = 0; i < 6; i++)
        view_add(1, BALANCE_FULL, CPU_MASK_ALL);
    assert_int_equal(settle(), 0);
    for (unsigned i = 0; i < 6; i++)
        view_add(0, BALANCE_FULL, CPU_MASK_ALL);
    assert_int_equal(settle(), 4);
    assert_int_equal(count_on(1), 6);
    for (unsigned i = 0; i < CPUS; i++)
        assert_true(i == 1 || count_on(i) == 2);
}

static uint64_t seed = 20261121;

static unsigned pick(unsigned n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % n;
}

/* Where it ends, nobody who may be moved makes the difference smaller by moving. */
static void test_weight_ends_within_one_weight(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        view_clear();
        for (unsigned i = pick(MANY); i > 0; i--)
            view_add(pick(CPUS), pick(BALANCE_FULL + 1), CPU_MASK_ALL);
        settle();
        for (unsigned i = 0; i < view.vcpu_count; i++) {
            const struct balance_vcpu *vcpu = &rows[i];

            for (unsigned to = 0; to < CPUS && vcpu->weight >= BALANCE_FULL / 64; to++)
                assert_true(cpus[vcpu->cpu].load < cpus[to].load + vcpu->weight + BALANCE_FULL / 16);
        }
    }
}

/* The module */

static struct guest guest;
static struct vcpu *vcpus[VCPUS];
static uint64_t end;
static unsigned moves;

static void count_moves(struct notifier *self, unsigned event, void *data)
{
    (void)self;
    (void)event;
    assert_null(data);
    moves++;
}

static void busy(struct vcpu *vcpu)
{
    if (clock_now() >= end)
        hv_vcpu_wait(vcpu);
    else
        host_clock_advance_ns(NS_PER_MS);
}

static void set_balancer(const char *name)
{
    struct dt_node *vmm = dt_find("/vmm");

    if (vmm == NULL)
        assert_int_equal(dt_add_node(dt_root(), "vmm", &vmm), 0);
    assert_int_equal(dt_set_string(vmm, "bulkhead,balancer", name), 0);
}

static void keep_here(struct vcpu *vcpu, void *arg)
{
    unsigned *found = arg;

    if (strcmp(vcpu->name, "balancer") != 0)
        return;
    (*found)++;
    assert_int_equal(vcpu_set_affinity(vcpu, CPU_MASK(0)), 0);
}

static void test_start(void **state)
{
    static struct notifier listener = {.notify = count_moves};
    unsigned found = 0;

    (void)state;
    machine_start(CPUS);
    notifier_add(&vcpu_move_chain, &listener);
    set_balancer("none");
    assert_int_equal(balance_start(), 0);
    assert_string_equal(balancer_current()->name, "none");
    assert_int_equal(vcpu_count(), 0);
    set_balancer("chance");
    assert_int_equal(balance_start(), -ENOENT);
    assert_string_equal(balancer_current()->name, CONFIG_BALANCER_DEFAULT);
    machine_run();
    /* The one CPU that these tests play for long. */
    vcpu_for_each(keep_here, &found);
    assert_int_equal(found, 1);
    machine_run();
}

static void make_all(cpumask_t affinity)
{
    for (unsigned i = 0; i < VCPUS; i++) {
        struct vcpu_config config = {
            .name = "busy", .guest = &guest, .subid = i, .priority = 3, .affinity = affinity};

        assert_int_equal(vcpu_create(&config, &vcpus[i]), 0);
    }
    arch_irq_disable();
    for (unsigned i = 0; i < VCPUS; i++)
        assert_int_equal(vcpu_kick(vcpus[i]), 0);
    arch_irq_enable();
}

static void destroy_all(void)
{
    for (unsigned i = 0; i < VCPUS; i++)
        vcpu_reset(vcpus[i]);
    machine_run();
    for (unsigned i = 0; i < VCPUS; i++)
        assert_int_equal(vcpu_destroy(vcpus[i]), 0);
}

static unsigned placed_on(unsigned cpu)
{
    unsigned count = 0;

    for (unsigned i = 0; i < VCPUS; i++)
        count += vcpus[i]->se.cpu == cpu;
    return count;
}

static unsigned timers(void)
{
    unsigned count = 0;

    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        count += hrtimer_count(cpu);
    return count;
}

/* All are busy on one CPU, and may be elsewhere: after a second each CPU has its share. */
static void test_busy_ones_are_spread(void **state)
{
    (void)state;
    host_guest_code = busy;
    end = UINT64_MAX;
    make_all(CPU_MASK(0));
    for (unsigned i = 0; i < VCPUS; i++)
        vcpus[i]->se.affinity = CPU_MASK_ALL;
    moves = 0;
    end = clock_now() + NS_PER_SEC;
    machine_run();
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        assert_int_equal(placed_on(cpu), VCPUS / CPUS);
    assert_int_equal(moves, VCPUS - VCPUS / CPUS);
    destroy_all();
}

/* Nothing to gain, nothing moved; and with nothing to do there is no timer. */
static void test_balanced_ones_stay(void **state)
{
    uint64_t sets;

    (void)state;
    host_guest_code = busy;
    end = clock_now() + 2 * NS_PER_SEC;
    moves = 0;
    make_all(CPU_MASK_ALL);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        assert_int_equal(placed_on(cpu), VCPUS / CPUS);
    machine_run();
    assert_int_equal(moves, 0);
    machine_run_for(NS_PER_SEC);
    assert_int_equal(timers(), 0);
    sets = host_clock_event_sets(0);
    machine_run_for(100 * NS_PER_SEC);
    assert_int_equal(host_clock_event_sets(0), sets);
    destroy_all();
}

static void test_affinity_is_kept(void **state)
{
    (void)state;
    host_guest_code = busy;
    end = clock_now() + NS_PER_SEC;
    make_all(CPU_MASK(0));
    machine_run();
    assert_int_equal(placed_on(0), VCPUS);
    machine_run_for(NS_PER_SEC);
    assert_int_equal(timers(), 0);
    destroy_all();
}

static void set_isolated(uint32_t cpu)
{
    struct dt_node *vmm = dt_find("/vmm");

    assert_int_equal(dt_set_u32(vmm, "bulkhead,isolated-cpus", cpu), 0);
    assert_int_equal(sched_init(), 0);
}

/* Nobody comes to an isolated CPU but by its own affinity; and from there nobody is moved. */
static void test_isolated_cpus_are_left_alone(void **state)
{
    (void)state;
    set_isolated(2);
    host_guest_code = busy;
    end = clock_now() + NS_PER_SEC;
    make_all(CPU_MASK_ALL);
    assert_int_equal(placed_on(2), 0);
    vcpus[7]->se.affinity = CPU_MASK(2);
    assert_int_equal(vcpu_move(vcpus[7], 2), 0);
    machine_run();
    assert_int_equal(placed_on(2), 1);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        assert_true(cpu == 2 || placed_on(cpu) >= 2);
    assert_int_equal(vcpus[7]->se.cpu, 2);
    destroy_all();
    make_all(CPU_MASK(2));
    assert_int_equal(placed_on(2), VCPUS);
    for (unsigned i = 0; i < VCPUS; i++)
        vcpus[i]->se.affinity = CPU_MASK_ALL;
    end = clock_now() + NS_PER_SEC;
    machine_run();
    assert_int_equal(placed_on(2), VCPUS);
    destroy_all();
    set_isolated(SMP_CPUS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weight_spreads),
        cmocka_unit_test(test_weight_is_time),
        cmocka_unit_test(test_weight_leaves_what_is_balanced),
        cmocka_unit_test(test_weight_keeps_to_what_is_allowed),
        cmocka_unit_test(test_weight_ends_within_one_weight),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_busy_ones_are_spread),
        cmocka_unit_test(test_balanced_ones_stay),
        cmocka_unit_test(test_affinity_is_kept),
        cmocka_unit_test(test_isolated_cpus_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
