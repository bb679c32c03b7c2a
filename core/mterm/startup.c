// SPDX-License-Identifier: Apache-2.0
// What runs by itself after start: guests marked for it, then the start-up script of the boot bundle.
#include <hv/bundle.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/log.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/string.h>

#define STARTUP_DEFAULT "startup.mterm"
#define SCRIPT_NAME_MAX 128

/** A terminal whose lines go to the log. */
struct log_terminal {
    struct terminal term;
    size_t count;
    char line[160];
};

static void log_terminal_flush(struct log_terminal *lt)
{
    if (lt->count > 0) {
        lt->line[lt->count] = '\0';
        log_info("startup: %s", lt->line);
        lt->count = 0;
    }
}

static void log_terminal_write(struct terminal *term, const char *text, size_t size)
{
    struct log_terminal *lt = container_of(term, struct log_terminal, term);

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' || lt->count == sizeof(lt->line) - 1)
            log_terminal_flush(lt);
        if (text[i] != '\n')
            lt->line[lt->count++] = text[i];
    }
}

// Whether /vmm names the script. The tree may be changed by whoever sits at a terminal already.
static bool script_name(char *name, size_t size)
{
    const struct dt_node *vmm;
    const char *value;
    bool named;

    guest_tree_lock();
    vmm = dt_find("/vmm");
    named = vmm != NULL && dt_get_string(vmm, "bulkhead,startup", &value) == 0;
    (void)str_copy(name, named ? value : STARTUP_DEFAULT, size);
    guest_tree_unlock();
    return named;
}

static void run_script(void)
{
    struct log_terminal lt = {
        .term = {.write = log_terminal_write, .columns = 80, .rows = 24},
    };
    const void *text;
    size_t size;
    char name[SCRIPT_NAME_MAX];
    bool named = script_name(name, sizeof(name));

    if (bundle_find(name, &text, &size) < 0) {
        if (named)
            log_error("/vmm: bulkhead,startup \"%s\" is not in the boot bundle", name);
        return;
    }
    (void)command_script(&lt.term, text, size);
    log_terminal_flush(&lt);
}

void mterm_startup(void)
{
    guest_autostart();
    run_script();
}
