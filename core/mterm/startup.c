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

static const char *script_name(bool *named)
{
    const struct dt_node *vmm = dt_find("/vmm");
    const char *name;

    *named = vmm != NULL && dt_get_string(vmm, "bulkhead,startup", &name) == 0;
    return *named ? name : STARTUP_DEFAULT;
}

static void run_script(void)
{
    struct log_terminal lt = {
        .term = {.write = log_terminal_write, .columns = 80, .rows = 24},
    };
    const void *text;
    size_t size;
    bool named;
    const char *name = script_name(&named);

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
