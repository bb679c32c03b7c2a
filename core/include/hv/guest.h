// SPDX-License-Identifier: Apache-2.0
// Guest instances: contents, life cycle, memory. Room: guest.
#pragma once

#include <arch/guest.h>
#include <hv/emulator.h>
#include <hv/log.h>
#include <hv/vcpu.h>
#include <hv/vcpu_irq.h>
#include <hv/notifier.h>

#define GUEST_NAME_MAX 32

enum guest_crash_policy { GUEST_ON_CRASH_HALT, GUEST_ON_CRASH_RESTART, GUEST_ON_CRASH_DESTROY };

enum guest_region_kind {
    GUEST_REGION_MEMORY,  /**< real: host RAM owned by the guest */
    GUEST_REGION_VIRTUAL, /**< emulated device */
    GUEST_REGION_HOST,    /**< real: host device frame (GICV, pass-through) */
    GUEST_REGION_ALIAS,   /**< another region at a second address */
};

struct guest_region {
    gpa_t start;
    uint64_t size;
    enum guest_region_kind kind;
    const char *name;            /**< node name */
    hpa_t host;                  /**< MEMORY (not on demand), HOST */
    bool demand;                 /**< MEMORY whose pages are taken when they are first touched */
    bool owned;                  /**< host is RAM taken for this region */
    struct guest_shared *shared; /**< MEMORY of several guests, or NULL */
    bool read_only;
    struct emu_device *dev; /**< VIRTUAL */
    unsigned dev_reg;       /**< index of this frame in the device's reg */
    uint64_t direct;        /**< HOST: bytes that are mapped; the rest is the device's */
    struct guest_region *alias_of;
    uint64_t hits;
};

/** Sorted by start, never changed while the guest exists. */
struct guest_region_map {
    unsigned count;
    struct guest_region *regions[];
};

/** RAM taken for memory on demand that is not mapped yet. */
struct guest_stock {
    struct spinlock lock; /**< also: one page is added at a time */
    hpa_t next;
    uint64_t size;
};

struct guest {
    struct arch_guest arch;
    uint32_t id;
    char name[GUEST_NAME_MAX];
    struct dt_node *node;
    struct dt_hold node_hold;
    struct list link; /**< list of all guests */
    unsigned vcpu_count;
    struct vcpu **vcpus; /**< by subid */
    struct guest_region_map *map;
    struct list devices;       /**< struct emu_device */
    struct list irq_lines;     /**< struct guest_irq_lines */
    struct list irq_doorbells; /**< struct guest_irq_doorbell */
    const struct intc_ops *intc_ops;
    void *intc;                  /**< the controller's per-guest part */
    unsigned intc_version;       /**< 2 or 3 */
    bool busy;                   /**< a life cycle operation works on it; under the list's lock */
    struct guest_config *config; /**< hv/guest_config.h */
    struct guest_layout *layout;
    bool node_owned;   /**< node was copied from a template: goes with the guest */
    uint64_t entry;    /**< guest-physical entry of VCPU 0 */
    uint64_t dtb;      /**< guest-physical address of its DTB (x0) */
    bool host_counter; /**< its counters are the host's: no offset, not stopped by a pause */
    uint64_t uptime_start_ns;
    uint64_t reset_count;
    uint64_t fault_count;
    bool paused;
    bool pristine; /**< images, devices and VCPUs are as after a reset */
    bool has_arch; /**< arch_guest_init() was done */
    struct log_limit log_limit;
    struct guest_stock stock;
    uint32_t power_request; /**< enum guest_power_op asked for by the guest itself, atomic */
    enum guest_crash_policy on_crash;
    enum guest_crash_policy on_reboot; /**< RESTART = reset (default) */
    uint64_t backoff_ns;
    struct hrtimer backoff_timer;
    char stop_reason[96]; /**< why it stopped last, for guest info */
};

/** Create from /guests/NAME, or from /templates/TEMPLATE. Validates all, loads images, builds the DTB; nothing stays behind on failure (errors go to report). Orphan. */
struct report;
int guest_create(const char *name, const char *template_name, struct report *report);
/** 1 to GUEST_NAME_MAX - 1 of A-Z a-z 0-9 - _ . + , and first a letter or digit? */
bool guest_name_is_valid(const char *name);
/*
 * Operations: Orphan; they sleep until no other works on the guest and until its VCPUs have obeyed. -ENOENT: it is gone, so that a
 * pointer from guest_find() may be stale. -EINTR: the caller was asked to stop; what was begun is asked for again by the next try.
 */

/** Halts it first. The pointer is no longer valid after 0. */
int guest_destroy(struct guest *guest);
/** RESET -> running: kicks VCPU 0. -EALREADY (it runs), -EINVAL (halted: it needs a reset). */
int guest_kick(struct guest *guest);
/** Reload images, reset devices and VCPUs; leaves it kicked if it was. Or an error of the loader, told to report: it stays in RESET. */
int guest_reset(struct guest *guest, struct report *report);
/** All its VCPUs and its time stop. -EALREADY (it is), -EINVAL (it does not run). */
int guest_pause(struct guest *guest);
/** -EINVAL: it is not paused. */
int guest_resume(struct guest *guest);
/** VCPUs off; registers, memory and devices stay as they are until a reset. -EALREADY. */
int guest_halt(struct guest *guest);
/** NULL: there is none. It may be destroyed as soon as this returns; the operations above notice. Orphan. */
struct guest *guest_find(const char *name);
/** Calls fn for each guest with the list lock (a mutex) held; fn may sleep but not create or destroy. Orphan. */
int guest_for_each(int (*fn)(struct guest *guest, void *arg), void *arg);
/** May change as soon as it is told. Orphan. */
unsigned guest_count(void);

/**
 * Keep the device tree below /guests and /templates as it is while walking it: no guest is created or destroyed
 * meanwhile. Orphan; not inside guest_for_each().
 */
void guest_tree_lock(void);
/** False when an operation is under way. */
bool guest_tree_trylock(void);
void guest_tree_unlock(void);

/** Guest's own power requests (PSCI). */
enum guest_power_op {
    GUEST_POWER_NONE,
    GUEST_POWER_OFF,
    GUEST_POWER_RESET,
    GUEST_POWER_CRASH,
    GUEST_POWER_RESTART, /**< internal: the back-off time is over */
};
/** Done in a worker; the calling VCPU blocks and obeys. While an earlier request is served this one is not heard. Normal context. */
void guest_power_request(struct guest *guest, enum guest_power_op op);

/** VCPU power (PSCI CPU_ON/OFF/AFFINITY_INFO semantics): 0, -EALREADY (on), -EINPROGRESS (on pending), -EINVAL (no such VCPU, bad entry). Normal context. */
int guest_vcpu_on(struct guest *guest, uint64_t affinity, uint64_t entry, uint64_t arg);
/** Calling VCPU powers itself off: does not return to guest code. */
void guest_vcpu_off(struct vcpu *vcpu);
/** 0 on, 1 off, 2 on pending, -EINVAL. */
int guest_vcpu_affinity_info(struct guest *guest, uint64_t affinity);
struct vcpu *guest_vcpu_by_affinity(struct guest *guest, uint64_t affinity);

/**
 * Guest memory: every byte must be in MEMORY regions (write: not read-only). -EFAULT otherwise, nothing is done; -ENOMEM: memory on
 * demand is not there yet, and the host has none. Any context but IRQ.
 */
int guest_mem_read(struct guest *guest, gpa_t addr, void *buf, uint64_t size);
int guest_mem_write(struct guest *guest, gpa_t addr, const void *buf, uint64_t size);
/**
 * Name of a page owner of this room (PAGE_OWNER_GUEST and up): a guest's, or "shared/NAME". False when it is gone. Orphan.
 */
bool guest_memory_owner(uint32_t owner, char *buf, size_t size);
/** Region lookup without lock: binary search with the VCPU's last-hit cache. Normal context. */
struct guest_region *guest_region_find(struct vcpu *vcpu, gpa_t addr);

/** Room set-up, before anything above: hooks of lower rooms, worker. Boot, once. */
int guest_init(void);
/** Merge /guests, /templates and /vmm of every *.dtb in the boot bundle into the device tree. Boot. The first error. */
int guest_load_bundle_trees(void);
/**
 * The same for one tree; file names it in warnings. -EBADMSG (no usable tree), -EBUSY (a guest uses
 * what it would change), -ENOMEM. Boot, or Orphan with the tree lock.
 */
int guest_load_tree(const void *data, size_t size, const char *file, struct report *report);
/** Create and kick every guest under /guests that has bulkhead,autostart. Errors go to the log. Orphan. */
void guest_autostart(void);

/** Life-cycle notifications for higher rooms (event below, data = guest). Orphan context. */
enum guest_event {
    GUEST_EVENT_CREATED,
    GUEST_EVENT_DESTROYING,
    GUEST_EVENT_RESET,
    GUEST_EVENT_STOPPED
};
extern struct notifier_chain guest_chain;
