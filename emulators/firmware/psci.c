// SPDX-License-Identifier: Apache-2.0
// PSCI 1.1 for guests (DEN 0022): CPU and system power, by HVC or SMC.

#include <hv/emulator.h>
#include <hv/guest.h>
#include <hv/upcall.h>
#include <lib/errno.h>
#include <lib/macros.h>

#define SMCCC_64BIT (1U << 30)
#define SMCCC_VERSION_ID 0x80000000U

#define PSCI_FIRST 0x84000000U
#define PSCI_LAST 0x8400001fU

enum psci_function {
    PSCI_VERSION = 0x84000000,
    PSCI_CPU_SUSPEND = 0x84000001,
    PSCI_CPU_OFF = 0x84000002,
    PSCI_CPU_ON = 0x84000003,
    PSCI_AFFINITY_INFO = 0x84000004,
    PSCI_MIGRATE_INFO_TYPE = 0x84000006,
    PSCI_SYSTEM_OFF = 0x84000008,
    PSCI_SYSTEM_RESET = 0x84000009,
    PSCI_FEATURES = 0x8400000a,
    PSCI_SYSTEM_RESET2 = 0x84000012,
};

enum psci_result {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_DENIED = -3,
    PSCI_ALREADY_ON = -4,
    PSCI_ON_PENDING = -5,
    PSCI_INTERNAL_FAILURE = -6,
    PSCI_INVALID_ADDRESS = -9,
};

enum psci_affinity_state { PSCI_ON = 0, PSCI_OFF = 1, PSCI_ON_IS_PENDING = 2 };

#define PSCI_VERSION_1_1 0x10001
/** There is no trusted OS that would have to migrate. */
#define PSCI_MIGRATE_NOT_NEEDED 2
#define PSCI_RESET2_WARM 0

/** power_state in the original format: StateID, StateType, PowerLevel. */
#define POWER_STATE_DOWN BIT(16)
#define POWER_STATE_RESERVED (BITS(31, 26) | BITS(23, 17))

#define AFFINITY_FIELDS (BITS(39, 32) | BITS(23, 0))
#define AFFINITY_LEVELS 4

struct psci_call {
    enum psci_function id;
    bool has_64bit; /* may also be called with 64-bit arguments */
    int64_t (*handle)(struct vcpu *vcpu, const uint64_t arg[3]);
};

static int64_t version(struct vcpu *vcpu, const uint64_t arg[3])
{
    (void)vcpu;
    (void)arg;
    return PSCI_VERSION_1_1;
}

/* A guest CPU starts in AArch64 state, with code in memory. */
static bool entry_is_valid(struct guest *guest, uint64_t entry)
{
    uint32_t instruction;

    return (entry & 3) == 0 &&
           guest_mem_read(guest, gpa(entry), &instruction, sizeof(instruction)) == 0;
}

/* Power-down states are entered as standby, which PSCI allows (5.4.2): the context is kept, the call returns. */
static int64_t cpu_suspend(struct vcpu *vcpu, const uint64_t arg[3])
{
    if ((arg[0] & POWER_STATE_RESERVED) != 0 || arg[0] >> 32 != 0)
        return PSCI_INVALID_PARAMETERS;
    if ((arg[0] & POWER_STATE_DOWN) != 0 && !entry_is_valid(vcpu->guest, arg[1]))
        return PSCI_INVALID_ADDRESS;
    hv_vcpu_wait(vcpu);
    return PSCI_SUCCESS;
}

/* What it returns is seen by no one, unless the VCPU could not be stopped. */
static int64_t cpu_off(struct vcpu *vcpu, const uint64_t arg[3])
{
    (void)arg;
    guest_vcpu_off(vcpu);
    return PSCI_DENIED;
}

static int64_t cpu_on(struct vcpu *vcpu, const uint64_t arg[3])
{
    int state = guest_vcpu_affinity_info(vcpu->guest, arg[0]);

    /* A target that can not be started is the first thing wrong; guest_vcpu_on() decides between callers. */
    if (state < 0)
        return PSCI_INVALID_PARAMETERS;
    if (state != PSCI_OFF)
        return state == PSCI_ON ? PSCI_ALREADY_ON : PSCI_ON_PENDING;
    if (!entry_is_valid(vcpu->guest, arg[1]))
        return PSCI_INVALID_ADDRESS;
    switch (guest_vcpu_on(vcpu->guest, arg[0], arg[1], arg[2])) {
    case 0:
        return PSCI_SUCCESS;
    case -EALREADY:
        return PSCI_ALREADY_ON;
    case -EINPROGRESS:
        return PSCI_ON_PENDING;
    case -EINVAL:
        return PSCI_INVALID_PARAMETERS;
    default:
        return PSCI_INTERNAL_FAILURE;
    }
}

/* Of several VCPUs below an affinity level, one that is on, else one that is starting, decides. */
static int64_t affinity_info(struct vcpu *vcpu, const uint64_t arg[3])
{
    struct guest *guest = vcpu->guest;
    int64_t result = PSCI_INVALID_PARAMETERS;
    uint64_t mask;

    if (arg[1] >= AFFINITY_LEVELS || (arg[0] & ~AFFINITY_FIELDS) != 0)
        return PSCI_INVALID_PARAMETERS;
    mask = AFFINITY_FIELDS & (~UINT64_C(0) << (8 * arg[1]));
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        uint64_t affinity = arch_vcpu_affinity(i);
        int state;

        if (((affinity ^ arg[0]) & mask) != 0)
            continue;
        state = guest_vcpu_affinity_info(guest, affinity);
        if (state == PSCI_ON)
            return PSCI_ON;
        if (state == PSCI_ON_IS_PENDING || (state == PSCI_OFF && result < 0))
            result = state;
    }
    return result;
}

static int64_t migrate_info_type(struct vcpu *vcpu, const uint64_t arg[3])
{
    (void)vcpu;
    (void)arg;
    return PSCI_MIGRATE_NOT_NEEDED;
}

static int64_t system_off(struct vcpu *vcpu, const uint64_t arg[3])
{
    (void)arg;
    guest_power_request(vcpu->guest, GUEST_POWER_OFF);
    return PSCI_INTERNAL_FAILURE;
}

static int64_t system_reset(struct vcpu *vcpu, const uint64_t arg[3])
{
    (void)arg;
    guest_power_request(vcpu->guest, GUEST_POWER_RESET);
    return PSCI_INTERNAL_FAILURE;
}

static int64_t system_reset2(struct vcpu *vcpu, const uint64_t arg[3])
{
    return (uint32_t)arg[0] == PSCI_RESET2_WARM ? system_reset(vcpu, arg) : PSCI_INVALID_PARAMETERS;
}

static int64_t features(struct vcpu *vcpu, const uint64_t arg[3]);

static const struct psci_call calls[] = {
    {PSCI_VERSION, false, version},
    {PSCI_CPU_SUSPEND, true, cpu_suspend},
    {PSCI_CPU_OFF, false, cpu_off},
    {PSCI_CPU_ON, true, cpu_on},
    {PSCI_AFFINITY_INFO, true, affinity_info},
    {PSCI_MIGRATE_INFO_TYPE, false, migrate_info_type},
    {PSCI_SYSTEM_OFF, false, system_off},
    {PSCI_SYSTEM_RESET, false, system_reset},
    {PSCI_FEATURES, false, features},
    {PSCI_SYSTEM_RESET2, true, system_reset2},
};

static const struct psci_call *call_find(uint32_t id)
{
    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
        if ((uint32_t)calls[i].id == (id & ~SMCCC_64BIT))
            return (id & SMCCC_64BIT) == 0 || calls[i].has_64bit ? &calls[i] : NULL;
    }
    return NULL;
}

static int64_t features(struct vcpu *vcpu, const uint64_t arg[3])
{
    uint32_t id = (uint32_t)arg[0];

    (void)vcpu;
    return id == SMCCC_VERSION_ID || call_find(id) != NULL ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED;
}

static void psci_call(struct vcpu *vcpu, uint64_t x[18])
{
    uint32_t id = (uint32_t)x[0];
    const struct psci_call *call = call_find(id);
    uint64_t arg[3];

    /* 32-bit calls have 32-bit arguments, whatever the upper halves hold. */
    for (unsigned i = 0; i < ARRAY_SIZE(arg); i++)
        arg[i] = (id & SMCCC_64BIT) != 0 ? x[i + 1] : (uint32_t)x[i + 1];
    x[0] = (uint64_t)(call == NULL ? PSCI_NOT_SUPPORTED : call->handle(vcpu, arg));
}

static const struct smccc_service psci = {.first = PSCI_FIRST, .last = PSCI_LAST, .call = psci_call};
SMCCC_SERVICE(psci);
