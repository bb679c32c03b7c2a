// SPDX-License-Identifier: Apache-2.0
// Hypervisor virtual address space: guarded stacks and device mappings in the contract's window.
// Room: mm.
#pragma once

#include <arch/addr.h>
#include <stdbool.h>
#include <stddef.h>

#define VMAP_OWNER_MAX 40

/**
 * Stack of CONFIG_STACK_SIZE bytes (power of two): mapped at a multiple of 2 * CONFIG_STACK_SIZE,
 * with the upper half of that slot unmapped, so that vectors can test one bit of SP. Returns the
 * lowest address, NULL when out of memory. owner: whose it is, copied. Orphan or boot.
 */
void *vmap_stack_alloc(const char *owner);
/** NULL is fine. Nobody runs on it. Orphan. */
void vmap_stack_free(void *stack);
/**
 * Map device registers, with an unmapped page before and behind; NULL when out of space, or when
 * part of it is RAM. Orphan or boot.
 */
#define vmap_device(addr, size) vmap_device_for(addr, size, __FILE__)
/** The same in the name of owner, copied. */
void *vmap_device_for(hpa_t addr, size_t size, const char *owner);
/** What vmap_device() gave; NULL is fine. */
void vmap_device_free(void *regs);

/** A range that is handed out. */
struct vmap_range {
    uintptr_t start;
    size_t size;
    hpa_t host;
    bool is_stack;
    char owner[VMAP_OWNER_MAX]; /**< stack: its VCPU; device: the source file that mapped it */
};
/** The first range that ends above from, in order of addresses: a copy. False past the last. */
bool vmap_next(uintptr_t from, struct vmap_range *out);
/** Ranges handed out. */
unsigned vmap_count(void);
