// SPDX-License-Identifier: Apache-2.0
// The shell on the host's console: reads lines, runs commands, keeps log lines out of the line being typed.
#include <hv/chardev.h>
#include <hv/initcall.h>
#include <hv/log.h>
#include <hv/mterm.h>
#include <hv/sched.h>
#include <hv/spinlock.h>
#include <hv/thread.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/lineedit.h>
#include <lib/string.h>

#define PROMPT "mterm> "
#define COLUMNS 80
#define ROWS 24

static struct shell {
    struct chardev *dev;
    struct terminal term;
    struct spinlock lock; /**< of editing and edit, and of what both put on the screen; irqsave */
    bool editing;         /**< the prompt and a line are on the screen */
    struct lineedit edit;
    char history[CONFIG_MTERM_HISTORY][LINEEDIT_SIZE];
    struct mterm_completion completion; /**< the shell's thread only */
} shell;

// Terminal of the commands

static void shell_write(struct terminal *term UNUSED, const char *text, size_t size)
{
    chardev_write(shell.dev, (const uint8_t *)text, size);
}

static int shell_read(struct terminal *term UNUSED, uint64_t timeout_ns)
{
    return chardev_read(shell.dev, timeout_ns);
}

static bool shell_interrupted(struct terminal *term UNUSED)
{
    return chardev_peek_byte(shell.dev, MTERM_INTERRUPT);
}

static bool shell_pending(struct terminal *term UNUSED, uint8_t byte)
{
    return chardev_peek_byte(shell.dev, byte);
}

// The line editor writes with the lock held. The shell waits for room before it feeds the editor, so
// nothing is dropped.
static void shell_put(void *ctx UNUSED, const char *text, size_t size)
{
    chardev_write_nowait(shell.dev, (const uint8_t *)text, size);
}

// Log lines, with their ends, appear above the line that is being typed. Any context.
static void shell_log_sink(const char *text, size_t size)
{
    irqflags_t flags = spin_lock_irqsave(&shell.lock);

    if (shell.editing)
        lineedit_hide(&shell.edit);
    chardev_write_nowait(shell.dev, (const uint8_t *)text, size);
    if (shell.editing)
        lineedit_redraw(&shell.edit);
    spin_unlock_irqrestore(&shell.lock, flags);
}

// Editing

static void begin_line(void)
{
    irqflags_t flags;

    chardev_wait_room(shell.dev);
    flags = spin_lock_irqsave(&shell.lock);
    lineedit_begin(&shell.edit);
    shell.editing = true;
    spin_unlock_irqrestore(&shell.lock, flags);
}

// Takes the finished line out, so that the screen belongs to the command.
static enum lineedit_event feed(uint8_t byte, char *line)
{
    irqflags_t flags = spin_lock_irqsave(&shell.lock);
    enum lineedit_event event = lineedit_feed(&shell.edit, byte);

    if (event == LINEEDIT_EOF)
        shell_put(NULL, "\r\n", 2);
    if (event == LINEEDIT_LINE || event == LINEEDIT_INTERRUPT || event == LINEEDIT_EOF)
        shell.editing = false;
    if (event == LINEEDIT_LINE)
        (void)str_copy(line, lineedit_line(&shell.edit), LINEEDIT_SIZE);
    spin_unlock_irqrestore(&shell.lock, flags);
    return event;
}

static void insert(const char *text)
{
    irqflags_t flags = spin_lock_irqsave(&shell.lock);

    (void)lineedit_insert(&shell.edit, text);
    spin_unlock_irqrestore(&shell.lock, flags);
}

// In columns, each as wide as the longest word.
static void print_words(const struct mterm_completion *completion)
{
    const char *end = completion->words + completion->used;
    unsigned width = 1, column = 0;

    for (const char *word = completion->words; word < end; word += strlen(word) + 1)
        width = MAX(width, (unsigned)strlen(word) + 2);
    for (const char *word = completion->words; word < end; word += strlen(word) + 1) {
        if (column > 0 && column + width > COLUMNS) {
            term_printf(&shell.term, "\n");
            column = 0;
        }
        term_printf(&shell.term, "%-*s", (int)width, word);
        column += width;
    }
    term_printf(&shell.term, "\n");
}

static void list_words(const struct mterm_completion *completion)
{
    irqflags_t flags = spin_lock_irqsave(&shell.lock);

    lineedit_hide(&shell.edit);
    shell.editing = false;
    spin_unlock_irqrestore(&shell.lock, flags);

    print_words(completion);

    chardev_wait_room(shell.dev);
    flags = spin_lock_irqsave(&shell.lock);
    shell.editing = true;
    lineedit_redraw(&shell.edit);
    spin_unlock_irqrestore(&shell.lock, flags);
}

static void complete(void)
{
    struct mterm_completion *completion = &shell.completion;
    const char *rest;

    // Only this thread changes the line, so it may be read without the lock.
    mterm_complete(lineedit_line(&shell.edit), lineedit_cursor(&shell.edit), completion);
    if (completion->count == 0) {
        shell_put(NULL, "\a", 1);
        return;
    }
    rest = completion->common + MIN(completion->prefix, strlen(completion->common));
    if (*rest != '\0')
        insert(rest);
    if (completion->count == 1 && !completion->more)
        insert(" ");
    else if (*rest == '\0' && completion->count > 1)
        list_words(completion);
}

// Running

static void run(char *line)
{
    (void)command_run(&shell.term, line);
    if (chardev_discard_through(shell.dev, MTERM_INTERRUPT))
        term_printf(&shell.term, "^C\n");
}

static int startup_thread(void *arg UNUSED)
{
    mterm_startup();
    return 0;
}

static void start_startup(void)
{
    struct thread *thread;
    int err = thread_create("startup", startup_thread, NULL, SCHED_PRIORITY_DEFAULT, 0, &thread);

    if (err == 0) {
        thread_detach(thread);
        err = thread_start(thread);
    }
    if (err < 0)
        log_error("start-up script: %s", error_name(err));
}

static int shell_thread(void *arg UNUSED)
{
    static char line[LINEEDIT_SIZE];
    int byte;

    begin_line();
    mterm_mark_prompt();
    start_startup();
    while ((byte = chardev_read(shell.dev, WAIT_FOREVER)) >= 0) {
        chardev_wait_room(shell.dev);
        switch (feed((uint8_t)byte, line)) {
        case LINEEDIT_LINE:
            run(line);
            begin_line();
            break;
        case LINEEDIT_INTERRUPT:
        case LINEEDIT_EOF:
            begin_line();
            break;
        case LINEEDIT_COMPLETE:
            complete();
            break;
        case LINEEDIT_CLEAR:
        case LINEEDIT_NONE:
            break;
        }
    }
    return byte;
}

int mterm_start(void)
{
    struct thread *thread;
    int err;

    // The boot bundle may have brought a /vmm node meanwhile.
    (void)chardev_choose_console();
    shell.dev = chardev_console();
    if (shell.dev == NULL) {
        log_warn("no console: mterm has no shell");
        start_startup();
        return 0;
    }
    shell.term = (struct terminal){
        .write = shell_write,
        .read = shell_read,
        .interrupted = shell_interrupted,
        .pending = shell_pending,
        .crlf = true,
        .columns = COLUMNS,
        .rows = ROWS,
    };
    spin_init(&shell.lock);
    lineedit_init(&shell.edit, shell_put, NULL);
    lineedit_set_prompt(&shell.edit, PROMPT);
    lineedit_set_width(&shell.edit, COLUMNS);
    lineedit_set_history(&shell.edit, shell.history, ARRAY_SIZE(shell.history));
    log_set_sink(shell_log_sink);

    err = thread_create("mterm", shell_thread, NULL, SCHED_PRIORITY_SHELL, 0, &thread);
    if (err == 0)
        err = thread_start(thread);
    return err;
}
INITCALL(INITCALL_LATE, mterm_start);
