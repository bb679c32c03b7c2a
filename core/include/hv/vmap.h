// SPDX-License-Identifier: Apache-2.0
// Hypervisor virtual address space: guarded stacks and device mappings in the contract's window.
// Room: mm.
#pragma once

#include <arch/addr.h>
#include <stddef.h>

/**
 * Stack of CONFIG_STACK_SIZE bytes (power of two): mapped at a multiple of 2 * CONFIG_STACK_SIZE,
 * with the upper half of that slot unmapped, so that vectors can test one bit of SP. Returns the
 * lowest address, NULL when out of memory. Orphan or boot.
 */
void *vmap_stack_alloc(void);
void vmap_stack_free(void *stack);
/** Map device registers; NULL when out of space. The mapping lasts. Orphan or boot. */
void *vmap_device(hpa_t addr, size_t size);
