// SPDX-License-Identifier: Apache-2.0
// A guest's stage 1 walked in software (Arm ARM D5.2): for looking at stopped guests, and at walks that failed.
#include <arm64/guest_walk.h>
#include <arm64/sysreg.h>
#include <arm64/world.h>

#include <arch/vcpu.h>
#include <hv/guest.h>
#include <lib/errno.h>

#define SCTLR_M BIT(0)
#define TCR_EPD0 BIT(7)
#define TCR_EPD1 BIT(23)
#define TCR_TBI0 BIT(37)
#define DESC_VALID BIT(0)
#define DESC_TABLE BIT(1)
#define OUTPUT_MASK 0x0000fffffffff000UL
#define LEVEL_LAST 3

/* One half of the address space, as its registers describe it. */
struct regime {
    uint64_t root;
    unsigned granule; /* address bits of a page */
    unsigned bits;    /* of a virtual address */
    bool disabled;
};

/* TG0: 4, 64, 16 KiB; TG1: -, 16, 4, 64 KiB. */
static unsigned granule_bits(uint64_t tcr, bool upper)
{
    static const uint8_t tg0[4] = {12, 16, 14, 0}, tg1[4] = {0, 14, 12, 16};

    return upper ? tg1[(tcr >> 30) & 3] : tg0[(tcr >> 14) & 3];
}

static struct regime regime_of(uint64_t tcr, uint64_t ttbr, bool upper)
{
    unsigned txsz = (unsigned)(upper ? tcr >> 16 : tcr) & 0x3f;

    return (struct regime){
        .root = ttbr & OUTPUT_MASK,
        .granule = granule_bits(tcr, upper),
        .bits = 64 - txsz,
        .disabled = tcr & (upper ? TCR_EPD1 : TCR_EPD0),
    };
}

/* The address belongs to this half: the bits above its size, but for an ignored tag, are all alike. */
static bool is_canonical(const struct arch_vcpu *arch, const struct regime *regime, uint64_t va)
{
    bool upper = va & BIT(55);
    bool tagged = arch->world[WORLD_tcr_el1] & (TCR_TBI0 << (upper ? 1 : 0));
    uint64_t address = tagged ? (uint64_t)((int64_t)(va << 8) >> 8) : va;

    return (int64_t)address >> regime->bits == (upper ? -1 : 0);
}

static unsigned first_level(const struct regime *regime)
{
    unsigned stride = regime->granule - 3;
    unsigned levels = (regime->bits - regime->granule + stride - 1) / stride;

    return LEVEL_LAST + 1 - levels;
}

static bool read_descriptor(struct vcpu *vcpu, uint64_t at, uint64_t *desc)
{
    return guest_mem_read(vcpu->guest, (gpa_t){at}, desc, sizeof(*desc)) == 0 && *desc & DESC_VALID;
}

/* *last: the level at which it ended. */
static int walk(struct vcpu *vcpu, const struct regime *regime, uint64_t va, uint64_t *ipa,
                unsigned *last)
{
    unsigned stride = regime->granule - 3;
    uint64_t table = regime->root, offset = va & (BIT(regime->bits) - 1);

    for (unsigned level = first_level(regime); level <= LEVEL_LAST; level++) {
        unsigned shift = regime->granule + stride * (LEVEL_LAST - level);
        uint64_t desc;

        *last = level;
        if (!read_descriptor(vcpu, table + (offset >> shift) * sizeof(desc), &desc))
            return -EFAULT;
        offset &= BIT(shift) - 1;
        table = desc & OUTPUT_MASK & ~(BIT(regime->granule) - 1);
        if (level == LEVEL_LAST || !(desc & DESC_TABLE)) {
            *ipa = (table & ~(BIT(shift) - 1)) | offset;
            return level == LEVEL_LAST && !(desc & DESC_TABLE) ? -EFAULT : 0;
        }
    }
    return -EFAULT;
}

static bool can_walk(const struct regime *regime)
{
    return !regime->disabled && regime->granule != 0 && regime->bits > regime->granule &&
           regime->bits <= 52;
}

unsigned guest_walk_last_level(struct vcpu *vcpu, uint64_t va)
{
    bool upper = va & BIT(55);
    struct regime regime = regime_of(
        sysreg_read(tcr_el1), upper ? sysreg_read(ttbr1_el1) : sysreg_read(ttbr0_el1), upper);
    unsigned level = LEVEL_LAST;
    uint64_t ipa;

    if (!(sysreg_read(sctlr_el1) & SCTLR_M))
        return 0;
    if (can_walk(&regime))
        walk(vcpu, &regime, va, &ipa, &level);
    return level;
}

int arch_vcpu_translate(struct vcpu *vcpu, uint64_t va, uint64_t *ipa)
{
    const uint64_t *world = vcpu->arch.world;
    bool upper = va & BIT(55);
    struct regime regime =
        regime_of(world[WORLD_tcr_el1], world[upper ? WORLD_ttbr1_el1 : WORLD_ttbr0_el1], upper);
    unsigned last;

    if (!(vcpu->arch.world[WORLD_sctlr_el1] & SCTLR_M)) {
        *ipa = va;
        return 0;
    }
    if (!can_walk(&regime) || !is_canonical(&vcpu->arch, &regime, va))
        return -EFAULT;
    return walk(vcpu, &regime, va, ipa, &last);
}
