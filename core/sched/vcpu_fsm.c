// SPDX-License-Identifier: Apache-2.0
// The state machine of a VCPU as a table and a pure function; docs/vcpu-states.md in C.

#include <hv/vcpu.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/macros.h>

#define REASONS_WAIT (VCPU_REASON_WFI | VCPU_REASON_SLEEP)
#define REASONS_ALL                                                                                \
    (REASONS_WAIT | VCPU_REASON_OPERATOR | VCPU_REASON_GUEST | VCPU_REASON_DEBUG |                 \
     VCPU_REASON_FAULT)

enum action {
    REFUSE = 0, /**< the default: -EINVAL */
    ALREADY,    /**< refused with -EALREADY */
    BUSY,       /**< refused with -EBUSY */
    GO,         /**< to .next */
    ADD,        /**< to PAUSED with the reason added */
    REMOVE,     /**< one reason less; READY when it was the last */
};

struct rule {
    uint8_t action;
    uint8_t next;
};

#define TO(state)                                                                                  \
    {                                                                                              \
        GO, VCPU_##state                                                                           \
    }

static const struct rule rules[VCPU_STATES][VCPU_EVENTS] =
    {
        [VCPU_UNKNOWN] =
            {
                [VCPU_EVENT_CREATE] = TO(RESET),
            },
        [VCPU_RESET] =
            {
                [VCPU_EVENT_CREATE] = {ALREADY, 0},
                [VCPU_EVENT_KICK] = TO(READY),
                [VCPU_EVENT_RESET] = TO(RESET),
                [VCPU_EVENT_DESTROY] = TO(UNKNOWN),
            },
        [VCPU_READY] =
            {
                [VCPU_EVENT_CREATE] = {ALREADY, 0},
                [VCPU_EVENT_KICK] = {ALREADY, 0},
                [VCPU_EVENT_RESET] = TO(RESET),
                [VCPU_EVENT_HALT] = TO(HALTED),
                [VCPU_EVENT_PAUSE] = {ADD, 0},
                [VCPU_EVENT_RESUME] = {ALREADY, 0},
                [VCPU_EVENT_RUN] = TO(RUNNING),
                [VCPU_EVENT_DESTROY] = {BUSY, 0},
            },
        [VCPU_RUNNING] =
            {
                [VCPU_EVENT_CREATE] = {ALREADY, 0},
                [VCPU_EVENT_KICK] = {ALREADY, 0},
                [VCPU_EVENT_RESET] = TO(RESET),
                [VCPU_EVENT_HALT] = TO(HALTED),
                [VCPU_EVENT_PAUSE] = {ADD, 0},
                [VCPU_EVENT_RESUME] = {ALREADY, 0},
                [VCPU_EVENT_PREEMPT] = TO(READY),
                [VCPU_EVENT_DESTROY] = {BUSY, 0},
            },
        [VCPU_PAUSED] =
            {
                [VCPU_EVENT_CREATE] = {ALREADY, 0},
                [VCPU_EVENT_KICK] = {ALREADY, 0},
                [VCPU_EVENT_RESET] = TO(RESET),
                [VCPU_EVENT_HALT] = TO(HALTED),
                [VCPU_EVENT_PAUSE] = {ADD, 0},
                [VCPU_EVENT_RESUME] = {REMOVE, 0},
                [VCPU_EVENT_DESTROY] = {BUSY, 0},
            },
        [VCPU_HALTED] =
            {
                [VCPU_EVENT_CREATE] = {ALREADY, 0},
                [VCPU_EVENT_RESET] = TO(RESET),
                [VCPU_EVENT_HALT] = {ALREADY, 0},
                [VCPU_EVENT_DESTROY] = TO(UNKNOWN),
            },
};

static int add_reason(enum vcpu_state state, uint32_t reason, enum vcpu_state *next,
                      uint32_t *reasons)
{
    /* What is not running can not begin to wait. */
    if (state == VCPU_READY && (reason & REASONS_WAIT))
        return -EINVAL;
    if (*reasons & reason)
        return -EALREADY;
    *next = VCPU_PAUSED;
    *reasons |= reason;
    return 0;
}

static int remove_reason(uint32_t reason, enum vcpu_state *next, uint32_t *reasons)
{
    if (!(*reasons & reason))
        return -EALREADY;
    *reasons &= ~reason;
    *next = *reasons == 0 ? VCPU_READY : VCPU_PAUSED;
    return 0;
}

static bool input_is_valid(enum vcpu_state state, uint32_t reasons, enum vcpu_event event,
                           uint32_t reason)
{
    if ((unsigned)state >= VCPU_STATES || (unsigned)event >= VCPU_EVENTS ||
        (reasons & ~(uint32_t)REASONS_ALL))
        return false;
    if ((state == VCPU_PAUSED) != (reasons != 0))
        return false;
    if (event != VCPU_EVENT_PAUSE && event != VCPU_EVENT_RESUME)
        return true;
    return IS_POWER_OF_2(reason) && !(reason & ~(uint32_t)REASONS_ALL);
}

int vcpu_fsm(enum vcpu_state state, uint32_t reasons, enum vcpu_event event, uint32_t reason,
             enum vcpu_state *next, uint32_t *next_reasons)
{
    const struct rule *rule;

    *next = state;
    *next_reasons = reasons;
    if (!input_is_valid(state, reasons, event, reason))
        return -EINVAL;
    rule = &rules[state][event];
    switch (rule->action) {
    case GO:
        *next = (enum vcpu_state)rule->next;
        *next_reasons = 0;
        return 0;
    case ADD:
        return add_reason(state, reason, next, next_reasons);
    case REMOVE:
        return remove_reason(reason, next, next_reasons);
    case ALREADY:
        return -EALREADY;
    case BUSY:
        return -EBUSY;
    default:
        return -EINVAL;
    }
}

const char *vcpu_state_name(enum vcpu_state state)
{
    static const char *const names[VCPU_STATES] = {
        [VCPU_UNKNOWN] = "unknown", [VCPU_RESET] = "reset",   [VCPU_READY] = "ready",
        [VCPU_RUNNING] = "running", [VCPU_PAUSED] = "paused", [VCPU_HALTED] = "halted",
    };

    return (unsigned)state < VCPU_STATES ? names[state] : "invalid";
}

void vcpu_reasons_text(uint32_t reasons, char *buf, unsigned size)
{
    static const char *const names[] = {"wfi", "sleep", "operator", "guest", "debug", "fault"};
    unsigned used = 0;

    if (size == 0)
        return;
    buf[0] = '\0';
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (!(reasons & (1U << i)) || used >= size)
            continue;
        used +=
            (unsigned)fmt_snprintf(buf + used, size - used, "%s%s", used == 0 ? "" : ",", names[i]);
    }
}
