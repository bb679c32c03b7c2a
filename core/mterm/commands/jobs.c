// SPDX-License-Identifier: Apache-2.0
// Command jobs: commands that run in the background.
#include <hv/mterm.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/parse.h>
#include <lib/string.h>

typedef unsigned long long ull;

static void print_job(struct terminal *term, const struct mterm_job *job)
{
    term_printf(term, "%4u %-24s %8llu ", job->id,
                job->running      ? "running"
                : job->result < 0 ? error_name(job->result)
                                  : "done",
                (ull)job->bytes);
    term_puts_escaped(term, job->line, strlen(job->line));
    term_printf(term, "\n");
}

static int jobs_list_run(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct mterm_job job = {.id = 0};

    term_printf(term, " JOB STATE                      OUTPUT COMMAND\n");
    while (!term_interrupted(term) && mterm_job_next(job.id, &job))
        print_job(term, &job);
    return 0;
}

static int no_job(struct terminal *term, int err, const char *text)
{
    (void)mterm_error(term, err, "job", text);
    if (err != -EALREADY && err != -EINTR && err != -ETIMEDOUT)
        term_printf(term, "\"jobs\" lists them\n");
    return err;
}

static int jobs_output_run(struct terminal *term, int argc UNUSED, char **argv)
{
    uint32_t id;
    int err = parse_u32(argv[0], &id);

    if (err == 0)
        err = mterm_job_output(id, term);
    return err < 0 ? no_job(term, err, argv[0]) : 0;
}

static int jobs_stop_run(struct terminal *term, int argc UNUSED, char **argv)
{
    uint32_t id;
    int result;
    int err = parse_u32(argv[0], &id);

    if (err == 0)
        err = mterm_job_stop(id);
    if (err == 0)
        err = mterm_job_wait(id, term, MTERM_WAIT_NS, &result);
    return err < 0 ? no_job(term, err, argv[0]) : 0;
}

static int wait_all(struct terminal *term)
{
    struct mterm_job job = {.id = 0};
    int result, failed = 0;

    while (mterm_job_next(job.id, &job)) {
        int err = mterm_job_wait(job.id, term, WAIT_FOREVER, &result);

        if (err == -EINTR)
            return err;
        if (err == 0 && result < 0)
            failed = result;
    }
    return failed;
}

static int jobs_wait_run(struct terminal *term, int argc, char **argv)
{
    uint32_t id;
    int err, result = 0;

    if (argc == 0)
        return wait_all(term);
    err = parse_u32(argv[0], &id);
    if (err == 0)
        err = mterm_job_wait(id, term, WAIT_FOREVER, &result);
    return err < 0 ? no_job(term, err, argv[0]) : result;
}

static int jobs_clear_run(struct terminal *term UNUSED, int argc UNUSED, char **argv UNUSED)
{
    mterm_job_clear();
    return 0;
}

static const struct command_verb jobs_verbs[] = {
    {
        .name = "",
        .usage = "",
        .help = "commands in the background",
        .run = jobs_list_run,
    },
    {
        .name = "output",
        .usage = "JOB",
        .help = "what it has printed lately",
        .min_args = 1,
        .max_args = 1,
        .run = jobs_output_run,
    },
    {
        .name = "stop",
        .usage = "JOB",
        .help = "end it, as Ctrl-C would",
        .min_args = 1,
        .max_args = 1,
        .run = jobs_stop_run,
    },
    {
        .name = "wait",
        .usage = "[JOB]",
        .help = "wait for its end, or for all; fails as it did",
        .max_args = 1,
        .run = jobs_wait_run,
    },
    {
        .name = "clear",
        .usage = "",
        .help = "forget those that have ended",
        .run = jobs_clear_run,
    },
};
static const struct command jobs = {
    .name = "jobs",
    .group = "Shell",
    .help = "commands in the background",
    .details = "\"COMMAND &\" runs a command in the background: it has no keyboard, and its latest\n"
               "16 KiB of output are kept. Its end is told before the next prompt, or in the log\n"
               "when a script had started it.\n",
    .verbs = jobs_verbs,
    .verb_count = ARRAY_SIZE(jobs_verbs),
};
COMMAND(jobs);
