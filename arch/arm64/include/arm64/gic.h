// SPDX-License-Identifier: Apache-2.0
// Arm GIC: what the two host drivers share, and the virtual CPU interface as part of the world.
#pragma once

#include <arch/guest_irq.h>
#include <hv/irq.h>
#include <hv/vcpu.h>

#define GIC_SGI_COUNT 16
#define GIC_SPI_FIRST 32
#define GIC_SPURIOUS_FIRST 1020
/* All host interrupts have one priority: none preempts another. */
#define GIC_PRIORITY 0xa0
#define GIC_PRIORITY_X4 0xa0a0a0a0U

/* Distributor registers of both versions. */
#define GICD_CTLR 0x000
#define GICD_TYPER 0x004
#define GICD_IGROUPR 0x080
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_ISPENDR 0x200
#define GICD_ICPENDR 0x280
#define GICD_ISACTIVER 0x300
#define GICD_ICACTIVER 0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_ICFGR 0xc00
#define GICD_LINES(typer) (32 * (((typer)&0x1f) + 1))

/** Virtual CPU interface of one GIC version. All: IRQs masked, on the CPU that holds the world. */
struct gic_guest_ops {
    enum guest_irq_version version;
    /** What is empty of the list registers stays as it is: it says nothing to whoever is loaded next. The interface is off then. */
    void (*save)(struct arm64_gic *gic);
    void (*load)(const struct arm64_gic *gic);
    /** No list register in use, interface off. */
    void (*clear)(void);
    uint64_t (*lr_get)(unsigned index);
    void (*lr_set)(unsigned index, uint64_t value);
    void (*lr_decode)(uint64_t value, struct guest_irq_lr *lr);
    uint64_t (*lr_encode)(const struct guest_irq_lr *lr);
    /** arch_guest_irq_lr_pend() */
    void (*lr_pend)(unsigned index, uint32_t virq, uint32_t pirq, uint8_t priority, bool group1);
    uint32_t (*empty)(void);
    uint32_t (*ended)(void);
    uint32_t (*hcr_get)(void);
    void (*hcr_set)(uint32_t hcr);
    bool (*accepts)(bool group1, uint8_t priority);
    uint64_t (*vmcr_get)(void);
    /** Physical active state of a private interrupt of this CPU. */
    void (*set_active)(uint32_t irq);
    void (*clear_active)(uint32_t irq);
};

/** Called by the host driver's probe: list registers and priority bits of the hardware. */
void gic_guest_register(const struct gic_guest_ops *ops, unsigned lr_count, unsigned priority_bits);
/** Where GICv2 has its GICV frame. */
void gic_guest_set_gicv(hpa_t base, uint64_t size);
/** Maintenance interrupt: requested and enabled on the boot CPU, whose interface is up; secondaries enable it in gic_guest_init_cpu(). */
int gic_guest_init_maintenance(const struct dt_node *node);
void gic_guest_init_cpu(void);

/** List registers that exist. */
extern uint32_t gic_guest_lr_mask;
/** Control register of a VCPU's interface after reset; a version adds to it what it traps. */
extern uint32_t gic_guest_hcr;
/** For save and load of a version: the list registers of gic->lr_used, with the physical halves of linked ones. */
void gic_guest_save_lrs(struct arm64_gic *gic);
void gic_guest_load_lrs(const struct arm64_gic *gic);

void gic_guest_save(struct arm64_gic *gic);
void gic_guest_load(const struct arm64_gic *gic);
void gic_guest_forget(void);
/** Reset value of the saved interface. */
void gic_guest_reset(struct arm64_gic *gic);
void gic_deactivate_private(uint32_t irq);
/** Interface off around WFI at EL2, so that a guest's pending interrupt does not end it. Returns what to restore. */
uint32_t gic_guest_suspend(void);
void gic_guest_resume(uint32_t hcr);

/** Devicetree interrupt specifier of "arm,gic" bindings: type, number, flags. */
int gic_translate(const uint32_t *cells, unsigned count, uint32_t *irq, uint32_t *trigger);
