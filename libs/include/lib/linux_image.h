// SPDX-License-Identifier: Apache-2.0
// Header of arm64 Linux kernel images (Linux, Documentation/arm64/booting, section 4).
#ifndef LIB_LINUX_IMAGE_H
#define LIB_LINUX_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lib/macros.h>

#define LINUX_IMAGE_HEADER_SIZE 64
// The image goes at text_offset above a base of this alignment.
#define LINUX_IMAGE_BASE_ALIGN UINT64_C(0x200000)

struct linux_image {
    uint64_t text_offset;
    uint64_t image_size; // memory needed from text_offset on, at least the file's size
    uint32_t page_size;  // of the kernel, or 0 when it does not say
    bool place_anywhere; // else the base should be as close as possible to the start of RAM
};

// 0; -ENOEXEC: no such image (too short, no magic); -ENOTSUP: a big-endian kernel; -EBADMSG: fields
// that cannot be (text_offset not below 2 MiB, size that wraps).
int linux_image_parse(const void *blob, size_t size, struct linux_image *image) MUST_CHECK;

#endif
