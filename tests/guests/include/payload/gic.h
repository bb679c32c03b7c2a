// SPDX-License-Identifier: Apache-2.0
// GICv2 and GICv3 at QEMU virt's addresses, by the version in the device tree.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GICD_BASE 0x08000000ul
#define GICC_BASE 0x08010000ul
#define GICR_BASE 0x080a0000ul

#define GICD_CTLR 0x000
#define GICD_TYPER 0x004
#define GICD_IIDR 0x008
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
#define GICD_SGIR 0xf00
#define GICD_IROUTER 0x6000

#define GIC_SPURIOUS 1020 /* and above */

extern unsigned gic_version;

/** Distributor: all interrupts disabled, priority 0xa0, SPIs to this CPU. */
void gic_init(void);
/** This CPU's part: private interrupts and the CPU interface, open for all priorities. */
void gic_cpu_init(void);
void gic_set_mask(uint8_t priority);

/** Address of the register block that holds an INTID: this CPU's own for SGIs and PPIs. */
uintptr_t gic_frame(uint32_t intid);
void gic_enable(uint32_t intid);
void gic_disable(uint32_t intid);
void gic_set_pending(uint32_t intid);
void gic_clear_pending(uint32_t intid);
bool gic_is_enabled(uint32_t intid);
bool gic_is_pending(uint32_t intid);
bool gic_is_active(uint32_t intid);
void gic_set_priority(uint32_t intid, uint8_t priority);
uint8_t gic_get_priority(uint32_t intid);
void gic_set_edge(uint32_t intid, bool edge);
void gic_route(uint32_t intid, unsigned cpu);

/** Raw acknowledge value; gic_intid() of it is the INTID. */
uint32_t gic_ack(void);
uint32_t gic_intid(uint32_t ack);
void gic_eoi(uint32_t ack);

void gic_send_sgi(uint32_t intid, unsigned cpu);
void gic_send_sgi_others(uint32_t intid);
