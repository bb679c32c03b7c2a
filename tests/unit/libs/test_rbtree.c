// SPDX-License-Identifier: Apache-2.0
// Red-black tree: invariants after every step of random insertions and removals.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include <lib/rbtree.h>

#define ITEMS 200
#define STEPS 20000

struct item {
    int key;
    unsigned serial;
    struct rb_node node;
};

static struct item *item_of(const struct rb_node *node)
{
    return RB_ENTRY(node, struct item, node);
}

static bool item_less(const struct rb_node *a, const struct rb_node *b)
{
    return item_of(a)->key < item_of(b)->key;
}

static int compare_key(const void *key, const struct rb_node *node)
{
    int wanted = *(const int *)key;

    return (wanted > item_of(node)->key) - (wanted < item_of(node)->key);
}

// Returns the black height and checks colours and parents below `node`.
static int check_subtree(const struct rb_node *node, size_t *count)
{
    int height[2];

    if (node == NULL) {
        return 1;
    }
    (*count)++;
    assert_true(rb_is_linked(node));
    for (int side = 0; side < 2; side++) {
        const struct rb_node *child = node->child[side];

        if (child != NULL) {
            assert_ptr_equal(child->parent, node);
            assert_false(node->color == RB_RED && child->color == RB_RED);
        }
        height[side] = check_subtree(child, count);
    }
    assert_int_equal(height[0], height[1]);
    return height[0] + (node->color == RB_BLACK);
}

static void check_tree(const struct rb_tree *tree, size_t expected)
{
    size_t count = 0;
    size_t walked = 0;
    const struct rb_node *previous = NULL;

    check_subtree(tree->root, &count);
    assert_int_equal(count, expected);
    assert_int_equal(rb_is_empty(tree), expected == 0);
    assert_true(tree->root == NULL || (tree->root->color == RB_BLACK && !tree->root->parent));
    for (const struct rb_node *node = rb_first(tree); node != NULL; node = rb_next(node)) {
        assert_ptr_equal(rb_prev(node), previous);
        if (previous != NULL) {
            const struct item *a = item_of(previous);
            const struct item *b = item_of(node);

            assert_true(a->key < b->key || (a->key == b->key && a->serial < b->serial));
        }
        previous = node;
        walked++;
    }
    assert_int_equal(walked, expected);
    assert_ptr_equal(rb_last(tree), previous);
}

static void random_walk(int key_range)
{
    static struct item items[ITEMS];
    struct rb_tree tree;
    size_t linked = 0;

    rb_init(&tree);
    for (size_t i = 0; i < ITEMS; i++) {
        rb_node_init(&items[i].node);
    }
    for (unsigned step = 0; step < STEPS; step++) {
        struct item *item = &items[(size_t)rand() % ITEMS];

        if (rb_is_linked(&item->node)) {
            rb_erase(&tree, &item->node);
            assert_false(rb_is_linked(&item->node));
            linked--;
        } else {
            item->key = rand() % key_range;
            item->serial = step;
            rb_insert(&tree, &item->node, item_less);
            linked++;
        }
        if (step % 16 == 0 || linked < 3) {
            check_tree(&tree, linked);
        }
    }
    while (!rb_is_empty(&tree)) {
        rb_erase(&tree, rb_first(&tree));
        linked--;
        check_tree(&tree, linked);
    }
    assert_null(rb_first(&tree));
    assert_null(rb_last(&tree));
}

static void test_random(void **state UNUSED)
{
    srand(1);
    random_walk(1000000);
}

static void test_random_with_equals(void **state UNUSED)
{
    srand(2);
    random_walk(5);
}

static void test_find(void **state UNUSED)
{
    struct item items[20];
    struct rb_tree tree = {0};
    int key;

    key = 7;
    assert_null(rb_find(&tree, &key, compare_key));
    for (unsigned i = 0; i < 20; i++) {
        items[i] = (struct item){.key = (int)(i / 2) * 10, .serial = i};
        rb_insert(&tree, &items[i].node, item_less);
    }
    for (int i = 0; i < 10; i++) {
        key = i * 10;
        assert_ptr_equal(rb_find(&tree, &key, compare_key), &items[2 * i].node);
        key = i * 10 - 1;
        assert_null(rb_find(&tree, &key, compare_key));
        assert_ptr_equal(rb_lower_bound(&tree, &key, compare_key), &items[2 * i].node);
    }
    key = 91;
    assert_null(rb_lower_bound(&tree, &key, compare_key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_random_with_equals),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
