// SPDX-License-Identifier: Apache-2.0
// The machine part of a VCPU: switch context, register frame on its stack, EL1 world.
#pragma once

#include <hv/hrtimer.h>
#include <lib/macros.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/** General registers of a guest at an exit, at the top of the VCPU's EL2 stack. Layout is known to trap/vectors.S. */
struct arm64_frame {
    uint64_t x[31];
    uint64_t elr;
    uint64_t spsr;
    struct vcpu *vcpu;
    uint64_t xzr; /* what an emulated access names as register 31; not stored at exits */
    uint64_t pad;
};
static_assert(sizeof(struct arm64_frame) % 16 == 0, "stack alignment");

/** What a switch between EL2 stacks must keep. */
struct arm64_switch {
    uint64_t first[2]; /* of a VCPU that never ran: what its first steps start with */
    uint64_t fp;
    uint64_t lr;
    uint64_t sp;
    uint64_t pad;
};

/** EL1 system registers, in the order of the list ARM64_WORLD_REGS in <arm64/world.h>. */
#define ARM64_WORLD_COUNT 24

struct arm64_fp {
    uint8_t v[32][16] ALIGNED(16);
    uint64_t fpcr;
    uint64_t fpsr;
};

struct arm64_debug {
    uint64_t bvr[16], bcr[16], wvr[16], wcr[16];
};

#define ARM64_LR_MAX 16

/** Saved state of the virtual CPU interface. */
struct arm64_gic {
    uint64_t lr[ARM64_LR_MAX]; /* those of lr_used only */
    uint32_t lr_used;
    uint32_t ap0r[4], ap1r[4];
    uint64_t vmcr;
    uint32_t hcr;
};

struct arch_vcpu {
    struct arm64_switch sw;            /* offset 0 */
    struct arm64_frame *frame;         /* NULL for an orphan */
    uint64_t hcr, mdcr, cptr, cnthctl; /* control registers are data of the VCPU */
    uint64_t vmpidr;
    int world_cpu;    /* CPU whose registers hold the world; -1: memory does */
    bool fp_open;     /* FP does not trap while it runs; known to switch.S */
    uint8_t fp_turns; /* loads of its world that still bring FP with them */
    uint8_t fp_cpu;   /* 1 + CPU into whose V registers its state was loaded last; 0: none */
    bool os_lock;     /* OSLSR_EL1.OSLK */
    bool debug_used;  /* the guest programmed a breakpoint or watchpoint */
    uint64_t world[ARM64_WORLD_COUNT];
    uint64_t cntv_ctl, cntv_cval;
    uint64_t vtimer_at; /* host counter that vtimer was armed for last */
    bool vtimer_raised; /* since the world was loaded: its interrupt may be active on this CPU */
    uint64_t cntp_ctl, cntp_cval;
    uint64_t pauth[10];
    struct arm64_gic gic;
    struct arm64_debug debug;
    struct hrtimer vtimer; /* stands in for CNTV while the world is not loaded */
    struct hrtimer ptimer; /* the emulated CNTP */
    struct arm64_fp fp;
};
