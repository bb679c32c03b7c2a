// SPDX-License-Identifier: Apache-2.0
// GICv2 and GICv3 at QEMU virt's addresses, by the version in the device tree.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <payload/arch.h>

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
#define GICD_NSACR 0xe00
#define GICD_IGRPMODR 0xd00
#define GICD_SGIR 0xf00
#define GICD_CPENDSGIR 0xf10
#define GICD_SPENDSGIR 0xf20
#define GICD_IROUTER 0x6000
#define GICD_CTLR_GROUP0 (1u << 0)
#define GICD_CTLR_GROUP1 (1u << 1)
#define GICD_CTLR_ARE (1u << 4)
#define GICD_CTLR_DS (1u << 6)

#define GICR_CTLR 0x00
#define GICR_IIDR 0x04
#define GICR_TYPER 0x08
#define GICR_WAKER 0x14
#define GICR_SGI_FRAME 0x10000
#define GICR_TYPER_LAST (1u << 4)
#define GICR_TYPER_VLPIS (1u << 1)

#define GICC_CTLR 0x00
#define GICC_PMR 0x04
#define GICC_BPR 0x08
#define GICC_IAR 0x0c
#define GICC_EOIR 0x10
#define GICC_RPR 0x14
#define GICC_HPPIR 0x18
#define GICC_ABPR 0x1c
#define GICC_APR0 0xd0
#define GICC_IIDR 0xfc
#define GICC_DIR 0x1000
#define GICC_CTLR_GROUP0 (1u << 0)
#define GICC_CTLR_GROUP1 (1u << 1)
#define GICC_CTLR_ACKCTL (1u << 2)
#define GICC_CTLR_FIQEN (1u << 3)
#define GICC_CTLR_EOIMODE (1u << 9)

#define ICC_PMR S3_0_C4_C6_0
#define ICC_IAR0 S3_0_C12_C8_0
#define ICC_EOIR0 S3_0_C12_C8_1
#define ICC_HPPIR0 S3_0_C12_C8_2
#define ICC_BPR0 S3_0_C12_C8_3
#define ICC_AP0R0 S3_0_C12_C8_4
#define ICC_AP1R0 S3_0_C12_C9_0
#define ICC_DIR S3_0_C12_C11_1
#define ICC_RPR S3_0_C12_C11_3
#define ICC_SGI1R S3_0_C12_C11_5
#define ICC_ASGI1R S3_0_C12_C11_6
#define ICC_SGI0R S3_0_C12_C11_7
#define ICC_IAR1 S3_0_C12_C12_0
#define ICC_EOIR1 S3_0_C12_C12_1
#define ICC_HPPIR1 S3_0_C12_C12_2
#define ICC_BPR1 S3_0_C12_C12_3
#define ICC_CTLR S3_0_C12_C12_4
#define ICC_SRE S3_0_C12_C12_5
#define ICC_IGRPEN0 S3_0_C12_C12_6
#define ICC_IGRPEN1 S3_0_C12_C12_7
#define ICC_CTLR_CBPR (1u << 0)
#define ICC_CTLR_EOIMODE (1u << 1)
#define ICC_CTLR_RSS (1u << 18)
#define icc_read(name) icc_read_(name)
#define icc_read_(name) sysreg_read(name)
#define icc_write(name, value)                                                                     \
    do {                                                                                           \
        icc_write_(name, value);                                                                   \
        isb();                                                                                     \
    } while (0)
#define icc_write_(name, value) sysreg_write(name, value)

#define GIC_SPURIOUS 1020 /* and above */

extern unsigned gic_version;

/** Distributor: all interrupts disabled, priority 0xa0, SPIs to this CPU. */
void gic_init(void);
/** This CPU's part: private interrupts and the CPU interface, open for all priorities. */
void gic_cpu_init(void);
void gic_set_mask(uint8_t priority);

/** Number of INTIDs that the distributor has registers for, the special ones excluded. */
uint32_t gic_lines(void);
/** GICv3: first frame of a CPU's redistributor; 0 when there is none. */
uintptr_t gic_redist(unsigned cpu);
/** Address of the register block that holds an INTID: this CPU's own for SGIs and PPIs. */
uintptr_t gic_frame(uint32_t intid);
void gic_enable(uint32_t intid);
void gic_disable(uint32_t intid);
void gic_set_pending(uint32_t intid);
void gic_clear_pending(uint32_t intid);
bool gic_is_enabled(uint32_t intid);
bool gic_is_pending(uint32_t intid);
bool gic_is_active(uint32_t intid);
void gic_set_active(uint32_t intid);
void gic_clear_active(uint32_t intid);
void gic_set_group1(uint32_t intid, bool group1);
void gic_set_priority(uint32_t intid, uint8_t priority);
uint8_t gic_get_priority(uint32_t intid);
void gic_set_edge(uint32_t intid, bool edge);
void gic_route(uint32_t intid, unsigned cpu);

/** Raw acknowledge value; gic_intid() of it is the INTID. */
uint32_t gic_ack(void);
uint32_t gic_intid(uint32_t ack);
void gic_eoi(uint32_t ack);
/** EOImode of this CPU: split, the end only drops the priority, and gic_deactivate() ends. */
void gic_split_eoi(bool split);
void gic_deactivate(uint32_t ack);
/** Bits [7:lowest] of a priority preempt; lowest 3..8. */
void gic_set_preemption(unsigned lowest);
uint8_t gic_running_priority(void);
uint32_t gic_highest_pending(void);

void gic_send_sgi(uint32_t intid, unsigned cpu);
void gic_send_sgi_others(uint32_t intid);
