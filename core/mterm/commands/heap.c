// SPDX-License-Identifier: Apache-2.0
// Command heap: the hypervisor's own small memory, by size, by owner, and whether it is sound.
#include <hv/guest.h>
#include <hv/heap.h>
#include <hv/mterm.h>
#include <hv/page.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define FAULTS_MAX 16u
#define GUESTS_MAX 64u
#define OWNER_TEXT 64

typedef unsigned long long ull;

static int heap_show(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct heap_class class;
    struct heap_stats stats;

    heap_get_stats(&stats);
    term_printf(term, "objects:  %llu, at most %llu\n", (ull)stats.objects, (ull)stats.objects_peak);
    term_printf(term, "bytes:    %llu, at most %llu\n", (ull)stats.bytes_used,
                (ull)stats.bytes_peak);
    term_printf(term, "pages:    %llu KiB\n", (ull)(stats.bytes_taken >> 10));
    term_printf(term, "requests: %llu, %llu of them failed\n", (ull)(stats.allocs + stats.fails),
                (ull)stats.fails);
    term_printf(term, " UP TO    OBJECTS      BYTES  PAGES KIB\n");
    for (unsigned i = 0; heap_get_class(i, &class); i++) {
        if (class.room != 0)
            term_printf(term, "%6u", class.room);
        else
            term_printf(term, " large");
        term_printf(term, " %10llu %10llu %10llu\n", (ull) class.objects, (ull) class.bytes,
                    (ull)(class.taken >> 10));
    }
    return 0;
}

/* What the objects of each guest come to. */
struct guest_census {
    struct {
        uint32_t guest; /* id + 1 */
        uint64_t objects, bytes;
    } rows[GUESTS_MAX];
    unsigned count;
};

static void count_guest(const struct heap_object *object, void *arg)
{
    struct guest_census *census = arg;
    unsigned i = 0;

    if (object->guest == 0)
        return;
    while (i < census->count && census->rows[i].guest != object->guest)
        i++;
    if (i == GUESTS_MAX)
        return;
    census->count = MAX(census->count, i + 1);
    census->rows[i].guest = object->guest;
    census->rows[i].objects++;
    census->rows[i].bytes += object->size;
}

static void print_row(struct terminal *term, const char *name, uint64_t objects, uint64_t bytes)
{
    term_puts_cell(term, name, 44);
    term_printf(term, " %8llu %10llu", (ull)objects, (ull)bytes);
}

static int print_sites(struct terminal *term)
{
    struct heap_site site;
    char text[OWNER_TEXT];

    term_printf(term, "ASKED FOR IN                                  OBJECTS      BYTES   FAILED\n");
    for (unsigned i = 0; heap_get_site(i, &site); i++) {
        if (site.objects == 0 && site.fails == 0)
            continue;
        if (term_interrupted(term))
            return -EINTR;
        (void)fmt_snprintf(text, sizeof(text), "%s:%u", site.file, site.line);
        print_row(term, text, site.objects, site.bytes);
        term_printf(term, " %8llu\n", (ull)site.fails);
    }
    return 0;
}

static int heap_owners(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    int err = print_sites(term);
    struct guest_census *census = err == 0 ? heap_zalloc(sizeof(*census)) : NULL;
    char text[OWNER_TEXT];

    if (census == NULL)
        return err != 0 ? err : mterm_error(term, -ENOMEM, "heap", "guests");
    err = heap_walk(count_guest, census);
    if (err != 0)
        (void)mterm_error(term, err, "heap", "guests");
    else
        term_printf(term, "OF THESE FOR THE GUEST\n");
    for (unsigned i = 0; i < census->count && err == 0; i++) {
        if (!guest_memory_owner(PAGE_OWNER_GUEST + census->rows[i].guest - 1, text, sizeof(text)))
            (void)fmt_snprintf(text, sizeof(text), "guest %u, being made or gone",
                               census->rows[i].guest - 1);
        print_row(term, text, census->rows[i].objects, census->rows[i].bytes);
        term_printf(term, "\n");
    }
    heap_free(census);
    return err;
}

struct check {
    uint64_t objects;
    uint64_t faults;
    struct heap_object list[FAULTS_MAX];
};

static void check_object(const struct heap_object *object, void *arg)
{
    struct check *check = arg;

    check->objects++;
    if (object->fault == NULL)
        return;
    if (check->faults < FAULTS_MAX)
        check->list[check->faults] = *object;
    check->faults++;
}

static int heap_check(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    struct check check = {0};
    int err = heap_walk(check_object, &check);

    if (err != 0)
        return mterm_error(term, err, "heap", "check");
    for (unsigned i = 0; i < MIN(check.faults, (uint64_t)FAULTS_MAX); i++) {
        const struct heap_object *object = &check.list[i];

        term_printf(term, "ERROR: %s: %p, %llu bytes of %s:%u\n", object->fault, object->ptr,
                    (ull)object->size, object->site != NULL ? object->site->file : "nobody known",
                    object->site != NULL ? object->site->line : 0);
    }
    term_printf(term, "%llu objects, %llu faults\n", (ull)check.objects, (ull)check.faults);
    return check.faults == 0 ? 0 : -EBADMSG;
}

static const struct command_verb heap_verbs[] = {
    {
        .name = "show",
        .usage = "",
        .help = "objects and bytes in use, most ever, failures, size classes",
        .run = heap_show,
    },
    {
        .name = "owners",
        .usage = "",
        .help = "who asked for what is in use: places in the source, and guests",
        .run = heap_owners,
    },
    {
        .name = "check",
        .usage = "",
        .help = "verify every object, free slot and header",
        .run = heap_check,
    },
};
static const struct command heap = {
    .name = "heap",
    .group = "Host",
    .help = "the hypervisor's own small memory",
    .details = "Owners is the census of leaks: compare it before and after. Check stops nothing:\n"
               "what it finds would stop the hypervisor when the object is freed.\n",
    .verbs = heap_verbs,
    .verb_count = ARRAY_SIZE(heap_verbs),
};
COMMAND(heap);
