// SPDX-License-Identifier: Apache-2.0
// Start-up functions in levels, run by core/init. Room: base.
#pragma once

#include <lib/table.h>

enum initcall_level {
    INITCALL_CORE,   /**< scheduler runs, no devices yet; boot CPU, init thread */
    INITCALL_DEVICE, /**< after drivers probed */
    INITCALL_LATE,   /**< guests may start */
    INITCALL_SHELL,  /**< all else stands: nothing is logged any more behind the first prompt */
    INITCALL_LEVELS,
};

struct initcall {
    enum initcall_level level;
    const char *name;
    int (*fn)(void); /**< 0 or negative; a failure is logged and start-up goes on */
};

#define INITCALL(lvl, func)                                                                        \
    static const struct initcall initcall_##func = {.level = (lvl), .name = #func, .fn = (func)};  \
    TABLE_ENTRY(initcalls, struct initcall, initcall_##func)
