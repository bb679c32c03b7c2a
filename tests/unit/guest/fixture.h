// SPDX-License-Identifier: Apache-2.0
// A hypervisor for tests of guests: RAM, boot bundle, device tree with one guest that a test can edit, scheduler and worker.
#pragma once

#include <hv/guest.h>
#include <hv/report.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Replaces, removes (data NULL, size 0) or adds a property of the node with this name. */
struct fixture_edit {
    const char *node; /**< name without unit address: "linux0", "vcpus", "memory" */
    const char *property;
    const void *data;
    int size;
    bool remove;
};

/** Once per program: RAM, CPU 0, clock, scheduler, worker, guests. 0 or error. */
int fixture_init(void);
/** The bundle's files: linux (arm64 Image), initrd, raw, elf, garbage, own.dtb, empty; add at most one more. */
int fixture_bundle(const char *name, const void *data, size_t size);
/** Device tree with /guests/linux0 after these edits (NULL: none); what was there before goes. 0 or error. */
int fixture_tree(const struct fixture_edit *edits, unsigned count);
/** The blob of that tree. */
const void *fixture_blob(size_t *size);

/** Report that keeps all lines. */
#define FIXTURE_REPORT_SIZE 4096
struct fixture_report {
    struct report report;
    char text[FIXTURE_REPORT_SIZE];
    size_t used;
};
void fixture_report_init(struct fixture_report *report);

/** Run fn in a thread until it returns; time passes when nothing else can happen. */
void fixture_run(void (*fn)(void *arg), void *arg);

/** What must be the same before and after. */
struct fixture_census {
    uint64_t free;
    uint64_t objects;
    uint64_t bytes;
    unsigned vcpus;
    unsigned timers;
};
void fixture_census(struct fixture_census *census);
/** Says on stderr what differs. */
bool fixture_census_equal(const struct fixture_census *before);

/** Guest linux0, or NULL with the report on stderr. In a thread. */
struct guest *fixture_create(struct fixture_report *report);
/** Let others run until nothing happens any more. */
void fixture_settle(void);
enum vcpu_state fixture_state(struct guest *guest, unsigned vcpu);
/** What the simulated guest code does at each exit, by VCPU (NULL: waits for interrupts), and how often it was called. */
extern void (*fixture_action[2])(struct vcpu *vcpu);
extern unsigned fixture_rounds[2];
/** Actions, counts and devices as at the start. */
void fixture_guest_reset(void);

/** A test whose body is a thread, so that what it calls may sleep. */
#define THREAD_TEST(name)                                                                          \
    static void name##_body(void *arg);                                                            \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        fixture_run(name##_body, NULL);                                                            \
    }                                                                                              \
    static void name##_body(void *arg)

/** A linux Image with this header; returns its size. */
size_t fixture_image(uint8_t *to, uint64_t text_offset, uint64_t image_size, size_t size);
/** An ELF program with one segment. */
size_t fixture_elf(uint8_t *to, uint64_t physical, uint64_t mem_size, size_t size);

/** The emulated devices "test,device" and "test,other": what they saw. */
struct fixture_device {
    int fail_probe; /**< error that the next probe gives */
    unsigned alive;
    unsigned resets;
    unsigned accesses;
    struct emu_access last;
    uint64_t answer; /**< value of reads */
    int result;      /**< of accesses */
    struct emu_device *dev;
};
extern struct fixture_device fixture_device;
