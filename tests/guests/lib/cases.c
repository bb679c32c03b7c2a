// SPDX-License-Identifier: Apache-2.0
// Selection and running of the registered test cases.
#include <payload/boot.h>
#include <payload/cases.h>
#include <payload/report.h>
#include <payload/string.h>

extern const struct test_case test_cases_start[], test_cases_end[];

#define GROUP_MAX 24

static bool group_selected(const char *name)
{
    char group[GROUP_MAX];
    size_t n = 0;

    while (name[n] && name[n] != '.' && n < sizeof(group) - 1) {
        group[n] = name[n];
        n++;
    }
    group[n] = 0;
    return boot_selects("case", group);
}

static bool is_selected(const struct test_case *one)
{
    if (!boot_flag("case"))
        return !one->by_name;
    return boot_selects("case", one->name) || group_selected(one->name);
}

void cases_run(void)
{
    for (const struct test_case *one = test_cases_start; one < test_cases_end; one++) {
        if (!is_selected(one))
            continue;
        if (boot_info.cpu_count < one->cpus)
            report_skip(one->name, "needs more CPUs");
        else
            one->run();
    }
}
