// SPDX-License-Identifier: Apache-2.0
// Sparse 32-bit numbers -> pointers, read without locks.

#include "irq_internal.h"

#include <hv/heap.h>
#include <lib/errno.h>
#include <stddef.h>

#define NODE_BITS 6
#define NODE_SLOTS (1U << NODE_BITS)

struct irq_map_node {
    unsigned shift; /* of the key's bits that choose the slot; 0: slots are values */
    void *slots[NODE_SLOTS];
};

static bool covers(const struct irq_map_node *node, uint32_t key)
{
    return (uint64_t)key >> node->shift < NODE_SLOTS;
}

static void **slot_of(struct irq_map_node *node, uint32_t key)
{
    return &node->slots[key >> node->shift & (NODE_SLOTS - 1)];
}

void *irq_map_get(const struct irq_map *map, uint32_t key)
{
    struct irq_map_node *node = __atomic_load_n(&map->root, __ATOMIC_ACQUIRE);

    if (node == NULL || !covers(node, key))
        return NULL;
    for (;;) {
        void *next = __atomic_load_n(slot_of(node, key), __ATOMIC_ACQUIRE);

        if (node->shift == 0 || next == NULL)
            return next;
        node = next;
    }
}

static struct irq_map_node *node_create(unsigned shift)
{
    struct irq_map_node *node = heap_zalloc(sizeof(*node));

    if (node != NULL)
        node->shift = shift;
    return node;
}

/* Puts roots on top until the key fits. Readers see the old root or a new one, both right. */
static int map_grow(struct irq_map *map, uint32_t key)
{
    if (map->root == NULL)
        map->root = node_create(0);
    if (map->root == NULL)
        return -ENOMEM;
    while (!covers(map->root, key)) {
        struct irq_map_node *top = node_create(map->root->shift + NODE_BITS);

        if (top == NULL)
            return -ENOMEM;
        top->slots[0] = map->root;
        __atomic_store_n(&map->root, top, __ATOMIC_RELEASE);
    }
    return 0;
}

int irq_map_set(struct irq_map *map, uint32_t key, void *value)
{
    struct irq_map_node *node;
    int err = map_grow(map, key);

    if (err != 0)
        return err;
    for (node = map->root; node->shift > 0; node = *slot_of(node, key)) {
        struct irq_map_node *below;

        if (*slot_of(node, key) != NULL)
            continue;
        below = node_create(node->shift - NODE_BITS);
        if (below == NULL)
            return -ENOMEM;
        __atomic_store_n(slot_of(node, key), (void *)below, __ATOMIC_RELEASE);
    }
    __atomic_store_n(slot_of(node, key), value, __ATOMIC_RELEASE);
    return 0;
}

void irq_map_clear(struct irq_map *map, uint32_t key)
{
    struct irq_map_node *node = map->root;

    while (node->shift > 0)
        node = *slot_of(node, key);
    __atomic_store_n(slot_of(node, key), NULL, __ATOMIC_RELEASE);
}

/* The first value below node at or after *key; the depth is that of a 32-bit key. */
static void *node_next(struct irq_map_node *node, uint64_t *key)
{
    while (*key <= UINT32_MAX && covers(node, (uint32_t)*key)) {
        void *value = __atomic_load_n(slot_of(node, (uint32_t)*key), __ATOMIC_ACQUIRE);
        uint64_t next = ((*key >> node->shift) + 1) << node->shift;

        if (value != NULL && node->shift > 0) {
            uint64_t base = *key >> node->shift << node->shift, inner = *key - base;

            value = node_next(value, &inner);
            *key = base + inner;
        }
        if (value != NULL)
            return value;
        *key = next;
    }
    return NULL;
}

void *irq_map_next(const struct irq_map *map, uint32_t *key)
{
    struct irq_map_node *root = __atomic_load_n(&map->root, __ATOMIC_ACQUIRE);
    uint64_t at = *key;
    void *value = root == NULL ? NULL : node_next(root, &at);

    if (value != NULL)
        *key = (uint32_t)at;
    return value;
}

static void node_free(struct irq_map_node *node)
{
    for (unsigned i = 0; node->shift > 0 && i < NODE_SLOTS; i++) {
        if (node->slots[i] != NULL)
            node_free(node->slots[i]);
    }
    heap_free(node);
}

void irq_map_free(struct irq_map *map)
{
    if (map->root != NULL)
        node_free(map->root);
    map->root = NULL;
}
