// SPDX-License-Identifier: Apache-2.0
// Places that allocate, numbered as they come.

#include "heap_internal.h"

#define SITES_MAX 512u

static struct heap_site overflow = {.file = "others"}; /* number 0 */
static struct heap_site *sites[SITES_MAX];             /* from 1 on */
static unsigned site_count = 1;

uint16_t heap_site_id(struct heap_site *site)
{
    if (site->id == 0 && site_count < SITES_MAX) {
        site->id = (uint16_t)site_count;
        sites[site_count++] = site;
    }
    return site->id;
}

struct heap_site *heap_site_by_id(unsigned id)
{
    if (id == 0)
        return &overflow;
    return id < site_count ? sites[id] : NULL;
}

void heap_site_charge(unsigned id, int64_t objects, int64_t bytes)
{
    struct heap_site *site = heap_site_by_id(id);

    site->objects += (uint64_t)objects;
    site->bytes += (uint64_t)bytes;
    site->fails += objects == 0;
}

bool heap_get_site(unsigned index, struct heap_site *out)
{
    const struct heap_site *site;

    spin_lock(&heap_lock);
    site = heap_site_by_id(index);
    if (site != NULL)
        *out = *site;
    spin_unlock(&heap_lock);
    return site != NULL;
}
