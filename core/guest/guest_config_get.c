// SPDX-License-Identifier: Apache-2.0
// Properties of configuration: read by type, unknown ones found; each fault told with node, property and what to change.
#include <hv/guest_config.h>

#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define PATH_MAX_TEXT 128
#define MESSAGE_MAX 160
/* Letters that a word may be away from another to be taken for it. */
#define TYPING_ERRORS_MAX 2
#define WORD_MAX 40

static void tell(void (*say)(struct report *report, const char *fmt, ...), struct report *report,
                 const struct dt_node *node, const char *property, const char *message)
{
    char path[PATH_MAX_TEXT];

    if (dt_path(node, path, sizeof(path)) != 0) {
        str_copy(path, node->name, sizeof(path));
    }
    say(report, "%s: %s%s%s", path, property != NULL ? property : "", property != NULL ? ": " : "",
        message);
}

void guest_config_error(struct report *report, const struct dt_node *node, const char *property,
                        const char *fmt, ...)
{
    char message[MESSAGE_MAX];
    va_list ap;

    va_start(ap, fmt);
    fmt_vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    tell(report_error, report, node, property, message);
}

void guest_config_warning(struct report *report, const struct dt_node *node, const char *property,
                          const char *fmt, ...)
{
    char message[MESSAGE_MAX];
    va_list ap;

    va_start(ap, fmt);
    fmt_vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    tell(report_warning, report, node, property, message);
}

bool guest_config_u32(struct report *report, const struct dt_node *node, const char *property,
                      uint32_t max, uint32_t *value)
{
    uint32_t read;
    int err = dt_get_u32(node, property, &read);

    if (err == -ENOENT) {
        return true;
    }
    if (err != 0) {
        guest_config_error(report, node, property, "must be one cell, like <1>");
        return false;
    }
    if (read > max) {
        guest_config_error(report, node, property, "%u is too big; at most %u", read, max);
        return false;
    }
    *value = read;
    return true;
}

bool guest_config_address(struct report *report, const struct dt_node *node, const char *property,
                          uint64_t *value)
{
    uint32_t low;

    if (dt_attr(node, property) == NULL || dt_get_u64(node, property, value) == 0) {
        return true;
    }
    if (dt_get_u32(node, property, &low) == 0) {
        *value = low;
        return true;
    }
    guest_config_error(report, node, property, "must be an address of one or two cells");
    return false;
}

bool guest_config_string(struct report *report, const struct dt_node *node, const char *property,
                         const char **value)
{
    const char *read;
    int err = dt_get_string(node, property, &read);

    if (err == -ENOENT) {
        return true;
    }
    if (err != 0 || read[0] == '\0') {
        guest_config_error(report, node, property, "must be a string that is not empty");
        return false;
    }
    *value = read;
    return true;
}

/* Letters to change, add or leave out to make b of a; more than the maximum when either is long. */
static unsigned distance(const char *a, const char *b)
{
    size_t columns = strlen(b);
    uint8_t row[WORD_MAX + 1];

    if (strlen(a) > WORD_MAX || columns > WORD_MAX) {
        return TYPING_ERRORS_MAX + 1;
    }
    for (size_t i = 0; i <= columns; i++) {
        row[i] = (uint8_t)i;
    }
    for (; *a != '\0'; a++) {
        uint8_t diagonal = row[0]++;

        for (size_t i = 1; i <= columns; i++) {
            uint8_t changed = (uint8_t)(diagonal + (*a != b[i - 1]));

            diagonal = row[i];
            row[i] = (uint8_t)MIN(changed, MIN(row[i], row[i - 1]) + 1);
        }
    }
    return row[columns];
}

/* The word of the list that was probably meant, or NULL. */
static const char *probably_meant(const char *word, const char *const *list)
{
    const char *best = NULL;
    unsigned least = TYPING_ERRORS_MAX + 1;

    for (; *list != NULL; list++) {
        unsigned steps = distance(word, *list);

        best = steps < least ? *list : best;
        least = MIN(steps, least);
    }
    return best;
}

static bool contains(const char *const *list, const char *word)
{
    while (*list != NULL && !str_equal(*list, word)) {
        list++;
    }
    return *list != NULL;
}

void guest_config_known(struct report *report, const struct dt_node *node, const char *const *known)
{
    LIST_FOR_EACH(attr, &node->attrs, struct dt_attr, link) {
        const char *meant;

        if (!str_starts_with(attr->name, "bulkhead,") || contains(known, attr->name)) {
            continue;
        }
        meant = probably_meant(attr->name, known);
        if (meant != NULL) {
            guest_config_error(report, node, attr->name, "no such property here; is %s meant?",
                               meant);
        } else {
            guest_config_error(report, node, attr->name,
                               "no such property here; look for a typing error");
        }
    }
}

void guest_config_standard(struct report *report, const struct dt_node *node,
                           const char *const *known, const char *const *children)
{
    LIST_FOR_EACH(attr, &node->attrs, struct dt_attr, link) {
        if (!str_starts_with(attr->name, "bulkhead,") && !contains(known, attr->name)) {
            guest_config_warning(report, node, attr->name, "means nothing here; remove it");
        }
    }
    for (const struct dt_node *child = dt_first_child(node); children != NULL && child != NULL;
         child = dt_next_sibling(child)) {
        const char *meant;

        if (contains(children, child->name)) {
            continue;
        }
        meant = probably_meant(child->name, children);
        guest_config_warning(report, child, NULL, "means nothing here; %s%s%s",
                             meant != NULL ? "is " : "remove it", meant != NULL ? meant : "",
                             meant != NULL ? " meant?" : "");
    }
}
