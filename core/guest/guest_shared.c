// SPDX-License-Identifier: Apache-2.0
// Memory that several guests share by name: taken by the first, given back with the last.
#include <hv/guest_parts.h>

#include <hv/heap.h>
#include <hv/mutex.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

struct guest_shared {
    struct list link;
    char name[GUEST_NAME_MAX];
    uint32_t id;
    unsigned refs; /* regions that map it */
    hpa_t host;
    uint64_t size;
};

/* Changed only while guests are built or taken apart, one at a time; the lock is for readers. */
static struct mutex shared_lock;
static struct list shared_list = LIST_INIT(shared_list);

static struct guest_shared *find(const char *name)
{
    LIST_FOR_EACH(shared, &shared_list, struct guest_shared, link) {
        if (str_equal(shared->name, name)) {
            return shared;
        }
    }
    return NULL;
}

static bool id_is_taken(uint32_t id)
{
    LIST_FOR_EACH(shared, &shared_list, struct guest_shared, link) {
        if (shared->id == id) {
            return true;
        }
    }
    return false;
}

static struct guest_shared *create(const char *name, uint64_t size, gpa_t start)
{
    struct guest_shared *shared = heap_zalloc(sizeof(*shared));

    if (shared == NULL) {
        return NULL;
    }
    str_copy(shared->name, name, sizeof(shared->name));
    shared->size = size;
    while (id_is_taken(shared->id)) {
        shared->id++;
    }
    if (guest_memory_take(size, start, PAGE_OWNER_SHARED + shared->id, &shared->host) != 0) {
        heap_free(shared);
        return NULL;
    }
    mutex_lock(&shared_lock);
    list_add_tail(&shared_list, &shared->link);
    mutex_unlock(&shared_lock);
    return shared;
}

int guest_shared_get(const char *name, uint64_t size, gpa_t start, struct guest_shared **out)
{
    struct guest_shared *shared = find(name);

    if (shared != NULL && shared->size != size) {
        return -EINVAL;
    }
    if (shared == NULL) {
        shared = create(name, size, start);
    }
    if (shared == NULL) {
        return -ENOMEM;
    }
    shared->refs++;
    *out = shared;
    return 0;
}

void guest_shared_put(struct guest_shared *shared)
{
    if (--shared->refs != 0) {
        return;
    }
    mutex_lock(&shared_lock);
    list_remove(&shared->link);
    mutex_unlock(&shared_lock);
    guest_memory_give(shared->host, shared->size);
    heap_free(shared);
}

hpa_t guest_shared_host(const struct guest_shared *shared)
{
    return shared->host;
}

uint64_t guest_shared_size(const char *name)
{
    const struct guest_shared *shared = find(name);

    return shared != NULL ? shared->size : 0;
}

/* "shared/NAME"; false when no such memory is there. */
static bool shared_name(uint32_t id, char *buf, size_t size)
{
    bool found = false;

    mutex_lock(&shared_lock);
    LIST_FOR_EACH(shared, &shared_list, struct guest_shared, link) {
        if (shared->id == id) {
            fmt_snprintf(buf, size, "shared/%s", shared->name);
            found = true;
        }
    }
    mutex_unlock(&shared_lock);
    return found;
}

struct owner_query {
    uint32_t id;
    char *buf;
    size_t size;
};

static int owner_match(struct guest *guest, void *arg)
{
    const struct owner_query *query = arg;

    if (guest->id != query->id) {
        return 0;
    }
    str_copy(query->buf, guest->name, query->size);
    return 1;
}

bool guest_memory_owner(uint32_t owner, char *buf, size_t size)
{
    struct owner_query query = {owner - PAGE_OWNER_GUEST, buf, size};

    if (owner >= PAGE_OWNER_SHARED) {
        return shared_name(owner - PAGE_OWNER_SHARED, buf, size);
    }
    return owner >= PAGE_OWNER_GUEST && guest_for_each(owner_match, &query) == 1;
}

void guest_shared_init(void)
{
    mutex_init(&shared_lock);
}
