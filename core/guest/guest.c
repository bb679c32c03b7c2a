// SPDX-License-Identifier: Apache-2.0
// Guests: creation and destruction, with everything undone in reverse order.
#include <hv/guest_parts.h>

#include <hv/heap.h>
#include <hv/mutex.h>
#include <hv/sched.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Creation and destruction, one at a time. Before the lock of the list. */
static struct mutex build_lock;
/* The guest that is being built, id + 1: what is allocated is for it. Under build_lock. */
static uint32_t building;

struct notifier_chain guest_chain;

void guest_tree_lock(void) NO_THREAD_SAFETY
{
    mutex_lock(&build_lock);
}

bool guest_tree_trylock(void) NO_THREAD_SAFETY
{
    return mutex_trylock(&build_lock);
}

void guest_tree_unlock(void) NO_THREAD_SAFETY
{
    mutex_unlock(&build_lock);
}

/* Undoes whatever part of build() was done. No VCPU runs, none will. */
static void take_apart(struct guest *guest)
{
    hrtimer_cancel(&guest->backoff_timer);
    guest_devices_destroy(guest);
    guest_vcpus_destroy(guest);
    if (guest->has_arch) {
        guest_demand_destroy(guest);
        arch_guest_destroy(guest);
    }
    guest_memory_destroy(guest);
    guest_region_destroy(guest);
    dt_release(&guest->node_hold);
    if (guest->node_owned) {
        dt_delete_node(guest->node);
    }
    heap_free(guest->layout);
    heap_free(guest->config);
    heap_free(guest);
}

static int build_arch(struct guest *guest, struct report *report)
{
    int err = arch_guest_init(guest);

    if (err != 0) {
        guest_config_error(report, guest->node, NULL, "its address space can not be made: %s",
                           error_name(err));
        return err;
    }
    guest->has_arch = true;
    return 0;
}

static int build(struct guest *guest, struct report *report)
{
    static int (*const steps[])(struct guest * guest, struct report * report) = {
        build_arch,         guest_region_create,  guest_memory_create,
        guest_vcpus_create, guest_devices_create, guest_load,
    };
    int err = guest_config_read(guest->node, guest->config, guest->layout, report);

    guest->on_crash = guest->config->on_crash;
    guest->on_reboot = guest->config->on_reboot;
    guest->host_counter = guest->config->host_counter;
    guest->entry = guest->layout->entry;
    guest->dtb = guest->layout->dtb.addr;
    for (unsigned i = 0; i < ARRAY_SIZE(steps) && err == 0; i++) {
        err = steps[i](guest, report);
    }
    if (err == 0) {
        guest_devices_reset(guest);
        guest->pristine = true;
    }
    return err;
}

/* Name is checked to fit. */
static struct guest *guest_alloc(const char *name, struct dt_node *node)
{
    uint32_t id = guest_list_free_id();
    struct guest *guest;

    building = id + 1;
    guest = heap_zalloc(sizeof(*guest));
    if (guest == NULL) {
        return NULL;
    }
    str_copy(guest->name, name, sizeof(guest->name));
    guest->id = id;
    guest->node = node;
    dt_hold(node, &guest->node_hold, guest->name);
    guest->busy = true;
    list_init(&guest->link);
    list_init(&guest->devices);
    spin_init(&guest->stock.lock);
    guest_irq_router_init(guest);
    hrtimer_init(&guest->backoff_timer, guest_power_backoff_over, guest);
    guest->config = heap_zalloc(sizeof(*guest->config));
    guest->layout = heap_zalloc(sizeof(*guest->layout));
    if (guest->config == NULL || guest->layout == NULL) {
        take_apart(guest);
        return NULL;
    }
    return guest;
}

bool guest_name_is_valid(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size >= GUEST_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = name[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            (i == 0 || strchr("-_.+,", c) == NULL)) {
            return false;
        }
    }
    return true;
}

static int copy_template(const char *name, const char *template_name, struct dt_node **out,
                         struct report *report)
{
    struct dt_node *templates = dt_find("/templates");
    struct dt_node *parent = dt_find("/guests");
    struct dt_node *source = templates != NULL ? dt_child(templates, template_name) : NULL;
    int err = 0;

    if (source == NULL) {
        report_error(report,
                     "/templates/%s: no such template; \"devtree node show /templates\" lists them",
                     template_name);
        return -ENOENT;
    }
    if (parent == NULL) {
        err = dt_add_node(dt_root(), "guests", &parent);
    }
    if (err == 0) {
        err = dt_copy_node(source, parent, name, out);
    }
    if (err != 0) {
        report_error(report, "/guests/%s: template \"%s\" can not be copied: %s", name,
                     template_name, error_name(err));
    }
    return err;
}

/* The guest's node: its own, or a copy of a template, which then is *owned. */
static int find_node(const char *name, const char *template_name, struct dt_node **out, bool *owned,
                     struct report *report)
{
    struct dt_node *parent = dt_find("/guests");

    *out = parent != NULL ? dt_child(parent, name) : NULL;
    *owned = template_name != NULL;
    if (template_name == NULL && *out == NULL) {
        report_error(report, "/guests/%s: no such guest; name a template to make it from", name);
        return -ENOENT;
    }
    if (template_name == NULL) {
        return 0;
    }
    if (*out != NULL) {
        report_error(report,
                     "/guests/%s: is configured already; create it without a template, "
                     "or choose another name",
                     name);
        return -EEXIST;
    }
    return copy_template(name, template_name, out, report);
}

static int create_locked(const char *name, const char *template_name, struct report *report)
{
    struct dt_node *node = NULL;
    struct guest *guest;
    bool owned;
    int err;

    if (guest_find(name) != NULL) {
        report_error(report, "%s: there is such a guest already; destroy it first", name);
        return -EEXIST;
    }
    err = find_node(name, template_name, &node, &owned, report);
    if (err != 0) {
        return err;
    }
    guest = guest_alloc(name, node);
    if (guest == NULL) {
        report_error(report, "%s: the hypervisor is out of memory; destroy another guest", name);
        if (owned) {
            dt_delete_node(node);
        }
        return -ENOMEM;
    }
    guest->node_owned = owned;
    err = build(guest, report);
    if (err != 0) {
        take_apart(guest);
        return err;
    }
    guest_list_add(guest);
    notifier_call(&guest_chain, GUEST_EVENT_CREATED, guest);
    guest_leave(guest);
    return 0;
}

int guest_create(const char *name, const char *template_name, struct report *report)
{
    int err;

    ctx_assert_orphan();
    if (!guest_name_is_valid(name)) {
        report_error(report,
                     "\"%s\": a guest's name has 1 to %u letters, digits and -_.+, and "
                     "starts with a letter or digit",
                     name, GUEST_NAME_MAX - 1);
        return -EINVAL;
    }
    mutex_lock(&build_lock);
    err = create_locked(name, template_name, report);
    building = 0;
    mutex_unlock(&build_lock);
    return err;
}

int guest_destroy_entered(struct guest *guest)
{
    int err = guest_halt_entered(guest);

    if (err != 0 && err != -EALREADY) {
        return err;
    }
    notifier_call(&guest_chain, GUEST_EVENT_DESTROYING, guest);
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        arch_vcpu_drop(guest->vcpus[i]);
    }
    mutex_lock(&build_lock);
    guest_list_remove(guest);
    take_apart(guest);
    mutex_unlock(&build_lock);
    return 0;
}

int guest_destroy(struct guest *guest)
{
    int err = guest_enter(guest);

    if (err != 0) {
        return err;
    }
    err = guest_destroy_entered(guest);
    if (err != 0) {
        guest_leave(guest);
    }
    return err;
}

static uint32_t heap_guest(void)
{
    const struct vcpu *self = sched_current();

    if (self != NULL && self->guest != NULL) {
        return self->guest->id + 1;
    }
    return self != NULL && mutex_owner(&build_lock) == self ? building : 0;
}

int guest_init(void)
{
    heap_guest_hook = heap_guest;
    mutex_init(&build_lock);
    guest_list_init();
    guest_shared_init();
    guest_power_init();
    guest_irq_init();
    return guest_config_hold_host();
}
