// SPDX-License-Identifier: Apache-2.0
// What there is to tell about a guest. Callers keep the guest alive: they are inside guest_for_each().
#include <hv/clock.h>
#include <hv/guest.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/parse.h>
#include <lib/string.h>

typedef unsigned long long ull;

/** Which states the VCPUs of a guest are in, a bit each. */
static unsigned vcpu_states(const struct guest *guest)
{
    unsigned states = 0;

    for (unsigned i = 0; i < guest->vcpu_count; i++)
        states |= 1U << guest->vcpus[i]->state;
    return states;
}

static const char *state_of(const struct guest *guest)
{
    unsigned states;

    if (guest->busy)
        return "busy";
    states = vcpu_states(guest);
    if (guest->paused)
        return "paused";
    if ((states & (1U << VCPU_READY | 1U << VCPU_RUNNING | 1U << VCPU_PAUSED)) != 0)
        return "running";
    return (states & 1U << VCPU_HALTED) != 0 ? "halted" : "reset";
}

void mterm_guest_info(const struct guest *guest, struct mterm_guest *info)
{
    const struct guest_region_map *map = guest->map;
    bool active;

    *info = (struct mterm_guest){.state = state_of(guest)};
    active = str_equal(info->state, "running") || str_equal(info->state, "paused");
    if (active && guest->uptime_start_ns != 0)
        info->uptime_ns = clock_now() - guest->uptime_start_ns;
    for (unsigned i = 0; !guest->busy && map != NULL && i < map->count; i++)
        if (map->regions[i]->kind == GUEST_REGION_MEMORY)
            info->memory += map->regions[i]->size;
}

static const char *policy_name(enum guest_crash_policy policy)
{
    switch (policy) {
    case GUEST_ON_CRASH_HALT:
        return "halt";
    case GUEST_ON_CRASH_RESTART:
        return "restart";
    case GUEST_ON_CRASH_DESTROY:
        return "destroy";
    }
    return "?";
}

static const char *const kinds[] = {
    [GUEST_REGION_MEMORY] = "memory",
    [GUEST_REGION_VIRTUAL] = "virtual",
    [GUEST_REGION_HOST] = "host",
    [GUEST_REGION_ALIAS] = "alias",
};

static void print_region(struct terminal *term, const struct guest_region *region)
{
    term_printf(term, "  0x%010llx..0x%010llx %-7s ", (ull)region->start.v,
                (ull)(region->start.v + region->size - 1), kinds[region->kind]);
    term_puts_escaped(term, region->name, strlen(region->name));
    if (region->read_only)
        term_printf(term, ", read-only");
    if (region->kind == GUEST_REGION_VIRTUAL && region->dev != NULL)
        term_printf(term, ", %s", region->dev->emulator->name);
    term_printf(term, "\n");
}

/* Where a region's bytes come from. */
static void print_backing(struct terminal *term, const struct guest_region *region)
{
    if (region->kind == GUEST_REGION_VIRTUAL && region->dev != NULL)
        term_printf(term, "emulator %s, frame %u", region->dev->emulator->name, region->dev_reg);
    else if (region->kind == GUEST_REGION_ALIAS && region->alias_of != NULL)
        term_printf(term, "0x%llx", (ull)region->alias_of->start.v);
    else if (region->demand)
        term_printf(term, "on demand%s", region->read_only ? ", read-only" : "");
    else
        term_printf(term, "host 0x%llx%s", (ull)region->host.v,
                    region->read_only ? ", read-only" : "");
}

void mterm_guest_regions(const struct guest *guest, struct terminal *term)
{
    if (guest->busy) {
        term_printf(term, "an operation is working on it\n");
        return;
    }
    term_printf(term, "START        END          KIND    HITS       NAME             IS\n");
    for (unsigned i = 0; i < guest->map->count && !term_interrupted(term); i++) {
        const struct guest_region *region = guest->map->regions[i];

        term_printf(term, "0x%010llx 0x%010llx %-7s ", (ull)region->start.v,
                    (ull)(region->start.v + region->size - 1), kinds[region->kind]);
        /* Accesses to memory are no exits, so nobody counts them. */
        if (region->kind == GUEST_REGION_VIRTUAL || region->hits != 0)
            term_printf(term, "%-10llu ", (ull)region->hits);
        else
            term_printf(term, "%-10s ", "-");
        term_puts_cell(term, region->name, 16);
        term_printf(term, " ");
        print_backing(term, region);
        term_printf(term, "\n");
    }
}

static void print_vcpus(const struct guest *guest, struct terminal *term)
{
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        const struct vcpu *vcpu = guest->vcpus[i];
        const struct mterm_vcpu row = {.state = vcpu->state, .reasons = vcpu->reasons};
        char state[64];

        mterm_vcpu_state_text(&row, state, sizeof(state));
        term_printf(term, "  %u: id %u, %s, cpu %u, %llu exits\n", i, vcpu->id, state, vcpu->se.cpu,
                    (ull)exit_stats_count(vcpu));
    }
}

void mterm_guest_describe(const struct guest *guest, struct terminal *term)
{
    struct mterm_guest info;
    char uptime[32];

    mterm_guest_info(guest, &info);
    mterm_duration(info.uptime_ns, uptime, sizeof(uptime));
    term_printf(term, "name:      ");
    term_puts_escaped(term, guest->name, strlen(guest->name));
    term_printf(term, "\nid:        %u\nstate:     %s\n", guest->id, info.state);
    if (guest->busy) {
        term_printf(term, "           an operation is working on it\n");
        return;
    }
    term_printf(term, "uptime:    %s\nmemory:    %llu KiB\n", uptime, (ull)(info.memory >> 10));
    term_printf(term, "intc:      GICv%u\n", guest->intc_version);
    term_printf(term, "resets:    %llu\nfaults:    %llu\n", (ull)guest->reset_count,
                (ull)guest->fault_count);
    term_printf(term, "on-crash:  %s\non-reboot: %s\n", policy_name(guest->on_crash),
                policy_name(guest->on_reboot));
    term_printf(term, "stopped:   ");
    if (guest->stop_reason[0] == '\0')
        term_printf(term, "never");
    term_puts_escaped(term, guest->stop_reason, strlen(guest->stop_reason));
    term_printf(term, "\nvcpus:     %u\n", guest->vcpu_count);
    print_vcpus(guest, term);
    term_printf(term, "regions:   %u\n", guest->map->count);
    for (unsigned i = 0; i < guest->map->count && !term_interrupted(term); i++)
        print_region(term, guest->map->regions[i]);
}

// VCPUs by what an operator calls them

struct vcpu_search {
    const char *guest_name; /**< not terminated, guest_length bytes; NULL: by id */
    size_t guest_length;
    uint32_t number;
    int (*fn)(struct vcpu *vcpu, void *arg);
    void *arg;
    bool found;
};

static bool search_has_guest(const struct vcpu_search *search, const struct guest *guest)
{
    return search->guest_name == NULL ||
           (strlen(guest->name) == search->guest_length &&
            strncmp(guest->name, search->guest_name, search->guest_length) == 0);
}

static bool search_has_vcpu(const struct vcpu_search *search, const struct vcpu *vcpu)
{
    return search->number == (search->guest_name == NULL ? vcpu->id : vcpu->subid);
}

static int search_guest(struct guest *guest, void *arg)
{
    struct vcpu_search *search = arg;

    if (!search_has_guest(search, guest))
        return 0;
    if (guest->busy) {
        search->found = search->guest_name != NULL;
        return search->found ? -EBUSY : 0;
    }
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        if (search_has_vcpu(search, guest->vcpus[i])) {
            search->found = true;
            return search->fn(guest->vcpus[i], search->arg);
        }
    }
    return 0;
}

int mterm_vcpu_apply(const char *text, int (*fn)(struct vcpu *vcpu, void *arg), void *arg)
{
    struct vcpu_search search = {.fn = fn, .arg = arg};
    const char *slash = strrchr(text, '/');
    int err;

    if (slash != NULL) {
        search.guest_name = text;
        search.guest_length = (size_t)(slash - text);
        text = slash + (str_starts_with(slash, "/vcpu") ? strlen("/vcpu") : 1);
    }
    err = parse_u32(text, &search.number);
    if (err < 0)
        return err;
    err = guest_for_each(search_guest, &search);
    return search.found ? err : -ENOENT;
}
