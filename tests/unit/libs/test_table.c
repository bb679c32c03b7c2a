// SPDX-License-Identifier: Apache-2.0
// Link-time tables: every entry is found once, pointers lie without gaps, empty ones are empty.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include <lib/table.h>

struct plug {
    const char *name;
    char filling[37]; // a size no alignment divides
};

static const struct plug red = {.name = "red"};
TABLE_ENTRY(test_plugs, struct plug, red);
static const struct plug green = {.name = "green"};
TABLE_ENTRY(test_plugs, struct plug, green);
static const struct plug blue = {.name = "blue"};
TABLE_ENTRY(test_plugs, struct plug, blue);

TABLE_DECLARE(test_plugs, struct plug);
TABLE_DECLARE(test_nothing, struct plug);

static void test_entries(void **state UNUSED)
{
    unsigned seen[3] = {0};

    TABLE_FOREACH(test_plugs, struct plug, iter) {
        seen[0] += strcmp((*iter)->name, "red") == 0;
        seen[1] += strcmp((*iter)->name, "green") == 0;
        seen[2] += strcmp((*iter)->name, "blue") == 0;
    }
    assert_int_equal(TABLE_COUNT(test_plugs), 3);
    assert_true(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
    for (size_t i = 0; i < TABLE_COUNT(test_plugs); i++) {
        assert_non_null(TABLE_AT(test_plugs, i)->name);
    }
}

static void test_empty(void **state UNUSED)
{
    TABLE_FOREACH(test_nothing, struct plug, iter) {
        fail_msg("%p", (const void *)*iter);
    }
    assert_int_equal(TABLE_COUNT(test_nothing), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
