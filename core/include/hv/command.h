// SPDX-License-Identifier: Apache-2.0
// Commands of mterm: table entries that write to the caller's terminal. Room: mterm.
#pragma once

#include <hv/terminal.h>
#include <lib/table.h>

#define COMMAND_ARGS_MAX 16
/** How deep commands may run others (scripts, watch). */
#define COMMAND_NEST_MAX 3

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
    COMPLETE_FILE,       /**< files of the boot bundle */
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

/**
 * A line as it is typed: "COMMAND [ARGUMENT...]", with "| grep WORD" behind it any number of times up to four, and "&" at its end for the background.
 * Unknown or bad use prints what is wrong and the usage. What the command returned; -ENOENT when a grep showed nothing. Orphan. line is modified.
 */
int command_run(struct terminal *term, char *line);
/** NULL: there is none. Any context. */
const struct command *command_find(const char *name);
/** Usage lines of a command. */
void command_usage(struct terminal *term, const struct command *cmd);
/**
 * Run a script: one command a line, # comments; stops at the first failure unless the line starts with "-". -EINTR, -E2BIG (too many scripts inside each
 * other), -ENOMEM. Orphan.
 */
int command_script(struct terminal *term, const char *text, size_t size);
/** To be called by a command before it runs another one on its terminal, and after it. -E2BIG: too deep already; the terminal has been told. */
int command_nest(struct terminal *term);
void command_unnest(struct terminal *term);
