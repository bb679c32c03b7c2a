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
    int64_t (*handle)(struct vcpu *vcpu, uint64_t arg1, uint64_t arg2, uint64_t arg3);
    bool has_64bit; /* may also be called with 64-bit arguments */
};

static int64_t version(struct vcpu *vcpu, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
    (void)vcpu;
    (void)arg1;
    (void)arg2;
    (void)arg3;
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
static int64_t cpu_suspend(struct vcpu *vcpu, uint64_t power_state, uint64_t entry, uint64_t context)
{
    (void)context;
    if ((power_state & POWER_STATE_RESERVED) != 0 || power_state >> 32 != 0)
        return PSCI_INVALID_PARAMETERS;
    if ((power_state & POWER_STATE_DOWN) != 0 && !entry_is_valid(vcpu->guest, entry))
        return PSCI_INVALID_ADDRESS;
    hv_vcpu_wait(vcpu);
    return PSCI_SUCCESS;
}

/* What it returns is seen by no one, unless the VCPU could not be stopped. */
static int64_t cpu_off(struct vcpu *vcpu, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
    (void)arg1;
    (void)arg2;
    (void)arg3;
    guest_vcpu_off(vcpu);
    return PSCI_DENIED;
}

static int64_t cpu_on(struct vcpu *vcpu, uint64_t target, uint64_t entry, uint64_t context)
{
    int state = guest_vcpu_affinity_info(vcpu->guest, target);

    /* A target that can not be started is the first thing wrong; guest_vcpu_on() decides between callers. */
    if (state < 0)
        return PSCI_INVALID_PARAMETERS;
    if (state != PSCI_OFF)
        return state == PSCI_ON ? PSCI_ALREADY_ON : PSCI_ON_PENDING;
    if (!entry_is_valid(vcpu->guest, entry))
        return PSCI_INVALID_ADDRESS;
    switch (guest_vcpu_on(vcpu->guest, target, entry, context)) {
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
static int64_t affinity_info(struct vcpu *vcpu, uint64_t target, uint64_t level, uint64_t arg3)
{
    struct guest *guest = vcpu->guest;
    int64_t result = PSCI_INVALID_PARAMETERS;
    uint64_t mask;

    (void)arg3;
    if (level >= AFFINITY_LEVELS || (target & ~AFFINITY_FIELDS) != 0)
        return PSCI_INVALID_PARAMETERS;
    mask = AFFINITY_FIELDS & (~UINT64_C(0) << (8 * level));
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        uint64_t affinity = arch_vcpu_affinity(i);
        int state;

        if (((affinity ^ target) & mask) != 0)
            continue;
        state = guest_vcpu_affinity_info(guest, affinity);
        if (state == PSCI_ON)
            return PSCI_ON;
        if (state == PSCI_ON_IS_PENDING || (state == PSCI_OFF && result < 0))
            result = state;
    }
    return result;
}

static int64_t migrate_info_type(struct vcpu *vcpu, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
    (void)vcpu;
    (void)arg1;
    (void)arg2;
    (void)arg3;
    return PSCI_MIGRATE_NOT_NEEDED;
}

static int64_t system_off(struct vcpu *vcpu, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
    (void)arg1;
    (void)arg2;
    (void)arg3;
    guest_power_request(vcpu->guest, GUEST_POWER_OFF);
    return PSCI_INTERNAL_FAILURE;
}

static int64_t system_reset(struct vcpu *vcpu, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
    (void)arg1;
    (void)arg2;
    (void)arg3;
    guest_power_request(vcpu->guest, GUEST_POWER_RESET);
    return PSCI_INTERNAL_FAILURE;
}

static int64_t system_reset2(struct vcpu *vcpu, uint64_t type, uint64_t cookie, uint64_t arg3)
{
    return (uint32_t)type == PSCI_RESET2_WARM ? system_reset(vcpu, type, cookie, arg3)
                                              : PSCI_INVALID_PARAMETERS;
}

static int64_t features(struct vcpu *vcpu, uint64_t function, uint64_t arg2, uint64_t arg3);

#define CALL(id) [(id)-PSCI_FIRST]

/* By function number. */
static const struct psci_call calls[PSCI_LAST - PSCI_FIRST + 1] = {
    CALL(PSCI_VERSION) = {version, false},
    CALL(PSCI_CPU_SUSPEND) = {cpu_suspend, true},
    CALL(PSCI_CPU_OFF) = {cpu_off, false},
    CALL(PSCI_CPU_ON) = {cpu_on, true},
    CALL(PSCI_AFFINITY_INFO) = {affinity_info, true},
    CALL(PSCI_MIGRATE_INFO_TYPE) = {migrate_info_type, false},
    CALL(PSCI_SYSTEM_OFF) = {system_off, false},
    CALL(PSCI_SYSTEM_RESET) = {system_reset, false},
    CALL(PSCI_FEATURES) = {features, false},
    CALL(PSCI_SYSTEM_RESET2) = {system_reset2, true},
};

/* Any id; NULL: not supported. */
static const struct psci_call *call_find(uint32_t id)
{
    uint32_t number = (id & ~SMCCC_64BIT) - PSCI_FIRST;
    const struct psci_call *call = &calls[number % ARRAY_SIZE(calls)];

    if (number >= ARRAY_SIZE(calls) || call->handle == NULL)
        return NULL;
    return (id & SMCCC_64BIT) == 0 || call->has_64bit ? call : NULL;
}

static int64_t features(struct vcpu *vcpu, uint64_t function, uint64_t arg2, uint64_t arg3)
{
    uint32_t id = (uint32_t)function;

    (void)vcpu;
    (void)arg2;
    (void)arg3;
    return id == SMCCC_VERSION_ID || call_find(id) != NULL ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED;
}

static void psci_call(struct vcpu *vcpu, uint64_t x[18])
{
    uint32_t id = (uint32_t)x[0];
    const struct psci_call *call = call_find(id);

    if (call == NULL) {
        x[0] = (uint64_t)PSCI_NOT_SUPPORTED;
        return;
    }
    /* 32-bit calls have 32-bit arguments, whatever the upper halves hold. */
    x[0] = (uint64_t)((id & SMCCC_64BIT) != 0
                          ? call->handle(vcpu, x[1], x[2], x[3])
                          : call->handle(vcpu, (uint32_t)x[1], (uint32_t)x[2], (uint32_t)x[3]));
}

static const struct smccc_service psci = {.first = PSCI_FIRST, .last = PSCI_LAST, .call = psci_call};
SMCCC_SERVICE(psci);
