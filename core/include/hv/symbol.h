// SPDX-License-Identifier: Apache-2.0
// The image's own function names, for back-traces and the profiler. Room: base.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SYMBOL_NAME_MAX 64
#define SYMBOL_NONE UINT32_MAX

struct symbol {
    uint32_t index;  /**< functions are numbered by rising address */
    uint32_t offset; /**< of the address from the function's start */
    char name[SYMBOL_NAME_MAX];
};

/** Functions that have a name; 0 where the image has no table (the host port). */
uint32_t symbol_count(void);
/** Number of the function that contains the address, or SYMBOL_NONE. Any context. */
uint32_t symbol_index(uintptr_t addr);
/** False when the address is in no function of the image. Any context. */
bool symbol_find(uintptr_t addr, struct symbol *out);
/** Name of function number index, offset 0; false past the end. Any context. */
bool symbol_at(uint32_t index, struct symbol *out);

/**
 * The table, made by tools/symtab.py. Functions come in groups of symtab_group; a marker says where a
 * group begins: in the image (offset from arch_system_image_base()) and in the stream. The stream has
 * for each function its distance from the one before (groups of 7 bits, low first, bit 7: more; 0 for
 * the first of a group), then its name up to a 0 byte, in which bytes from 0x80 on stand for the two
 * bytes of a pair, which may stand for pairs again.
 */
struct symtab_marker {
    uint32_t offset;
    uint32_t stream;
};
