// SPDX-License-Identifier: Apache-2.0
// Unit tests: a machine that has booted as far as threads: memory, device tree, clock, scheduler,
// cross-CPU calls. No guests, no drivers.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * Bring up CPUs 0..cpus-1. The caller becomes the idle VCPU of CPU 0 (of each CPU while it plays
 * it). May be called again, by each test: clock, interrupts and run queues start afresh; memory and
 * device tree stay. The number of CPUs can not shrink within a program.
 */
void machine_start(unsigned cpus);
/** Let all CPUs run until all are idle; time does not pass by itself. On CPU 0, not in a thread. */
void machine_run(void);
/** The same for ns of simulated time: timers fire when they are due. */
void machine_run_for(uint64_t ns);
/** The same until done(arg) holds; false when nothing can ever happen any more before that. */
bool machine_run_until(bool (*done)(void *arg), void *arg);
/** Run fn(arg) in a thread to its end, time passing as needed, and return what it returned. */
int machine_call(int (*fn)(void *arg), void *arg);
/** Heap objects and free pages, to compare before and after. */
struct machine_census {
    uint64_t heap_objects;
    uint64_t pages_free;
    uint64_t vcpus;
};
struct machine_census machine_census(void);
