// SPDX-License-Identifier: Apache-2.0
// What the files of the room mterm share among themselves.
#pragma once

#include <hv/command.h>
#include <hv/mterm.h>
#include <hv/spinlock.h>
#include <lib/lineedit.h>

struct chardev;

/** The words of a command without "|" and "&"; line is modified. Orphan. */
int command_run_words(struct terminal *term, char *line);

#define FILTER_LINE_MAX 1023
/** "grep" behind a "|"; zeroed before use. */
struct filter {
    struct terminal term; /**< for the command in front of the "|" */
    struct terminal *out;
    const char *word;
    bool invert, ignore_case, count_only;
    bool judged; /**< this line: it is known whether it is shown */
    bool shown;
    uint64_t found; /**< lines */
    size_t used;
    char line[FILTER_LINE_MAX + 1];
};
/** By what stands behind the "|", which must stay. -EINVAL: it has been told why. */
int filter_open(struct filter *filter, struct terminal *out, char *line);
/** The last line, if it has no end, and the count. -ENOENT: nothing was found. */
int filter_close(struct filter *filter);

/**
 * Long output a page at a time. A command is never held up by a reader, for it may hold locks: what comes while a page
 * is being read is kept in memory, up to a limit. Used by the shell's thread only, but for `waiting`.
 */
struct pager {
    struct chardev *dev;
    unsigned rows, columns; /**< rows 0: not paging */
    unsigned left;          /**< lines that still fit on the page */
    unsigned column;
    bool waiting; /**< PAGER_PROMPT is on the screen; under the shell's lock */
    bool quit;    /**< the user has seen enough */
    char *kept;   /**< what is to be shown later: [from, used) of size bytes */
    size_t from, used, size;
    uint64_t dropped; /**< lines there was no room for */
};
#define PAGER_PROMPT "-- more --"

/** Pages output from now on, until pager_end(). */
void pager_begin(struct pager *pager, struct chardev *dev, unsigned columns, unsigned rows);
/** Sleeps only as writing to the device does. */
void pager_write(struct pager *pager, const char *text, size_t size);
/** Shows what is kept, waiting for keys, and stops paging. Orphan. */
void pager_end(struct pager *pager);

/** A shell on a terminal: nothing of it is shared with another one. */
struct mterm {
    struct chardev *dev;
    struct terminal term;
    struct spinlock lock; /**< of the following three, and of what they put on the screen; irqsave */
    bool editing;         /**< the prompt and a line are on the screen */
    bool follows_log;     /**< shows the log by itself: no echo */
    struct lineedit edit;
    char history[CONFIG_MTERM_HISTORY][LINEEDIT_SIZE];

    /* The shell's thread only. */
    char line[LINEEDIT_SIZE];
    struct mterm_completion completion;
    struct pager pager;
    unsigned page_rows;  /**< 0: pages are not asked for */
    void (*ready)(void); /**< called once when the first prompt stands */
};

/** Puts PAGER_PROMPT on the screen of the shell whose pager it is, or takes it away. */
void mterm_pager_prompt(struct pager *pager, bool shown);
/** Tells which background commands of this shell have ended since it was last asked. */
void mterm_jobs_tell(struct mterm *shell);
