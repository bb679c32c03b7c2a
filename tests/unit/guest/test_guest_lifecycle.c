// SPDX-License-Identifier: Apache-2.0
// Guests from creation to destruction: nothing is left behind, whatever fails; power, crash policies, commands.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <arch/mmu.h>
#include <arch/time.h>
#include <hv/clock.h>
#include <hv/guest_parts.h>
#include <hv/page.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <libfdt.h>
#include <port/host.h>
#include <stdio.h>
#include <string.h>

#define FAIL_ROUNDS 200

static struct fixture_report report;

/* What the simulated guest code does at each exit, by VCPU. */
static void (*guest_action[2])(struct vcpu *vcpu);
static unsigned guest_rounds[2];

static void guest_code(struct vcpu *vcpu)
{
    guest_rounds[vcpu->subid]++;
    if (guest_action[vcpu->subid] != NULL)
        guest_action[vcpu->subid](vcpu);
    else
        hv_vcpu_wait(vcpu);
}

static struct guest *create(void)
{
    fixture_report_init(&report);
    if (guest_create("linux0", NULL, &report.report) != 0)
        fail_msg("guest is not created:\n%s", report.text);
    return guest_find("linux0");
}

static void settle(void)
{
    thread_sleep(NS_PER_MS);
}

static void assert_census(const struct fixture_census *before)
{
    struct fixture_census after;

    fixture_census(&after);
    assert_int_equal(after.free, before->free);
    assert_int_equal(after.objects, before->objects);
    assert_int_equal(after.bytes, before->bytes);
    assert_int_equal(after.vcpus, before->vcpus);
    assert_int_equal(fixture_device.alive, 0);
}

static enum vcpu_state state_of(struct guest *guest, unsigned number)
{
    uint32_t reasons;

    return vcpu_logical_state(guest->vcpus[number], &reasons);
}

/* Each test is a thread: what it calls may sleep. */
#define THREAD_TEST(name)                 \
    static void name##_body(void *arg);   \
    static void name(void **state)        \
    {                                     \
        (void)state;                      \
        fixture_run(name##_body, NULL);   \
    }                                     \
    static void name##_body(void *arg)

THREAD_TEST(test_create_destroy)
{
    struct fixture_census before;
    uint32_t word = 0;
    struct guest *guest;

    (void)arg;
    fixture_census(&before);
    for (unsigned i = 0; i < 3; i++) {
        guest = create();
        assert_non_null(guest);
        assert_int_equal(guest_count(), 1);
        assert_int_equal(fixture_device.alive, 1);
        assert_int_equal(guest_mem_read(guest, gpa(0x40000000 + 56), &word, 4), 0);
        assert_memory_equal(&word, "ARM\x64", 4);
        assert_int_equal(guest_mem_read(guest, gpa(0), &word, 4), 0);
        assert_int_equal(word, 0xa5a5a5a5);
        assert_int_equal(guest_mem_read(guest, gpa(guest->dtb), &word, 4), 0);
        assert_int_equal(word, cpu_to_fdt32(FDT_MAGIC));
        assert_int_equal(guest_destroy(guest), 0);
        assert_null(guest_find("linux0"));
        assert_census(&before);
    }
}

THREAD_TEST(test_names)
{
    (void)arg;
    create();
    fixture_report_init(&report);
    assert_int_equal(guest_create("linux0", NULL, &report.report), -EEXIST);
    assert_int_equal(guest_create("nobody", NULL, &report.report), -ENOENT);
    assert_int_equal(guest_create("other", "nothing", &report.report), -ENOENT);
    assert_int_equal(guest_create("", NULL, &report.report), -EINVAL);
    assert_int_equal(guest_create("../x", "basic", &report.report), -EINVAL);
    assert_int_equal(guest_create("a234567890123456789012345678901234", "basic", &report.report), -EINVAL);
    assert_int_equal(report.report.errors, 6);
    assert_int_equal(guest_destroy(guest_find("linux0")), 0);
}

THREAD_TEST(test_template)
{
    struct fixture_census before;

    (void)arg;
    fixture_census(&before);
    fixture_report_init(&report);
    assert_int_equal(guest_create("copy", "basic", &report.report), 0);
    assert_non_null(dt_find("/guests/copy"));
    assert_int_equal(guest_destroy(guest_find("copy")), 0);
    assert_null(dt_find("/guests/copy"));
    assert_census(&before);
}

/* A failure that creation can live with (large pages) is fine too; the last round has none at all. */
static void fail_each_allocation(const char *name, const char *template_name, unsigned least)
{
    struct fixture_census before;
    unsigned failures = 0;

    fixture_census(&before);
    for (unsigned n = 1; n <= FAIL_ROUNDS; n++) {
        int err;

        fixture_report_init(&report);
        page_fail_after(n);
        err = guest_create(name, template_name, &report.report);
        page_fail_after(0);
        if (err == 0) {
            assert_int_equal(guest_destroy(guest_find(name)), 0);
        } else {
            failures++;
            assert_true(n < FAIL_ROUNDS);
            assert_int_equal(err, -ENOMEM);
            assert_true(report.report.errors > 0);
            assert_int_equal(guest_count(), 0);
        }
        assert_census(&before);
    }
    assert_true(failures > least);
}

THREAD_TEST(test_every_allocation_fails)
{
    (void)arg;
    fail_each_allocation("linux0", NULL, 30);
}

THREAD_TEST(test_template_allocation_fails)
{
    (void)arg;
    fail_each_allocation("copy", "basic", 60);
    assert_null(dt_find("/guests/copy"));
}

THREAD_TEST(test_device_fails)
{
    struct fixture_census before;

    (void)arg;
    fixture_census(&before);
    fixture_device.fail_probe = -EBUSY;
    fixture_report_init(&report);
    assert_int_equal(guest_create("linux0", NULL, &report.report), -EBUSY);
    assert_non_null(strstr(report.text, "/guests/linux0/aspace/dev0@9000000: emulated device"));
    assert_census(&before);
}

THREAD_TEST(test_memory_is_scrubbed)
{
    struct guest *guest = create();
    const struct guest_region *region = NULL;
    const uint8_t *host;
    uint8_t byte = 0x77;

    (void)arg;
    assert_int_equal(guest_mem_write(guest, gpa(0x40800000), &byte, 1), 0);
    for (unsigned i = 0; i < guest->map->count; i++)
        if (guest->map->regions[i]->start.v == 0x40000000)
            region = guest->map->regions[i];
    host = (const uint8_t *)arch_mmu_linear(region->host) + 0x800000;
    assert_int_equal(*host, 0x77);
    assert_int_equal(guest_destroy(guest), 0);
    assert_int_equal(*host, 0);
}

THREAD_TEST(test_kick_reset_halt)
{
    struct guest *guest = create();
    uint32_t garbage = 0xdeadbeef;
    uint32_t word;

    (void)arg;
    assert_int_equal(guest_resume(guest), -EINVAL);
    assert_int_equal(guest_pause(guest), -EINVAL);
    assert_int_equal(guest_kick(guest), 0);
    settle();
    assert_int_equal(guest_rounds[0], 1);
    assert_int_equal(guest_rounds[1], 0);
    assert_int_equal(guest->vcpus[0]->start_pc, 0x40000000);
    assert_int_equal(guest_kick(guest), -EALREADY);
    assert_int_equal(guest_mem_write(guest, gpa(0x40000000), &garbage, 4), 0);
    fixture_report_init(&report);
    assert_int_equal(guest_reset(guest, &report.report), 0);
    assert_int_equal(guest_mem_read(guest, gpa(0x40000000), &word, 4), 0);
    assert_int_not_equal(word, garbage);
    settle();
    assert_int_equal(guest_rounds[0], 2);
    assert_int_equal(guest->reset_count, 1);
    assert_int_equal(guest_halt(guest), 0);
    assert_int_equal(state_of(guest, 0), VCPU_HALTED);
    assert_int_equal(state_of(guest, 1), VCPU_RESET);
    assert_int_equal(guest_halt(guest), -EALREADY);
    assert_int_equal(guest_kick(guest), -EINVAL);
    assert_int_equal(guest_reset(guest, &report.report), 0);
    assert_int_equal(state_of(guest, 0), VCPU_RESET);
    assert_int_equal(guest_kick(guest), 0);
    settle();
    assert_int_equal(guest_rounds[0], 3);
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_pause_stops_time)
{
    struct guest *guest = create();

    (void)arg;
    assert_int_equal(guest_kick(guest), 0);
    settle();
    assert_int_equal(guest_pause(guest), 0);
    assert_int_equal(guest_pause(guest), -EALREADY);
    assert_true(guest->arch.time_stopped);
    assert_int_equal(state_of(guest, 0), VCPU_PAUSED);
    vcpu_interrupt(guest->vcpus[0]);
    settle();
    assert_int_equal(guest_rounds[0], 1);
    assert_int_equal(guest_resume(guest), 0);
    assert_false(guest->arch.time_stopped);
    assert_int_equal(guest_resume(guest), -EINVAL);
    assert_int_equal(guest_pause(guest), 0);
    assert_int_equal(guest_destroy(guest), 0);
}

/* Power of VCPUs */

static int on_result[3];

static void act_on_twice(struct vcpu *vcpu)
{
    if (guest_rounds[0] == 1) {
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
    struct guest *guest = create();

    (void)arg;
    guest_action[0] = act_on_twice;
    assert_int_equal(guest_kick(guest), 0);
    settle();
    assert_int_equal(on_result[0], 0);
    assert_int_equal(on_result[1], -EINPROGRESS);
    assert_int_equal(on_result[2], 2);
    assert_int_equal(guest_rounds[1], 1);
    assert_int_equal(guest->vcpus[1]->start_pc, 0x40001000);
    assert_int_equal(guest->vcpus[1]->start_arg, 42);
    assert_int_equal(guest_vcpu_on(guest, 1, 0x40001000, 0), -EALREADY);
    assert_int_equal(guest_vcpu_on(guest, 0, 0x40001000, 0), -EALREADY);
    assert_int_equal(guest_vcpu_on(guest, 2, 0x40001000, 0), -EINVAL);
    assert_int_equal(guest_vcpu_affinity_info(guest, 0), 0);
    assert_int_equal(guest_vcpu_affinity_info(guest, 7), -EINVAL);
    guest_action[1] = act_off;
    vcpu_interrupt(guest->vcpus[1]);
    settle();
    assert_int_equal(guest_vcpu_affinity_info(guest, 1), 1);
    guest_action[1] = NULL;
    assert_int_equal(guest_vcpu_on(guest, 1, 0x40003000, 44), 0);
    settle();
    assert_int_equal(guest->vcpus[1]->start_pc, 0x40003000);
    assert_int_equal(guest_vcpu_affinity_info(guest, 1), 0);
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_cpu_on_waits_for_resume)
{
    struct guest *guest = create();

    (void)arg;
    assert_int_equal(guest_kick(guest), 0);
    settle();
    assert_int_equal(guest_pause(guest), 0);
    assert_int_equal(guest_vcpu_on(guest, 1, 0x40001000, 0), 0);
    settle();
    assert_int_equal(guest_rounds[1], 0);
    assert_int_equal(guest_resume(guest), 0);
    settle();
    assert_int_equal(guest_rounds[1], 1);
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
    struct guest *guest = create();

    (void)arg;
    guest_action[0] = act_power_off;
    assert_int_equal(guest_kick(guest), 0);
    settle();
    assert_int_equal(guest_rounds[0], 1);
    assert_int_equal(state_of(guest, 0), VCPU_HALTED);
    assert_string_equal(guest->stop_reason, "powered off by itself");
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_reboot)
{
    struct guest *guest = create();

    (void)arg;
    assert_int_equal(guest_kick(guest), 0);
    thread_sleep(2 * NS_PER_SEC);
    guest_action[0] = act_reboot;
    vcpu_interrupt(guest->vcpus[0]);
    settle();
    assert_int_equal(guest->reset_count, 1);
    assert_int_equal(guest_rounds[0], 3);
    /* It asked again at once: a reboot loop, so that it waits now. */
    settle();
    assert_int_equal(guest->reset_count, 1);
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_crash_halts)
{
    struct guest *guest = create();

    (void)arg;
    guest_action[0] = act_crash;
    assert_int_equal(guest_kick(guest), 0);
    settle();
    assert_int_equal(state_of(guest, 0), VCPU_HALTED);
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
    guest = create();
    guest_action[0] = act_crash;
    assert_int_equal(guest_kick(guest), 0);
    for (unsigned i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++) {
        round++;
        settle();
        assert_int_equal(guest_rounds[0], round);
        thread_sleep((expected_ms[i] - 5) * NS_PER_MS);
        assert_int_equal(guest_rounds[0], round);
        thread_sleep(4 * NS_PER_MS);
    }
    guest_action[0] = NULL;
    thread_sleep(60 * NS_PER_SEC);
    guest_action[0] = act_crash;
    vcpu_interrupt(guest->vcpus[0]);
    settle();
    assert_int_equal(guest->backoff_ns, 100 * NS_PER_MS);
    assert_int_equal(guest_halt(guest), -EALREADY); /* the restart is called off */
    round = guest_rounds[0];
    thread_sleep(NS_PER_SEC);
    assert_int_equal(guest_rounds[0], round);
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_crash_destroys)
{
    struct fixture_census before;

    (void)arg;
    fixture_census(&before);
    guest_action[0] = act_crash;
    assert_int_equal(guest_kick(create()), 0);
    settle();
    assert_null(guest_find("linux0"));
    assert_census(&before);
}

static int setup(void **state)
{
    (void)state;
    return fixture_init();
}

static int reset(void **state)
{
    (void)state;
    memset(guest_action, 0, sizeof(guest_action));
    memset(guest_rounds, 0, sizeof(guest_rounds));
    memset(&fixture_device, 0, sizeof(fixture_device));
    host_guest_code = guest_code;
    return fixture_tree(NULL, 0);
}

static int reset_policy(const char *policy)
{
    const struct fixture_edit edit = {"linux0", "bulkhead,on-crash", policy, (int)strlen(policy) + 1, false};

    return reset(NULL) | fixture_tree(&edit, 1);
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
        cmocka_unit_test_setup(test_create_destroy, reset),
        cmocka_unit_test_setup(test_names, reset),
        cmocka_unit_test_setup(test_template, reset),
        cmocka_unit_test_setup(test_every_allocation_fails, reset),
        cmocka_unit_test_setup(test_template_allocation_fails, reset),
        cmocka_unit_test_setup(test_device_fails, reset),
        cmocka_unit_test_setup(test_memory_is_scrubbed, reset),
        cmocka_unit_test_setup(test_kick_reset_halt, reset),
        cmocka_unit_test_setup(test_pause_stops_time, reset),
        cmocka_unit_test_setup(test_cpu_on, reset),
        cmocka_unit_test_setup(test_cpu_on_waits_for_resume, reset),
        cmocka_unit_test_setup(test_power_off, reset),
        cmocka_unit_test_setup(test_reboot, reset),
        cmocka_unit_test_setup(test_crash_halts, reset),
        cmocka_unit_test_setup(test_crash_restarts_with_backoff, reset_restart),
        cmocka_unit_test_setup(test_crash_destroys, reset_destroy),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
