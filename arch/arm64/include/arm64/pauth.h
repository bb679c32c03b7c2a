// SPDX-License-Identifier: Apache-2.0
// Pointer authentication keys of guests.
#pragma once

#include <hv/vcpu.h>

void pauth_save(struct vcpu *vcpu);
void pauth_load(struct vcpu *vcpu);
