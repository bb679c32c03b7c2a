// SPDX-License-Identifier: Apache-2.0
// Exception syndromes (Arm ARM D19.2.37 ESR_ELx).
#pragma once

#include <lib/macros.h>

#define ESR_EC(esr) (((esr) >> 26) & 0x3f)
#define ESR_IL BIT(25)
#define ESR_ISS(esr) ((esr)&0x1ffffffUL)

enum esr_ec {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_CP15_32 = 0x03,
    EC_CP15_64 = 0x04,
    EC_CP14_32 = 0x05,
    EC_CP14_LS = 0x06,
    EC_FP = 0x07,
    EC_CP10_ID = 0x08,
    EC_PAUTH = 0x09,
    EC_CP14_64 = 0x0c,
    EC_ILLEGAL = 0x0e,
    EC_HVC64 = 0x16,
    EC_SMC64 = 0x17,
    EC_SYSREG = 0x18,
    EC_SVE = 0x19,
    EC_SME = 0x1d,
    EC_IABT_LOW = 0x20,
    EC_IABT_SAME = 0x21,
    EC_DABT_LOW = 0x24,
    EC_DABT_SAME = 0x25,
    EC_SERROR = 0x2f,
    EC_COUNT = 0x40,
};

/* ISS of aborts */
#define ISS_FSC(esr) ((esr)&0x3f)
#define ISS_WNR BIT(6)
#define ISS_S1PTW BIT(7)
#define ISS_CM BIT(8)
#define ISS_EA BIT(9)
#define ISS_FNV BIT(10)
#define ISS_SF BIT(15)
#define ISS_SRT(esr) (((esr) >> 16) & 0x1f)
#define ISS_SSE BIT(21)
#define ISS_SAS(esr) (((esr) >> 22) & 3)
#define ISS_ISV BIT(24)

#define FSC_TYPE(fsc) ((fsc)&0x3c)
#define FSC_ADDRESS_SIZE 0x00
#define FSC_TRANSLATION 0x04
#define FSC_ACCESS_FLAG 0x08
#define FSC_PERMISSION 0x0c
#define FSC_SEA 0x10
#define FSC_SEA_WALK 0x14 /* plus the level of the table */

/* ISS of trapped MSR, MRS: Arm ARM "EC 0x18" */
#define ISS_SYS_READ BIT(0)
#define ISS_SYS_RT(esr) (((esr) >> 5) & 0x1f)
#define ISS_SYS_CRM(esr) (((esr) >> 1) & 15)
#define ISS_SYS_OP2(esr) (((esr) >> 17) & 7)
/* MRS of op0 = 3, op1 = 0, CRn = 0, CRm = 0-7: the ID registers */
#define ISS_SYS_ID_MASK (BITS(21, 20) | BITS(16, 10) | BIT(4) | ISS_SYS_READ)
#define ISS_SYS_ID_READ (BITS(21, 20) | ISS_SYS_READ)
/* An MSR without its Rt */
#define ISS_SYS_MASK (BITS(21, 10) | BITS(4, 0))
#define ISS_SYS_WRITE(op0, op1, crn, crm, op2)                                                     \
    ((uint64_t)((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1))
#define ISS_SYS_KEY(esr)                                                                           \
    (((((esr) >> 20) & 3) << 14) | ((((esr) >> 14) & 7) << 11) | ((((esr) >> 10) & 15) << 7) |     \
     ((((esr) >> 1) & 15) << 3) | (((esr) >> 17) & 7))
