// SPDX-License-Identifier: Apache-2.0
// Back-traces: threads wherever they are, and guests whose frame records lie.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fixture.h"

#include <hv/backtrace.h>
#include <hv/guest.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <port/host.h>

static struct fixture_report report;
static struct waitqueue never;

static bool no(void *arg)
{
    (void)arg;
    return false;
}

static int sleeper(void *arg)
{
    (void)arg;
    return waitqueue_wait(&never, no, NULL, WAIT_FOREVER);
}

THREAD_TEST(test_threads)
{
    struct backtrace trace;
    struct thread *thread;
    uint32_t id;

    (void)arg;
    waitqueue_init(&never);
    assert_int_equal(thread_create("sleeper", sleeper, NULL, 7, 0, &thread), 0);
    id = thread_vcpu(thread)->id;
    assert_int_equal(thread_start(thread), 0);
    assert_int_equal(thread_state(thread), THREAD_SLEEPING);
    assert_int_equal(backtrace_hypervisor(id, &trace), 0);
    assert_int_equal(trace.count, 1);
    assert_int_equal(backtrace_hypervisor(sched_current()->id, &trace), 0);
    assert_true(trace.count > 1);
    thread_request_stop(thread);
    assert_int_equal(thread_join(thread, NULL), 0);
    assert_int_equal(backtrace_hypervisor(id, &trace), -ENOENT);
}

#define STACK 0x40f00000UL

static void put_record(struct guest *guest, uint64_t at, uint64_t older, uint64_t pc)
{
    const uint64_t record[2] = {older, pc};

    assert_int_equal(guest_mem_write(guest, gpa(at), record, sizeof(record)), 0);
}

/* The VCPU waits for an interrupt; it goes on as if nothing had been. */
static unsigned depth_from(struct vcpu *vcpu, uint64_t fp, struct backtrace *trace)
{
    vcpu->arch.regs[HOST_REG_PC] = 0x1234;
    vcpu->arch.regs[29] = fp;
    assert_int_equal(backtrace_guest(vcpu, trace), 0);
    assert_int_equal(vcpu->reasons, VCPU_REASON_WFI);
    assert_int_equal(trace->pc[0], 0x1234);
    return trace->count;
}

THREAD_TEST(test_guest)
{
    struct guest *guest = fixture_create(&report);
    struct backtrace trace;
    struct vcpu *vcpu;

    (void)arg;
    assert_non_null(guest);
    vcpu = guest->vcpus[0];
    assert_int_equal(backtrace_guest(vcpu, &trace), -EINVAL);
    assert_int_equal(guest_kick(guest), 0);
    fixture_settle();
    assert_int_equal(fixture_state(guest, 0), VCPU_PAUSED);
    put_record(guest, STACK, STACK + 32, 0xaaaa);
    put_record(guest, STACK + 32, 0, 0xbbbb);
    assert_int_equal(depth_from(vcpu, STACK, &trace), 3);
    assert_int_equal(trace.pc[1], 0xaaaa);
    assert_int_equal(trace.pc[2], 0xbbbb);
    /* Records that point back or to themselves, nowhere, past RAM, or go on for ever. */
    put_record(guest, STACK + 32, STACK, 0xbbbb);
    assert_int_equal(depth_from(vcpu, STACK, &trace), 3);
    put_record(guest, STACK, STACK, 0xaaaa);
    assert_int_equal(depth_from(vcpu, STACK, &trace), 2);
    assert_int_equal(depth_from(vcpu, STACK + 4, &trace), 1);
    assert_int_equal(depth_from(vcpu, 0, &trace), 1);
    assert_int_equal(depth_from(vcpu, ~7UL, &trace), 1);
    assert_int_equal(depth_from(vcpu, 0x30000000, &trace), 1);
    for (uint64_t at = STACK; at < STACK + 100 * 16; at += 16)
        put_record(guest, at, at + 16, 0xcccc);
    assert_int_equal(depth_from(vcpu, STACK, &trace), BACKTRACE_DEPTH);
    assert_int_equal(guest_destroy(guest), 0);
}

static int start(void **state)
{
    (void)state;
    if (fixture_init() != 0)
        return -1;
    fixture_guest_reset();
    return fixture_tree(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_guest),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
