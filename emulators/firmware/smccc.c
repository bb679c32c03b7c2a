// SPDX-License-Identifier: Apache-2.0
// SMCCC 1.2 for guests (DEN 0028): the general queries of the Arm architecture range, and who the hypervisor is.

#include <hv/emulator.h>
#include <lib/macros.h>

#define SMCCC_NOT_SUPPORTED UINT64_MAX

#define SMCCC_ARCH_FIRST 0x80000000U
#define SMCCC_ARCH_LAST 0x8000ffffU
#define SMCCC_VERSION 0x80000000U
#define SMCCC_ARCH_FEATURES 0x80000001U
#define SMCCC_VERSION_1_2 0x10002

#define SMCCC_HYP_FIRST 0x86000000U
#define SMCCC_HYP_LAST 0x8600ffffU
#define SMCCC_HYP_UID 0x8600ff01U
#define SMCCC_HYP_REVISION 0x8600ff03U
#define SMCCC_HYP_MAJOR 1
#define SMCCC_HYP_MINOR 0

/** UUID b6a1f0d4-5c2e-4b8f-9d37-62756c6b6864, four bytes a register, the first byte lowest. */
static const uint32_t hyp_uid[4] = {0xd4f0a1b6, 0x8f4b2e5c, 0x7562379d, 0x64686b6c};

/*
 * Architecture workarounds (0x80007fff, 0x80008000, 0x80003fff) are not offered: the host's firmware is not called for guests,
 * so a guest has to take its CPU for what the ID registers say.
 */
static void arch_call(struct vcpu *vcpu, uint64_t x[18])
{
    uint32_t query = (uint32_t)x[1];

    (void)vcpu;
    switch ((uint32_t)x[0]) {
    case SMCCC_VERSION:
        x[0] = SMCCC_VERSION_1_2;
        break;
    case SMCCC_ARCH_FEATURES:
        x[0] = query == SMCCC_VERSION || query == SMCCC_ARCH_FEATURES ? 0 : SMCCC_NOT_SUPPORTED;
        break;
    default:
        x[0] = SMCCC_NOT_SUPPORTED;
        break;
    }
}

static void hyp_call(struct vcpu *vcpu, uint64_t x[18])
{
    (void)vcpu;
    switch ((uint32_t)x[0]) {
    case SMCCC_HYP_UID:
        for (unsigned i = 0; i < ARRAY_SIZE(hyp_uid); i++)
            x[i] = hyp_uid[i];
        break;
    case SMCCC_HYP_REVISION:
        x[0] = SMCCC_HYP_MAJOR;
        x[1] = SMCCC_HYP_MINOR;
        break;
    default:
        x[0] = SMCCC_NOT_SUPPORTED;
        break;
    }
}

static const struct smccc_service smccc_arch = {
    .first = SMCCC_ARCH_FIRST, .last = SMCCC_ARCH_LAST, .call = arch_call};
SMCCC_SERVICE(smccc_arch);

static const struct smccc_service smccc_hyp = {
    .first = SMCCC_HYP_FIRST, .last = SMCCC_HYP_LAST, .call = hyp_call};
SMCCC_SERVICE(smccc_hyp);
