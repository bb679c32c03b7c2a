// SPDX-License-Identifier: Apache-2.0
// Command selftest: checks and measurements inside the hypervisor.
#include <hv/mterm.h>
#include <hv/selftest.h>
#include <lib/errno.h>
#include <lib/parse.h>
#include <lib/string.h>

TABLE_DECLARE(selftests, struct selftest);

static const struct selftest *find(const char *name)
{
    TABLE_FOREACH(selftests, struct selftest, it)
        if (str_equal((*it)->name, name))
            return *it;
    return NULL;
}

static int selftest_list(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    TABLE_FOREACH(selftests, struct selftest, it) {
        if (term_interrupted(term))
            return -EINTR;
        term_printf(term, "%-20s %s\n", (*it)->name, (*it)->help);
    }
    return 0;
}

static int selftest_run(struct terminal *term, int argc, char **argv)
{
    const struct selftest *test = find(argv[0]);
    uint64_t amount = 0;
    int err;

    if (test == NULL)
        return mterm_error(term, -ENOENT, "selftest", argv[0]);
    err = argc > 1 ? parse_u64(argv[1], &amount) : 0;
    if (err != 0)
        return mterm_error(term, err, "selftest run: amount", argv[1]);
    err = test->run(term, amount);
    if (err == 0)
        term_printf(term, "selftest %s: passed\n", test->name);
    else
        term_printf(term, "selftest %s: failed: %s\n", test->name, error_name(err));
    return err;
}

static const struct command_verb selftest_verbs[] = {
    {
        .name = "list",
        .usage = "",
        .help = "the tests that this image has",
        .run = selftest_list,
    },
    {
        .name = "run",
        .usage = "NAME [AMOUNT]",
        .help = "run one; AMOUNT is how much it does, in its own unit",
        .min_args = 1,
        .max_args = 2,
        .run = selftest_run,
    },
};
static const struct command selftest_command = {
    .name = "selftest",
    .group = "System",
    .help = "checks and measurements inside the hypervisor",
    .verbs = selftest_verbs,
    .verb_count = ARRAY_SIZE(selftest_verbs),
};
COMMAND(selftest_command);
