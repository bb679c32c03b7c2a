// SPDX-License-Identifier: Apache-2.0
// Code at EL0, AArch64 and AArch32.
#include "user.h"

#define CODE_MAX 32
#define BLOCK_EL0 (1ul << 6)
#define BLOCK_PXN (1ul << 53)
#define BLOCK_UXN (1ul << 54)
#define BLOCK_DEVICE 0x401ul
#define SVC_A64 0xd4000001u

extern uint64_t identity_map[];

static uint32_t buffer[BOOT_CPUS_MAX][CODE_MAX] __attribute__((aligned(128)));

static void set_block(uint64_t devices)
{
    identity_map[USER_DEVICES >> 30] = devices;
    dsb();
    __asm__ volatile("tlbi vmalle1is" ::: "memory");
    dsb();
    isb();
}

void user_open(void)
{
    set_block(BLOCK_DEVICE | BLOCK_EL0 | BLOCK_PXN | BLOCK_UXN);
}

void user_close(void)
{
    set_block(0);
}

void user_run(const uint32_t *code, unsigned count, struct el0_entry *start, struct trap *trap)
{
    uint32_t *to = buffer[this_cpu()->index];

    for (unsigned i = 0; i < CODE_MAX; i++)
        to[i] = i < count ? code[i] : SVC_A64;
    trap_sync_code(to, sizeof(buffer[0]));
    start->pc = (uintptr_t)to + EL0_ALIAS;
    __asm__ volatile("" ::"r"(start) : "memory");
    trap_try(el0_enter, (uintptr_t)start, 0, NULL, trap);
    trap->elr -= start->pc;
}

bool user_has_aarch32(void)
{
    return (sysreg_read(id_aa64pfr0_el1) & 15) == 2;
}
