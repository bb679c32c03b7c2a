// SPDX-License-Identifier: Apache-2.0
// Checks of the whole configuration: every guest for itself, and all guests against each other.
#include <hv/guest_config.h>

#include <hv/heap.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MIB (1024 * 1024)

/* What a guest wants that is there only once, or alike for all. */
enum claim_kind { CLAIM_DEVICE, CLAIM_MEMORY, CLAIM_SHARED };

struct claim {
    struct list link;
    enum claim_kind kind;
    const struct dt_node *guest;
    const struct dt_node *node;
    const struct dt_node *host; /* CLAIM_DEVICE */
    const char *name;           /* CLAIM_SHARED */
    uint64_t start;             /* CLAIM_MEMORY */
    uint64_t size;              /* CLAIM_MEMORY, CLAIM_SHARED */
};

/* One pass over the tree. */
struct pass {
    struct report *report;
    bool without_files;
    struct list claims;
    struct guest_config *config; /* of the guest that is looked at */
    struct guest_layout *layout;
    uint64_t autostart_size; /* memory of all guests that start by themselves */
    const struct dt_node *autostart_last;
    int err;
};

static bool collide(const struct claim *a, const struct claim *b)
{
    if (a->kind != b->kind || a->guest == b->guest) {
        return false;
    }
    switch (a->kind) {
    case CLAIM_DEVICE:
        return a->host == b->host;
    case CLAIM_MEMORY:
        return a->start < b->start ? b->start - a->start < a->size : a->start - b->start < b->size;
    default:
        return str_equal(a->name, b->name) && a->size != b->size;
    }
}

static void report_collision(const struct claim *claim, const struct claim *other,
                             struct report *report)
{
    switch (claim->kind) {
    case CLAIM_DEVICE:
        guest_config_error(report, claim->node, "bulkhead,passthrough",
                           "guest \"%s\" has \"%s\" already; a device goes to one guest",
                           other->guest->name, claim->host->name);
        break;
    case CLAIM_MEMORY:
        guest_config_error(report, claim->node, "bulkhead,host-address",
                           "0x%llx overlaps memory of guest \"%s\" (0x%llx, size 0x%llx); move it",
                           (unsigned long long)claim->start, other->guest->name,
                           (unsigned long long)other->start, (unsigned long long)other->size);
        break;
    default:
        guest_config_error(report, claim->node, "reg",
                           "shared memory \"%s\" has 0x%llx bytes in guest \"%s\", 0x%llx here; "
                           "give all the same size",
                           claim->name, (unsigned long long)other->size, other->guest->name,
                           (unsigned long long)claim->size);
    }
}

/* The first of those before that it collides with is told. */
static void claim(struct pass *pass, const struct claim *wanted)
{
    struct claim *own = heap_alloc(sizeof(*own));

    if (own == NULL) {
        pass->err = -ENOMEM;
        return;
    }
    *own = *wanted;
    own->guest = pass->config->node;
    LIST_FOR_EACH(other, &pass->claims, struct claim, link) {
        if (collide(own, other)) {
            report_collision(own, other, pass->report);
            break;
        }
    }
    list_add_tail(&pass->claims, &own->link);
}

static void claim_regions(struct pass *pass)
{
    const struct guest_config *config = pass->config;

    for (unsigned i = 0; i < config->region_count; i++) {
        const struct guest_region_config *region = &config->regions[i];
        struct claim wanted = {.node = region->node,
                               .kind = region->fixed ? CLAIM_MEMORY : CLAIM_SHARED,
                               .name = region->shared,
                               .start = region->host,
                               .size = region->size};

        if (region->kind == GUEST_REGION_MEMORY && (region->fixed || region->shared != NULL)) {
            claim(pass, &wanted);
        }
    }
}

static void claim_devices(struct pass *pass)
{
    const struct guest_config *config = pass->config;

    for (unsigned i = 0; i < config->passthrough_count; i++) {
        struct claim wanted = {.kind = CLAIM_DEVICE,
                               .node = config->passthroughs[i].node,
                               .host = config->passthroughs[i].host};

        claim(pass, &wanted);
    }
}

static void add_autostart(struct pass *pass)
{
    const struct guest_config *config = pass->config;

    if (dt_attr(config->node, "bulkhead,autostart") == NULL) {
        return;
    }
    pass->autostart_last = config->node;
    for (unsigned i = 0; i < config->region_count; i++) {
        const struct guest_region_config *region = &config->regions[i];

        if (region->kind == GUEST_REGION_MEMORY && region->shared == NULL && !region->fixed &&
            !region->demand) {
            pass->autostart_size += region->size;
        }
    }
}

static void check_guest(struct pass *pass, struct dt_node *node, bool is_template)
{
    const char *type;

    if (!guest_name_is_valid(node->name)) {
        guest_config_error(pass->report, node, NULL,
                           "a guest's name has 1 to %u letters, digits and -_.+, and starts with a "
                           "letter or digit",
                           GUEST_NAME_MAX - 1);
    }
    if (dt_get_string(node, "status", &type) == 0 && !dt_is_enabled(node)) {
        guest_config_warning(pass->report, node, "status",
                             "is not looked at; a guest starts when it "
                             "is told to");
    }
    if (guest_config_check(node, pass->config, pass->layout, pass->without_files, pass->report) !=
            0 ||
        is_template) {
        return;
    }
    add_autostart(pass);
}

static void check_guests(struct pass *pass, const char *path)
{
    static const char *const standard[] = {"#address-cells", "#size-cells", NULL};
    static const char *const known[] = {NULL};
    const struct dt_node *parent = dt_find(path);
    bool is_template = str_equal(path, "/templates");

    if (parent == NULL) {
        return;
    }
    guest_config_known(pass->report, parent, known);
    guest_config_standard(pass->report, parent, standard, NULL);
    for (struct dt_node *node = dt_first_child(parent); node != NULL; node = dt_next_sibling(node)) {
        check_guest(pass, node, is_template);
        if (!is_template) {
            claim_regions(pass);
            claim_devices(pass);
        }
    }
}

static void check_autostart(const struct pass *pass)
{
    struct page_stats stats;

    page_get_stats(&stats);
    if (pass->autostart_last != NULL && pass->autostart_size > stats.total - stats.reserved) {
        guest_config_warning(pass->report, pass->autostart_last, "bulkhead,autostart",
                             "the guests that start by themselves have %llu MiB, the host %llu MiB; "
                             "not all will start",
                             (unsigned long long)(pass->autostart_size / MIB),
                             (unsigned long long)((stats.total - stats.reserved) / MIB));
    }
}

int guest_config_check_all(bool without_files, struct report *report)
{
    unsigned before = report->errors;
    struct pass pass = {.report = report,
                        .without_files = without_files,
                        .config = heap_zalloc(sizeof(struct guest_config)),
                        .layout = heap_zalloc(sizeof(struct guest_layout))};

    list_init(&pass.claims);
    if (pass.config == NULL || pass.layout == NULL) {
        pass.err = -ENOMEM;
    } else {
        guest_config_vmm(without_files, report);
        check_guests(&pass, "/templates");
        check_guests(&pass, "/guests");
        check_autostart(&pass);
    }
    LIST_FOR_EACH_SAFE(claim, &pass.claims, struct claim, link) {
        list_remove(&claim->link);
        heap_free(claim);
    }
    heap_free(pass.layout);
    heap_free(pass.config);
    if (pass.err != 0) {
        report_error(report, "the hypervisor is out of memory; not all was checked");
        return pass.err;
    }
    return report->errors == before ? 0 : -EINVAL;
}
