// SPDX-License-Identifier: Apache-2.0
// Back-traces of guests: their frame records, read through their own page tables.

#include <arch/vcpu.h>
#include <hv/backtrace.h>
#include <hv/guest.h>
#include <hv/vcpu_debug.h>
#include <lib/macros.h>

/* A record is {older frame, return address}; its two words may lie on two pages. */
static bool read_word(struct vcpu *vcpu, uint64_t va, uint64_t *value)
{
    uint64_t ipa;

    return IS_ALIGNED(va, sizeof(*value)) && arch_vcpu_translate(vcpu, va, &ipa) == 0 &&
           guest_mem_read(vcpu->guest, (gpa_t){ipa}, value, sizeof(*value)) == 0;
}

static void walk(struct vcpu *vcpu, struct arch_vcpu_frame frame, struct backtrace *out)
{
    uint64_t fp = frame.fp, older;

    out->pc[0] = frame.pc;
    out->count = 1;
    while (out->count < BACKTRACE_DEPTH && fp != 0 && read_word(vcpu, fp, &older) &&
           read_word(vcpu, fp + sizeof(fp), &out->pc[out->count]) && out->pc[out->count] != 0) {
        out->count++;
        if (older <= fp)
            break;
        fp = older;
    }
}

int backtrace_guest(struct vcpu *vcpu, struct backtrace *out)
{
    struct arch_vcpu_frame frame;
    bool resume;
    int err = vcpu_debug_stop(vcpu, &resume);

    if (err != 0)
        return err;
    arch_vcpu_sync(vcpu);
    arch_vcpu_guest_frame(vcpu, &frame);
    walk(vcpu, frame, out);
    vcpu_debug_go(vcpu, resume);
    return 0;
}
