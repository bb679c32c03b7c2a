// SPDX-License-Identifier: Apache-2.0
// Command "guest why": a line for each reason that a guest does not run, and for its last fault.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/guest/fixture.h"

#include <hv/clock.h>
#include <hv/command.h>
#include <hv/thread.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <port/machine.h>
#include <string.h>

static char output[4096];
static size_t used;
static struct fixture_report report;

static void collect(struct terminal *term, const char *text, size_t size)
{
    (void)term;
    assert_true(used + size < sizeof(output));
    memcpy(output + used, text, size);
    used += size;
    output[used] = '\0';
}

static struct terminal term = {.write = collect, .columns = 80, .rows = 24};

/* One line that says what is expected, in its order. */
static void assert_why(const char *state, const char *fault)
{
    char line[] = "guest why linux0", begin[256] = "linux0: ";
    const char *at;

    used = 0;
    output[0] = '\0';
    assert_int_equal(command_run(&term, line), 0);
    strcat(strcat(begin, state), "; ");
    if (strncmp(output, begin, strlen(begin)) != 0)
        fail_msg("no \"%s\" in: %s", begin, output);
    at = output + strlen(begin);
    if (strncmp(at, fault, strlen(fault)) != 0)
        fail_msg("no \"%s\" in: %s", fault, output);
    assert_ptr_equal(strchr(output, '\n'), output + used - 1);
}

static void act_power_off(struct vcpu *vcpu)
{
    guest_power_request(vcpu->guest, GUEST_POWER_OFF);
}

static void act_crash(struct vcpu *vcpu)
{
    hv_guest_fault(vcpu, "test crash", 0x1234);
}

static void act_off(struct vcpu *vcpu)
{
    guest_vcpu_off(vcpu);
}

THREAD_TEST(test_life)
{
    struct guest *guest = fixture_create(&report);
    struct vcpu *vcpu = guest->vcpus[0];

    (void)arg;
    assert_why("not started (guest kick starts it)", "no fault\n");
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_why("its VCPU waits for an interrupt (WFI)", "no fault\n");
    assert_int_equal(guest_vcpu_on(guest, 1, 0x40001000, 0), 0);
    fixture_settle();
    assert_why("all its VCPUs wait for interrupts (WFI)", "no fault\n");
    assert_int_equal(guest_pause(guest), 0);
    assert_why("paused by the operator (guest pause)", "no fault\n");
    assert_int_equal(guest_resume(guest), 0);
    assert_int_equal(vcpu_pause(vcpu, VCPU_REASON_OPERATOR), 0);
    assert_why("held: VCPU 0 is paused by the operator (vcpu pause)", "no fault\n");
    assert_int_equal(vcpu_pause(guest->vcpus[1], VCPU_REASON_DEBUG), 0);
    assert_why("held: VCPU 0 is paused by the operator (vcpu pause), and 1 more are held",
               "no fault\n");
    assert_int_equal(vcpu_resume(vcpu, VCPU_REASON_OPERATOR), 0);
    assert_why("held: VCPU 1 is stopped for debugging", "no fault\n");
    assert_int_equal(vcpu_pause(vcpu, VCPU_REASON_FAULT), 0);
    assert_int_equal(vcpu_resume(guest->vcpus[1], VCPU_REASON_DEBUG), 0);
    assert_why("held: VCPU 0 waits for the crash or power policy", "no fault\n");
    assert_int_equal(guest_halt(guest), 0);
    assert_why("halted: halted by the operator", "no fault\n");
    assert_int_equal(guest_reset(guest, &report.report), 0);
    assert_why("not started (guest kick starts it)", "no fault\n");
    guest->busy = true;
    used = 0;
    assert_int_equal(command_run(&term, (char[]){"guest why linux0"}), 0);
    guest->busy = false;
    assert_string_equal(output, "linux0: busy: an operation is working on it\n");
    assert_int_equal(guest_destroy(guest), 0);
    used = 0;
    assert_int_equal(command_run(&term, (char[]){"guest why linux0"}), -ENOENT);
}

THREAD_TEST(test_runs)
{
    struct guest *guest = fixture_create(&report);

    (void)arg;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    /* Were it true, it would run instead of this test. */
    guest->vcpus[1]->state = VCPU_READY;
    assert_why("it runs", "no fault\n");
    assert_int_equal(vcpu_pause(guest->vcpus[0], VCPU_REASON_OPERATOR), 0);
    assert_why("it runs; VCPU 0 is paused by the operator (vcpu pause)", "no fault\n");
    guest->vcpus[1]->state = VCPU_RESET;
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_own_end)
{
    struct guest *guest = fixture_create(&report);

    (void)arg;
    fixture_action[0] = act_power_off;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_why("halted: powered off by itself", "no fault\n");
    fixture_action[0] = act_off;
    assert_int_equal(guest_reset(guest, &report.report), 0);
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_why("its VCPUs have turned themselves off (guest reset, guest kick)", "no fault\n");
    fixture_action[0] = act_crash;
    assert_int_equal(guest_reset(guest, &report.report), 0);
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_why("halted: VCPU 0: test crash (0x1234)", "no fault\n");
    assert_int_equal(guest_destroy(guest), 0);
}

THREAD_TEST(test_restarts)
{
    struct guest *guest = fixture_create(&report);

    (void)arg;
    fixture_action[0] = act_crash;
    guest->on_crash = GUEST_ON_CRASH_RESTART;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_why("halted: VCPU 0: test crash (0x1234); it restarts in a moment", "no fault\n");
    assert_int_equal(guest_destroy(guest), 0);
}

static void act_faults(struct vcpu *vcpu)
{
    if (fixture_rounds[0] == 1) {
        vcpu->arch.regs[HOST_REG_PC] = 0x40100010;
        arch_vcpu_inject_undef(vcpu);
        arch_vcpu_inject_abort(vcpu, false, 0x9000004);
    }
    hv_vcpu_wait(vcpu);
}

/* The latest of all VCPUs, the sum of all. */
THREAD_TEST(test_faults)
{
    static const char state[] = "its VCPU waits for an interrupt (WFI)";
    struct guest *guest = fixture_create(&report);
    struct vcpu_fault *fault = &guest->vcpus[0]->fault;

    (void)arg;
    fixture_action[0] = act_faults;
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_why(state, "last fault: external abort, PC 0x40100010, address 0x9000004");
    assert_non_null(strstr(output, ", VCPU 0, "));
    assert_non_null(strstr(output, " ago, 2 in all\n"));
    fault->va = 0xffff800000001000;
    fault->ipa = 0x40000000;
    assert_why(state, "last fault: external abort, PC 0x40100010, address 0xffff800000001000 "
                      "(physical 0x40000000) in memory@40000000, VCPU 0, ");
    fault->ipa = UINT64_MAX;
    assert_why(state, "last fault: external abort, PC 0x40100010, address 0xffff800000001000 "
                      "(physical 0xffffffffffffffff): nothing there, VCPU 0, ");
    fault->has_ipa = false;
    assert_why(state, "last fault: external abort, PC 0x40100010, address 0xffff800000001000, VCPU");
    guest->vcpus[1]->fault = (struct vcpu_fault){.count = 5, .pc = 8, .when = fault->when + 1};
    assert_why(state, "last fault: undefined instruction, PC 0x8, VCPU 1, ");
    assert_non_null(strstr(output, " ago, 7 in all\n"));
    assert_int_equal(guest_reset(guest, &report.report), 0);
    fixture_settle();
    assert_int_equal(guest->vcpus[1]->fault.count, 0);
    assert_int_equal(guest_destroy(guest), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_life, reset),    cmocka_unit_test_setup(test_runs, reset),
        cmocka_unit_test_setup(test_own_end, reset), cmocka_unit_test_setup(test_restarts, reset),
        cmocka_unit_test_setup(test_faults, reset),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
