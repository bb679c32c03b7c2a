// SPDX-License-Identifier: Apache-2.0
// Which devices get a shell.
#include <hv/chardev.h>
#include <hv/dt.h>
#include <hv/initcall.h>
#include <hv/log.h>
#include <hv/mterm.h>
#include <hv/sched.h>
#include <hv/thread.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

/** Beyond these, entries of bulkhead,consoles are refused. */
#define CONSOLES_MAX 8

/** The shell on the console, above whose line the log appears. */
static struct mterm *console_shell;

static void console_log(const char *text, size_t size)
{
    mterm_log_line(console_shell, text, size);
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

static void console_ready(void)
{
    mterm_mark_prompt();
    start_startup();
}

// Where a string of the list names a device without a shell, that device gets one.
static void open_console(struct chardev *dev, const char *path, struct chardev **used,
                         unsigned *count)
{
    struct mterm *shell;
    char name[32];
    int err = -ENOMEM;

    for (unsigned i = 0; i < *count; i++)
        if (used[i] == dev)
            return;
    if (dev == NULL || *count == CONSOLES_MAX) {
        log_error("/vmm: bulkhead,consoles \"%s\" is %s", path,
                  dev == NULL ? "no character device" : "one too many");
        return;
    }
    used[(*count)++] = dev;
    (void)fmt_snprintf(name, sizeof(name), "mterm%u", *count - 1);
    shell = mterm_create(dev, NULL);
    if (shell != NULL)
        err = mterm_open(shell, name);
    if (err < 0)
        log_error("mterm on %s: %s", chardev_name(dev), error_name(err));
}

static void open_more(const struct dt_node *vmm)
{
    struct chardev *used[CONSOLES_MAX] = {chardev_console()};
    unsigned count = 1;
    const char *path;

    for (unsigned i = 0; dt_get_string_at(vmm, "bulkhead,consoles", i, &path) == 0; i++) {
        const struct dt_node *node = dt_find(path);

        open_console(node == NULL ? NULL : chardev_find(node), path, used, &count);
    }
}

int mterm_start(void)
{
    const struct dt_node *vmm = dt_find("/vmm");
    int err;

    // The boot bundle may have brought a /vmm node meanwhile.
    (void)chardev_choose_console();
    if (chardev_console() == NULL) {
        log_warn("no console: mterm has no shell");
        start_startup();
        return 0;
    }
    console_shell = mterm_create(chardev_console(), console_ready);
    if (console_shell == NULL)
        return -ENOMEM;
    log_set_sink(console_log);
    err = mterm_open(console_shell, "mterm");
    if (err < 0)
        return err;
    if (vmm != NULL)
        open_more(vmm);
    return 0;
}
INITCALL(INITCALL_SHELL, mterm_start);
