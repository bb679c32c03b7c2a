// SPDX-License-Identifier: Apache-2.0
// The list of guests, and who works on which: one operation on a guest at a time.
#include <hv/guest_parts.h>

#include <hv/mutex.h>
#include <hv/waitqueue.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct mutex list_lock;
static struct list guests = LIST_INIT(guests);
static struct waitqueue left_wq;
static uint32_t left_count; /* operations that ended, wrapping; atomic */

static struct guest *find_locked(const char *name)
{
    LIST_FOR_EACH(guest, &guests, struct guest, link) {
        if (str_equal(guest->name, name)) {
            return guest;
        }
    }
    return NULL;
}

struct guest *guest_find(const char *name)
{
    struct guest *guest;

    mutex_lock(&list_lock);
    guest = find_locked(name);
    mutex_unlock(&list_lock);
    return guest;
}

int guest_for_each(int (*fn)(struct guest *guest, void *arg), void *arg)
{
    int err = 0;

    mutex_lock(&list_lock);
    for (struct guest *guest = LIST_FIRST(&guests, struct guest, link); guest != NULL && err == 0;
         guest = LIST_NEXT(&guests, guest, struct guest, link)) {
        err = fn(guest, arg);
    }
    mutex_unlock(&list_lock);
    return err;
}

unsigned guest_count(void)
{
    unsigned count = 0;

    mutex_lock(&list_lock);
    LIST_FOR_EACH(guest, &guests, struct guest, link) {
        count++;
    }
    mutex_unlock(&list_lock);
    return count;
}

static bool left_changed(void *seen)
{
    return __atomic_load_n(&left_count, __ATOMIC_ACQUIRE) != *(uint32_t *)seen;
}

static void tell_left(void)
{
    __atomic_fetch_add(&left_count, 1, __ATOMIC_RELEASE);
    waitqueue_wake_all(&left_wq);
}

/* -EBUSY: another operation works on it. */
static int try_enter(struct guest *wanted)
{
    int err = -ENOENT;

    mutex_lock(&list_lock);
    LIST_FOR_EACH(guest, &guests, struct guest, link) {
        if (guest == wanted) {
            err = guest->busy ? -EBUSY : 0;
            guest->busy = true;
        }
    }
    mutex_unlock(&list_lock);
    return err;
}

int guest_enter(struct guest *guest)
{
    ctx_assert_orphan();
    for (;;) {
        uint32_t seen = __atomic_load_n(&left_count, __ATOMIC_ACQUIRE);
        int err = try_enter(guest);

        if (err == -EBUSY) {
            err = waitqueue_wait(&left_wq, left_changed, &seen, WAIT_FOREVER);
            if (err == 0) {
                continue;
            }
        }
        return err;
    }
}

struct guest *guest_enter_any(bool (*fn)(struct guest *guest))
{
    struct guest *found = NULL;

    mutex_lock(&list_lock);
    LIST_FOR_EACH(guest, &guests, struct guest, link) {
        if (found == NULL && !guest->busy && fn(guest)) {
            guest->busy = true;
            found = guest;
        }
    }
    mutex_unlock(&list_lock);
    return found;
}

void guest_leave(struct guest *guest)
{
    mutex_lock(&list_lock);
    guest->busy = false;
    guest_power_poll(guest);
    mutex_unlock(&list_lock);
    tell_left();
}

uint32_t guest_list_free_id(void)
{
    uint32_t id = 0;
    bool used;

    do {
        used = false;
        LIST_FOR_EACH(guest, &guests, struct guest, link) {
            used = used || guest->id == id;
        }
        id += used;
    } while (used);
    return id;
}

void guest_list_add(struct guest *guest)
{
    mutex_lock(&list_lock);
    list_add_tail(&guests, &guest->link);
    mutex_unlock(&list_lock);
}

void guest_list_remove(struct guest *guest)
{
    mutex_lock(&list_lock);
    list_remove(&guest->link);
    mutex_unlock(&list_lock);
    tell_left();
}

void guest_list_init(void)
{
    mutex_init(&list_lock);
    waitqueue_init(&left_wq);
}
