// SPDX-License-Identifier: Apache-2.0
// Syndromes of guests' faults in words (Arm ARM D19.2.37 ESR_ELx).
#include <arm64/esr.h>

#include <arch/vcpu.h>
#include <lib/fmt.h>

#define FSC_LEVEL(fsc) ((unsigned)(fsc)&3)

/* The kinds of status that have a level, in their order. */
static const char *const leveled[] = {
    "address size fault", "translation fault", "access flag fault",
    "permission fault",   "external abort",    "external abort on a table walk",
};

static void abort_text(const char *what, uint64_t fsc, char *buf, size_t size)
{
    unsigned kind = (unsigned)FSC_TYPE(fsc) >> 2;

    if (fsc == FSC_SEA)
        (void)fmt_snprintf(buf, size, "%s, %s", what, leveled[kind]);
    else if (kind < ARRAY_SIZE(leveled) && FSC_TYPE(fsc) != FSC_SEA)
        (void)fmt_snprintf(buf, size, "%s, %s level %u", what, leveled[kind], FSC_LEVEL(fsc));
    else
        (void)fmt_snprintf(buf, size, "%s, status 0x%x", what, (unsigned)fsc);
}

void arch_fault_text(uint64_t syndrome, char *buf, size_t size)
{
    switch (ESR_EC(syndrome)) {
    case EC_UNKNOWN:
        (void)fmt_snprintf(buf, size, "undefined instruction");
        break;
    case EC_SYSREG: /* as CPUs with FEAT_IDST say it */
        (void)fmt_snprintf(buf, size, "undefined ID register");
        break;
    case EC_IABT_LOW:
    case EC_IABT_SAME:
        abort_text("instruction abort", ISS_FSC(syndrome), buf, size);
        break;
    case EC_DABT_LOW:
    case EC_DABT_SAME:
        abort_text(syndrome & ISS_CM    ? "data abort (cache maintenance)"
                   : syndrome & ISS_WNR ? "data abort (write)"
                                        : "data abort (read)",
                   ISS_FSC(syndrome), buf, size);
        break;
    case EC_SERROR:
        (void)fmt_snprintf(buf, size, "SError");
        break;
    default:
        (void)fmt_snprintf(buf, size, "exception class 0x%x", (unsigned)ESR_EC(syndrome));
    }
}
