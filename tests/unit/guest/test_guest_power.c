// SPDX-License-Identifier: Apache-2.0
// Power as guests ask for it: CPU_ON and its races, power-off, reboot, crash policies and their back-off.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <arch/guest_irq.h>
#include <hv/clock.h>
#include <hv/guest_parts.h>
#include <hv/thread.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <string.h>

static struct fixture_report report;

/* Power of VCPUs */

static int on_result[3];

static void act_on_twice(struct vcpu *vcpu)
{
    if (fixture_rounds[0] == 1) {
        on_result[0] = guest_vcpu_on(vcpu->guest, 1, 0x40001000, 42);
        on_result[1] = guest_vcpu_on(vcpu->guest, 1, 0x40002000, 43);
        on_result[2] = guest_vcpu_affinity_info(vcpu->guest, 1);
    }
    hv_vcpu_wait(vcpu);
}

static void act_off(struct vcpu *vcpu)
{
    guest_vcpu_off(vcpu);
}

THREAD_TEST(test_cpu_on)
{
    struct guest *guest = fixture_create(&report);

    (void)arg;
    fixture_action[0] = act_on_twice;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(on_result[0], 0);
    assert_int_equal(on_result[1], -EINPROGRESS);
    assert_int_equal(on_result[2], 2);
    assert_int_equal(fixture_rounds[1], 1);
    assert_int_equal(guest->vcpus[1]->start_pc, 0x40001000);
    assert_int_equal(guest->vcpus[1]->start_arg, 42);
    assert_int_equal(guest_vcpu_on(guest, 1, 0x40001000, 0), -EALREADY);
    assert_int_equal(guest_vcpu_on(guest, 0, 0x40001000, 0), -EALREADY);
    assert_int_equal(guest_vcpu_on(guest, 2, 0x40001000, 0), -EINVAL);
    assert_int_equal(guest_vcpu_affinity_info(guest, 0), 0);
    assert_int_equal(guest_vcpu_affinity_info(guest, 7), -EINVAL);
    fixture_action[1] = act_off;
    vcpu_interrupt(guest->vcpus[1]);
    fixture_settle();
    assert_int_equal(guest_vcpu_affinity_info(guest, 1), 1);
    fixture_action[1] = NULL;
    assert_int_equal(guest_vcpu_on(guest, 1, 0x40003000, 44), 0);
    fixture_settle();
    assert_int_equal(guest->vcpus[1]->start_pc, 0x40003000);
    assert_int_equal(guest_vcpu_affinity_info(guest, 1), 0);
    assert_int_equal(guest_destroy(guest), 0);
}

static void act_reset_itself(struct vcpu *vcpu)
{
    const struct guest_irq_lr lr = {.virq = 40, .active = true};

    if (fixture_rounds[0] == 1)
        arch_guest_irq_lr_write(3, &lr);
    else
        vcpu_reset(vcpu);
    vcpu_interrupt(vcpu);
    hv_vcpu_wait(vcpu);
}

/* What it had acknowledged is to be known when it is started again. */
THREAD_TEST(test_reset_keeps_list_registers)
{
    struct guest *guest = fixture_create(&report);
    struct guest_irq_lr lr;

    (void)arg;
    fixture_action[0] = act_reset_itself;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(fixture_state(guest, 0), VCPU_RESET);
    assert_true(arch_guest_irq_saved_read(guest->vcpus[0], 3, &lr));
    assert_int_equal(lr.virq, 40);
    assert_int_equal(guest_destroy(guest), 0);
}

/* The worker is not done with it yet, but it runs: that is what counts. */
THREAD_TEST(test_started_is_on)
{
    struct guest *guest = fixture_create(&report);
    uint32_t *on_state = &guest_vcpu_of(guest->vcpus[0])->on_state;

    (void)arg;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    *on_state = GUEST_VCPU_ON_PENDING;
    assert_int_equal(guest_vcpu_affinity_info(guest, 0), 0);
    assert_int_equal(guest_vcpu_on(guest, 0, 0x40001000, 0), -EALREADY);
    *on_state = GUEST_VCPU_ON_NONE;
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_cpu_on_waits_for_resume)
{
    struct guest *guest = fixture_create(&report);

    (void)arg;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(guest_pause(guest), 0);
    assert_int_equal(guest_vcpu_on(guest, 1, 0x40001000, 0), 0);
    fixture_settle();
    assert_int_equal(fixture_rounds[1], 0);
    assert_int_equal(guest_resume(guest), 0);
    fixture_settle();
    assert_int_equal(fixture_rounds[1], 1);
    assert_int_equal(guest_destroy(guest), 0);
}

/* Power of guests */

static void act_power_off(struct vcpu *vcpu)
{
    guest_power_request(vcpu->guest, GUEST_POWER_OFF);
}

static void act_reboot(struct vcpu *vcpu)
{
    guest_power_request(vcpu->guest, GUEST_POWER_RESET);
}

static void act_crash(struct vcpu *vcpu)
{
    hv_guest_fault(vcpu, "test crash", 0x1234);
}

THREAD_TEST(test_power_off)
{
    struct guest *guest = fixture_create(&report);

    (void)arg;
    fixture_action[0] = act_power_off;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(fixture_rounds[0], 1);
    assert_int_equal(fixture_state(guest, 0), VCPU_HALTED);
    assert_string_equal(guest->stop_reason, "powered off by itself");
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_reboot)
{
    struct guest *guest = fixture_create(&report);

    (void)arg;
    assert_int_equal(guest_kick(guest), 0);
    thread_sleep(2 * NS_PER_SEC);
    fixture_action[0] = act_reboot;
    vcpu_interrupt(guest->vcpus[0]);
    fixture_settle();
    assert_int_equal(guest->reset_count, 1);
    assert_int_equal(fixture_rounds[0], 3);
    /* It asked again at once: a reboot loop, so that it waits now. */
    fixture_settle();
    assert_int_equal(guest->reset_count, 1);
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_crash_halts)
{
    struct guest *guest = fixture_create(&report);

    (void)arg;
    fixture_action[0] = act_crash;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(fixture_state(guest, 0), VCPU_HALTED);
    assert_int_equal(guest->fault_count, 1);
    assert_string_equal(guest->stop_reason, "VCPU 0: test crash (0x1234)");
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_crash_restarts_with_backoff)
{
    static const unsigned expected_ms[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
    struct guest *guest;
    unsigned round = 0;

    (void)arg;
    guest = fixture_create(&report);
    fixture_action[0] = act_crash;
    assert_int_equal(guest_kick(guest), 0);
    for (unsigned i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++) {
        round++;
        fixture_settle();
        assert_int_equal(fixture_rounds[0], round);
        thread_sleep((expected_ms[i] - 5) * NS_PER_MS);
        assert_int_equal(fixture_rounds[0], round);
        thread_sleep(4 * NS_PER_MS);
    }
    fixture_action[0] = NULL;
    thread_sleep(60 * NS_PER_SEC);
    fixture_action[0] = act_crash;
    vcpu_interrupt(guest->vcpus[0]);
    fixture_settle();
    assert_int_equal(guest->backoff_ns, 100 * NS_PER_MS);
    assert_int_equal(guest_halt(guest), -EALREADY); /* the restart is called off */
    round = fixture_rounds[0];
    thread_sleep(NS_PER_SEC);
    assert_int_equal(fixture_rounds[0], round);
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_crash_destroys)
{
    struct fixture_census before;

    (void)arg;
    fixture_census(&before);
    fixture_action[0] = act_crash;
    assert_int_equal(guest_kick(fixture_create(&report)), 0);
    fixture_settle();
    assert_null(guest_find("linux0"));
    assert_true(fixture_census_equal(&before));
}

static int setup(void **state)
{
    (void)state;
    return fixture_init();
}

static int reset(void **state)
{
    (void)state;
    fixture_guest_reset();
    return fixture_tree(NULL, 0);
}

static int reset_policy(const char *policy)
{
    const struct fixture_edit edit = {"linux0", "bulkhead,on-crash", policy,
                                      (int)strlen(policy) + 1, false};

    fixture_guest_reset();
    return fixture_tree(&edit, 1);
}

static int reset_restart(void **state)
{
    (void)state;
    return reset_policy("restart");
}

static int reset_destroy(void **state)
{
    (void)state;
    return reset_policy("destroy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_cpu_on, reset),
        cmocka_unit_test_setup(test_reset_keeps_list_registers, reset),
        cmocka_unit_test_setup(test_started_is_on, reset),
        cmocka_unit_test_setup(test_cpu_on_waits_for_resume, reset),
        cmocka_unit_test_setup(test_power_off, reset),
        cmocka_unit_test_setup(test_reboot, reset),
        cmocka_unit_test_setup(test_crash_halts, reset),
        cmocka_unit_test_setup(test_crash_restarts_with_backoff, reset_restart),
        cmocka_unit_test_setup(test_crash_destroys, reset_destroy),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
