// SPDX-License-Identifier: Apache-2.0
// Intrusive list: order, removal, safe iteration, splice.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <lib/list.h>

struct item {
    char name;
    struct list link;
};

// Checks the order both ways; `expected` names the elements.
static void assert_items(struct list *head, const char *expected)
{
    size_t n = 0;
    const struct list *back = head;

    LIST_FOR_EACH(item, head, struct item, link) {
        assert_int_equal(item->name, expected[n]);
        n++;
    }
    assert_int_equal(expected[n], '\0');
    while (n > 0) {
        back = back->prev;
        n--;
        assert_int_equal(LIST_ENTRY(back, struct item, link)->name, expected[n]);
    }
    assert_ptr_equal(back->prev, head);
}

static void test_order(void **state UNUSED)
{
    struct list head = LIST_INIT(head);
    struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'}, d = {.name = 'd'};

    assert_true(list_is_empty(&head));
    assert_null(list_first(&head));
    assert_null(list_last(&head));
    assert_null(LIST_FIRST(&head, struct item, link));
    list_add_tail(&head, &b.link);
    list_add_head(&head, &a.link);
    list_add_tail(&head, &d.link);
    list_insert_before(&d.link, &c.link);
    assert_items(&head, "abcd");
    assert_ptr_equal(LIST_FIRST(&head, struct item, link), &a);
    assert_ptr_equal(LIST_LAST(&head, struct item, link), &d);
    assert_ptr_equal(list_next(&head, &a.link), &b.link);
    assert_null(list_next(&head, &d.link));
    assert_null(LIST_NEXT(&head, &d, struct item, link));
    list_remove(&a.link);
    list_remove(&c.link);
    list_remove(&c.link);
    assert_true(list_is_empty(&c.link));
    assert_items(&head, "bd");
}

static void test_safe_iteration(void **state UNUSED)
{
    struct list head;
    struct item items[6];

    list_init(&head);
    for (int i = 0; i < 6; i++) {
        items[i].name = (char)('a' + i);
        list_add_tail(&head, &items[i].link);
    }
    LIST_FOR_EACH_SAFE(item, &head, struct item, link) {
        if ((item->name - 'a') % 2 == 0) {
            list_remove(&item->link);
            item->link.next = NULL;
        }
    }
    assert_items(&head, "bdf");
    LIST_FOR_EACH_SAFE(item, &head, struct item, link) {
        list_remove(&item->link);
    }
    assert_true(list_is_empty(&head));
    LIST_FOR_EACH_SAFE(item, &head, struct item, link) {
        fail();
    }
}

static void test_splice(void **state UNUSED)
{
    struct list one = LIST_INIT(one);
    struct list two = LIST_INIT(two);
    struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};

    list_splice(&one, &two);
    assert_true(list_is_empty(&one));
    list_add_tail(&two, &a.link);
    list_add_tail(&two, &b.link);
    list_splice(&one, &two);
    assert_true(list_is_empty(&two));
    assert_items(&one, "ab");
    list_add_tail(&two, &c.link);
    list_splice(&one, &two);
    assert_items(&one, "abc");
    list_splice(&one, &two);
    assert_items(&one, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_safe_iteration),
        cmocka_unit_test(test_splice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
