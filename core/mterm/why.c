// SPDX-License-Identifier: Apache-2.0
// Why a guest does not run, and its last fault, in one line. Callers are inside guest_for_each().
#include <arch/time.h>
#include <hv/clock.h>
#include <hv/guest.h>
#include <hv/guest_config.h>
#include <hv/mterm.h>
#include <lib/elf.h>
#include <lib/string.h>

typedef unsigned long long ull;

/** The VCPUs of a guest by what keeps them from running. */
struct census {
    unsigned run, wait, held, halted, reset;
    const struct vcpu *first_held; /**< by more than waiting for interrupts */
    uint32_t reasons;              /**< of that one */
};

static void take_census(const struct guest *guest, struct census *census)
{
    *census = (struct census){0};
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        uint32_t reasons;
        enum vcpu_state state = vcpu_logical_state(guest->vcpus[i], &reasons);

        census->run += state == VCPU_READY || state == VCPU_RUNNING;
        census->halted += state == VCPU_HALTED;
        census->reset += state == VCPU_RESET;
        if (state != VCPU_PAUSED)
            continue;
        reasons &= ~(uint32_t)(VCPU_REASON_WFI | VCPU_REASON_SLEEP);
        census->wait += reasons == 0;
        census->held += reasons != 0;
        if (reasons != 0 && census->first_held == NULL) {
            census->first_held = guest->vcpus[i];
            census->reasons = reasons;
        }
    }
}

static void print_held(struct terminal *term, const struct census *census)
{
    term_printf(term, "VCPU %u ", census->first_held->subid);
    if (census->reasons & VCPU_REASON_FAULT)
        term_printf(term, "waits for the crash or power policy");
    else if (census->reasons & VCPU_REASON_DEBUG)
        term_printf(term, "is stopped for debugging");
    else
        term_printf(term, "is paused by the operator (vcpu pause)");
    if (census->held > 1)
        term_printf(term, ", and %u more are held", census->held - 1);
}

// The reason may be written anew at this moment: a copy of it has an end.
static void print_stop(struct terminal *term, const struct guest *guest)
{
    char reason[sizeof(guest->stop_reason)];

    memcpy(reason, guest->stop_reason, sizeof(reason));
    reason[sizeof(reason) - 1] = '\0';
    term_printf(term, "halted%s", reason[0] == '\0' ? "" : ": ");
    term_puts_escaped(term, reason, strlen(reason));
    if (hrtimer_is_armed(&guest->backoff_timer))
        term_printf(term, "; it restarts in a moment");
}

static void print_state(struct terminal *term, const struct guest *guest)
{
    struct census census;

    take_census(guest, &census);
    if (guest->paused) {
        term_printf(term, "paused by the operator (guest pause)");
    } else if (census.run != 0) {
        term_printf(term, "it runs");
        if (census.held != 0)
            term_printf(term, "; ");
    } else if (census.wait != 0 && census.held == 0) {
        term_printf(term, "%s (WFI)",
                    census.wait == 1 ? "its VCPU waits for an interrupt"
                                     : "all its VCPUs wait for interrupts");
    } else if (census.held != 0) {
        term_printf(term, "held: ");
    } else if (census.halted != 0) {
        print_stop(term, guest);
    } else if (guest->pristine) {
        term_printf(term, "not started (guest kick starts it)");
    } else {
        term_printf(term, "its VCPUs have turned themselves off (guest reset, guest kick)");
    }
    if (!guest->paused && census.held != 0)
        print_held(term, &census);
}

static const struct guest_region *region_of(const struct guest *guest, uint64_t ipa)
{
    for (unsigned i = 0; i < guest->map->count; i++)
        if (ipa - guest->map->regions[i]->start.v < guest->map->regions[i]->size)
            return guest->map->regions[i];
    return NULL;
}

static void print_address(struct terminal *term, const struct guest *guest,
                          const struct vcpu_fault *fault)
{
    const struct guest_region *region = region_of(guest, fault->ipa);

    if (fault->has_address)
        term_printf(term, ", address 0x%llx", (ull)fault->va);
    if (!fault->has_ipa)
        return;
    if (fault->ipa != fault->va)
        term_printf(term, " (physical 0x%llx)", (ull)fault->ipa);
    if (region == NULL) {
        term_printf(term, ": nothing there");
    } else {
        term_printf(term, " in ");
        term_puts_escaped(term, region->name, strlen(region->name));
    }
}

static void print_symbol(struct terminal *term, const struct guest *guest, uint64_t pc)
{
    const struct guest_image *kernel = &guest->layout->kernel;
    struct elf_symbol symbol;

    if (guest->config->format != GUEST_FORMAT_ELF || kernel->data == NULL ||
        elf_symbol(kernel->data, kernel->size, pc, &symbol) != 0)
        return;
    term_printf(term, " (");
    term_puts_escaped(term, symbol.name, MIN(symbol.length, 64U));
    term_printf(term, "+0x%llx)", (ull)symbol.offset);
}

static void print_fault(struct terminal *term, const struct guest *guest)
{
    const struct vcpu *vcpu = NULL;
    struct vcpu_fault last = {0};
    uint64_t total = 0;
    char text[80], ago[32];

    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        struct vcpu_fault fault = guest->vcpus[i]->fault;

        total += fault.count;
        if (fault.count != 0 && (vcpu == NULL || fault.when > last.when)) {
            vcpu = guest->vcpus[i];
            last = fault;
        }
    }
    if (vcpu == NULL) {
        term_printf(term, "; no fault\n");
        return;
    }
    arch_fault_text(last.syndrome, text, sizeof(text));
    mterm_duration(clock_ticks_to_ns(arch_time_counter() - last.when), ago, sizeof(ago));
    term_printf(term, "; last fault: %s, PC 0x%llx", text, (ull)last.pc);
    print_symbol(term, guest, last.pc);
    print_address(term, guest, &last);
    term_printf(term, ", VCPU %u, %s ago, %llu in all\n", vcpu->subid, ago, (ull)total);
}

void mterm_guest_why(const struct guest *guest, struct terminal *term)
{
    term_puts_escaped(term, guest->name, strlen(guest->name));
    term_printf(term, ": ");
    if (guest->busy) {
        term_printf(term, "busy: an operation is working on it\n");
        return;
    }
    print_state(term, guest);
    print_fault(term, guest);
}
