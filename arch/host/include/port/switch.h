// SPDX-License-Identifier: Apache-2.0
// Host port: switching between user contexts.
#pragma once

struct vcpu *host_vcpu_switch(struct vcpu *prev, struct vcpu *next);

static inline struct vcpu *arch_vcpu_switch(struct vcpu *prev, struct vcpu *next)
{
    return host_vcpu_switch(prev, next);
}
