// SPDX-License-Identifier: Apache-2.0
// CPUs that say how CPU_ON has started them: the side that waits for them.
#include "firmware.h"

#include "entry.h"

#define PATIENCE_MS 5000

struct entry_control {
    uint64_t released, smc;
} __attribute__((aligned(64)));

/* Each in its own cache line, because the started CPU uses no cache. */
struct entry_record entry_record;
struct entry_control entry_control;
extern const uint8_t entry_slots[];

static void clean(const volatile void *line)
{
    __asm__ volatile("dsb sy\n\tdc civac, %0\n\tdsb sy" ::"r"(line) : "memory");
}

void entry_prepare(void)
{
    memset(&entry_record, 0, sizeof(entry_record));
    entry_control = (struct entry_control){0, !strcmp(boot_info.psci_method, "smc")};
    clean(&entry_record);
    clean(&entry_control);
}

uintptr_t entry_address(unsigned slot)
{
    return (uintptr_t)entry_slots + slot * (uintptr_t)ENTRY_SLOT_SIZE;
}

bool entry_wait(uint64_t count, struct entry_record *record)
{
    volatile struct entry_record *shared = &entry_record;
    uint64_t end = timer_now() + timer_us(PATIENCE_MS * 1000);

    clean(shared);
    for (unsigned spins = 0; shared->count < count; spins++) {
        if (timer_now() >= end)
            return false;
        wait_a_little(spins);
        clean(shared);
    }
    *record = entry_record;
    return true;
}

bool entry_release(uint64_t count, unsigned cpu)
{
    entry_control.released = count;
    clean(&entry_control);
    return wait_off(cpu);
}
