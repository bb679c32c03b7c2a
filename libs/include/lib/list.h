// SPDX-License-Identifier: Apache-2.0
// Intrusive doubly linked circular list.
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include <lib/macros.h>

// Both the head and the links in the elements. An initialised link that is in no list points to
// itself, so removing it again is harmless and list_is_empty() of a link tells "not in a list".
struct list {
    struct list *next;
    struct list *prev;
};

#define LIST_INIT(head)                                                                            \
    {                                                                                              \
        .next = &(head), .prev = &(head)                                                           \
    }

static inline void list_init(struct list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

// Puts `node` right before `pos`, which may be the head (then it becomes the last one).
static inline void list_insert_before(struct list *pos, struct list *node)
{
    node->prev = pos->prev;
    node->next = pos;
    pos->prev->next = node;
    pos->prev = node;
}

static inline void list_add_head(struct list *head, struct list *node)
{
    list_insert_before(head->next, node);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
    list_insert_before(head, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

// NULL when the list is empty.
static inline struct list *list_first(const struct list *head)
{
    return head->next == head ? NULL : head->next;
}

static inline struct list *list_last(const struct list *head)
{
    return head->prev == head ? NULL : head->prev;
}

// NULL after the last one.
static inline struct list *list_next(const struct list *head, const struct list *node)
{
    return node->next == head ? NULL : node->next;
}

// Moves all of `from` to the tail of `to`; `from` is empty afterwards.
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_is_empty(from)) {
        return;
    }
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

// The element around `node`, or NULL when `node` is NULL; `offset` is that of the link.
static inline void *list_element(struct list *node, size_t offset)
{
    return node == NULL ? NULL : (char *)node - offset;
}

#define LIST_ENTRY(node, type, member) container_of(node, type, member)
#define LIST_FIRST(head, type, member)                                                             \
    ((type *)list_element(list_first(head), offsetof(type, member)))
#define LIST_LAST(head, type, member)                                                              \
    ((type *)list_element(list_last(head), offsetof(type, member)))
#define LIST_NEXT(head, entry, type, member)                                                       \
    ((type *)list_element(list_next(head, &(entry)->member), offsetof(type, member)))

// Declares `it` as `type *`. The body must not remove `it`.
#define LIST_FOR_EACH(it, head, type, member)                                                      \
    for (type *it = LIST_FIRST(head, type, member); it != NULL;                                    \
         it = LIST_NEXT(head, it, type, member))

// The body may remove (and free) `it`, but no other element.
#define LIST_FOR_EACH_SAFE(it, head, type, member)                                                 \
    for (type *it = LIST_FIRST(head, type, member),                                                \
              *it##_next = it == NULL ? NULL : LIST_NEXT(head, it, type, member);                  \
         it != NULL;                                                                               \
         it = it##_next, it##_next = it == NULL ? NULL : LIST_NEXT(head, it, type, member))

#endif
