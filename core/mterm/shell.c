// SPDX-License-Identifier: Apache-2.0
// A shell on a character device: reads lines, runs commands, keeps log lines out of the line being typed.
#include <hv/chardev.h>
#include <hv/heap.h>
#include <hv/log.h>
#include <hv/sched.h>
#include <hv/spinlock.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "mterm_internal.h"

#define PROMPT "mterm> "
#define COLUMNS 80
#define ROWS 24

// Terminal of the commands

static void shell_write(struct terminal *term, const char *text, size_t size)
{
    struct mterm *shell = term->priv;

    pager_write(&shell->pager, text, size);
}

static int shell_read(struct terminal *term, uint64_t timeout_ns)
{
    struct mterm *shell = term->priv;

    return chardev_read(shell->dev, timeout_ns);
}

static bool shell_interrupted(struct terminal *term)
{
    struct mterm *shell = term->priv;

    return shell->pager.quit || chardev_peek_byte(shell->dev, MTERM_INTERRUPT);
}

static bool shell_pending(struct terminal *term, uint8_t byte)
{
    struct mterm *shell = term->priv;

    return chardev_peek_byte(shell->dev, byte);
}

// The line editor writes with the lock held. The shell waits for room before it feeds the editor, so
// nothing is dropped.
static void shell_put(void *ctx, const char *text, size_t size)
{
    struct mterm *shell = ctx;

    chardev_write_nowait(shell->dev, (const uint8_t *)text, size);
}

static void shell_put_text(struct mterm *shell, const char *text)
{
    shell_put(shell, text, strlen(text));
}

// Log lines, with their ends, appear above the line that is being typed, or above the pager's prompt.
void mterm_log_line(struct mterm *shell, const char *text, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&shell->lock);

    if (!shell->follows_log) {
        if (shell->editing)
            lineedit_hide(&shell->edit);
        else if (shell->pager.waiting)
            shell_put_text(shell, "\r\x1b[K");
        shell_put(shell, text, size);
        if (shell->editing)
            lineedit_redraw(&shell->edit);
        else if (shell->pager.waiting)
            shell_put_text(shell, PAGER_PROMPT);
    }
    spin_unlock_irqrestore(&shell->lock, flags);
}

void mterm_log_follow(struct terminal *term, bool on)
{
    struct mterm *shell = term->shell;
    irqflags_t flags;

    if (shell == NULL)
        return;
    flags = spin_lock_irqsave(&shell->lock);
    shell->follows_log = on;
    spin_unlock_irqrestore(&shell->lock, flags);
}

void mterm_pager_prompt(struct pager *pager, bool shown)
{
    struct mterm *shell = container_of(pager, struct mterm, pager);
    irqflags_t flags;

    chardev_wait_room(shell->dev);
    flags = spin_lock_irqsave(&shell->lock);
    pager->waiting = shown;
    shell_put_text(shell, shown ? PAGER_PROMPT : "\r\x1b[K");
    spin_unlock_irqrestore(&shell->lock, flags);
}

// Editing

static void begin_line(struct mterm *shell)
{
    irqflags_t flags;

    mterm_jobs_tell(shell);
    chardev_wait_room(shell->dev);
    flags = spin_lock_irqsave(&shell->lock);
    lineedit_begin(&shell->edit);
    shell->editing = true;
    spin_unlock_irqrestore(&shell->lock, flags);
}

// Takes the finished line out, so that the screen belongs to the command.
static enum lineedit_event feed(struct mterm *shell, uint8_t byte)
{
    irqflags_t flags = spin_lock_irqsave(&shell->lock);
    enum lineedit_event event = lineedit_feed(&shell->edit, byte);

    if (event == LINEEDIT_EOF)
        shell_put_text(shell, "\r\n");
    if (event == LINEEDIT_LINE || event == LINEEDIT_INTERRUPT || event == LINEEDIT_EOF)
        shell->editing = false;
    if (event == LINEEDIT_LINE)
        (void)str_copy(shell->line, lineedit_line(&shell->edit), sizeof(shell->line));
    spin_unlock_irqrestore(&shell->lock, flags);
    return event;
}

static void insert(struct mterm *shell, const char *text)
{
    irqflags_t flags = spin_lock_irqsave(&shell->lock);

    (void)lineedit_insert(&shell->edit, text);
    spin_unlock_irqrestore(&shell->lock, flags);
}

// In columns, each as wide as the longest word.
static void print_words(struct mterm *shell)
{
    const struct mterm_completion *completion = &shell->completion;
    const char *end = completion->words + completion->used;
    unsigned width = 1, column = 0;

    for (const char *word = completion->words; word < end; word += strlen(word) + 1)
        width = MAX(width, (unsigned)strlen(word) + 2);
    for (const char *word = completion->words; word < end; word += strlen(word) + 1) {
        if (column > 0 && column + width > COLUMNS) {
            term_printf(&shell->term, "\n");
            column = 0;
        }
        term_printf(&shell->term, "%-*s", (int)width, word);
        column += width;
    }
    term_printf(&shell->term, "\n");
}

static void list_words(struct mterm *shell)
{
    irqflags_t flags = spin_lock_irqsave(&shell->lock);

    lineedit_hide(&shell->edit);
    shell->editing = false;
    spin_unlock_irqrestore(&shell->lock, flags);

    print_words(shell);

    chardev_wait_room(shell->dev);
    flags = spin_lock_irqsave(&shell->lock);
    shell->editing = true;
    lineedit_redraw(&shell->edit);
    spin_unlock_irqrestore(&shell->lock, flags);
}

static void complete(struct mterm *shell)
{
    struct mterm_completion *completion = &shell->completion;
    const char *rest;

    // Only this thread changes the line, so it may be read without the lock.
    mterm_complete(lineedit_line(&shell->edit), lineedit_cursor(&shell->edit), completion);
    if (completion->count == 0) {
        shell_put_text(shell, "\a");
        return;
    }
    rest = completion->common + MIN(completion->prefix, strlen(completion->common));
    if (*rest != '\0')
        insert(shell, rest);
    if (completion->count == 1 && !completion->more)
        insert(shell, " ");
    else if (*rest == '\0' && completion->count > 1)
        list_words(shell);
}

// Running

static void run(struct mterm *shell)
{
    pager_begin(&shell->pager, shell->dev, COLUMNS, shell->page_rows);
    (void)command_run(&shell->term, shell->line);
    pager_end(&shell->pager);
    shell->pager.quit = false;
    if (chardev_discard_through(shell->dev, MTERM_INTERRUPT))
        term_printf(&shell->term, "^C\n");
}

static int shell_thread(void *arg)
{
    struct mterm *shell = arg;
    int byte;

    begin_line(shell);
    if (shell->ready != NULL)
        shell->ready();
    while ((byte = chardev_read(shell->dev, WAIT_FOREVER)) >= 0) {
        chardev_wait_room(shell->dev);
        switch (feed(shell, (uint8_t)byte)) {
        case LINEEDIT_LINE:
            run(shell);
            begin_line(shell);
            break;
        case LINEEDIT_INTERRUPT:
        case LINEEDIT_EOF:
            begin_line(shell);
            break;
        case LINEEDIT_COMPLETE:
            complete(shell);
            break;
        case LINEEDIT_CLEAR:
        case LINEEDIT_NONE:
            break;
        }
    }
    return byte;
}

struct mterm *mterm_create(struct chardev *dev, void (*ready)(void))
{
    struct mterm *shell = heap_zalloc(sizeof(*shell));

    if (shell == NULL)
        return NULL;
    shell->dev = dev;
    shell->ready = ready;
    shell->term = (struct terminal){
        .write = shell_write,
        .read = shell_read,
        .interrupted = shell_interrupted,
        .pending = shell_pending,
        .crlf = true,
        .columns = COLUMNS,
        .rows = ROWS,
        .shell = shell,
        .priv = shell,
    };
    spin_init(&shell->lock);
    pager_begin(&shell->pager, dev, COLUMNS, 0);
    lineedit_init(&shell->edit, shell_put, shell);
    lineedit_set_prompt(&shell->edit, PROMPT);
    lineedit_set_width(&shell->edit, COLUMNS);
    lineedit_set_history(&shell->edit, shell->history, ARRAY_SIZE(shell->history));
    return shell;
}

int mterm_open(struct mterm *shell, const char *name)
{
    struct thread *thread;
    int err = thread_create(name, shell_thread, shell, SCHED_PRIORITY_SHELL, 0, &thread);
    if (err == 0)
        err = thread_start(thread);
    return err;
}

// For commands

void mterm_live(struct terminal *term)
{
    if (term->shell != NULL)
        pager_end(&term->shell->pager);
}

const char *mterm_history(const struct mterm *shell, unsigned back)
{
    return lineedit_history(&shell->edit, back);
}

unsigned mterm_page_rows(const struct mterm *shell)
{
    return shell->page_rows;
}

void mterm_set_page_rows(struct mterm *shell, unsigned rows)
{
    shell->page_rows = rows;
    if (rows > 0)
        shell->term.rows = rows;
}
