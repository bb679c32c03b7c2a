// SPDX-License-Identifier: Apache-2.0
// Reads the compact table of function names.

#include <arch/system.h>
#include <hv/symbol.h>
#include <lib/macros.h>
#include <stddef.h>

/* Farther than this from the last symbol, an address is not in a function of ours. */
#define SPAN_MAX 0x10000
/* Pairs of pairs: what tools/symtab.py makes is not deeper. */
#define PAIR_DEPTH 24

/* Weak: the host port is not linked with a symbol table. */
#define SYMTAB WEAK __attribute__((visibility("hidden")))
extern const struct symtab_marker symtab_markers[] SYMTAB;
extern const uint32_t symtab_count SYMTAB;
extern const uint32_t symtab_group SYMTAB;
extern const uint8_t symtab_pairs[][2] SYMTAB;
extern const uint8_t symtab_stream[] SYMTAB;

/* Where a walk through a group stands. */
struct cursor {
    const uint8_t *at; /* behind the distance of the function */
    uint32_t offset;
};

uint32_t symbol_count(void)
{
    return &symtab_count != NULL ? symtab_count : 0;
}

/* Step to the next record: its distance is added. */
static void cursor_enter(struct cursor *cursor)
{
    uint32_t distance = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = *cursor->at++;
        distance |= (uint32_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    cursor->offset += distance;
}

static void cursor_leave(struct cursor *cursor)
{
    while (*cursor->at++ != 0)
        ;
}

static struct cursor cursor_at_group(uint32_t group)
{
    struct cursor cursor = {.at = symtab_stream + symtab_markers[group].stream,
                            .offset = symtab_markers[group].offset};

    cursor_enter(&cursor);
    return cursor;
}

/* The last group that begins at or below the offset; the first marker is at or below it. */
static uint32_t group_of(uint32_t offset)
{
    uint32_t low = 0, high = (symtab_count + symtab_group - 1) / symtab_group;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (symtab_markers[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void expand(const uint8_t *at, char *name)
{
    uint8_t stack[PAIR_DEPTH];
    unsigned depth = 0, used = 0;

    while (used < SYMBOL_NAME_MAX - 1 && (depth != 0 || *at != 0)) {
        uint8_t byte = depth != 0 ? stack[--depth] : *at++;

        if (byte < 0x80) {
            name[used++] = (char)byte;
        } else if (depth + 2 <= PAIR_DEPTH) {
            stack[depth++] = symtab_pairs[byte - 0x80][1];
            stack[depth++] = symtab_pairs[byte - 0x80][0];
        }
    }
    name[used] = '\0';
}

/* The function at or below the offset; false when there is none. */
static bool locate(uint64_t offset, struct cursor *cursor, uint32_t *index)
{
    if (symbol_count() == 0 || offset < symtab_markers[0].offset || offset > UINT32_MAX)
        return false;
    *index = group_of((uint32_t)offset) * symtab_group;
    *cursor = cursor_at_group(*index / symtab_group);
    for (uint32_t end = MIN(*index + symtab_group, symtab_count); *index + 1 < end; ++*index) {
        struct cursor next = *cursor;

        cursor_leave(&next);
        cursor_enter(&next);
        if (next.offset > offset)
            break;
        *cursor = next;
    }
    return offset - cursor->offset < SPAN_MAX;
}

uint32_t symbol_index(uintptr_t addr)
{
    struct cursor cursor;
    uint32_t index;

    return locate(addr - arch_system_image_base(), &cursor, &index) ? index : SYMBOL_NONE;
}

bool symbol_find(uintptr_t addr, struct symbol *out)
{
    uint64_t offset = addr - arch_system_image_base();
    struct cursor cursor;

    if (!locate(offset, &cursor, &out->index))
        return false;
    out->offset = (uint32_t)(offset - cursor.offset);
    expand(cursor.at, out->name);
    return true;
}

bool symbol_at(uint32_t index, struct symbol *out)
{
    struct cursor cursor;

    if (index >= symbol_count())
        return false;
    cursor = cursor_at_group(index / symtab_group);
    for (uint32_t i = 0; i < index % symtab_group; i++) {
        cursor_leave(&cursor);
        cursor_enter(&cursor);
    }
    out->index = index;
    out->offset = 0;
    expand(cursor.at, out->name);
    return true;
}
