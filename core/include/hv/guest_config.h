// SPDX-License-Identifier: Apache-2.0
// A guest's device-tree node as a checked plain structure, and where its images go. Room: guest.
#pragma once

#include <hv/cpu.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/report.h>
#include <lib/macros.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** SPIs of a guest's interrupt controller: INTIDs from 32 on. */
#define GUEST_SPI_MIN 32
#define GUEST_SPI_DEFAULT 96
#define GUEST_SPI_MAX 988
/** bulkhead,log-size of a serial port, bytes. */
#define GUEST_LOG_SIZE_MIN 1024
#define GUEST_LOG_SIZE_MAX (16U << 20)
/** Time slices, and reservations of CPU time. */
#define GUEST_TIME_SLICE_MIN_US 100
#define GUEST_TIME_SLICE_MAX_US 1000000
#define GUEST_PERIOD_MIN_US 100
#define GUEST_BUDGET_MIN_US 10

enum guest_format { GUEST_FORMAT_IMAGE, GUEST_FORMAT_RAW, GUEST_FORMAT_ELF };

struct guest_vcpu_config {
    struct dt_node *node; /**< its own, or "vcpus" for one that has none */
    uint8_t priority;
    uint64_t time_slice; /**< ns, 0 = policy default */
    cpumask_t affinity;  /**< 0 = all */
    /** Reservation, ns: budget in each period, by its deadline (0: the period's end). All 0: none. */
    uint64_t period, budget, deadline;
};

struct guest_region_config {
    uint64_t start;
    uint64_t size;
    enum guest_region_kind kind;
    bool read_only;
    struct dt_node *node;
    const char *file; /**< MEMORY: bundle file to load at its start, or NULL */
    unsigned device;  /**< VIRTUAL, HOST: index into devices */
    uint64_t direct; /**< HOST: bytes from its start that are mapped; the device emulates the rest */
    unsigned frame;  /**< index in the node's reg */
    const char *shared;       /**< MEMORY: name under which guests share it, or NULL */
    struct dt_node *alias_of; /**< ALIAS: node of the target, whose first region is meant */
    bool fixed;               /**< MEMORY: host is given */
    bool demand;              /**< MEMORY: pages are taken when they are first touched */
    uint64_t host;            /**< HOST, or MEMORY that is fixed: host-physical address */
};

/** Host device that the guest asks for. */
struct guest_passthrough_config {
    struct dt_node *node;
    struct dt_node *host;
};

struct guest_device_config {
    struct dt_node *node;
    const struct emulator *emulator;
    uint32_t irq; /**< first SPI as INTID, 0 = none */
    unsigned irq_count;
};

/** Strings and nodes belong to the device tree. */
struct guest_config {
    struct dt_node *node;
    const char *kernel, *initrd, *dtb; /**< bundle files; initrd and dtb may be NULL */
    enum guest_format format;
    bool has_load, has_entry;
    uint64_t load, entry;
    enum guest_crash_policy on_crash, on_reboot;
    bool host_counter;
    unsigned vcpu_count;
    struct guest_vcpu_config vcpus[CONFIG_GUEST_VCPUS_MAX];
    unsigned region_count;
    struct guest_region_config regions[CONFIG_GUEST_REGIONS_MAX]; /**< sorted by start */
    unsigned device_count;
    struct guest_device_config devices[CONFIG_GUEST_DEVICES_MAX]; /**< the interrupt controller first */
    unsigned passthrough_count;
    struct guest_passthrough_config passthroughs[CONFIG_GUEST_DEVICES_MAX];
    unsigned intc_version;
    uint32_t spi_count;
    bool without_files; /**< the bundle's files are not there to be checked */
};

struct guest_image {
    const void *data; /**< in the bundle; NULL: none */
    size_t size;
    uint64_t addr;     /**< guest-physical */
    uint64_t mem_size; /**< bytes it occupies */
};

struct guest_layout {
    struct guest_image kernel;
    struct guest_image initrd;
    struct guest_image dtb; /**< data NULL: to be generated at addr, at most mem_size bytes */
    uint64_t entry;
};

/** Room for a generated device tree. */
#define GUEST_FDT_SIZE 0x10000

/** "PATH: PROPERTY: MESSAGE" to the report; property may be NULL. */
PRINTF(4, 5)
void guest_config_error(struct report *report, const struct dt_node *node, const char *property,
                        const char *fmt, ...);

/** "warning: PATH: PROPERTY: MESSAGE". */
PRINTF(4, 5)
void guest_config_warning(struct report *report, const struct dt_node *node, const char *property,
                          const char *fmt, ...);

/**
 * Read node into *config, check all of it and plan the images. Every fault is reported; the result is 0 or -EINVAL.
 * Orphan. Nothing is allocated.
 */
int guest_config_read(struct dt_node *node, struct guest_config *config,
                      struct guest_layout *layout, struct report *report);

/** Hold the host's nodes that the hypervisor itself lives on: CPUs, memory, interrupts, timer. Boot, once. -ENOMEM. */
int guest_config_hold_host(void);

/** The same as guest_config_read(); without_files: what the bundle's files say is left out, and *layout stays empty. */
int guest_config_check(struct dt_node *node, struct guest_config *config,
                       struct guest_layout *layout, bool without_files, struct report *report);
/** Check /vmm. Orphan or boot, once the CPUs are up. Tree lock. */
void guest_config_vmm(bool without_files, struct report *report);
/** Do at once what /vmm says that does not wait for anything: the log's level. */
void guest_config_vmm_apply(void);
/**
 * Check /vmm, all templates and all guests, each for itself and the guests against each other.
 * Orphan, tree lock. 0, -EINVAL (reported), -ENOMEM (reported).
 */
int guest_config_check_all(bool without_files, struct report *report);

/** Parts of guest_config_read(). */
void guest_config_vcpus(struct guest_config *config, struct report *report);
void guest_config_aspace(struct guest_config *config, struct report *report);
void guest_validate(struct guest_config *config, struct report *report);
void guest_layout_plan(const struct guest_config *config, struct guest_layout *layout,
                       struct report *report);

/** The interrupt controller among the children of aspace, or the default one, becomes device 0. */
void guest_config_intc(struct guest_config *config, struct dt_node *aspace, struct report *report);
bool guest_config_is_intc(const struct dt_node *node);

/** bulkhead,passthrough and bulkhead,host-address: do they ask for what the hypervisor itself needs? */
void guest_config_passthrough(struct guest_config *config, struct dt_node *node,
                              struct report *report);
void guest_config_fixed(const struct guest_region_config *region, struct report *report);

#define GUEST_FRAMES_MAX 8
struct guest_frame {
    uint64_t start;
    uint64_t size;
};
/** Number of entries of reg, 1 to GUEST_FRAMES_MAX; 0 when it is wrong, which is then reported. */
unsigned guest_config_reg(const struct dt_node *node, struct guest_frame frames[GUEST_FRAMES_MAX],
                          struct report *report);
/** Sorted insertion; the region is copied. */
void guest_config_add_region(struct guest_config *config, const struct guest_region_config *region,
                             struct report *report);

/** Property getters that report a wrong type or range; false then. Absent: true, *value is left alone. */
bool guest_config_u32(struct report *report, const struct dt_node *node, const char *property,
                      uint32_t max, uint32_t *value);
bool guest_config_address(struct report *report, const struct dt_node *node, const char *property,
                          uint64_t *value);
bool guest_config_string(struct report *report, const struct dt_node *node, const char *property,
                         const char **value);
/** Report every property "bulkhead,..." of node that is not in the NULL-terminated list. */
void guest_config_known(struct report *report, const struct dt_node *node, const char *const *known);

/**
 * Warn of other properties that are not in the list and, if children is not NULL, of child nodes
 * that are not in that.
 */
void guest_config_standard(struct report *report, const struct dt_node *node,
                           const char *const *known, const char *const *children);

/** Name of a region or device: its node's. Node "aspace" stands for the interrupt controller that has no node. */
const char *guest_config_name(const struct guest_config *config, const struct dt_node *node);

/** MEMORY region of the guest alone that contains [start, start+size) whole, or NULL. */
const struct guest_region_config *guest_config_memory(const struct guest_config *config,
                                                      uint64_t start, uint64_t size);
/** First (lowest) writable MEMORY region of the guest alone, or NULL. */
const struct guest_region_config *guest_config_ram(const struct guest_config *config);

/** Write the guest's own device tree into buf. 0, -ENOSPC when it does not fit, or -EINVAL. */
int guest_fdt_build(const struct guest_config *config, const struct guest_layout *layout, void *buf,
                    size_t size);
