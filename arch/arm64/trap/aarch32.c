// SPDX-License-Identifier: Apache-2.0
// Trapped AArch32 instructions of EL0 processes: conditions, and the coprocessor registers that EL0 may have.
#include <arm64/esr.h>
#include <arm64/idreg.h>
#include <arm64/sysreg.h>
#include <arm64/trap.h>

#include <lib/errno.h>

#define ISS_COND(esr) (((esr) >> 20) & 0xf)
#define ISS_CP_RT2(esr) (((esr) >> 10) & 0x1f)
#define ISS_CP64_OPC1(esr) (((esr) >> 16) & 0xf)
#define ISS_CP_CRM(esr) (((esr) >> 1) & 0xf)
#define REGISTERS 15 /* r0..r14; r15 is never transferred */

/* MRC, MCR and, with two general registers, MRRC, MCRR: where AArch64 has the same register. */
#define CP32(ec, opc1, crn, crm, opc2) ((ec) << 16 | SYSREG_KEY(0, opc1, crn, crm, opc2))
#define CP64(ec, opc1, crm) ((ec) << 16 | (opc1) << 4 | (crm))
#define DBGDIDR 0

static const struct {
    uint32_t coprocessor;
    uint16_t key;
} registers[] = {
    {CP32(EC_CP15_32, 0, 14, 2, 0), SYSREG_KEY(3, 3, 14, 2, 0)}, /* CNTP_TVAL */
    {CP32(EC_CP15_32, 0, 14, 2, 1), SYSREG_KEY(3, 3, 14, 2, 1)}, /* CNTP_CTL */
    {CP64(EC_CP15_64, 2, 14), SYSREG_KEY(3, 3, 14, 2, 2)},       /* CNTP_CVAL */
    {CP64(EC_CP15_64, 0, 14), SYSREG_KEY(3, 3, 14, 0, 1)},       /* CNTPCT */
    {CP32(EC_CP14_32, 0, 0, 0, 0), DBGDIDR},
    {CP32(EC_CP14_32, 0, 0, 1, 0), SYSREG_KEY(2, 3, 0, 1, 0)}, /* DBGDSCRint */
    {CP32(EC_CP14_32, 0, 0, 5, 0), SYSREG_KEY(2, 3, 0, 5, 0)}, /* DBGDTRRXint, DBGDTRTXint */
    {CP32(EC_CP14_32, 0, 1, 0, 0), SYSREG_KEY(2, 0, 1, 0, 0)}, /* DBGDRAR, without tables */
    {CP32(EC_CP14_32, 0, 2, 0, 0), SYSREG_KEY(2, 0, 1, 0, 0)}, /* DBGDSAR */
    {CP64(EC_CP14_64, 0, 1), SYSREG_KEY(2, 0, 1, 0, 0)},
    {CP64(EC_CP14_64, 0, 2), SYSREG_KEY(2, 0, 1, 0, 0)},
};

bool trap_condition_holds(uint64_t esr, uint64_t spsr)
{
    static const uint16_t passes[16] = {0xf0f0, 0x0f0f, 0xcccc, 0x3333, 0xff00, 0x00ff,
                                        0xaaaa, 0x5555, 0x0c0c, 0xf3f3, 0xaa55, 0x55aa,
                                        0x0a05, 0xf5fa, 0xffff, 0xffff};

    return !(esr & ISS_ISV) || passes[ISS_COND(esr)] & (1U << ((spsr >> 28) & 0xf));
}

static int access_key(struct vcpu *vcpu, uint16_t key, bool is_write, uint64_t *value)
{
    if (key != DBGDIDR)
        return trap_sysreg_access(vcpu, key, is_write, value);
    if (is_write)
        return -EACCES;
    *value = idreg_dbgdidr();
    return 0;
}

static int access_coprocessor(struct vcpu *vcpu, uint32_t name, bool is_write, uint64_t *value)
{
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        if (registers[i].coprocessor == name)
            return access_key(vcpu, registers[i].key, is_write, value);
    }
    return -ENOENT;
}

static int transfer_32(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    bool is_write = !(esr & ISS_SYS_READ);
    unsigned rt = ISS_SYS_RT(esr);
    uint32_t name = (uint32_t)(ESR_EC(esr) << 16 | (ISS_SYS_KEY(esr) & 0x3fff));
    uint64_t value;
    int err;

    if (rt >= REGISTERS)
        return -ENOENT;
    value = (uint32_t)frame->x[rt];
    err = access_coprocessor(vcpu, name, is_write, &value);
    if (!err && !is_write)
        frame->x[rt] = (uint32_t)value;
    return err;
}

static int transfer_64(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    bool is_write = !(esr & ISS_SYS_READ);
    unsigned rt = ISS_SYS_RT(esr), rt2 = ISS_CP_RT2(esr);
    uint64_t value;
    int err;

    if (rt >= REGISTERS || rt2 >= REGISTERS)
        return -ENOENT;
    value = (uint32_t)frame->x[rt] | frame->x[rt2] << 32;
    err = access_coprocessor(vcpu, (uint32_t)CP64(ESR_EC(esr), ISS_CP64_OPC1(esr), ISS_CP_CRM(esr)),
                             is_write, &value);
    if (!err && !is_write) {
        frame->x[rt] = (uint32_t)value;
        frame->x[rt2] = value >> 32;
    }
    return err;
}

/* An instruction whose condition fails is skipped, not undefined. */
void trap_aarch32(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    uint64_t ec = ESR_EC(esr);
    int err = -ENOENT;

    if (!trap_condition_holds(esr, frame->spsr))
        err = 0;
    else if (ec == EC_CP15_32 || ec == EC_CP14_32)
        err = transfer_32(vcpu, frame, esr);
    else if (ec == EC_CP15_64 || ec == EC_CP14_64)
        err = transfer_64(vcpu, frame, esr);
    if (err < 0)
        trap_inject_undef(frame, esr);
    else if (err == 0)
        trap_skip(frame, esr);
}
