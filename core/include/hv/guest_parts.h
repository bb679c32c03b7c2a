// SPDX-License-Identifier: Apache-2.0
// What the files of room guest share: building and taking apart an instance, its worker. Room: guest.
#pragma once

#include <hv/guest.h>
#include <hv/guest_config.h>

/** A CPU_ON on its way. */
enum guest_vcpu_on_state {
    GUEST_VCPU_ON_NONE,
    GUEST_VCPU_ON_CLAIMED, /**< one caller decides; the others are told "pending" */
    GUEST_VCPU_ON_PENDING, /**< for the worker to do */
};

/** vcpu->emu of a normal VCPU. */
struct guest_vcpu {
    struct guest_region *last_region; /**< of the access before; only the VCPU itself looks */
    uint32_t on_state;                /**< enum guest_vcpu_on_state, atomic */
    uint64_t on_entry, on_arg;        /**< of a pending CPU_ON */
};

/** Of a normal VCPU, from guest_vcpus_create() on; NULL before. Any context. */
static inline struct guest_vcpu *guest_vcpu_of(const struct vcpu *vcpu)
{
    return vcpu->emu;
}

/** Is a guest-physical address in it? Any context. */
static inline bool guest_region_contains(const struct guest_region *region, uint64_t addr)
{
    return addr - region->start.v < region->size;
}

/**
 * Each create reports why it failed; what it did by then is undone by its destroy, which is right for any stage of completeness.
 * Orphan; the guest is not running.
 */
int guest_memory_create(struct guest *guest, struct report *report);
void guest_memory_destroy(struct guest *guest);
/** Memory is worked on in pieces of this size, and others let in between. */
#define GUEST_PIECE_SIZE 0x10000ULL
/** Cleared RAM for size bytes at a guest address (for the alignment), and its way back: cleared again. Orphan. -ENOMEM. */
int guest_memory_take(uint64_t size, gpa_t start, uint32_t owner, hpa_t *out);
void guest_memory_give(hpa_t host, uint64_t size);

/**
 * The page of a region on demand at an offset, taken and mapped if it is not there yet. *host: the byte at the offset. Any context
 * but IRQ. -ENOMEM.
 */
int guest_demand_touch(struct guest *guest, const struct guest_region *region, uint64_t offset,
                       hpa_t *host);
/** Give back all such pages, cleared. Stage 2 still tells which; no VCPU is left. Orphan. */
void guest_demand_destroy(struct guest *guest);

/** Where the byte at addr lies in the hypervisor's map, and how many follow it there. -EFAULT: it is no memory (write: read-only). -ENOMEM. */
int64_t guest_region_bytes(struct guest *guest, uint64_t addr, bool write, uint8_t **host);

/**
 * A reference to the shared memory of that name; the first one takes it, the last one put gives it back. -EINVAL (its size is
 * another one), -ENOMEM. Orphan; no other guest is built or taken apart meanwhile.
 */
int guest_shared_get(const char *name, uint64_t size, gpa_t start, struct guest_shared **out);
void guest_shared_put(struct guest_shared *shared);
hpa_t guest_shared_host(const struct guest_shared *shared);
/** 0: there is no such memory. */
uint64_t guest_shared_size(const char *name);
void guest_shared_init(void);

/* The other parts, in the order in which they are made; each destroy is the way back. As above. */

/** Sorted map of the address space, stage 2 included. */
int guest_region_create(struct guest *guest, struct report *report);
void guest_region_destroy(struct guest *guest);
int guest_vcpus_create(struct guest *guest, struct report *report);
void guest_vcpus_destroy(struct guest *guest);
int guest_devices_create(struct guest *guest, struct report *report);
void guest_devices_destroy(struct guest *guest);
void guest_devices_reset(struct guest *guest);
/** Put images and DTB into guest memory. */
int guest_load(struct guest *guest, struct report *report);

/**
 * One operation at a time works on a guest: wait for it, and find out whether it is still there. 0, -ENOENT (gone), -EINTR. Orphan.
 */
int guest_enter(struct guest *guest);
void guest_leave(struct guest *guest);
/** Enter any guest that fn() accepts and that nobody works on; NULL when there is none. Orphan. */
struct guest *guest_enter_any(bool (*fn)(struct guest *guest));

/** Boot, once. */
void guest_list_init(void);
/** It can be found from now on; its creator has entered it. Takes the list's lock. Orphan. */
void guest_list_add(struct guest *guest);
/** Whoever waits to enter it finds it gone. */
void guest_list_remove(struct guest *guest);
/** Smallest number that no guest has. Creations do not run side by side. */
uint32_t guest_list_free_id(void);

/** The same as without _entered; the caller has entered the guest. */
int guest_reset_entered(struct guest *guest, bool kick, struct report *report);
int guest_halt_entered(struct guest *guest);
/** On success the guest is gone. */
int guest_destroy_entered(struct guest *guest);

/** Start VCPU: its registers come from entry and arg when it is kicked. Guest entered. */
int guest_vcpu_start(struct vcpu *vcpu, uint64_t entry, uint64_t arg);

/** Boot, once: the worker of power requests; the hooks for virtual interrupts. */
void guest_power_init(void);
void guest_irq_init(void);
/** No lines, no doorbells. Before the guest's devices. */
void guest_irq_router_init(struct guest *guest);
/** Queue the worker if the guest has something for it. Any context. */
void guest_power_poll(struct guest *guest);
/** Ask for op; false when an earlier request is not served yet. Then guest_power_wait() pauses the calling VCPU, if it is the guest's, and wakes the worker. */
bool guest_power_post(struct guest *guest, enum guest_power_op op);
void guest_power_wait(struct guest *guest);
/** Expiry function of guest->backoff_timer. */
void guest_power_backoff_over(struct hrtimer *timer);
