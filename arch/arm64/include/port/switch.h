// SPDX-License-Identifier: Apache-2.0
// Switching between EL2 stacks. Of the registers only the frame pointer, the stack pointer and where to go on are kept: the
// caller saves what it needs of the others.
#pragma once

static inline struct vcpu *arch_vcpu_switch(struct vcpu *prev, struct vcpu *next)
{
    register struct vcpu *x0 __asm__("x0") = prev;
    register struct vcpu *x1 __asm__("x1") = next;

    __asm__ volatile("bl switch_stacks"
                     : "+r"(x0), "+r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                       "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
                       "x25", "x26", "x27", "x28", "x30", "cc", "memory");
    return x0;
}
