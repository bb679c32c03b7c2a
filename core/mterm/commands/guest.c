// SPDX-License-Identifier: Apache-2.0
// Command guest: the life of guests.
#include <hv/guest.h>
#include <hv/mterm.h>
#include <lib/errno.h>
#include <lib/string.h>

static int guest_create_run(struct terminal *term, int argc, char **argv)
{
    struct report report;
    int err;

    mterm_report(&report, term);
    err = guest_create(argv[0], argc > 1 ? argv[1] : NULL, &report);
    if (err < 0)
        return mterm_error(term, err, "not created: guest", argv[0]);
    term_printf(term, "guest %s created; \"guest kick %s\" starts it\n", argv[0], argv[0]);
    return 0;
}

/** Runs one operation on the guest of that name. */
static int guest_apply(struct terminal *term, const char *name, int (*operation)(struct guest *),
                       const char *what)
{
    struct guest *guest = guest_find(name);
    int err = guest == NULL ? -ENOENT : operation(guest);

    return err < 0 ? mterm_error(term, err, what, name) : 0;
}

static int guest_destroy_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return guest_apply(term, argv[0], guest_destroy, "not destroyed: guest");
}

static int guest_kick_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return guest_apply(term, argv[0], guest_kick, "not kicked: guest");
}

static int guest_pause_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return guest_apply(term, argv[0], guest_pause, "not paused: guest");
}

static int guest_resume_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return guest_apply(term, argv[0], guest_resume, "not resumed: guest");
}

static int guest_halt_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return guest_apply(term, argv[0], guest_halt, "not halted: guest");
}

static int guest_reset_run(struct terminal *term, int argc UNUSED, char **argv)
{
    struct guest *guest = guest_find(argv[0]);
    struct report report;
    int err;

    mterm_report(&report, term);
    err = guest == NULL ? -ENOENT : guest_reset(guest, &report);
    return err < 0 ? mterm_error(term, err, "not reset: guest", argv[0]) : 0;
}

static int guest_list_line(struct guest *guest, void *arg)
{
    struct terminal *term = arg;
    struct mterm_guest info;
    char uptime[32];

    if (term_interrupted(term))
        return -EINTR;
    mterm_guest_info(guest, &info);
    mterm_duration(info.uptime_ns, uptime, sizeof(uptime));
    term_puts_cell(term, guest->name, 16);
    term_printf(term, " %3u %-8s %5u %7llu MiB %12s %6llu %6llu\n", guest->id, info.state,
                guest->vcpu_count, (unsigned long long)(info.memory >> 20), uptime,
                (unsigned long long)guest->reset_count, (unsigned long long)guest->fault_count);
    return 0;
}

static int guest_list_run(struct terminal *term, int argc UNUSED, char **argv UNUSED)
{
    term_printf(term,
                "NAME              ID STATE    VCPUS      MEMORY       UPTIME RESETS FAULTS\n");
    return guest_for_each(guest_list_line, term);
}

/** Show one thing of the guest of that name. */
struct show_request {
    struct terminal *term;
    const char *name;
    void (*show)(const struct guest *guest, struct terminal *term);
    bool found;
};

static int show_if_named(struct guest *guest, void *arg)
{
    struct show_request *request = arg;

    if (str_equal(guest->name, request->name)) {
        request->found = true;
        request->show(guest, request->term);
    }
    return 0;
}

static int guest_show(struct terminal *term, const char *name,
                      void (*show)(const struct guest *guest, struct terminal *term))
{
    struct show_request request = {.term = term, .name = name, .show = show};

    (void)guest_for_each(show_if_named, &request);
    return request.found ? 0 : mterm_error(term, -ENOENT, "guest", name);
}

static int guest_info_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return guest_show(term, argv[0], mterm_guest_describe);
}

static int guest_regions_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return guest_show(term, argv[0], mterm_guest_regions);
}

static int guest_why_run(struct terminal *term, int argc UNUSED, char **argv)
{
    return guest_show(term, argv[0], mterm_guest_why);
}

#define GUEST_VERB(verb, help_text)                                                                \
    {                                                                                              \
        .name = #verb, .usage = "NAME", .help = help_text, .min_args = 1, .max_args = 1,           \
        .complete = {COMPLETE_GUEST}, .run = guest_##verb##_run,                                   \
    }

static const struct command_verb guest_verbs[] = {
    {
        .name = "create",
        .usage = "NAME [TEMPLATE]",
        .help = "make a guest from its node or a template",
        .min_args = 1,
        .max_args = 2,
        .complete = {COMPLETE_GUEST_NODE, COMPLETE_TEMPLATE},
        .run = guest_create_run,
    },
    GUEST_VERB(destroy, "stop it and give everything back"),
    GUEST_VERB(kick, "start a created or reset guest"),
    GUEST_VERB(reset, "load its images again and restart it"),
    GUEST_VERB(pause, "stop its VCPUs and its time"),
    GUEST_VERB(resume, "let a paused guest go on"),
    GUEST_VERB(halt, "stop it until it is reset"),
    {
        .name = "list",
        .usage = "",
        .help = "a line for each guest",
        .run = guest_list_run,
    },
    GUEST_VERB(info, "all about one guest"),
    GUEST_VERB(why, "why it does not run, and its last fault"),
    GUEST_VERB(regions, "its address space, with the accesses to each device"),
};
static const struct command guest_command = {
    .name = "guest",
    .group = "Guests",
    .help = "virtual machines",
    .details = "Without TEMPLATE, create takes the node /guests/NAME; with it, a copy of\n"
               "/templates/TEMPLATE. All faults of the node are listed, and nothing stays\n"
               "behind then. Destroy gives everything back. Reset loads the images again and\n"
               "resets devices and VCPUs; the guest runs again if it ran before. Pause stops its\n"
               "virtual time too. Operations give up after a bounded time and say so.\n",
    .verbs = guest_verbs,
    .verb_count = ARRAY_SIZE(guest_verbs),
};
COMMAND(guest_command);
