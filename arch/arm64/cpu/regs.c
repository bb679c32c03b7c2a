// SPDX-License-Identifier: Apache-2.0
// Guest registers by id: one const table drives dump, reset values and tests.
#include <arm64/sysreg.h>
#include <arm64/world.h>

#include <arch/vcpu.h>
#include <lib/errno.h>

/* Ids: general registers, then what the frame holds, then the world in its own order, then the timer. */
enum {
    ID_PC = 31,
    ID_PSTATE,
    ID_WORLD,
    ID_CNTV_CTL = ID_WORLD + ARM64_WORLD_COUNT,
    ID_CNTV_CVAL,
    ID_END
};

#define GPR(n)                                                                                     \
    {                                                                                              \
        "x" #n, n, 0                                                                               \
    }

static const struct arch_reg_desc table[] = {
    GPR(0),
    GPR(1),
    GPR(2),
    GPR(3),
    GPR(4),
    GPR(5),
    GPR(6),
    GPR(7),
    GPR(8),
    GPR(9),
    GPR(10),
    GPR(11),
    GPR(12),
    GPR(13),
    GPR(14),
    GPR(15),
    GPR(16),
    GPR(17),
    GPR(18),
    GPR(19),
    GPR(20),
    GPR(21),
    GPR(22),
    GPR(23),
    GPR(24),
    GPR(25),
    GPR(26),
    GPR(27),
    GPR(28),
    GPR(29),
    GPR(30),
    {"pc", ID_PC, 0},
    {"pstate", ID_PSTATE, SPSR_DAIF | SPSR_M_EL1H},
#define X(name, value) {#name, ID_WORLD + WORLD_##name, value},
    ARM64_WORLD_REGS(X)
#undef X
        {"cntv_ctl_el0", ID_CNTV_CTL, 0},
    {"cntv_cval_el0", ID_CNTV_CVAL, 0},
};
static_assert(ARRAY_SIZE(table) == ID_END, "a description for each id");

const struct arch_reg_desc *arch_vcpu_reg_table(unsigned *count)
{
    *count = ARRAY_SIZE(table);
    return table;
}

static uint64_t *locate(struct vcpu *vcpu, unsigned id)
{
    if (!vcpu->arch.frame || id >= ID_END)
        return NULL;
    if (id < ID_PC)
        return &vcpu->arch.frame->x[id];
    if (id == ID_PC)
        return &vcpu->arch.frame->elr;
    if (id == ID_PSTATE)
        return &vcpu->arch.frame->spsr;
    if (id < ID_CNTV_CTL)
        return &vcpu->arch.world[id - ID_WORLD];
    return id == ID_CNTV_CTL ? &vcpu->arch.cntv_ctl : &vcpu->arch.cntv_cval;
}

int arch_vcpu_get_reg(struct vcpu *vcpu, unsigned id, uint64_t *value)
{
    const uint64_t *reg = locate(vcpu, id);

    if (!reg)
        return -ENOENT;
    *value = *reg;
    return 0;
}

int arch_vcpu_set_reg(struct vcpu *vcpu, unsigned id, uint64_t value)
{
    uint64_t *reg = locate(vcpu, id);

    if (!reg)
        return -ENOENT;
    *reg = value;
    return 0;
}
