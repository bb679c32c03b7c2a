// SPDX-License-Identifier: Apache-2.0
// A guest did what ends it: say so once, keep the reason, let its crash policy act.
#include <hv/guest_parts.h>

#include <hv/upcall.h>
#include <lib/fmt.h>

void hv_guest_fault(struct vcpu *vcpu, const char *what, uint64_t info)
{
    struct guest *guest = vcpu->guest;

    __atomic_fetch_add(&guest->fault_count, 1, __ATOMIC_RELAXED);
    log_limited(&guest->log_limit, LOG_ERROR, "%s: %s (0x%llx)", vcpu->name, what,
                (unsigned long long)info);
    if (guest_power_post(guest, GUEST_POWER_CRASH)) {
        fmt_snprintf(guest->stop_reason, sizeof(guest->stop_reason), "VCPU %u: %s (0x%llx)",
                     vcpu->subid, what, (unsigned long long)info);
    }
    guest_power_wait(guest);
}
