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

#define ROUNDS 100000

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

static void fake_write(struct terminal *term, const char *text, size_t size)
{
    (void)term;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = (uint8_t)text[i];

        harmful += (c < 0x20 && c != '\n') || c == 0x7f || (c >= 0x80 && c <= 0x9f);
    }
    printed += size;
}

static bool fake_interrupted(struct terminal *term)
{
    (void)term;
    return random_below(50) == 0;
}

static struct terminal term = {
    .write = fake_write, .interrupted = fake_interrupted, .columns = 80, .rows = 24};

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
    (void)command_run(&term, line);
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
            (void)command_run(&term, line);
        *created += guest_count() > 0;
    }
    end_jobs();
    destroy_all();
    assert_int_equal(guest_count(), 0);
    assert_int_equal(heap_objects(), objects);
    assert_int_equal(free_pages(), pages);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};

    return cmocka_run_group_tests(tests, boot, NULL);
}
