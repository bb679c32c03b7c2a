// SPDX-License-Identifier: Apache-2.0
// Lines of noise and of half-right commands, while guests come and go: each ends, and nothing that is printed harms a terminal.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/guest.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <hv/mterm.h>
#include <hv/page.h>
#include <hv/upcall.h>
#include <lib/args.h>
#include <lib/errno.h>
#include <port/host.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 40000
/* Of each verb of each command. */
#define VERB_ROUNDS 60

/* From the tests of guests. */
struct fixture_edit;
int fixture_init(void);
int fixture_bundle(const char *name, const void *data, size_t size);
int fixture_tree(const struct fixture_edit *edits, unsigned count);
void fixture_run(void (*fn)(void *arg), void *arg);

static uint32_t seed = 20;

static uint32_t random_below(uint32_t bound)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % bound;
}

/* Terminal that looks at every byte. */

static size_t printed;
static unsigned harmful;
static char answer[8192]; /* the beginning of what the last command printed */
static size_t answer_size;

static void fake_write(struct terminal *term, const char *text, size_t size)
{
    (void)term;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = (uint8_t)text[i];

        harmful += (c < 0x20 && c != '\n') || c == 0x7f || (c >= 0x80 && c <= 0x9f);
    }
    printed += size;
    if (size > sizeof(answer) - 1 - answer_size)
        size = sizeof(answer) - 1 - answer_size;
    memcpy(answer + answer_size, text, size);
    answer_size += size;
    answer[answer_size] = '\0';
}

static bool fake_interrupted(struct terminal *term)
{
    (void)term;
    return random_below(50) == 0;
}

static struct terminal term = {
    .write = fake_write, .interrupted = fake_interrupted, .columns = 80, .rows = 24};

static int run_line(char *line)
{
    answer_size = 0;
    answer[0] = '\0';
    return command_run(&term, line);
}

static struct terminal patient = {.write = fake_write, .columns = 80, .rows = 24};

/* Lines */

static const char *const words[] = {
    "help",
    "version",
    "host",
    "info",
    "cpu",
    "irq",
    "memory",
    "guest",
    "create",
    "destroy",
    "kick",
    "reset",
    "pause",
    "resume",
    "halt",
    "list",
    "info",
    "vcpu",
    "regs",
    "thread",
    "vserial",
    "attach",
    "dump",
    "devtree",
    "show",
    "log",
    "level",
    "error",
    "linux0",
    "copy",
    "basic",
    "linux0/0",
    "linux0/1",
    "linux0/vcpu1",
    "linux0/99",
    "copy/0",
    "0",
    "1",
    "2",
    "3",
    "4294967296",
    "-1",
    "/",
    "/guests",
    "/guests/linux0",
    "//",
    "0x1",
    "worker",
    "''",
    "\"a b\"",
    "linux0/",
    "/0",
    "\x1b[6n",
    "%s%n",
    "\\",
    "'",
};

/* What mostly makes sense, so that guests do run. */
static const char *const sentences[] = {
    "guest create linux0",  "guest create copy basic",
    "guest kick linux0",    "guest kick copy",
    "guest pause linux0",   "guest resume linux0",
    "guest halt linux0",    "guest reset linux0",
    "guest destroy linux0", "guest destroy copy",
    "vcpu pause linux0/0",  "vcpu resume linux0/0",
    "vcpu halt linux0/0",   "vcpu reset linux0/0",
    "vcpu kick linux0/0",   "vcpu regs linux0/0",
    "vcpu kick linux0/1",   "vcpu regs linux0/1",
    "guest list",           "guest info linux0",
    "vcpu list linux0",     "vcpu info linux0/0",
    "vcpu halt 1",          "host memory",
};

static void make_words(char *line)
{
    line[0] = '\0';
    for (uint32_t n = random_below(6); n > 0; n--) {
        strcat(line, words[random_below(sizeof(words) / sizeof(words[0]))]);
        if (random_below(20) != 0)
            strcat(line, " ");
    }
}

static void make_noise(char *line)
{
    uint32_t size = random_below(200);

    for (uint32_t i = 0; i < size; i++)
        line[i] = (char)(1 + random_below(255));
    line[size] = '\0';
}

static void make_line(char *line)
{
    switch (random_below(16)) {
    case 0:
    case 1:
        make_noise(line);
        break;
    case 2:
        strcpy(line, sentences[random_below(sizeof(sentences) / sizeof(sentences[0]))]);
        if (random_below(10) == 0)
            line[random_below((uint32_t)strlen(line))] = (char)(1 + random_below(255));
        break;
    default:
        make_words(line);
    }
}

/* These stop the machine, as they should; test_shell.c has them. */
static bool stops_machine(const char *line)
{
    char copy[512], *argv[18];
    int argc;

    strcpy(copy, line);
    argc = args_split(copy, argv, 18);
    return argc == 1 && (strcmp(argv[0], "reset") == 0 || strcmp(argv[0], "shutdown") == 0);
}

static void guest_code(struct vcpu *vcpu)
{
    hv_vcpu_wait(vcpu);
}

static uint64_t free_pages(void)
{
    struct page_stats stats;

    page_get_stats(&stats);
    return stats.free;
}

static uint64_t heap_objects(void)
{
    struct heap_stats stats;

    heap_get_stats(&stats);
    return stats.objects;
}

static void run(const char *text)
{
    char line[512];

    strcpy(line, text);
    (void)run_line(line);
}

static int pick_first(struct guest *guest, void *arg)
{
    *(struct guest **)arg = guest;
    return 1;
}

/* Any word may have become the name of a guest. */
static void destroy_all(void)
{
    struct guest *guest;

    while (guest_for_each(pick_first, &guest) == 1)
        assert_int_equal(guest_destroy(guest), 0);
}

/* Noise may hold a "&". */
static void end_jobs(void)
{
    struct mterm_job job = {.id = 0};
    int result;

    while (mterm_job_next(job.id, &job)) {
        (void)mterm_job_stop(job.id);
        assert_int_equal(mterm_job_wait(job.id, &patient, UINT64_MAX, &result), 0);
    }
    mterm_job_clear();
    assert_false(mterm_job_next(0, &job));
}

static void fuzz(void *arg)
{
    unsigned *created = arg;
    uint64_t objects, pages;
    char line[512];

    run("guest create linux0");
    run("guest create copy basic");
    destroy_all();
    objects = heap_objects();
    pages = free_pages();
    for (unsigned round = 0; round < ROUNDS; round++) {
        make_line(line);
        if (!stops_machine(line))
            (void)run_line(line);
        *created += guest_count() > 0;
    }
    end_jobs();
    destroy_all();
    assert_int_equal(guest_count(), 0);
    assert_int_equal(heap_objects(), objects);
    assert_int_equal(free_pages(), pages);
}

/* Each verb of each command */

static const char *const hostile[] = {
    "",
    "0",
    "1",
    "-1",
    "0x",
    "0xffffffffffffffff",
    "18446744073709551615",
    "18446744073709551616",
    "4294967295",
    "1e9",
    "0.1",
    ".",
    "..",
    "/",
    "//",
    "/guests",
    "/guests/linux0",
    "/guests/../guests",
    "/no/such/node",
    "linux0",
    "linux0/0",
    "linux0/-1",
    "linux0/18446744073709551616",
    "linux0/uart0",
    "basic",
    "off",
    "on",
    "info",
    "--",
    "-v",
    "a b",
    "'\"\\|&#",
    "%s%n%p",
    "\x1b[6n\x9b\x07\x7f",
    "\xff\xfe\xc2\x9b",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "0-63",
    "3-1",
    "0,",
    "99",
};

#define HOSTILE_COUNT (sizeof(hostile) / sizeof(hostile[0]))

/* These do what they should, and end the test: they stop the machine. */
static bool verb_stops_machine(const struct command *cmd)
{
    return strcmp(cmd->name, "reset") == 0 || strcmp(cmd->name, "shutdown") == 0;
}

/* From one argument too few to one too many, as far as a line holds them. */
static int make_use(const struct command *cmd, const struct command_verb *verb, char *line,
                    size_t size)
{
    char *argv[2 + COMMAND_ARGS_MAX] = {(char *)cmd->name, (char *)verb->name};
    int first = verb->name[0] == '\0' ? 1 : 2;
    int least = verb->min_args > 0 ? verb->min_args - 1 : 0;
    int most = verb->max_args < COMMAND_ARGS_MAX ? verb->max_args + 1 : COMMAND_ARGS_MAX;
    int argc = least + (int)random_below((uint32_t)(most - least + 1));

    /* Long lists are no better than short ones. */
    if (argc > verb->min_args + 6)
        argc = verb->min_args + 6;
    for (int i = 0; i < argc; i++)
        argv[first + i] = (char *)hostile[random_below(HOSTILE_COUNT)];
    assert_int_equal(args_join(line, size, first + argc, argv), 0);
    return argc;
}

static void use_verb(const struct command *cmd, const struct command_verb *verb)
{
    char line[2048], copy[2048];

    for (unsigned round = 0; round < VERB_ROUNDS; round++) {
        int argc = make_use(cmd, verb, line, sizeof(line));
        int err;

        strcpy(copy, line);
        err = run_line(copy);
        if (argc >= verb->min_args && argc <= verb->max_args) {
            if (err < 0 && err != -EINTR && err != -ENOENT && answer_size == 0)
                fail_msg("%s failed without a word: %d", line, err);
        } else if (strstr(answer, "usage") == NULL) {
            fail_msg("%s printed no usage but:\n%s", line, answer);
        }
    }
}

static void use_all(void *arg)
{
    const struct command *cmd;

    (void)arg;
    for (unsigned i = 0; (cmd = mterm_command_at(i)) != NULL; i++) {
        if (verb_stops_machine(cmd))
            continue;
        run("guest create linux0");
        run("guest kick linux0");
        for (unsigned v = 0; v < cmd->verb_count; v++)
            use_verb(cmd, &cmd->verbs[v]);
        end_jobs();
        destroy_all();
    }
}

static void test_each_verb(void **state)
{
    (void)state;
    fixture_run(use_all, NULL);
    assert_int_equal(harmful, 0);
}

/* A heap without a byte: commands say so, and what gives memory back still works. */

struct hoard {
    struct hoard *next;
};

static struct hoard *take_all(void)
{
    struct hoard *all = NULL;

    for (size_t size = 1 << 20; size >= sizeof(*all); size /= 2) {
        struct hoard *piece;

        while ((piece = heap_alloc(size)) != NULL) {
            piece->next = all;
            all = piece;
        }
    }
    return all;
}

static void give_back(struct hoard *all)
{
    while (all != NULL) {
        struct hoard *next = all->next;

        heap_free(all);
        all = next;
    }
}

static void use_without_memory(const struct command *cmd)
{
    char line[2048];

    for (unsigned v = 0; v < cmd->verb_count; v++) {
        for (unsigned round = 0; round < 4; round++) {
            int err;

            (void)make_use(cmd, &cmd->verbs[v], line, sizeof(line));
            err = run_line(line);
            if (err == -ENOMEM && answer_size == 0)
                fail_msg("%s %s: out of memory without a word", cmd->name, cmd->verbs[v].name);
        }
    }
}

static void exhaust(void *arg)
{
    const struct command *cmd;
    struct hoard *all;

    (void)arg;
    run("guest create linux0");
    run("guest kick linux0");
    assert_int_equal(guest_count(), 1);
    all = take_all();
    run("vcpu list");
    assert_non_null(strstr(answer, "ENOMEM"));
    run("help | grep help");
    assert_non_null(strstr(answer, "no memory for \"|\""));
    run("help &");
    assert_non_null(strstr(answer, "ENOMEM"));
    run("guest create copy basic");
    assert_non_null(strstr(answer, "ENOMEM"));
    for (unsigned i = 0; (cmd = mterm_command_at(i)) != NULL; i++)
        if (!verb_stops_machine(cmd) && strcmp(cmd->name, "guest") != 0 &&
            strcmp(cmd->name, "selftest") != 0)
            use_without_memory(cmd);
    assert_int_equal(guest_count(), 1);
    run("guest destroy linux0");
    assert_int_equal(guest_count(), 0);
    give_back(all);
    run("guest create linux0");
    assert_int_equal(guest_count(), 1);
    destroy_all();
    end_jobs();
}

static void test_without_memory(void **state)
{
    (void)state;
    fixture_run(exhaust, NULL);
    assert_int_equal(harmful, 0);
}

/* Lines that no keyboard sends. */
static void test_extreme_lines(void **state)
{
    static char line[65540];

    (void)state;
    for (size_t size = 4095; size <= 65536; size = size < 4096 ? 4096 : size * 16) {
        memset(line, 'x', size);
        line[size] = '\0';
        assert_int_equal(run_line(line), -ENOENT);
        memset(line, ' ', size);
        assert_int_equal(run_line(line), 0);
        memset(line, '|', size);
        assert_true(run_line(line) < 0);
        memset(line, '&', size);
        assert_true(run_line(line) < 0);
        memset(line, '\'', size | 1);
        line[size | 1] = '\0';
        assert_true(run_line(line) < 0);
        if (size == 65536)
            break;
    }
    assert_int_equal(harmful, 0);
}

static void test_lines(void **state)
{
    unsigned created = 0;

    (void)state;
    fixture_run(fuzz, &created);
    assert_int_equal(harmful, 0);
    assert_true(printed > ROUNDS);
    assert_true(created > ROUNDS / 100);
}

static int boot(void **state)
{
    (void)state;
    if (fixture_init() != 0 || fixture_bundle(NULL, NULL, 0) != 0 || fixture_tree(NULL, 0) != 0)
        return -1;
    host_guest_code = guest_code;
    log_set_level(LOG_ERROR);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_each_verb),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_extreme_lines),
    };

    return cmocka_run_group_tests(tests, boot, NULL);
}
