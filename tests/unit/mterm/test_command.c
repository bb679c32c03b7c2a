// SPDX-License-Identifier: Apache-2.0
// Command lines: words, look-up, argument counts, what bad use prints; scripts.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arch/mmu.h>
#include <hv/mterm.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <port/host.h>
#include <stdio.h>
#include <string.h>

static char output[65536];
static size_t output_size;
static bool interrupted;

static void fake_write(struct terminal *term, const char *text, size_t size)
{
    (void)term;
    assert_true(output_size + size < sizeof(output));
    memcpy(output + output_size, text, size);
    output_size += size;
    output[output_size] = '\0';
}

static bool fake_interrupted(struct terminal *term)
{
    (void)term;
    return interrupted;
}

static struct terminal term = {
    .write = fake_write, .interrupted = fake_interrupted, .columns = 80, .rows = 24};

/* A command of the test's own in the same table. */

static int probe_argc, probe_runs, probe_result;
static char probe_args[256];

static int probe_run(struct terminal *t, int argc, char **argv)
{
    (void)t;
    probe_runs++;
    probe_argc = argc;
    probe_args[0] = '\0';
    for (int i = 0; i < argc; i++) {
        strcat(probe_args, argv[i]);
        strcat(probe_args, "|");
    }
    return probe_result;
}

static const struct command_verb probe_verbs[] = {
    {.name = "two", .usage = "A B [C]", .help = "h", .min_args = 2, .max_args = 3, .run = probe_run},
    {.name = "none", .usage = "", .help = "h", .run = probe_run},
};
static const struct command probe = {
    .name = "probe", .group = "Test", .help = "h", .verbs = probe_verbs, .verb_count = 2};
COMMAND(probe);

static const struct command_verb bare_verbs[] = {
    {.name = "", .usage = "[A]", .help = "h", .max_args = 1, .run = probe_run},
};
static const struct command bare = {
    .name = "bare", .group = "Test", .help = "h", .verbs = bare_verbs, .verb_count = 1};
COMMAND(bare);

static size_t long_line;

static int say_run(struct terminal *t, int argc, char **argv)
{
    static char text[4096];

    (void)argc;
    (void)argv;
    memset(text, 'x', sizeof(text));
    if (long_line > 0) {
        memcpy(text + 500, "y", 1);
        memcpy(text + long_line - 4, "yend", 4);
        term_write(t, text, long_line);
        term_printf(t, "\n");
    }
    term_printf(t, "apple\nbana");
    term_printf(t, "na\ncan\nLast");
    return 0;
}

static const struct command_verb say_verbs[] = {
    {.name = "", .usage = "", .help = "h", .run = say_run},
};
static const struct command say = {
    .name = "say", .group = "Test", .help = "h", .verbs = say_verbs, .verb_count = 1};
COMMAND(say);

static int reset(void **state)
{
    (void)state;
    output_size = 0;
    output[0] = '\0';
    interrupted = false;
    probe_runs = 0;
    probe_result = 0;
    return 0;
}

static int run(const char *line)
{
    static char copy[8192];

    reset(NULL);
    snprintf(copy, sizeof(copy), "%s", line);
    return command_run(&term, copy);
}

static void test_words_and_arguments(void **state)
{
    (void)state;
    assert_int_equal(run("  probe\ttwo 'a b'  \"c\\\"d\" "), 0);
    assert_int_equal(probe_runs, 1);
    assert_int_equal(probe_argc, 2);
    assert_string_equal(probe_args, "a b|c\"d|");
    assert_int_equal(run("probe none"), 0);
    assert_int_equal(probe_argc, 0);
    assert_int_equal(run("bare x"), 0);
    assert_string_equal(probe_args, "x|");
    assert_int_equal(run("bare ''"), 0);
    assert_string_equal(probe_args, "|");
    assert_string_equal(output, "");
}

static void test_blank_lines_do_nothing(void **state)
{
    (void)state;
    assert_int_equal(run(""), 0);
    assert_int_equal(run("   \t "), 0);
    assert_string_equal(output, "");
}

static void test_result_of_the_command(void **state)
{
    char line[] = "probe none";

    (void)state;
    probe_result = -EBUSY;
    assert_int_equal(command_run(&term, line), -EBUSY);
}

static void assert_says(const char *line, int err, const char *what, const char *usage)
{
    assert_int_equal(run(line), err);
    assert_int_equal(probe_runs, 0);
    if (strstr(output, what) == NULL || strstr(output, usage) == NULL)
        fail_msg("\"%s\" printed:\n%s", line, output);
}

static void test_bad_use_is_explained(void **state)
{
    (void)state;
    assert_says("nonsense", -ENOENT, "unknown command \"nonsense\"", "usage: COMMAND");
    assert_says("probe", -EINVAL, "which one?", "probe two A B [C]");
    assert_says("probe three", -EINVAL, "\"three\"", "probe two A B [C]");
    assert_says("probe ''", -EINVAL, "no such command", "probe none");
    assert_says("probe two a", -EINVAL, "argument missing", "usage: probe two A B [C]");
    assert_says("probe two a b c d", -EINVAL, "one argument too many: \"d\"", "usage: probe two");
    assert_says("bare a b", -EINVAL, "one argument too many: \"b\"", "usage: bare [A]");
    assert_says("probe 'two", -EINVAL, "quote", "");
    assert_says("probe two\\", -EINVAL, "backslash", "");
}

static void test_control_bytes_are_not_echoed(void **state)
{
    (void)state;
    assert_int_equal(run("'\x1b[6n\x07'"), -ENOENT);
    assert_null(strchr(output, 0x1b));
    assert_non_null(strstr(output, "\\x1b[6n\\x07"));
}

static void test_too_many_words(void **state)
{
    char line[4096] = "";

    (void)state;
    for (int i = 0; i < 1000; i++)
        strcat(line, "a ");
    assert_int_equal(run(line), -E2BIG);
    assert_non_null(strstr(output, "18 words"));
}

static void test_every_command_refuses_surplus_arguments(void **state)
{
    const struct command *cmd;
    char line[512];

    (void)state;
    for (unsigned i = 0; (cmd = mterm_command_at(i)) != NULL; i++) {
        for (unsigned v = 0; v < cmd->verb_count; v++) {
            const struct command_verb *verb = &cmd->verbs[v];

            if (verb->max_args == COMMAND_ARGS_MAX)
                continue;
            snprintf(line, sizeof(line), "%s %s", cmd->name, verb->name);
            for (int a = 0; a <= verb->max_args; a++)
                strcat(line, " x");
            assert_says(line, -EINVAL, "one argument too many", "usage: ");
            if (verb->min_args > 0) {
                snprintf(line, sizeof(line), "%s %s", cmd->name, verb->name);
                assert_says(line, -EINVAL, "argument missing", "usage: ");
            }
        }
    }
}

static void test_help_lists_everything(void **state)
{
    const struct command *cmd;

    (void)state;
    assert_int_equal(run("help"), 0);
    for (unsigned i = 0; (cmd = mterm_command_at(i)) != NULL; i++) {
        char group[64];

        snprintf(group, sizeof(group), "%s:\n", cmd->group);
        assert_non_null(strstr(output, cmd->name));
        assert_ptr_equal(strstr(strstr(output, group) + 1, group), NULL);
    }
    assert_int_equal(run("help probe"), 0);
    assert_non_null(strstr(output, "  probe two A B [C]"));
    assert_int_equal(run("help nonsense"), -ENOENT);
}

static int script(const char *text)
{
    reset(NULL);
    return command_script(&term, text, strlen(text));
}

static void test_script(void **state)
{
    (void)state;
    assert_int_equal(script("# comment\n\n  probe none \r\nprobe two a b"), 0);
    assert_int_equal(probe_runs, 2);
    assert_string_equal(output, "");
    assert_int_equal(script(""), 0);
    assert_int_equal(script("\n\n#"), 0);
}

static void test_script_stops_at_a_failure(void **state)
{
    (void)state;
    assert_int_equal(script("probe none\nnonsense\nprobe none\n"), -ENOENT);
    assert_int_equal(probe_runs, 1);
    assert_non_null(strstr(output, "line 2 failed"));
    assert_int_equal(script("-nonsense\nprobe none\n"), 0);
    assert_int_equal(probe_runs, 1);
    assert_non_null(strstr(output, "going on"));
}

static void test_script_refuses_what_is_no_text(void **state)
{
    char text[2048];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(script(text), -EINVAL);
    reset(NULL);
    assert_int_equal(command_script(&term, "probe\0none\n", 11), -EINVAL);
    assert_int_equal(probe_runs, 0);
}

static void test_script_can_be_interrupted(void **state)
{
    static const char text[] = "probe none\n";

    (void)state;
    interrupted = true;
    assert_int_equal(command_script(&term, text, strlen(text)), -EINTR);
    assert_int_equal(probe_runs, 0);
}

/* Every text as a script: prints what it likes, but ends. */
static void test_script_noise(void **state)
{
    static const char alphabet[] = "ab -#'\"\\\n\r\t\0probe none two";
    uint32_t seed = 1;
    char text[300];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t size = seed % sizeof(text);

        for (size_t i = 0; i < size; i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        seed = seed * 1664525 + 1013904223;
        reset(NULL);
        (void)command_script(&term, text, size);
    }
}

static void test_durations(void **state)
{
    char buf[32];

    (void)state;
    mterm_duration(0, buf, sizeof(buf));
    assert_string_equal(buf, "0.000 s");
    mterm_duration(59999000000ULL, buf, sizeof(buf));
    assert_string_equal(buf, "59.999 s");
    mterm_duration(3661ULL * 1000000000, buf, sizeof(buf));
    assert_string_equal(buf, "1:01:01");
    mterm_duration(UINT64_MAX, buf, sizeof(buf));
    assert_string_equal(buf, "5124095:34:33");
}

static void test_grep(void **state)
{
    (void)state;
    assert_int_equal(run("say | grep an"), 0);
    assert_string_equal(output, "banana\ncan\n");
    assert_int_equal(run("say|grep -v an"), 0);
    assert_string_equal(output, "apple\nLast\n");
    assert_int_equal(run("say | grep -i LAST"), 0);
    assert_string_equal(output, "Last\n");
    assert_int_equal(run("say | grep -c a"), 0);
    assert_string_equal(output, "4\n");
    assert_int_equal(run("say | grep -vc an"), 0);
    assert_string_equal(output, "2\n");
    assert_int_equal(run("say | grep a | grep n | grep -v c"), 0);
    assert_string_equal(output, "banana\n");
    assert_int_equal(run("say | grep 'no such'"), -ENOENT);
    assert_string_equal(output, "");
    assert_int_equal(run("say | grep -c zebra"), -ENOENT);
    assert_string_equal(output, "0\n");
    assert_int_equal(run("echo a-v | grep -- -v"), 0);
    assert_string_equal(output, "a-v\n");
    assert_int_equal(run("echo 'a | b & c' | grep '|'"), 0);
    assert_string_equal(output, "a | b & c\n");
}

static void test_long_lines_through_grep(void **state)
{
    (void)state;
    long_line = 3000;
    /* The first 1023 bytes decide for all of it. */
    assert_int_equal(run("say | grep xxy"), 0);
    assert_int_equal(strlen(output), 3001);
    assert_int_equal(run("say | grep yend"), -ENOENT);
    assert_string_equal(output, "");
    assert_int_equal(run("say | grep -v xxy"), 0);
    assert_null(strstr(output, "xxy"));
    long_line = 0;
}

static void test_bad_pipes(void **state)
{
    (void)state;
    assert_says("probe none | more", -EINVAL, "grep [-v]", "WORD");
    assert_says("probe none | grep", -EINVAL, "grep [-v]", "WORD");
    assert_says("probe none | grep -v", -EINVAL, "grep [-v]", "WORD");
    assert_says("probe none | grep -x a", -EINVAL, "grep [-v]", "WORD");
    assert_says("probe none | grep -v --", -EINVAL, "grep [-v]", "WORD");
    assert_says("probe none | grep a b", -EINVAL, "grep [-v]", "WORD");
    assert_says("probe none | grep ''", -EINVAL, "grep [-v]", "WORD");
    assert_says("probe none |", -EINVAL, "grep [-v]", "WORD");
    assert_says("| grep a", -EINVAL, "before", "");
    assert_says("probe none | grep 'a", -EINVAL, "grep [-v]", "WORD");
    assert_says("probe none |grep a|grep a|grep a|grep a|grep a", -E2BIG, "4 times", "");
    assert_says("&", -EINVAL, "stands behind a command", "");
    assert_says("probe none & probe none", -EINVAL, "stands behind a command", "");
    probe_result = -EBUSY;
    assert_int_equal(command_run(&term, strcpy((char[64]){0}, "probe none | grep a")), -EBUSY);
}

/* A command that runs scripts inside each other. */
static int nest_run(struct terminal *t, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    probe_runs++;
    return command_script(t, "nest\n", 5);
}

static const struct command_verb nest_verbs[] = {
    {.name = "", .usage = "", .help = "h", .run = nest_run},
};
static const struct command nest = {
    .name = "nest", .group = "Test", .help = "h", .verbs = nest_verbs, .verb_count = 1};
COMMAND(nest);

static void test_scripts_inside_each_other_end(void **state)
{
    (void)state;
    assert_int_equal(run("nest"), -E2BIG);
    assert_int_equal(probe_runs, 4);
    assert_non_null(strstr(output, "more than 3 commands or scripts"));
    assert_int_equal(term.nested, 0);
}

static void test_watches_inside_each_other_end(void **state)
{
    char deep[] = "watch 1 watch 1 watch 1 watch 1 probe none";
    char fine[] = "watch 1 watch 1 watch 1 probe none";

    (void)state;
    interrupted = true;
    assert_int_equal(command_run(&term, deep), 0);
    assert_int_equal(probe_runs, 0);
    assert_non_null(strstr(output, "more than 3 commands"));
    assert_int_equal(command_run(&term, fine), 0);
    assert_int_equal(probe_runs, 1);
    assert_int_equal(term.nested, 0);
}

static int boot(void **state)
{
    (void)state;
    host_reset();
    return page_add_range(hpa(HOST_RAM_BASE), 16 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_words_and_arguments, reset),
        cmocka_unit_test_setup(test_blank_lines_do_nothing, reset),
        cmocka_unit_test_setup(test_result_of_the_command, reset),
        cmocka_unit_test_setup(test_bad_use_is_explained, reset),
        cmocka_unit_test_setup(test_control_bytes_are_not_echoed, reset),
        cmocka_unit_test_setup(test_too_many_words, reset),
        cmocka_unit_test_setup(test_every_command_refuses_surplus_arguments, reset),
        cmocka_unit_test_setup(test_help_lists_everything, reset),
        cmocka_unit_test_setup(test_script, reset),
        cmocka_unit_test_setup(test_script_stops_at_a_failure, reset),
        cmocka_unit_test_setup(test_script_refuses_what_is_no_text, reset),
        cmocka_unit_test_setup(test_script_can_be_interrupted, reset),
        cmocka_unit_test_setup(test_script_noise, reset),
        cmocka_unit_test_setup(test_durations, reset),
        cmocka_unit_test_setup(test_grep, reset),
        cmocka_unit_test_setup(test_long_lines_through_grep, reset),
        cmocka_unit_test_setup(test_bad_pipes, reset),
        cmocka_unit_test_setup(test_scripts_inside_each_other_end, reset),
        cmocka_unit_test_setup(test_watches_inside_each_other_end, reset),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
