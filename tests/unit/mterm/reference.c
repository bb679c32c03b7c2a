// SPDX-License-Identifier: Apache-2.0
// Writes the commands as Markdown: a table for each group, and behind it what there is to say about each command.
#include "tests/unit/mterm/reference.h"
#include <hv/mterm.h>
#include <string.h>

/* "|" has to be escaped inside a table. */
static void put_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void put_rows(FILE *out, const struct command *cmd)
{
    for (unsigned i = 0; i < cmd->verb_count; i++) {
        const struct command_verb *verb = &cmd->verbs[i];

        fprintf(out, "| `%s%s%s%s", cmd->name, verb->name[0] != '\0' ? " " : "", verb->name,
                verb->usage[0] != '\0' ? " " : "");
        put_cell(out, verb->usage);
        fprintf(out, "` | ");
        put_cell(out, verb->help);
        fprintf(out, " |\n");
    }
}

/* Commands from `first` on that are of its group; returns the index behind them. */
static unsigned put_group(FILE *out, unsigned first)
{
    const char *group = mterm_command_at(first)->group;
    const struct command *cmd;
    unsigned end = first;

    fprintf(out, "\n### %s\n\n| Command | What it does |\n|---|---|\n", group);
    while ((cmd = mterm_command_at(end)) != NULL && strcmp(cmd->group, group) == 0) {
        put_rows(out, cmd);
        end++;
    }
    for (unsigned i = first; i < end; i++) {
        cmd = mterm_command_at(i);
        if (cmd->details != NULL)
            fprintf(out, "\n**%s**: %s", cmd->name, cmd->details);
    }
    return end;
}

int reference_write(const char *old, FILE *out)
{
    const char *begin = strstr(old, REFERENCE_BEGIN);
    const char *end = begin == NULL ? NULL : strstr(begin, REFERENCE_END);
    unsigned index = 0;

    if (end == NULL)
        return -1;
    begin += strlen(REFERENCE_BEGIN);
    fwrite(old, 1, (size_t)(begin - old), out);
    while (mterm_command_at(index) != NULL)
        index = put_group(out, index);
    fprintf(out, "\n%s", end);
    return 0;
}
