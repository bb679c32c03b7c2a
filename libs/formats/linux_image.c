// SPDX-License-Identifier: Apache-2.0
// Header of arm64 Linux kernel images.
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/linux_image.h>

#define OFFSET_TEXT_OFFSET 8
#define OFFSET_IMAGE_SIZE 16
#define OFFSET_FLAGS 24
#define OFFSET_MAGIC 56

#define MAGIC 0x644d5241u // "ARM\x64"

#define FLAG_BIG_ENDIAN BIT(0)
#define FLAG_PAGE_SIZE BITS(2, 1)
#define FLAG_PLACE_ANYWHERE BIT(3)

// What kernels before 3.17, which leave image_size 0, mean whatever their text_offset says.
#define LEGACY_TEXT_OFFSET 0x80000

int linux_image_parse(const void *blob, size_t size, struct linux_image *image)
{
    static const uint32_t page_sizes[] = {0, 4096, 16384, 65536};
    const uint8_t *header = blob;
    uint64_t flags;
    uint64_t end;

    if (size < LINUX_IMAGE_HEADER_SIZE || le32_load(header + OFFSET_MAGIC) != MAGIC) {
        return -ENOEXEC;
    }
    flags = le64_load(header + OFFSET_FLAGS);
    if (flags & FLAG_BIG_ENDIAN) {
        return -ENOTSUP;
    }
    image->text_offset = le64_load(header + OFFSET_TEXT_OFFSET);
    image->image_size = le64_load(header + OFFSET_IMAGE_SIZE);
    if (image->image_size == 0) {
        image->text_offset = LEGACY_TEXT_OFFSET;
        flags = 0;
    }
    image->image_size = MAX(image->image_size, size);
    image->page_size = page_sizes[field_get(FLAG_PAGE_SIZE, flags)];
    image->place_anywhere = (flags & FLAG_PLACE_ANYWHERE) != 0;
    if (image->text_offset >= LINUX_IMAGE_BASE_ALIGN ||
        __builtin_add_overflow(image->text_offset, image->image_size, &end)) {
        return -EBADMSG;
    }
    return 0;
}
