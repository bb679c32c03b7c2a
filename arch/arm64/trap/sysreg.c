// SPDX-License-Identifier: Apache-2.0
// Trapped system registers: one const table by encoding; what is not in it is UNDEFINED for the guest.
#include <arm64/debug.h>
#include <arm64/esr.h>
#include <arm64/guest_timer.h>
#include <arm64/idreg.h>
#include <arm64/sysreg.h>
#include <arm64/trap.h>

#include <hv/initcall.h>
#include <hv/panic.h>
#include <hv/upcall.h>
#include <lib/errno.h>

/* Returned by an access that granted the register to the guest: the instruction runs again. */
#define SYSREG_RETRY 1

struct sysreg_trap {
    uint16_t key;
    /** 0: emulated; SYSREG_RETRY; negative: UNDEFINED. */
    int (*access)(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value);
};

#define KEY_OP2(key) ((key)&7)
#define KEY_OP2_BVR 4
/* op0 = 3, op1 = 1, CRn = 0, CRm = 0: those that trap besides the ID registers of op1 = 0 */
#define KEY_AUXILIARY SYSREG_KEY(3, 1, 0, 0, 0)
#define KEY_AUXILIARY_MASK SYSREG_KEY(3, 7, 15, 15, 0)
#define KEY_CRM(key) (((key) >> 3) & 15)
#define OSLSR_OSLM BIT(3)
#define OSLSR_OSLK BIT(1)
#define OSLAR_OSLK BIT(0)
#define MDCCSR_TXFULL BIT(29)

static int raz_wi(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)vcpu;
    (void)key;
    if (!is_write)
        *value = 0;
    return 0;
}

static int counter(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)key;
    if (is_write)
        return -EACCES;
    *value = guest_timer_count(vcpu);
    return 0;
}

static int ptimer_tval(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)key;
    if (is_write)
        guest_timer_write_cval(vcpu, guest_timer_count(vcpu) + (uint64_t)(int64_t)(int32_t)*value);
    else
        *value = (uint32_t)(vcpu->arch.cntp_cval - guest_timer_count(vcpu));
    return 0;
}

static int ptimer_ctl(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)key;
    if (is_write)
        guest_timer_write_ctl(vcpu, *value);
    else
        *value = guest_timer_read_ctl(vcpu);
    return 0;
}

static int ptimer_cval(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)key;
    if (is_write)
        guest_timer_write_cval(vcpu, *value);
    else
        *value = vcpu->arch.cntp_cval;
    return 0;
}

static int asgi1r(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)key;
    return hv_guest_sysreg(vcpu, GUEST_SYSREG_ICC_ASGI1R, is_write, value);
}

static int sgi0r(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)key;
    return hv_guest_sysreg(vcpu, GUEST_SYSREG_ICC_SGI0R, is_write, value);
}

static int dir(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)key;
    return hv_guest_sysreg(vcpu, GUEST_SYSREG_ICC_DIR, is_write, value);
}

/* Breakpoints and watchpoints are memory until the guest sets one, or opens the OS lock; then they are its own. */
static int breakpoint(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    uint64_t *reg = debug_register(vcpu, KEY_CRM(key), KEY_OP2(key) - KEY_OP2_BVR);

    if (!reg)
        return -ENOENT;
    if (!is_write) {
        *value = *reg;
        return 0;
    }
    if (*value && !vcpu->arch.os_lock) {
        debug_grant(vcpu);
        return SYSREG_RETRY;
    }
    *reg = *value;
    return 0;
}

static int mdscr(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)vcpu;
    (void)key;
    if (is_write)
        sysreg_write(mdscr_el1, *value & MDSCR_SOFTWARE);
    else
        *value = sysreg_read(mdscr_el1);
    return 0;
}

static int oslar(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)key;
    if (!is_write)
        return -EACCES;
    debug_set_lock(vcpu, *value & OSLAR_OSLK);
    return 0;
}

static int auxiliary_id(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)vcpu;
    (void)key;
    if (is_write)
        return -EACCES;
    *value = sysreg_read(aidr_el1);
    return 0;
}

static int oslsr(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)key;
    if (is_write)
        return -EACCES;
    *value = OSLSR_OSLM | (vcpu->arch.os_lock ? OSLSR_OSLK : 0);
    return 0;
}

/* Debug communication channel without a debugger: its transmitter looks full, so that a probe for a console gives up. */
static int dcc_status(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    (void)vcpu;
    (void)key;
    if (is_write)
        return -EACCES;
    *value = MDCCSR_TXFULL;
    return 0;
}

#define BREAKPOINT(n)                                                                              \
    {SYSREG_KEY(2, 0, 0, n, 4), breakpoint}, {SYSREG_KEY(2, 0, 0, n, 5), breakpoint},              \
        {SYSREG_KEY(2, 0, 0, n, 6), breakpoint},                                                   \
    {                                                                                              \
        SYSREG_KEY(2, 0, 0, n, 7), breakpoint                                                      \
    }

/* Debug registers, which no guest in its daily work needs, ascending by key: looked up by halving. */
static const struct sysreg_trap debug_traps[] = {
    {SYSREG_KEY(2, 0, 0, 0, 2), raz_wi}, /* OSDTRRX_EL1 */
    BREAKPOINT(0),
    BREAKPOINT(1),
    {SYSREG_KEY(2, 0, 0, 2, 0), raz_wi}, /* MDCCINT_EL1 */
    {SYSREG_KEY(2, 0, 0, 2, 2), mdscr},
    BREAKPOINT(2),
    {SYSREG_KEY(2, 0, 0, 3, 2), raz_wi}, /* OSDTRTX_EL1 */
    BREAKPOINT(3),
    BREAKPOINT(4),
    BREAKPOINT(5),
    {SYSREG_KEY(2, 0, 0, 6, 2), raz_wi}, /* OSECCR_EL1 */
    BREAKPOINT(6),
    BREAKPOINT(7),
    BREAKPOINT(8),
    BREAKPOINT(9),
    BREAKPOINT(10),
    BREAKPOINT(11),
    BREAKPOINT(12),
    BREAKPOINT(13),
    BREAKPOINT(14),
    BREAKPOINT(15),
    {SYSREG_KEY(2, 0, 1, 0, 0), raz_wi}, /* MDRAR_EL1 */
    {SYSREG_KEY(2, 0, 1, 0, 4), oslar},
    {SYSREG_KEY(2, 0, 1, 1, 4), oslsr},
    {SYSREG_KEY(2, 0, 1, 3, 4), raz_wi},  /* OSDLR_EL1 */
    {SYSREG_KEY(2, 0, 1, 4, 4), raz_wi},  /* DBGPRCR_EL1 */
    {SYSREG_KEY(2, 0, 7, 8, 6), raz_wi},  /* DBGCLAIMSET_EL1 */
    {SYSREG_KEY(2, 0, 7, 9, 6), raz_wi},  /* DBGCLAIMCLR_EL1 */
    {SYSREG_KEY(2, 0, 7, 14, 6), raz_wi}, /* DBGAUTHSTATUS_EL1 */
    {SYSREG_KEY(2, 3, 0, 1, 0), dcc_status},
    {SYSREG_KEY(2, 3, 0, 4, 0), raz_wi}, /* DBGDTR_EL0 */
    {SYSREG_KEY(2, 3, 0, 5, 0), raz_wi}, /* DBGDTRRX_EL0, DBGDTRTX_EL0 */
};

/* The others, few, in order of their use. */
static const struct sysreg_trap traps[] = {
    {SYSREG_KEY(3, 0, 12, 11, 1), dir},
    {SYSREG_KEY(3, 3, 14, 0, 1), counter}, /* CNTPCT_EL0 */
    {SYSREG_KEY(3, 3, 14, 2, 2), ptimer_cval},
    {SYSREG_KEY(3, 3, 14, 2, 1), ptimer_ctl},
    {SYSREG_KEY(3, 3, 14, 2, 0), ptimer_tval},
    {SYSREG_KEY(3, 0, 12, 11, 7), sgi0r},
    {SYSREG_KEY(3, 0, 12, 11, 6), asgi1r},
    {SYSREG_KEY(3, 0, 1, 0, 1), raz_wi}, /* ACTLR_EL1 */
    {SYSREG_KEY(3, 1, 0, 0, 7), auxiliary_id},
};

static int check_order(void)
{
    for (unsigned i = 1; i < ARRAY_SIZE(debug_traps); i++)
        ASSERT(debug_traps[i - 1].key < debug_traps[i].key);
    return 0;
}
INITCALL(INITCALL_CORE, check_order);

static const struct sysreg_trap *find_debug(unsigned key)
{
    unsigned low = 0, high = ARRAY_SIZE(debug_traps);

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (debug_traps[mid].key == key)
            return &debug_traps[mid];
        if (debug_traps[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

int trap_sysreg_access(struct vcpu *vcpu, unsigned key, bool is_write, uint64_t *value)
{
    const struct sysreg_trap *trap;

    for (trap = traps; trap < traps + ARRAY_SIZE(traps); trap++)
        if (trap->key == key)
            return trap->access(vcpu, key, is_write, value);
    trap = find_debug(key);
    return trap ? trap->access(vcpu, key, is_write, value) : -ENOENT;
}

/* Reads of registers that identify features are reported with their own syndrome where the CPU has FEAT_IDST. */
static void undefined(struct arm64_frame *frame, uint64_t esr)
{
    unsigned key = (unsigned)ISS_SYS_KEY(esr);

    if ((key & KEY_AUXILIARY_MASK) == KEY_AUXILIARY && esr & ISS_SYS_READ && idreg_has_idst())
        trap_inject(frame, esr, 0, false);
    else
        trap_inject_undef(frame, esr);
}

static NOINLINE void access_register(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr,
                                     uint64_t *value)
{
    int result = trap_sysreg_access(vcpu, (unsigned)ISS_SYS_KEY(esr), !(esr & ISS_SYS_READ), value);

    if (likely(result == 0))
        trap_skip(frame, esr);
    else if (result != SYSREG_RETRY)
        undefined(frame, esr);
}

/* Every SGI that a guest sends is an exit. */
static NOINLINE void send_sgi(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr,
                              uint64_t *value)
{
    if (likely(hv_guest_sgi(vcpu, *value) == 0))
        trap_skip(frame, esr);
    else
        undefined(frame, esr);
}

/* ID registers and ICC_SGI1R_EL1, those that come in numbers, need no table. */
void trap_sysreg(struct vcpu *vcpu, struct arm64_frame *frame, uint64_t esr)
{
    uint64_t *value = trap_register(frame, ISS_SYS_RT(esr));

    if ((esr & ISS_SYS_ID_MASK) == ISS_SYS_ID_READ) {
        *value = idreg_values[8 * ISS_SYS_CRM(esr) + ISS_SYS_OP2(esr)];
        trap_skip(frame, esr);
    } else if ((esr & ISS_SYS_MASK) == ISS_SYS_WRITE(3, 0, 12, 11, 5)) {
        send_sgi(vcpu, frame, esr, value);
    } else {
        access_register(vcpu, frame, esr, value);
    }
}
