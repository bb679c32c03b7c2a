// SPDX-License-Identifier: Apache-2.0
// Who holds how much memory: owners are numbered without limit, slots are few and reused.

#include "page_internal.h"

#include <lib/errno.h>

#define SLOTS 512u

static struct {
    uint32_t owner; /**< 0 in a guest's slot: never used */
    uint64_t bytes;
} slots[SLOTS];

/* The owner's slot, or one that it could have, or -1. */
static int slot_find(uint32_t owner)
{
    int vacant = -1;

    if (owner < PAGE_OWNER_GUEST)
        return (int)owner;
    for (unsigned i = 0; i < SLOTS - PAGE_OWNER_GUEST; i++) {
        unsigned slot = PAGE_OWNER_GUEST + (owner + i) % (SLOTS - PAGE_OWNER_GUEST);

        if (slots[slot].owner == owner)
            return (int)slot;
        if (vacant < 0 && slots[slot].bytes == 0)
            vacant = (int)slot;
        if (slots[slot].owner == 0)
            break;
    }
    return vacant;
}

int page_owner_slot(uint32_t owner)
{
    int slot = slot_find(owner);

    if (slot < 0)
        return -ENOMEM;
    slots[slot].owner = owner;
    return slot;
}

void page_owner_charge(unsigned slot, int64_t bytes)
{
    slots[slot].bytes += (uint64_t)bytes;
}

uint64_t page_owner_bytes(uint32_t owner)
{
    int slot = slot_find(owner);

    return slot >= 0 && slots[slot].owner == owner ? slots[slot].bytes : 0;
}

bool page_owner_get(unsigned index, uint32_t *owner, uint64_t *bytes)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (slots[slot].bytes == 0 || index-- != 0)
            continue;
        *owner = slots[slot].owner;
        *bytes = slots[slot].bytes;
        return true;
    }
    return false;
}

uint64_t page_owner_total(void)
{
    uint64_t bytes = 0;

    for (unsigned slot = 0; slot < SLOTS; slot++)
        bytes += slots[slot].bytes;
    return bytes;
}
