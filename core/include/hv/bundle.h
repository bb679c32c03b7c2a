// SPDX-License-Identifier: Apache-2.0
// The boot bundle: a cpio (newc) archive passed as the boot loader's ramdisk. Room: dev.
#pragma once

#include <arch/addr.h>
#include <stddef.h>
#include <stdint.h>

/** Where /chosen says the archive is, unchecked: to be reserved before pages are handed out. -ENOENT, -EINVAL. Boot. */
int bundle_range(hpa_t *start, uint64_t *size);
/** Locate by /chosen linux,initrd-start/end; checks the archive's framing. -ENOENT: none; -EBADMSG: broken (entries before the damage stay usable). Boot. */
int bundle_init(void);
/** File content in place (read-only, 4-byte aligned at least). -ENOENT. */
int bundle_find(const char *name, const void **data, size_t *size);
void bundle_for_each(void (*fn)(const char *name, size_t size, void *arg), void *arg);
