// SPDX-License-Identifier: Apache-2.0
// Test cases that register themselves: "case=gic,timer.edges" among the boot arguments selects groups and single ones.
#pragma once

#include <stdbool.h>

struct test_case {
    const char *name; /**< GROUP.NAME */
    unsigned cpus;    /**< needed; with fewer the case is skipped and says so */
    bool by_name;     /**< runs only when selected: it does not end, or takes long */
    void (*run)(void);
};

#define TEST_CASE_(id, ...)                                                                        \
    static const struct test_case test_case_##id                                                   \
        __attribute__((used, section(".test_cases." #id))) = {__VA_ARGS__}

/** Runs in every run that selects nothing else. */
#define TEST_CASE(name, cpus, fn) TEST_CASE_(fn, name, cpus, false, fn)
/** Runs only when "case=" has its own or its group's name. */
#define TEST_CASE_BY_NAME(name, cpus, fn) TEST_CASE_(fn, name, cpus, true, fn)

/** Runs what the boot arguments select, in the order of their functions' names. */
void cases_run(void);
