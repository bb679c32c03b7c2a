// SPDX-License-Identifier: Apache-2.0
// Commands in the background: a thread each, their output kept until somebody reads it.
#include <hv/clock.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <hv/sched.h>
#include <hv/spinlock.h>
#include <hv/thread.h>
#include <lib/errno.h>
#include <lib/list.h>
#include <lib/ring.h>
#include <lib/string.h>
#include "mterm_internal.h"

#define JOBS_MAX 16
#define JOB_OUTPUT 16384
#define JOB_POLL_NS 20000000ULL

struct job {
    struct list link;
    struct mterm *shell; /**< whose user started it; NULL: a script */
    char line[LINEEDIT_SIZE];
    char scratch[LINEEDIT_SIZE]; /**< the line as it is taken apart */
    struct terminal term;

    /* Under jobs_lock. */
    unsigned refs; /**< the list, the thread, and who looks at it */
    unsigned id;
    struct thread *thread; /**< NULL: it has ended */
    int result;
    bool told; /**< the end has been announced */
    struct ring output;
    uint64_t lost; /**< oldest bytes given up for newer ones */
    uint8_t memory[JOB_OUTPUT];
};

static struct list jobs = LIST_INIT(jobs);
static struct spinlock jobs_lock = SPINLOCK_INIT;
static unsigned last_id GUARDED_BY(jobs_lock);

static void job_put(struct job *job)
{
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    bool last = --job->refs == 0;

    spin_unlock_irqrestore(&jobs_lock, flags);
    if (last)
        heap_free(job);
}

static struct job *job_get(unsigned id)
{
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    struct job *found = NULL;

    LIST_FOR_EACH(job, &jobs, struct job, link)
        if (job->id == id)
            found = job;
    if (found != NULL)
        found->refs++;
    spin_unlock_irqrestore(&jobs_lock, flags);
    return found;
}

// The job's own terminal

static void job_write(struct terminal *term, const char *text, size_t size)
{
    struct job *job = term->priv;
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);

    for (size_t i = 0; i < size; i++) {
        job->lost += ring_free(&job->output) == 0;
        ring_put_over(&job->output, (uint8_t)text[i]);
    }
    spin_unlock_irqrestore(&jobs_lock, flags);
}

static bool job_interrupted(struct terminal *term UNUSED)
{
    return thread_should_stop();
}

static int job_thread(void *arg)
{
    struct job *job = arg;
    int result = command_run(&job->term, job->scratch);
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    bool silent = job->shell == NULL;
    unsigned id = job->id;

    job->result = result;
    job->thread = NULL;
    spin_unlock_irqrestore(&jobs_lock, flags);
    if (silent)
        log_info("job %u: %s", id, result < 0 ? error_name(result) : "done");
    job_put(job);
    return result;
}

// Takes its number, and its place in the list: the oldest that has ended makes room.
static int job_enlist(struct job *job)
{
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    struct job *ended = NULL;
    unsigned count = 0;

    LIST_FOR_EACH(other, &jobs, struct job, link) {
        count++;
        if (ended == NULL && other->thread == NULL)
            ended = other;
    }
    if (count < JOBS_MAX)
        ended = NULL;
    if (ended != NULL)
        list_remove(&ended->link);
    if (count < JOBS_MAX || ended != NULL) {
        job->refs++;
        job->id = ++last_id;
        list_add_tail(&jobs, &job->link);
    }
    spin_unlock_irqrestore(&jobs_lock, flags);
    if (ended != NULL)
        job_put(ended);
    return job->id != 0 ? 0 : -EAGAIN;
}

static struct job *job_create(struct terminal *term, const char *line)
{
    struct job *job = heap_zalloc(sizeof(*job));

    if (job == NULL)
        return NULL;
    job->refs = 1;
    job->shell = term->shell;
    (void)str_copy(job->line, line, sizeof(job->line));
    (void)str_copy(job->scratch, line, sizeof(job->scratch));
    ring_init(&job->output, job->memory, sizeof(job->memory));
    list_init(&job->link);
    job->term = (struct terminal){
        .write = job_write,
        .interrupted = job_interrupted,
        .columns = term->columns,
        .nested = term->nested,
        .priv = job,
    };
    return job;
}

static int job_begin(struct job *job)
{
    struct thread *thread;
    int err = thread_create("job", job_thread, job, SCHED_PRIORITY_DEFAULT, 0, &thread);

    if (err < 0)
        return err;
    job->thread = thread;
    err = job_enlist(job);
    if (err < 0) {
        (void)thread_join(thread, NULL);
        return err;
    }
    thread_detach(thread);
    return thread_start(thread);
}

int mterm_job_start(struct terminal *term, const char *line)
{
    struct job *job = job_create(term, line);
    unsigned id;
    int err;

    if (job == NULL)
        return mterm_error(term, -ENOMEM, "not in the background:", line);
    // The thread drops its own reference, which may be the last.
    job->refs++;
    err = job_begin(job);
    id = job->id;
    if (err < 0)
        job_put(job);
    job_put(job);
    if (err < 0)
        return mterm_error(term, err, "not in the background:", line);
    term_printf(term, "[%u] in the background\n", id);
    return 0;
}

// For the command jobs

static void job_describe(const struct job *job, struct mterm_job *info) REQUIRES(jobs_lock)
{
    *info = (struct mterm_job){
        .id = job->id,
        .running = job->thread != NULL,
        .result = job->result,
        .bytes = ring_count(&job->output),
        .lost = job->lost,
    };
    (void)str_copy(info->line, job->line, sizeof(info->line));
}

bool mterm_job_next(unsigned after, struct mterm_job *info)
{
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    bool found = false;

    LIST_FOR_EACH(job, &jobs, struct job, link) {
        if (!found && job->id > after) {
            job_describe(job, info);
            found = true;
        }
    }
    spin_unlock_irqrestore(&jobs_lock, flags);
    return found;
}

// A piece of the output from *position on, which moves behind it; positions count all bytes ever written.
static size_t output_copy(struct job *job, uint64_t *position, char *text, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    uint8_t byte;
    size_t n = 0;

    *position = MAX(*position, job->lost);
    while (n < size && ring_peek(&job->output, *position - job->lost, &byte)) {
        text[n++] = (char)byte;
        ++*position;
    }
    spin_unlock_irqrestore(&jobs_lock, flags);
    return n;
}

int mterm_job_output(unsigned id, struct terminal *term)
{
    struct job *job = job_get(id);
    uint64_t position = 0;
    uint64_t end;
    char text[128];
    size_t n;

    if (job == NULL)
        return -ENOENT;
    // A command that goes on writing must not keep this going.
    end = job->lost + ring_count(&job->output);
    if (job->lost > 0)
        term_printf(term, "[%llu bytes before this are lost]\n", (unsigned long long)job->lost);
    while (position < end && !term_interrupted(term) &&
           (n = output_copy(job, &position, text, sizeof(text))) > 0)
        term_write(term, text, n);
    job_put(job);
    return 0;
}

int mterm_job_stop(unsigned id)
{
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    int err = -ENOENT;

    LIST_FOR_EACH(job, &jobs, struct job, link) {
        if (job->id == id) {
            err = job->thread == NULL ? -EALREADY : 0;
            if (job->thread != NULL)
                thread_request_stop(job->thread);
        }
    }
    spin_unlock_irqrestore(&jobs_lock, flags);
    return err;
}

// Running at this moment: 1, no more: 0 with its *result, or gone: -ENOENT.
static int job_poll(unsigned id, int *result)
{
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    int state = -ENOENT;

    LIST_FOR_EACH(job, &jobs, struct job, link) {
        if (job->id == id) {
            state = job->thread != NULL;
            *result = job->result;
        }
    }
    spin_unlock_irqrestore(&jobs_lock, flags);
    return state;
}

int mterm_job_wait(unsigned id, struct terminal *term, uint64_t timeout_ns, int *result)
{
    uint64_t end = clock_now() + MIN(timeout_ns, UINT64_MAX - clock_now());
    int state;

    while ((state = job_poll(id, result)) == 1) {
        int err = clock_now() >= end ? -ETIMEDOUT : mterm_sleep(term, JOB_POLL_NS);

        if (err < 0)
            return err;
    }
    return state;
}

static struct job *take_ended(void)
{
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    struct job *ended = NULL;

    LIST_FOR_EACH(job, &jobs, struct job, link)
        if (job->thread == NULL)
            ended = job;
    if (ended != NULL)
        list_remove(&ended->link);
    spin_unlock_irqrestore(&jobs_lock, flags);
    return ended;
}

void mterm_job_clear(void)
{
    struct job *job;

    while ((job = take_ended()) != NULL)
        job_put(job);
}

static struct job *next_to_tell(const struct mterm *shell)
{
    irqflags_t flags = spin_lock_irqsave(&jobs_lock);
    struct job *found = NULL;

    LIST_FOR_EACH(job, &jobs, struct job, link)
        if (found == NULL && job->shell == shell && job->thread == NULL && !job->told)
            found = job;
    if (found != NULL) {
        found->told = true;
        found->refs++;
    }
    spin_unlock_irqrestore(&jobs_lock, flags);
    return found;
}

void mterm_jobs_tell(struct mterm *shell)
{
    struct job *job;

    while ((job = next_to_tell(shell)) != NULL) {
        term_printf(&shell->term, "[%u] %s: ", job->id,
                    job->result < 0 ? error_name(job->result) : "done");
        term_puts_escaped(&shell->term, job->line, strlen(job->line));
        term_printf(&shell->term, "\n");
        job_put(job);
    }
}
