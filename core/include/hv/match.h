// SPDX-License-Identifier: Apache-2.0
// Device-tree match tables for what must be found before drivers exist: interrupt controllers and
// timers. Room: dt.
#pragma once

#include <hv/dt.h>
#include <lib/table.h>

struct dt_match {
    const char *const *compatible; /**< NULL-terminated */
    int (*init)(struct dt_node *node);
};

#define HOST_IRQCHIP(name, compat, fn)                                                             \
    static const struct dt_match match_##name = {.compatible = (compat), .init = (fn)};            \
    TABLE_ENTRY(irqchips, struct dt_match, match_##name)
#define HOST_TIMER(name, compat, fn)                                                               \
    static const struct dt_match match_##name = {.compatible = (compat), .init = (fn)};            \
    TABLE_ENTRY(timers, struct dt_match, match_##name)
