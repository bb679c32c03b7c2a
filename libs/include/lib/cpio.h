// SPDX-License-Identifier: Apache-2.0
// Reader of cpio archives in "newc" format that lie in memory and are not trusted.
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include <stddef.h>
#include <stdint.h>

#include <lib/macros.h>

#define CPIO_MODE_TYPE 0170000
#define CPIO_MODE_FILE 0100000
#define CPIO_MODE_DIR 0040000

// Zero it to start.
struct cpio_iter {
    size_t offset;
};

// Everything points into the archive. The name is terminated and has no leading "/" or "./".
struct cpio_entry {
    const char *name;
    const void *data;
    size_t size;
    uint32_t mode;
};

// 1: *entry is the next one. 0: the end (the TRAILER!!! entry). -EBADMSG: the archive is truncated,
// has bad magic or digits, a name that is empty, too long, without NUL or with a ".." component; it
// stays at that place, and the entries before it remain valid.
int cpio_next(const void *blob, size_t size, struct cpio_iter *iter,
              struct cpio_entry *entry) MUST_CHECK;

// The first regular file of that name ("/" or "./" in front does not matter). 0, -ENOENT, or
// -EBADMSG when the archive breaks before the file is found.
int cpio_find(const void *blob, size_t size, const char *name, struct cpio_entry *entry) MUST_CHECK;

#endif
