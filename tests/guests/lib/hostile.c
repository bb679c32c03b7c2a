// SPDX-License-Identifier: Apache-2.0
// What hostile payloads share: random numbers with a seed, accesses of any width, what they must not touch.
#include <payload/arch.h>
#include <payload/hostile.h>
#include <payload/smp.h>

#define WIDTH_SHIFT 56 /* beyond all addresses: trap_try passes two arguments only */
#define ADDRESS(a) ((a) & ((1ul << WIDTH_SHIFT) - 1))

#define CPU_STEP 0x9e3779b97f4a7c15ull

static uint64_t states[BOOT_CPUS_MAX];

void random_seed(uint64_t seed)
{
    for (unsigned i = 0; i < BOOT_CPUS_MAX; i++)
        states[i] = (seed + 1) * (2 * i + 1) * CPU_STEP | 1;
}

uint64_t random_word(void)
{
    uint64_t *state = &states[this_cpu()->index];

    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t load(uint64_t a, uint64_t b)
{
    (void)b;
    switch (a >> WIDTH_SHIFT) {
    case 1:
        return mmio_read8(ADDRESS(a));
    case 2:
        return mmio_read16(ADDRESS(a));
    case 4:
        return mmio_read32(ADDRESS(a));
    default:
        return mmio_read64(ADDRESS(a));
    }
}

static uint64_t store(uint64_t a, uint64_t value)
{
    switch (a >> WIDTH_SHIFT) {
    case 1:
        mmio_write8(ADDRESS(a), (uint8_t)value);
        break;
    case 2:
        mmio_write16(ADDRESS(a), (uint16_t)value);
        break;
    case 4:
        mmio_write32(ADDRESS(a), (uint32_t)value);
        break;
    default:
        mmio_write64(ADDRESS(a), value);
        break;
    }
    return 0;
}

bool try_load(uint64_t addr, unsigned width, uint64_t *value, struct trap *trap)
{
    return trap_try(load, addr | (uint64_t)width << WIDTH_SHIFT, 0, value, trap);
}

bool try_store(uint64_t addr, unsigned width, uint64_t value, struct trap *trap)
{
    return trap_try(store, addr | (uint64_t)width << WIDTH_SHIFT, value, NULL, trap);
}

bool call_ends_us(uint32_t id)
{
    /* CPU_SUSPEND, CPU_OFF, CPU_ON, SYSTEM_OFF, SYSTEM_RESET, CPU_FREEZE, DEFAULT_SUSPEND, SYSTEM_SUSPEND, SYSTEM_RESET2 */
    static const uint16_t ends[] = {1, 2, 3, 8, 9, 11, 12, 14, 18};

    if ((id & 0xbf000000u) != 0x84000000u)
        return false;
    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if ((id & 0xffff) == ends[i])
            return true;
    }
    return false;
}

bool register_is_own(uint32_t read)
{
    static const uint32_t own[] = {
        CODE_MRS(3, 0, 1, 0, 0),   /* SCTLR */
        CODE_MRS(3, 0, 2, 0, 0),   /* TTBR0 */
        CODE_MRS(3, 0, 2, 0, 2),   /* TCR */
        CODE_MRS(3, 0, 10, 2, 0),  /* MAIR */
        CODE_MRS(3, 0, 12, 0, 0),  /* VBAR */
        CODE_MRS(3, 0, 13, 0, 4),  /* TPIDR */
        CODE_MRS(3, 0, 4, 0, 1),   /* ELR */
        CODE_MRS(3, 0, 4, 0, 0),   /* SPSR */
        CODE_MRS(3, 0, 4, 2, 0),   /* SPSel */
        CODE_MRS(3, 3, 4, 2, 1),   /* DAIF */
        CODE_MRS(3, 0, 4, 1, 0),   /* SP_EL0 */
        CODE_MRS(3, 0, 12, 12, 0), /* ICC_IAR1: acknowledges */
        CODE_MRS(3, 0, 12, 8, 0),  /* ICC_IAR0 */
    };

    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (own[i] == read)
            return true;
    }
    return false;
}

uint64_t register_value(uint32_t read, uint64_t value)
{
    bool is_bpr = read == CODE_MRS(3, 0, 12, 12, 3) || read == CODE_MRS(3, 0, 12, 8, 3);
    bool is_cval = read == CODE_MRS(3, 3, 14, 3, 2);

    return is_bpr ? value & 7 : is_cval ? value >> 1 : value;
}
