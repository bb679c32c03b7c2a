// SPDX-License-Identifier: Apache-2.0
// Structure offsets for assembly: the build turns the markers into gen/asm_offsets.h.
#include <arch/smp.h>
#include <hv/vcpu.h>
#include <stddef.h>

#define DEFINE(sym, value) __asm__ volatile("\n.ascii \"->" #sym " %0\"" : : "i"(value))
#define OFFSET(sym, type, field) DEFINE(sym, offsetof(type, field))

void asm_offsets(void);

void asm_offsets(void)
{
    OFFSET(SW_FIRST, struct arm64_switch, first);
    OFFSET(SW_FP, struct arm64_switch, fp);
    OFFSET(SW_SP, struct arm64_switch, sp);
    OFFSET(FRAME_ELR, struct arm64_frame, elr);
    OFFSET(FRAME_VCPU, struct arm64_frame, vcpu);
    OFFSET(FRAME_LR, struct arm64_frame, x[30]);
    OFFSET(FRAME_SPSR, struct arm64_frame, spsr);
    DEFINE(FRAME_SIZE, sizeof(struct arm64_frame));
    DEFINE(STACK_SHIFT, __builtin_ctz(CONFIG_STACK_SIZE));
    OFFSET(VCPU_FP_OPEN, struct vcpu, arch.fp_open);
    OFFSET(VCPU_IS_NORMAL, struct vcpu, is_normal);
    OFFSET(VCPU_EXIT_WORK, struct vcpu, exit_work);
    OFFSET(VCPU_EXIT_START, struct vcpu, exit_start);
    OFFSET(VCPU_STAT_INTERRUPT, struct vcpu, exit_stats[EXIT_INTERRUPT]);
    OFFSET(VCPU_STAT_OTHER, struct vcpu, exit_stats[EXIT_OTHER]);
    OFFSET(STAT_MAX, struct exit_stat, max);
    OFFSET(FP_FPCR, struct arm64_fp, fpcr);
}
