// SPDX-License-Identifier: Apache-2.0
// Policies rr, prr and partition by themselves: order, slices, rounds, preemption, against a model.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/sched.h>
#include <lib/errno.h>
#include <string.h>

#define ENTITIES 40
#define SLICE 10

TABLE_DECLARE(sched_policies, struct sched_policy);

static const struct sched_policy *rr, *prr, *partition;
static uint64_t queue[128];
static struct sched_entity entities[ENTITIES];
static uint64_t seed = 7;

static unsigned pick(unsigned n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % n;
}

static const struct sched_policy *find(const char *name)
{
    TABLE_FOREACH(sched_policies, struct sched_policy, it)
        if (!strcmp((*it)->name, name))
            return *it;
    return NULL;
}

static int find_policies(void **state)
{
    (void)state;
    rr = find("rr");
    prr = find("prr");
    partition = find("partition");
    TABLE_FOREACH(sched_policies, struct sched_policy, it) {
        assert_true((*it)->queue_size <= sizeof(queue));
        assert_non_null((*it)->help);
        assert_int_equal((*it)->admit != NULL, (*it)->withdraw != NULL);
        assert_int_equal((*it)->admit != NULL, (*it)->refusal != NULL);
    }
    return rr == NULL || prr == NULL || partition == NULL;
}

static void prepare(const struct sched_policy *policy)
{
    policy->init(queue);
    memset(entities, 0, sizeof(entities));
    for (unsigned i = 0; i < ENTITIES; i++) {
        list_init(&entities[i].link);
        entities[i].time_slice = SLICE;
    }
    assert_null(policy->pick(queue, 0).se);
    assert_int_equal(policy->count(queue), 0);
    assert_true(policy->next_event(queue, NULL, 0) == SCHED_NEVER);
}

static void put(const struct sched_policy *policy, unsigned i, enum sched_arrival how)
{
    policy->enqueue(queue, &entities[i], how, 0);
}

/* It ran for that long and is preempted, or its slice is over. */
static void put_back(const struct sched_policy *policy, unsigned i, uint64_t ran)
{
    struct sched_entity *se = &entities[i];

    se->slice_left -= ran;
    put(policy, i, se->slice_left != 0 ? SCHED_PREEMPTED : SCHED_EXPIRED);
}

static int take(const struct sched_policy *policy)
{
    struct sched_entity *se = policy->pick(queue, 0).se;

    return se != NULL ? (int)(se - entities) : -1;
}

static void test_rr_order(void **state)
{
    (void)state;
    prepare(rr);
    for (unsigned i = 0; i < 4; i++) {
        entities[i].priority = (uint8_t)(i * 2);
        put(rr, i, SCHED_WOKEN);
    }
    assert_int_equal(rr->count(queue), 4);
    assert_int_equal(take(rr), 0);
    put_back(rr, 0, SLICE / 2);
    assert_int_equal(take(rr), 0);
    put_back(rr, 0, SLICE / 2);
    assert_int_equal(take(rr), 1);
    assert_int_equal(take(rr), 2);
    assert_int_equal(take(rr), 3);
    entities[3].last_start = 100;
    assert_true(rr->next_event(queue, &entities[3], 100) == 100 + SLICE);
    assert_int_equal(take(rr), 0);
    assert_int_equal(take(rr), -1);
    assert_true(rr->next_event(queue, &entities[0], 0) == SCHED_NEVER);
    assert_false(rr->preempts(queue, &entities[0], &entities[3]));
}

static void test_prr_order(void **state)
{
    (void)state;
    prepare(prr);
    for (unsigned i = 0; i < 6; i++) {
        entities[i].priority = (uint8_t)(i % 3);
        put(prr, i, SCHED_STARTED);
    }
    assert_int_equal(take(prr), 2);
    assert_true(prr->next_event(queue, &entities[2], 0) == SLICE);
    put_back(prr, 2, 7);
    assert_int_equal(take(prr), 2);
    assert_int_equal(entities[2].slice_left, 3);
    put_back(prr, 2, 3);
    assert_int_equal(take(prr), 5);
    assert_int_equal(take(prr), 2);
    assert_true(prr->next_event(queue, &entities[2], 0) == SCHED_NEVER);
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

/* Who wakes with slice left goes before the runner, which keeps its remainder and comes next. */
static void test_prr_waker_first(void **state)
{
    (void)state;
    prepare(prr);
    put(prr, 0, SCHED_STARTED);
    put(prr, 1, SCHED_STARTED);
    assert_int_equal(take(prr), 0);
    put(prr, 2, SCHED_WOKEN);
    assert_true(prr->preempts(queue, &entities[0], &entities[2]));
    put_back(prr, 0, 4);
    assert_int_equal(take(prr), 2);
    entities[2].slice_left -= 6;
    assert_int_equal(take(prr), 0);
    assert_int_equal(entities[0].slice_left, 6);
    /* It slept meanwhile: of this round it has 4 left, which it uses up. */
    put(prr, 2, SCHED_WOKEN);
    assert_int_equal(entities[2].slice_left, 4);
    assert_true(prr->preempts(queue, &entities[0], &entities[2]));
    put_back(prr, 0, 1);
    assert_int_equal(take(prr), 2);
    entities[2].slice_left = 0;
    prr->renew(queue, &entities[2], 0);
    /* Now it waits for the next round, however often it wakes. */
    put(prr, 2, SCHED_WOKEN);
    assert_int_equal(take(prr), 0);
    assert_false(prr->preempts(queue, &entities[0], &entities[2]));
    put_back(prr, 0, 5);
    assert_int_equal(take(prr), 1);
    put_back(prr, 1, SLICE);
    assert_int_equal(take(prr), 2);
    assert_int_equal(take(prr), 0);
    assert_int_equal(take(prr), 1);
    assert_int_equal(take(prr), -1);
}

/* A round that ended while nobody waited is over for those who sleep, too. */
static void test_prr_alone_starts_rounds(void **state)
{
    (void)state;
    prepare(prr);
    put(prr, 0, SCHED_STARTED);
    put(prr, 1, SCHED_STARTED);
    assert_int_equal(take(prr), 0);
    entities[0].slice_left = 1;
    assert_int_equal(take(prr), 1);
    entities[1].slice_left = 0;
    prr->renew(queue, &entities[1], 0);
    put(prr, 0, SCHED_WOKEN);
    assert_int_equal(entities[0].slice_left, SLICE);
    assert_true(prr->preempts(queue, &entities[1], &entities[0]));
}

static unsigned walked[ENTITIES];
static unsigned walked_count;

static void note(struct sched_entity *se, void *arg)
{
    assert_ptr_equal(arg, walked);
    walked[walked_count++] = (unsigned)(se - entities);
}

/* Arrival order by numbers: the lowest of the highest priority is next, and so is the walk. */
static void test_prr_model(void **state)
{
    static int64_t place[ENTITIES];
    static bool queued[ENTITIES];
    int64_t tail = 0, head = 0;

    (void)state;
    prepare(prr);
    for (unsigned step = 0; step < 100000; step++) {
        unsigned i = pick(ENTITIES);
        int best = -1;

        if (queued[i]) {
            prr->dequeue(queue, &entities[i]);
            queued[i] = false;
        } else {
            bool preempted = pick(2);

            entities[i].priority = (uint8_t)pick(SCHED_PRIORITY_MAX + 1);
            put(prr, i, preempted ? SCHED_PREEMPTED : SCHED_STARTED);
            assert_int_equal(entities[i].slice_left, SLICE);
            queued[i] = true;
            place[i] = preempted ? --head : ++tail;
        }
        for (unsigned k = 0; k < ENTITIES; k++) {
            if (!queued[k])
                continue;
            if (best < 0 || entities[k].priority > entities[best].priority ||
                (entities[k].priority == entities[best].priority && place[k] < place[best]))
                best = (int)k;
        }
        walked_count = 0;
        prr->walk(queue, note, walked);
        assert_int_equal(walked_count, prr->count(queue));
        if (best >= 0)
            assert_int_equal(walked[0], best);
        if (step % 16 != 0)
            continue;
        assert_int_equal(take(prr), best);
        if (best >= 0)
            queued[best] = false;
    }
}

#define TWIN 20
#define TWINS 3

/* The same done to an entity of one queue and its twin in another: put back by turn() there, by enqueue() and pick() here. */
static int turn_both(uint64_t *twin_queue, int running, uint64_t ran, uint64_t now)
{
    struct sched_entity *se = &entities[running], *twin = &entities[running + TWIN];
    enum sched_arrival how = ran < se->slice_left ? SCHED_PREEMPTED : SCHED_EXPIRED;
    struct sched_choice choice, expected;

    se->slice_left -= ran;
    twin->slice_left -= ran;
    prr->enqueue(twin_queue, twin, how, now);
    expected = prr->pick(twin_queue, now);
    choice = prr->turn(queue, se, how, now);
    assert_ptr_equal(choice.se + TWIN, expected.se);
    assert_true(choice.until == expected.until);
    for (unsigned i = 0; i < TWINS; i++) {
        assert_int_equal(entities[i].slice_left, entities[i + TWIN].slice_left);
        assert_memory_equal(entities[i].policy, entities[i + TWIN].policy, SCHED_PRIVATE_SIZE);
    }
    return (int)(choice.se - entities);
}

static void test_prr_turn_is_enqueue_and_pick(void **state)
{
    static uint64_t twin_queue[128];
    bool asleep[TWINS] = {true, true, true};
    int running = -1;

    (void)state;
    prepare(prr);
    prr->init(twin_queue);
    for (unsigned now = 0; now < 100000; now++) {
        unsigned i = pick(TWINS);

        if (asleep[i]) {
            entities[i].priority = entities[i + TWIN].priority = pick(8) == 0;
            prr->enqueue(queue, &entities[i], SCHED_WOKEN, now);
            prr->enqueue(twin_queue, &entities[i + TWIN], SCHED_WOKEN, now);
            asleep[i] = false;
        } else if (running == (int)i && pick(8) == 0) {
            asleep[i] = true;
            running = -1;
        }
        if (running >= 0) {
            uint64_t left = entities[running].slice_left;

            running =
                turn_both(twin_queue, running, pick(2) ? left : pick((unsigned)left + 1), now);
        } else if ((running = take(prr)) >= 0) {
            assert_ptr_equal(prr->pick(twin_queue, now).se, &entities[running + TWIN]);
        }
    }
}

static void test_partition_takes_one(void **state)
{
    (void)state;
    prepare(partition);
    entities[0].normal = true;
    entities[1].normal = true;
    assert_int_equal(partition->admit(queue, &entities[2]), 0);
    assert_int_equal(partition->admit(queue, &entities[0]), 1);
    assert_int_equal(partition->admit(queue, &entities[1]), -ENOSPC);
    assert_int_equal(partition->admit(queue, &entities[3]), 0);
    partition->withdraw(queue, &entities[0]);
    assert_int_equal(partition->admit(queue, &entities[1]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rr_order),
        cmocka_unit_test(test_prr_order),
        cmocka_unit_test(test_prr_waker_first),
        cmocka_unit_test(test_prr_alone_starts_rounds),
        cmocka_unit_test(test_prr_model),
        cmocka_unit_test(test_partition_takes_one),
        cmocka_unit_test(test_prr_turn_is_enqueue_and_pick),
    };

    return cmocka_run_group_tests(tests, find_policies, NULL);
}
