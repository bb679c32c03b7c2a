// SPDX-License-Identifier: Apache-2.0
// The boot bundle: a cpio (newc) archive passed as the boot loader's ramdisk. Room: dev.
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Locate by /chosen linux,initrd-start/end; checks the archive's framing. -ENOENT: none; -EBADMSG: broken (entries before the damage stay usable). Boot. */
int bundle_init(void);
/** File content in place (read-only, 4-byte aligned at least); it lasts. -ENOENT. Any context. */
int bundle_find(const char *name, const void **data, size_t *size);
/** fn for each file in the archive's order. The names are the loader's: to be escaped. Any context. */
void bundle_for_each(void (*fn)(const char *name, size_t size, void *arg), void *arg);
