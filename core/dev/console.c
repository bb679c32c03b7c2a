// SPDX-License-Identifier: Apache-2.0
// The console: which of the character devices it is.
#include <hv/chardev.h>
#include <hv/dt.h>
#include <hv/initcall.h>
#include <hv/log.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct chardev *console;

// A path or an alias, with options such as ":115200n8" behind it (Devicetree Specification 3.6).
static struct chardev *console_from(const char *node_path, const char *property)
{
    const struct dt_node *holder = dt_find(node_path);
    const struct dt_node *node;
    const char *value;
    char path[256];

    if (holder == NULL || dt_get_string(holder, property, &value) < 0 ||
        str_copy(path, value, sizeof(path)) < 0) {
        return NULL;
    }
    *(strchr(path, ':') ?: path + strlen(path)) = '\0';
    if (path[0] != '/') {
        const struct dt_node *aliases = dt_find("/aliases");

        if (aliases == NULL || dt_get_string(aliases, path, &value) < 0 ||
            str_copy(path, value, sizeof(path)) < 0) {
            return NULL;
        }
    }
    node = dt_find(path);
    return node == NULL ? NULL : chardev_find(node);
}

struct chardev *chardev_console(void)
{
    return console;
}

static void console_sink(const char *text, size_t size)
{
    chardev_write_nowait(console, (const uint8_t *)text, size);
}

int chardev_choose_console(void)
{
    console = console_from("/vmm", "bulkhead,console");
    if (console == NULL)
        console = console_from("/chosen", "stdout-path");
    if (console == NULL)
        console = chardev_next(NULL);
    if (console == NULL)
        return -ENODEV;
    log_set_sink(console_sink);
    return 0;
}
INITCALL(INITCALL_DEVICE, chardev_choose_console);
