// SPDX-License-Identifier: Apache-2.0
// Command devtree attr: attributes of a node, written by type.
#include "devtree.h"

#include <hv/command.h>
#include <lib/endian.h>
#include <lib/errno.h>
#include <lib/parse.h>
#include <lib/string.h>

#define BYTES_MAX 512

/** How words become a value; path and name are those of the attribute. */
struct value_type {
    const char *name;
    int min_words, max_words;
    int (*set)(struct dt_node *node, const char *name, char **words, int count);
};

static int set_empty(struct dt_node *node, const char *name, char **words UNUSED, int count UNUSED)
{
    return dt_set_attr(node, name, NULL, 0);
}

static int set_strings(struct dt_node *node, const char *name, char **words, int count)
{
    return dt_set_strings(node, name, (const char *const *)words, (unsigned)count);
}

// A number of the width; -ERANGE when it does not fit.
static int parse_number(const char *word, uint64_t max, uint64_t *value)
{
    int err = parse_u64(word, value);

    return err == 0 && *value > max ? -ERANGE : err;
}

static int set_u8(struct dt_node *node, const char *name, char **words, int count UNUSED)
{
    uint64_t value;
    int err = parse_number(words[0], UINT8_MAX, &value);

    return err != 0 ? err : dt_set_u8(node, name, (uint8_t)value);
}

static int set_u16(struct dt_node *node, const char *name, char **words, int count UNUSED)
{
    uint64_t value;
    int err = parse_number(words[0], UINT16_MAX, &value);

    return err != 0 ? err : dt_set_u16(node, name, (uint16_t)value);
}

static int set_cells(struct dt_node *node, const char *name, char **words, int count)
{
    uint32_t cells[COMMAND_ARGS_MAX];

    for (int i = 0; i < count; i++) {
        uint64_t value;
        int err = parse_number(words[i], UINT32_MAX, &value);

        if (err != 0)
            return err;
        cells[i] = (uint32_t)value;
    }
    return dt_set_u32_array(node, name, cells, (unsigned)count);
}

static int set_u64(struct dt_node *node, const char *name, char **words, int count UNUSED)
{
    uint64_t value;
    int err = parse_number(words[0], UINT64_MAX, &value);

    return err != 0 ? err : dt_set_u64(node, name, value);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Pairs of hexadecimal digits, in as many words as one likes.
static int set_bytes(struct dt_node *node, const char *name, char **words, int count)
{
    uint8_t bytes[BYTES_MAX];
    size_t size = 0;

    for (int i = 0; i < count; i++) {
        for (const char *at = words[i]; *at != '\0'; at += 2) {
            int high = hex_digit(at[0]);
            int low = high < 0 ? -1 : hex_digit(at[1]);

            if (low < 0)
                return -EINVAL;
            if (size == sizeof(bytes))
                return -ERANGE;
            bytes[size++] = (uint8_t)(high << 4 | low);
        }
    }
    return dt_set_attr(node, name, bytes, (uint32_t)size);
}

static const struct value_type types[] = {
    {"empty", 0, 0, set_empty},
    {"string", 1, 1, set_strings},
    {"strings", 1, COMMAND_ARGS_MAX, set_strings},
    {"u8", 1, 1, set_u8},
    {"u16", 1, 1, set_u16},
    {"u32", 1, 1, set_cells},
    {"u64", 1, 1, set_u64},
    {"cells", 1, COMMAND_ARGS_MAX, set_cells},
    {"bytes", 1, COMMAND_ARGS_MAX, set_bytes},
};

static int attr_show(struct terminal *term, int argc UNUSED, char **argv)
{
    const struct dt_node *node = devtree_node(term, argv[0]);

    if (node == NULL)
        return -ENOENT;
    LIST_FOR_EACH(attr, &node->attrs, struct dt_attr, link)
        devtree_print_attr(term, attr);
    return 0;
}

static int attr_get(struct terminal *term, int argc UNUSED, char **argv)
{
    const struct dt_node *node = devtree_node(term, argv[0]);
    const struct dt_attr *attr = node == NULL ? NULL : dt_attr(node, argv[1]);

    if (node == NULL)
        return -ENOENT;
    if (attr == NULL)
        return devtree_error(term, -ENOENT, argv[0], argv[1]);
    devtree_print_attr(term, attr);
    return 0;
}

static int unknown_type(struct terminal *term, const char *name)
{
    term_printf(term, "unknown type \"");
    term_puts_escaped(term, name, strlen(name));
    term_printf(term, "\"; choose one of");
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
        term_printf(term, " %s", types[i].name);
    term_printf(term, "\n");
    return -EINVAL;
}

static int set_value(struct terminal *term, const struct value_type *type, struct dt_node *node,
                     char **argv, int words)
{
    int err;

    if (words < type->min_words || words > type->max_words) {
        term_printf(term, "type %s takes %s\n", type->name,
                    type->max_words == 0   ? "no value"
                    : type->max_words == 1 ? "one value"
                                           : "at least one value");
        return -EINVAL;
    }
    err = type->set(node, argv[1], argv + 3, words);
    if (err == 0)
        return 0;
    (void)devtree_error(term, err, argv[0], argv[1]);
    if (err == -EINVAL || err == -ERANGE)
        term_printf(term,
                    "a name has 1 to %u of A-Z a-z 0-9 , . _ + ? # -; a number is decimal or 0x "
                    "and fits its type; bytes are pairs of hexadecimal digits\n",
                    DT_NAME_MAX);
    return err;
}

static int attr_set(struct terminal *term, int argc, char **argv)
{
    struct dt_node *node = devtree_node(term, argv[0]);

    if (node == NULL)
        return -ENOENT;
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        if (str_equal(types[i].name, argv[2]))
            return set_value(term, &types[i], node, argv, argc - 3);
    }
    return unknown_type(term, argv[2]);
}

static int attr_delete(struct terminal *term, int argc UNUSED, char **argv)
{
    struct dt_node *node = devtree_node(term, argv[0]);
    int err = node == NULL ? -ENOENT : dt_delete_attr(node, argv[1]);

    if (node != NULL && err != 0)
        (void)devtree_error(term, err, argv[0], argv[1]);
    return err;
}

const struct devtree_verb devtree_attr_verbs[] = {
    {"show", "PATH", 1, 1, attr_show},
    {"get", "PATH NAME", 2, 2, attr_get},
    {"set", "PATH NAME empty|string|strings|u8|u16|u32|u64|cells|bytes [VALUE...]", 3,
     COMMAND_ARGS_MAX, attr_set},
    {"delete", "PATH NAME", 2, 2, attr_delete},
    {0},
};
