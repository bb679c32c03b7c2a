// SPDX-License-Identifier: Apache-2.0
// Link-time tables of pointers to const descriptors: the one plug-in mechanism.
#ifndef LIB_TABLE_H
#define LIB_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <lib/macros.h>

// A table NAME is the linker section `table_NAME`, an array of `const type *`. The section's name
// is a C identifier, so the linker itself provides __start_table_NAME and __stop_table_NAME. It
// does so for OUTPUT sections: a linker script must not merge tables into another section. Either
// it leaves them alone (RETAIN keeps them under --gc-sections) or lists each one by its own name:
//     table_commands : { KEEP(*(table_commands)) }
// Entries have no order that may be relied on.
//
//     static const struct command help = { .name = "help", ... };
//     TABLE_ENTRY(commands, struct command, help);
//
//     TABLE_DECLARE(commands, struct command);          (file scope, once per file that reads it)
//     TABLE_FOREACH(commands, struct command, iter)
//         use((*iter)->name);

// Adds the descriptor object `entry` (an object's name, of type `type`) to a table; file scope.
#define TABLE_ENTRY(table, type, entry)                                                            \
    static const type *const table_##table##_##entry USED RETAIN ALIGNED(8)                        \
        SECTION("table_" #table) = &(entry)

// Weak, so that a table without entries links and is empty; hidden, so that a position-independent
// image needs no dynamic symbol for it.
#define TABLE_BOUND WEAK __attribute__((visibility("hidden")))
#define TABLE_DECLARE(table, type)                                                                 \
    extern const type *const __start_table_##table[] TABLE_BOUND;                                  \
    extern const type *const __stop_table_##table[] TABLE_BOUND

#define TABLE_COUNT(table)                                                                         \
    (((uintptr_t)__stop_table_##table - (uintptr_t)__start_table_##table) / sizeof(void *))

// Hidden from the compiler, so that it cannot fold an offset into the bound's symbol: such a
// reference does not link when the table is empty.
static inline const void *table_bound(const void *bound)
{
    __asm__("" : "+r"(bound));
    return bound;
}

// `iter` is declared here as `const type *const *`.
#define TABLE_FOREACH(table, type, iter)                                                           \
    for (const type *const *iter = table_bound(__start_table_##table),                             \
                           *const *iter##_end = table_bound(__stop_table_##table);                 \
         iter != iter##_end; iter++)

// Entry number `index`; the caller keeps it below TABLE_COUNT.
#define TABLE_AT(table, index) (__start_table_##table[index])

#endif
