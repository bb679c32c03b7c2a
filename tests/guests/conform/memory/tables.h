// SPDX-License-Identifier: Apache-2.0
// Translation tables of any granule for the upper half of the address space, beside the payload's own map.
#pragma once

#include "../conform.h"

#define DESC_VALID 1ul
#define DESC_TABLE 3ul /* or a page, at level 3 */
#define DESC_PAGE 3ul
#define DESC_NORMAL (1ul << 2) /* attribute 1 of start.S */
#define DESC_DEVICE 0ul
#define DESC_EL0 (1ul << 6)
#define DESC_READ_ONLY (1ul << 7)
#define DESC_SHARED (3ul << 8)
#define DESC_AF (1ul << 10)
#define DESC_GP (1ul << 50)
#define DESC_PXN (1ul << 53)
#define DESC_UXN (1ul << 54)
#define DESC_RAM (DESC_NORMAL | DESC_SHARED | DESC_AF)

#define TCR_TBI1 (1ul << 38)
#define TCR_EPD1 (1ul << 23)
#define TCR_IPS (7ul << 32)

struct tables {
    unsigned granule; /* address bits of a page: 12, 14, 16 */
    unsigned bits;    /* of a virtual address */
    uint64_t tcr;     /* more bits for TCR_EL1 */
    uint64_t *root;
};

bool tables_have(unsigned granule);
/** Empty tables; all earlier ones are gone. */
void tables_init(struct tables *tables, unsigned granule, unsigned bits);
unsigned tables_first_level(const struct tables *tables);
/** Bytes that an entry of the level maps. */
uint64_t tables_span(const struct tables *tables, unsigned level);
/** First address. */
uint64_t tables_base(const struct tables *tables);
/** Entry of va at the level; tables above it are made. */
uint64_t *tables_entry(struct tables *tables, uint64_t va, unsigned level);
/** Page at level 3, block above. */
void tables_map(struct tables *tables, uint64_t va, uint64_t pa, uint64_t attr, unsigned level);
/** Translation of the upper half by these, from root on; and off again. */
void tables_use(const struct tables *tables, uint64_t root);
void tables_end(void);

/** A load, store or call at va: the exception, all zero if there is none. */
struct trap tables_load(uint64_t va);
struct trap tables_store(uint64_t va);
struct trap tables_fetch(uint64_t va);
