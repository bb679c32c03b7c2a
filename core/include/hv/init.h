// SPDX-License-Identifier: Apache-2.0
// Start-up, step by step. Room: init.
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * RAM of the flattened tree: reservations, linear map, page allocator. limit: readable bytes at fdt; *fdt_size: its size by its header.
 * Boot. -EBADMSG (broken tree), -ENOENT (no memory node), or the allocator's error.
 */
int init_memory(const void *fdt, uint64_t limit, size_t *fdt_size);
