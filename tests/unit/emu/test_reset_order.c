// SPDX-License-Identifier: Apache-2.0
// Reset of a guest: the interrupt controller, the other devices in their order, then each VCPU's part of the controller.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <hv/emulator.h>
#include <hv/guest.h>
#include <hv/guest_parts.h>
#include <string.h>

#define DEVICES 4
#define VCPUS 3

static char order[64];

static void note(char what)
{
    size_t n = strlen(order);

    assert_true(n + 1 < sizeof(order));
    order[n] = what;
    order[n + 1] = '\0';
}

static void device_reset(struct emu_device *dev)
{
    note(dev->name[0]);
}

static void vcpu_part_reset(struct vcpu *vcpu)
{
    note((char)('0' + vcpu->subid));
}

static void reset_order(void **state)
{
    static const struct emulator resets = {.name = "resets", .reset = device_reset};
    static const struct emulator stateless = {.name = "stateless"};
    static const struct intc_ops ops = {.vcpu_reset = vcpu_part_reset};
    static const char *const names[DEVICES] = {"intc", "a", "stateless", "b"};
    static struct emu_device devices[DEVICES];
    static struct vcpu vcpus[VCPUS];
    struct vcpu *by_subid[VCPUS];
    struct guest guest = {.vcpu_count = VCPUS, .vcpus = by_subid, .intc_ops = &ops};

    (void)state;
    list_init(&guest.devices);
    for (unsigned i = 0; i < DEVICES; i++) {
        devices[i] = (struct emu_device){
            .emulator = i == 2 ? &stateless : &resets, .guest = &guest, .name = names[i]};
        list_add_tail(&guest.devices, &devices[i].link);
    }
    for (unsigned i = 0; i < VCPUS; i++) {
        vcpus[i].subid = i;
        by_subid[i] = &vcpus[i];
    }
    guest_devices_reset(&guest);
    assert_string_equal(order, "iab012");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reset_order)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
