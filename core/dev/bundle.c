// SPDX-License-Identifier: Apache-2.0
// The boot bundle: where the boot loader put it, and the files in it.
#include <arch/mmu.h>
#include <hv/bundle.h>
#include <hv/dt.h>
#include <hv/log.h>
#include <hv/page.h>
#include <lib/cpio.h>
#include <lib/errno.h>

static const void *bundle;
static size_t bundle_size;

// One or two cells, as the boot loader likes.
static int bundle_address(const struct dt_node *chosen, const char *name, uint64_t *address)
{
    uint32_t low;
    int err = dt_get_u64(chosen, name, address);

    if (err == -EINVAL) {
        err = dt_get_u32(chosen, name, &low);
        *address = low;
    }
    return err;
}

static int bundle_range(hpa_t *start, uint64_t *size)
{
    const struct dt_node *chosen = dt_find("/chosen");
    uint64_t first, end;
    int err;

    if (chosen == NULL) {
        return -ENOENT;
    }
    err = bundle_address(chosen, "linux,initrd-start", &first);
    if (err == 0) {
        err = bundle_address(chosen, "linux,initrd-end", &end);
    }
    if (err < 0) {
        return err;
    }
    if (end <= first) {
        return -EINVAL;
    }
    *start = hpa(first);
    *size = end - first;
    return 0;
}

static bool entry_is_file(const struct cpio_entry *entry)
{
    return (entry->mode & CPIO_MODE_TYPE) == CPIO_MODE_FILE;
}

static int bundle_check(void)
{
    struct cpio_iter iter = {0};
    struct cpio_entry entry;
    int more;

    do {
        more = cpio_next(bundle, bundle_size, &iter, &entry);
    } while (more > 0);
    if (more < 0) {
        log_error("boot bundle: broken at byte %zu of %zu; files before that stay usable",
                  iter.offset, bundle_size);
    }
    return more;
}

int bundle_init(void)
{
    uint64_t size;
    hpa_t start;
    int err = bundle_range(&start, &size);

    if (err == -ENOENT) {
        return err;
    }
    if (err < 0) {
        log_error("/chosen: linux,initrd-start and linux,initrd-end are not a range");
        return -EBADMSG;
    }
    if (!page_is_ram(start, size)) {
        log_error("/chosen: linux,initrd-start 0x%llx, %llu bytes: not RAM",
                  (unsigned long long)start.v, (unsigned long long)size);
        return -EBADMSG;
    }
    bundle = arch_mmu_linear(start);
    bundle_size = size;
    return bundle_check();
}

int bundle_find(const char *name, const void **data, size_t *size)
{
    struct cpio_entry entry;

    if (bundle == NULL || cpio_find(bundle, bundle_size, name, &entry) < 0) {
        return -ENOENT;
    }
    *data = entry.data;
    *size = entry.size;
    return 0;
}

void bundle_for_each(void (*fn)(const char *name, size_t size, void *arg), void *arg)
{
    struct cpio_iter iter = {0};
    struct cpio_entry entry;

    while (bundle != NULL && cpio_next(bundle, bundle_size, &iter, &entry) > 0) {
        if (entry_is_file(&entry)) {
            fn(entry.name, entry.size, arg);
        }
    }
}
