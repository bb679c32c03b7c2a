// SPDX-License-Identifier: Apache-2.0
// Policies rr and prr by themselves: order, slices, preemption, against a model.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/sched.h>
#include <string.h>

#define ENTITIES 40

TABLE_DECLARE(sched_policies, struct sched_policy);

static const struct sched_policy *rr;
static const struct sched_policy *prr;
static uint64_t queue[64];
static struct sched_entity entities[ENTITIES];
static uint64_t seed = 7;

static unsigned pick(unsigned n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % n;
}

static int find_policies(void **state)
{
    (void)state;
    TABLE_FOREACH(sched_policies, struct sched_policy, it) {
        assert_true((*it)->queue_size <= sizeof(queue));
        if (!strcmp((*it)->name, "rr"))
            rr = *it;
        if (!strcmp((*it)->name, "prr"))
            prr = *it;
    }
    return rr == NULL || prr == NULL;
}

static void prepare(const struct sched_policy *policy)
{
    policy->init(queue);
    memset(entities, 0, sizeof(entities));
    for (unsigned i = 0; i < ENTITIES; i++)
        list_init(&entities[i].link);
    assert_null(policy->pick(queue));
    assert_int_equal(policy->count(queue), 0);
}

static void put(const struct sched_policy *policy, unsigned i, uint64_t slice_left, bool woken)
{
    entities[i].slice_left = slice_left;
    policy->enqueue(queue, &entities[i], woken);
}

static int take(const struct sched_policy *policy)
{
    struct sched_entity *se = policy->pick(queue);

    if (se == NULL)
        return -1;
    policy->dequeue(queue, se);
    return (int)(se - entities);
}

static void test_rr_order(void **state)
{
    (void)state;
    prepare(rr);
    for (unsigned i = 0; i < 4; i++) {
        entities[i].priority = (uint8_t)(i * 2);
        put(rr, i, 10, true);
    }
    assert_int_equal(rr->count(queue), 4);
    assert_int_equal(take(rr), 0);
    put(rr, 0, 5, false);
    assert_int_equal(take(rr), 0);
    put(rr, 0, 0, false);
    assert_int_equal(take(rr), 1);
    assert_int_equal(take(rr), 2);
    assert_int_equal(take(rr), 3);
    assert_true(rr->slice_expired(queue, &entities[3]));
    assert_int_equal(take(rr), 0);
    assert_int_equal(take(rr), -1);
    assert_false(rr->slice_expired(queue, &entities[0]));
    assert_false(rr->preempts(queue, &entities[0], &entities[3]));
}

static void test_prr_order(void **state)
{
    (void)state;
    prepare(prr);
    for (unsigned i = 0; i < 6; i++) {
        entities[i].priority = (uint8_t)(i % 3);
        put(prr, i, 10, true);
    }
    assert_int_equal(take(prr), 2);
    assert_true(prr->slice_expired(queue, &entities[2]));
    put(prr, 2, 3, false);
    assert_int_equal(take(prr), 2);
    put(prr, 2, 0, false);
    assert_int_equal(take(prr), 5);
    assert_int_equal(take(prr), 2);
    assert_false(prr->slice_expired(queue, &entities[2]));
    assert_true(prr->preempts(queue, &entities[0], &entities[1]));
    assert_false(prr->preempts(queue, &entities[1], &entities[1]));
    assert_false(prr->preempts(queue, &entities[1], &entities[0]));
    assert_int_equal(take(prr), 1);
    assert_int_equal(take(prr), 4);
    assert_int_equal(take(prr), 0);
    assert_int_equal(prr->count(queue), 1);
    assert_int_equal(take(prr), 3);
    assert_int_equal(take(prr), -1);
}

/* Arrival order within a priority, by numbers: the lowest of the highest priority is next. */
static void test_prr_model(void **state)
{
    static int64_t place[ENTITIES];
    static bool queued[ENTITIES];
    int64_t tail = 0;
    int64_t head = 0;

    (void)state;
    prepare(prr);
    for (unsigned step = 0; step < 100000; step++) {
        unsigned i = pick(ENTITIES);
        int best = -1;

        if (queued[i]) {
            prr->dequeue(queue, &entities[i]);
            queued[i] = false;
        } else {
            bool woken = pick(2);
            uint64_t left = pick(2);

            entities[i].priority = (uint8_t)pick(SCHED_PRIORITY_MAX + 1);
            put(prr, i, left, woken);
            queued[i] = true;
            place[i] = !woken && left != 0 ? --head : ++tail;
        }
        for (unsigned k = 0; k < ENTITIES; k++) {
            if (!queued[k])
                continue;
            if (best < 0 || entities[k].priority > entities[best].priority ||
                (entities[k].priority == entities[best].priority && place[k] < place[best]))
                best = (int)k;
        }
        assert_ptr_equal(prr->pick(queue), best < 0 ? NULL : &entities[best]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rr_order),
        cmocka_unit_test(test_prr_order),
        cmocka_unit_test(test_prr_model),
    };

    return cmocka_run_group_tests(tests, find_policies, NULL);
}
