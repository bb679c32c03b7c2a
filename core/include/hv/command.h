// SPDX-License-Identifier: Apache-2.0
// Commands of mterm: table entries that write to the caller's terminal. Room: mterm.
#pragma once

#include <hv/terminal.h>
#include <lib/table.h>

#define COMMAND_ARGS_MAX 16

/** What completion offers for an argument. */
enum command_complete {
    COMPLETE_NONE,
    COMPLETE_GUEST,
    COMPLETE_VCPU,
    COMPLETE_VSERIAL,
    COMPLETE_NODE,
    COMPLETE_COMMAND,
    COMPLETE_GUEST_NODE, /**< children of /guests: what can be created */
    COMPLETE_TEMPLATE,   /**< children of /templates */
};

/** One verb of a command ("guest create"); name "" for commands without verbs. */
struct command_verb {
    const char *name;
    const char *usage; /**< argument synopsis: "NAME [TEMPLATE]" */
    const char *help;  /**< one line */
    int min_args, max_args;
    enum command_complete complete[2];
    /** argc/argv are the arguments after the verb. 0, or negative: the command has printed why. Orphan; may sleep; polls term_interrupted(). */
    int (*run)(struct terminal *term, int argc, char **argv);
};

struct command {
    const char *name;
    const char *group; /**< "Guests", "Host", "System" ... */
    const char *help;  /**< one line */
    /** What "help NAME" and the manual tell besides: sentences, lines of at most 80 bytes, each ended by "\n". NULL: nothing. */
    const char *details;
    const struct command_verb *verbs;
    unsigned verb_count;
};
#define COMMAND(c) TABLE_ENTRY(commands, struct command, c)

/** Split, look up, check the argument count, run. Unknown or bad use prints what is wrong and the usage. Orphan. line is modified. */
int command_run(struct terminal *term, char *line);
const struct command *command_find(const char *name);
/** Usage lines of a command. */
void command_usage(struct terminal *term, const struct command *cmd);
/** Run a script: one command a line, # comments; stops at the first failure unless the line starts with "-". */
int command_script(struct terminal *term, const char *text, size_t size);
