// SPDX-License-Identifier: Apache-2.0
// Pointer authentication keys of guests.
#pragma once

#include <arm64/sysreg.h>
#include <hv/vcpu.h>

void pauth_save_keys(uint64_t *keys);
void pauth_load_keys(const uint64_t *keys);

static inline void pauth_save(struct vcpu *vcpu)
{
    if (vcpu->arch.hcr & HCR_API)
        pauth_save_keys(vcpu->arch.pauth);
}

static inline void pauth_load(struct vcpu *vcpu)
{
    if (vcpu->arch.hcr & HCR_API)
        pauth_load_keys(vcpu->arch.pauth);
}
