// SPDX-License-Identifier: Apache-2.0
// Header of arm64 Linux images: fields, the legacy form, refusals.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/linux_image.h>

static uint8_t header[LINUX_IMAGE_HEADER_SIZE];

static int parse(uint64_t text_offset, uint64_t image_size, uint64_t flags,
                 struct linux_image *image)
{
    memset(header, 0, sizeof(header));
    le64_store(header + 8, text_offset);
    le64_store(header + 16, image_size);
    le64_store(header + 24, flags);
    memcpy(header + 56, "ARM\x64", 4);
    return linux_image_parse(header, sizeof(header), image);
}

static void test_fields(void **state UNUSED)
{
    struct linux_image image;

    assert_int_equal(parse(0, 0x2000000, 0xa, &image), 0);
    assert_true(image.text_offset == 0 && image.image_size == 0x2000000);
    assert_true(image.page_size == 4096 && image.place_anywhere);
    assert_int_equal(parse(0x80000, 0x1000, 6, &image), 0);
    assert_true(image.text_offset == 0x80000 && image.page_size == 65536);
    assert_false(image.place_anywhere);
    assert_int_equal(parse(0, 1, 4, &image), 0);
    assert_true(image.page_size == 16384 && image.image_size == sizeof(header));
}

static void test_legacy(void **state UNUSED)
{
    struct linux_image image;

    assert_int_equal(parse(0x12345678, 0, 0xe, &image), 0);
    assert_true(image.text_offset == 0x80000 && image.image_size == sizeof(header));
    assert_true(image.page_size == 0 && !image.place_anywhere);
}

static void test_refusals(void **state UNUSED)
{
    struct linux_image image;

    assert_int_equal(parse(0, 0x1000, 1, &image), -ENOTSUP);
    assert_int_equal(parse(0x200000, 0x1000, 0, &image), -EBADMSG);
    assert_int_equal(parse(UINT64_MAX, 0x1000, 0, &image), -EBADMSG);
    assert_int_equal(parse(0x80000, UINT64_MAX, 0, &image), -EBADMSG);
    assert_int_equal(parse(0, 0x1000, 0, &image), 0);
    header[59] = 'D';
    assert_int_equal(linux_image_parse(header, sizeof(header), &image), -ENOEXEC);
    for (size_t size = 0; size < sizeof(header); size++) {
        uint8_t *part = malloc(size);

        memcpy(part, header, size);
        assert_int_equal(linux_image_parse(part, size, &image), -ENOEXEC);
        free(part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_legacy),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
