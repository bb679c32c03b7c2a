// SPDX-License-Identifier: Apache-2.0
// Completion: the words that may stand where the cursor is.
#include <hv/bundle.h>
#include <hv/dt.h>
#include <hv/guest.h>
#include <hv/mterm.h>
#include <hv/vserial.h>
#include <lib/fmt.h>
#include <lib/string.h>

TABLE_DECLARE(commands, struct command);

struct request {
    struct mterm_completion *out;
    const char *word; /**< not terminated: out->prefix bytes */
};

static size_t common_length(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] != '\0' && a[n] == b[n])
        n++;
    return n;
}

static void offer(struct request *request, const char *candidate)
{
    struct mterm_completion *out = request->out;
    size_t size = strlen(candidate) + 1;

    if (strncmp(candidate, request->word, out->prefix) != 0)
        return;
    if (out->count++ == 0)
        (void)str_copy(out->common, candidate, sizeof(out->common));
    else
        out->common[common_length(out->common, candidate)] = '\0';
    if (out->used + size <= sizeof(out->words)) {
        memcpy(out->words + out->used, candidate, size);
        out->used += size;
    }
}

static void offer_commands(struct request *request)
{
    TABLE_FOREACH(commands, struct command, iter)
        offer(request, (*iter)->name);
}

static int offer_guest(struct guest *guest, void *arg)
{
    offer(arg, guest->name);
    return 0;
}

static int offer_vcpus(struct guest *guest, void *arg)
{
    char name[GUEST_NAME_MAX + 16];

    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        (void)fmt_snprintf(name, sizeof(name), "%s/%u", guest->name, i);
        offer(arg, name);
    }
    return 0;
}

static void offer_vserial(const struct vserial_info *info, void *arg)
{
    offer(arg, info->name);
}

static void offer_file(const char *name, size_t size UNUSED, void *arg)
{
    offer(arg, name);
}

static void offer_children(struct request *request, const char *path)
{
    const struct dt_node *parent = dt_find(path);
    const struct dt_node *node = parent == NULL ? NULL : dt_first_child(parent);

    for (; node != NULL; node = dt_next_sibling(node))
        offer(request, node->name);
}

// Paths go on one component at a time.
static void offer_nodes(struct request *request)
{
    const struct dt_node *parent;
    char path[128];
    size_t slash = 0;

    if (request->out->prefix == 0 || request->out->prefix >= sizeof(path) / 2) {
        offer(request, "/");
        request->out->more = true;
        return;
    }
    memcpy(path, request->word, request->out->prefix);
    path[request->out->prefix] = '\0';
    slash = (size_t)((strrchr(path, '/') ?: path) - path);
    path[slash] = '\0';
    parent = dt_find(slash == 0 ? "/" : path);
    if (parent == NULL)
        return;
    for (struct dt_node *node = dt_first_child(parent); node != NULL; node = dt_next_sibling(node)) {
        (void)fmt_snprintf(path + slash, sizeof(path) - slash, "/%s", node->name);
        offer(request, path);
    }
    request->out->more = true;
}

// While a guest is being made the tree changes: nothing is offered then, rather than waited for.
static void offer_from_tree(struct request *request, enum command_complete kind)
{
    if (!guest_tree_trylock())
        return;
    if (kind == COMPLETE_NODE)
        offer_nodes(request);
    else
        offer_children(request, kind == COMPLETE_TEMPLATE ? "/templates" : "/guests");
    guest_tree_unlock();
}

static void offer_kind(struct request *request, enum command_complete kind)
{
    switch (kind) {
    case COMPLETE_NONE:
        break;
    case COMPLETE_GUEST:
        (void)guest_for_each(offer_guest, request);
        break;
    case COMPLETE_VCPU:
        (void)guest_for_each(offer_vcpus, request);
        break;
    case COMPLETE_VSERIAL:
        vserial_for_each(offer_vserial, request);
        break;
    case COMPLETE_COMMAND:
        offer_commands(request);
        break;
    case COMPLETE_FILE:
        bundle_for_each(offer_file, request);
        break;
    case COMPLETE_NODE:
    case COMPLETE_GUEST_NODE:
    case COMPLETE_TEMPLATE:
        offer_from_tree(request, kind);
        break;
    }
}

static void offer_argument(struct request *request, const struct command_verb *verb, unsigned index)
{
    if (index < ARRAY_SIZE(verb->complete) && (int)index < verb->max_args)
        offer_kind(request, verb->complete[index]);
}

// Word `index` of a command: a verb, or an argument of the verb named by word 1.
static void offer_word(struct request *request, const struct command *cmd, const char *word1,
                       unsigned index)
{
    for (unsigned i = 0; i < cmd->verb_count; i++) {
        const struct command_verb *verb = &cmd->verbs[i];

        if (verb->name[0] == '\0')
            offer_argument(request, verb, index - 1);
        else if (index == 1)
            offer(request, verb->name);
        else if (str_equal(verb->name, word1))
            offer_argument(request, verb, index - 2);
    }
}

#define WORD_MAX 32

// Copies the next word of [*at, end) and says whether a blank follows it.
static bool next_word(const char **at, const char *end, char *word, const char **start)
{
    size_t n = 0;

    while (*at < end && (**at == ' ' || **at == '\t'))
        (*at)++;
    *start = *at;
    for (; *at < end && **at != ' ' && **at != '\t'; (*at)++)
        if (n < WORD_MAX - 1)
            word[n++] = **at;
    word[n] = '\0';
    return *at < end;
}

// Whether the cursor is behind a "|"; *line then becomes what follows the last one.
static bool behind_last_bar(const char **line, const char *end)
{
    bool found = false;

    for (const char *c = *line; c < end; c++) {
        if (*c == '|') {
            *line = c + 1;
            found = true;
        }
    }
    return found;
}

void mterm_complete(const char *line, size_t cursor, struct mterm_completion *out)
{
    struct request request = {.out = out};
    char words[2][WORD_MAX] = {"", ""};
    char scratch[WORD_MAX];
    const char *end = line + cursor;
    const struct command *cmd;
    unsigned index = 0;
    bool filters;

    out->count = 0;
    out->used = 0;
    out->more = false;
    out->common[0] = '\0';
    filters = behind_last_bar(&line, end);
    while (next_word(&line, end, index < 2 ? words[index] : scratch, &request.word))
        index++;
    out->prefix = (size_t)(end - request.word);
    if (index == 0) {
        if (filters)
            offer(&request, "grep");
        else
            offer_commands(&request);
        return;
    }
    if (filters)
        return;
    cmd = command_find(words[0]);
    if (cmd != NULL)
        offer_word(&request, cmd, words[1], index);
}
