// SPDX-License-Identifier: Apache-2.0
// Self tests: checks and measurements that run inside the hypervisor, on its real CPUs. Room: mterm.
#pragma once

#include <hv/terminal.h>
#include <lib/table.h>
#include <stdint.h>

struct selftest {
    const char *name; /**< as typed: "thread-stress" */
    const char *help; /**< one line, with the unit of amount */
    /**
     * amount: how much to do, 0 = the usual. 0, or negative: the test has printed why. It leaves
     * nothing behind, and ends early with -EINTR when term_interrupted(). Orphan.
     */
    int (*run)(struct terminal *term, uint64_t amount);
};
#define SELFTEST(t) TABLE_ENTRY(selftests, struct selftest, t)
