// SPDX-License-Identifier: Apache-2.0
// Virtual GIC, saved states: after any traffic everything a guest can see comes back; nothing made up does harm.

#include "vgic_fixture.h"

#include <arch/vcpu.h>
#include <lib/crc32.h>
#include <lib/errno.h>
#include <lib/macros.h>
#include <port/host.h>
#include <stdlib.h>
#include <string.h>

#define VCPUS 3
#define LRS 4
#define SPI_FIRST 32
#define SPI_END 128
#define IROUTER 0x6000
/* Of the header in front of a state: kind, version, size, checksum. */
#define HEADER_SIZE 48
#define HEADER_KIND 8
#define HEADER_VERSION 32
#define HEADER_CRC 40
#define REGISTERS_MAX 4096

static uint32_t seed;

static uint32_t pick(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

/* Blocks of 32-bit registers with a bit or more for each interrupt, that have anything to say. */
static const uint32_t writable[] = {IGROUPR,   ISENABLER, ICENABLER,  ISPENDR,   ICPENDR,
                                    ISACTIVER, ICACTIVER, IPRIORITYR, ITARGETSR, ICFGR};

static void end_something(void)
{
    struct guest_irq_lr lr;

    for (unsigned i = 0; i < LRS; i++) {
        arch_guest_irq_lr_read(i, &lr);
        if (lr.active) {
            fake_end(lr.virq);
            return;
        }
    }
}

static void write_something(unsigned version)
{
    uint32_t block = writable[pick(ARRAY_SIZE(writable))];
    uint32_t words = block >= IPRIORITYR && block < ICFGR ? 32 : block == ICFGR ? 8 : 4;
    uint32_t at = block + 4 * pick(words), value = pick(1 << 24) ^ pick(1 << 24) << 8;

    if (block == ISACTIVER || block == ICENABLER || block == ICPENDR)
        value &= pick(1 << 24);
    if (version == 3 && pick(4) == 0)
        gicr_write(pick(VCPUS), SGI_FRAME + block, value);
    else if (version == 3 && pick(4) == 0)
        gicd_write(IROUTER + 8 * (SPI_FIRST + pick(96)), pick(VCPUS));
    else
        gicd_write(at, value);
}

static void raise_sgi(unsigned version)
{
    uint32_t intid = pick(16);

    if (version == 2)
        gicd_write(0xf00, pick(1 << VCPUS) << 16 | intid);
    else
        sgi1r(fake.current, (uint64_t)intid << 24 | pick(1 << VCPUS));
}

static void traffic(unsigned version, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        switch (pick(8)) {
        case 0:
        case 1:
            line(SPI_FIRST + pick(SPI_END - SPI_FIRST), pick(2) == 0);
            break;
        case 2:
            write_something(version);
            break;
        case 3:
            raise_sgi(version);
            break;
        case 4:
            fake_switch(pick(VCPUS));
            break;
        case 5:
            fake_enter();
            break;
        case 6:
            (void)fake_ack();
            break;
        default:
            end_something();
            break;
        }
    }
}

/* All that guests can read, seen by each VCPU. */
static unsigned sweep(unsigned version, uint32_t *values)
{
    unsigned n = 0;

    for (unsigned v = 0; v < VCPUS; v++) {
        fake_switch(v);
        for (uint32_t at = 0; at < 0xf30; at += 4)
            if (at < 0x40 || at >= 0x80)
                values[n++] = gicd_read(at);
        if (version == 3) {
            for (uint32_t at = 0x80; at < 0xd00; at += 4)
                values[n++] = gicr_read(v, SGI_FRAME + at);
            values[n++] = gicr_read(v, 0x14);
            for (uint32_t i = SPI_FIRST; v == 0 && i < SPI_END; i++)
                values[n++] = gicd_read(IROUTER + 8 * i);
        }
        values[n++] = ops()->deliverable(&fake.vcpus[v]);
        assert_true(n <= (v + 1) * REGISTERS_MAX);
    }
    return n;
}

static void assert_same(const uint32_t *a, const uint32_t *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (a[i] != b[i])
            fail_msg("value %u of the sweep: %#x, then %#x (seed %u)", i, a[i], b[i], seed);
}

static void reset_all(void)
{
    for (unsigned i = 0; i < VCPUS; i++)
        arch_vcpu_drop(&fake.vcpus[i]);
    for (unsigned i = 0; i < VCPUS; i++)
        arch_guest_irq_saved_clear(&fake.vcpus[i]);
    fake.gic.emulator->reset(&fake.gic);
    for (unsigned i = 0; i < VCPUS; i++)
        ops()->vcpu_reset(&fake.vcpus[i]);
    fake_switch(0);
}

static void *save(size_t *size)
{
    void *blob;

    *size = emu_state_size(&fake.gic);
    blob = malloc(*size);
    assert_non_null(blob);
    assert_int_equal(emu_state_save(&fake.gic, blob, *size), 0);
    fake_switch(fake.current);
    return blob;
}

static void restore(const void *blob, size_t size)
{
    assert_int_equal(emu_state_restore(&fake.gic, blob, size), 0);
    fake_switch(fake.current);
}

static void create(unsigned version)
{
    if (version == 2)
        v2(VCPUS, LRS);
    else
        v3(VCPUS, LRS);
}

static void random_traffic(unsigned version)
{
    static uint32_t before[VCPUS * REGISTERS_MAX], after[VCPUS * REGISTERS_MAX];
    unsigned different = 0;

    for (unsigned round = 0; round < 24; round++) {
        size_t size, again_size;
        void *blob, *again;
        unsigned n;

        seed = round * 77 + version;
        create(version);
        traffic(version, 50 + pick(600));
        blob = save(&size);
        n = sweep(version, before);
        reset_all();
        different += sweep(version, after) != n || memcmp(before, after, n * 4) != 0;
        restore(blob, size);
        assert_int_equal(sweep(version, after), n);
        assert_same(before, after, n);
        again = save(&again_size);
        assert_int_equal(again_size, size);
        assert_memory_equal(blob, again, size);
        free(again);
        /* On a controller that has never seen any of it. */
        fake_destroy();
        create(version);
        restore(blob, size);
        assert_int_equal(sweep(version, after), n);
        assert_same(before, after, n);
        traffic(version, 200);
        free(blob);
        fake_destroy();
    }
    assert_int_equal(different, 24);
}

static void random_traffic_v2(void **state)
{
    (void)state;
    random_traffic(2);
}

static void random_traffic_v3(void **state)
{
    (void)state;
    random_traffic(3);
}

/* Pending and active ones go on where they were. */
static void delivery_goes_on(void **state)
{
    size_t size;
    void *blob;

    (void)state;
    v3(VCPUS, LRS);
    edge(41);
    line(40, true);
    fake_enter();
    assert_int_equal(fake_ack(), 40);
    line(41, true);
    fake_enter();
    blob = save(&size);
    reset_all();
    line(40, false);
    line(41, false);
    restore(blob, size);
    fake_enter();
    assert_true(fake_lr(40)->active);
    fake_end(40);
    fake_enter();
    assert_int_equal(fake_take(), 40);
    line(40, false);
    assert_int_equal(fake_take(), 41);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    free(blob);
    fake_destroy();
}

/* The source of a hardware-linked line speaks up by itself; what was active can be ended. */
static void timers_speak_for_themselves(void **state)
{
    size_t size;
    void *blob;
    uint32_t pirq;

    (void)state;
    v3(VCPUS, LRS);
    timer(0, true);
    blob = save(&size);
    restore(blob, size);
    assert_int_equal(gicr_read(0, SGI_FRAME + ISPENDR) & bit(TIMER_PPI), 0);
    timer(0, true);
    fake_enter();
    assert_int_equal(fake_ack(), TIMER_PPI);
    free(blob);
    blob = save(&size);
    reset_all();
    restore(blob, size);
    assert_int_equal(gicr_read(0, SGI_FRAME + ISACTIVER), bit(TIMER_PPI));
    fake_enter();
    assert_false(fake_lr(TIMER_PPI)->hw);
    timer(0, true);
    fake_enter();
    fake_end(TIMER_PPI);
    /* It rose before the guest ran on: deactivated, so that it says whether that is still so. */
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    assert_true(host_guest_irq_deactivated(&pirq) > 0);
    assert_int_equal(pirq, TIMER_PIRQ);
    timer(0, true);
    assert_int_equal(fake_take(), TIMER_PPI);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    free(blob);
    fake_destroy();
}

static void seal(uint8_t *blob, size_t size)
{
    uint32_t crc =
        crc32_update(crc32_update(0, blob, HEADER_CRC), blob + HEADER_SIZE, size - HEADER_SIZE);

    memcpy(blob + HEADER_CRC, &crc, sizeof(crc));
}

/* Well sealed, so that it is the controller itself that has to look. */
static void made_up(unsigned version)
{
    static uint32_t values[VCPUS * REGISTERS_MAX];
    unsigned refused = 0, taken = 0;
    uint8_t *blob, *copy;
    size_t size;

    seed = version;
    create(version);
    traffic(version, 300);
    blob = save(&size);
    copy = malloc(size);
    for (unsigned round = 0; round < 1500; round++) {
        int err;

        memcpy(copy, blob, size);
        for (unsigned n = pick(8) == 0 ? 64 : 1; n > 0; n--)
            copy[HEADER_SIZE + pick((uint32_t)size - HEADER_SIZE)] ^= (uint8_t)(1U << pick(8));
        seal(copy, size);
        err = emu_state_restore(&fake.gic, copy, size);
        fake_switch(pick(VCPUS));
        assert_true(err == 0 || err == -EINVAL);
        refused += err != 0;
        taken += err == 0;
        if (round % 16 == 0)
            (void)sweep(version, values);
        traffic(version, 20);
    }
    assert_true(refused > 100 && taken > 100);
    restore(blob, size);
    free(copy);
    free(blob);
    fake_destroy();
}

static void made_up_states(void **state)
{
    (void)state;
    made_up(2);
    made_up(3);
}

static void refuse(const uint8_t *blob, size_t size, int err)
{
    uint8_t *copy = malloc(size);

    memcpy(copy, blob, size);
    if (size >= HEADER_SIZE)
        seal(copy, size);
    assert_int_equal(emu_state_restore(&fake.gic, copy, size), err);
    free(copy);
}

static void other_controllers(void **state)
{
    size_t size;
    uint8_t *blob;

    (void)state;
    v3(VCPUS, LRS);
    blob = save(&size);
    refuse(blob, size - 1, -EBADMSG);
    blob[HEADER_KIND]++;
    refuse(blob, size, -ENODEV);
    blob[HEADER_KIND]--;
    blob[HEADER_VERSION]++;
    refuse(blob, size, -EPROTO);
    blob[HEADER_VERSION]--;
    fake_destroy();
    v3(VCPUS - 1, LRS);
    refuse(blob, size, -EINVAL);
    fake_destroy();
    v2(VCPUS, LRS);
    refuse(blob, size, -ENODEV);
    fake_destroy();
    free(blob);
}

/* A VCPU that does not run: what it left in its list registers is read there. */
static void registers_of_a_vcpu_that_does_not_run(void **state)
{
    (void)state;
    v3(VCPUS, LRS);
    edge(60);
    line(60, true);
    line(61, true);
    fake_enter();
    assert_int_equal(fake_ack(), 60);
    fake_switch(1);
    assert_int_equal(gicd_read(ISACTIVER + word(60)), bit(60));
    assert_int_equal(gicd_read(ISPENDR + word(60)), bit(61));
    /* Ended since, and saved so. */
    fake_switch(0);
    fake_end(60);
    fake_switch(1);
    assert_int_equal(gicd_read(ISACTIVER + word(60)), 0);
    fake_switch(0);
    assert_int_equal(fake_take(), 61);
    line(61, false);
    assert_int_equal(fake_take(), FAKE_SPURIOUS);
    fake_destroy();
}

/* Another one's fold takes the list register's wish for maintenance with it; the interrupt is not lost by that. */
static void level_line_outlives_the_fold_of_another(void **state)
{
    (void)state;
    v3(VCPUS, LRS);
    line(60, true);
    fake_enter();
    assert_int_equal(fake_ack(), 60);
    assert_true(fake_lr(60)->eoi);
    fake_end(60);
    fake_switch(1);
    assert_int_equal(gicd_read(ISACTIVER + word(60)), 0);
    fake_switch(0);
    assert_int_equal(fake_take(), 60);
    fake_destroy();
}

static int before_each(void **state)
{
    (void)state;
    fake_boot();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, before_each)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(random_traffic_v2),
        TEST(random_traffic_v3),
        TEST(delivery_goes_on),
        TEST(timers_speak_for_themselves),
        TEST(made_up_states),
        TEST(other_controllers),
        TEST(registers_of_a_vcpu_that_does_not_run),
        TEST(level_line_outlives_the_fold_of_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
