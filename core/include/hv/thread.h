// SPDX-License-Identifier: Apache-2.0
// Threads: orphan VCPUs with a name, a function and data. Threads are asked to stop, never killed.
// Room: thread.
#pragma once

#include <hv/cpu.h>
#include <stdbool.h>
#include <stdint.h>

struct thread;
struct vcpu;

enum thread_state { THREAD_CREATED, THREAD_RUNNING, THREAD_SLEEPING, THREAD_STOPPED };

/**
 * fn returns the exit code. time_slice in ns, 0 = default. Orphan or boot. -ENOMEM, -EINVAL. The
 * thread is CREATED.
 */
int thread_create(const char *name, int (*fn)(void *arg), void *arg, uint8_t priority,
                  uint64_t time_slice, struct thread **out);
int thread_start(struct thread *thread);
/**
 * Ask it to stop (thread_should_stop() becomes true, interruptible sleeps end with -EINTR). Any
 * context.
 */
void thread_request_stop(struct thread *thread);
bool thread_should_stop(void);
/**
 * Wait (uninterruptibly) until it has stopped and free it; *code (may be NULL) is its return value,
 * -ECANCELED if it never ran. Orphan. -EDEADLK for itself.
 */
int thread_join(struct thread *thread, int *code);
/** Let the worker free it when it ends. */
void thread_detach(struct thread *thread);
/** Sleep at least ns; -EINTR when asked to stop. Orphan/Normal. */
int thread_sleep(uint64_t ns);
/** The thread that runs, NULL on a normal VCPU or idle. */
struct thread *thread_current(void);
enum thread_state thread_state(const struct thread *thread);
const char *thread_name(const struct thread *thread);
struct vcpu *thread_vcpu(struct thread *thread);
