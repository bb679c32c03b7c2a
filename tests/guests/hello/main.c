// SPDX-License-Identifier: Apache-2.0
// The smallest guest: a banner, a count that goes on, and an answer to every typed line. n= limits the count.
#include <payload/arch.h>
#include <payload/boot.h>
#include <payload/console.h>
#include <payload/gic.h>
#include <payload/main.h>
#include <payload/trap.h>
#include <payload/timer.h>

#define COUNT_US 200000
#define LINE_MAX 128

static volatile uint32_t ticks;

static void on_tick(uint32_t intid)
{
    (void)intid;
    ticks++;
    timer_start(false, COUNT_US);
}

static void on_input(uint32_t intid)
{
    static char line[LINE_MAX];
    static unsigned length;
    int c;

    (void)intid;
    mmio_write32(UART_BASE + UART_ICR, UART_INT_RX | UART_INT_RT); /* first: none is forgotten */
    while ((c = console_getc()) >= 0) {
        if (c == '\r' || c == '\n') {
            line[length] = 0;
            print("hello: line %s\n", line);
            length = 0;
        } else if (length < LINE_MAX - 1) {
            line[length++] = (char)c;
        }
    }
}

void payload_main(void)
{
    uint64_t limit = boot_number("n", UINT64_MAX);

    print("hello: %u cpu(s), %u MiB, GICv%u, args \"%s\"\n", boot_info.cpu_count,
          (unsigned)(boot_info.ram_size >> 20), boot_info.gic_version, boot_info.args);
    gic_init();
    gic_cpu_init();
    irq_set_handler(TIMER_VIRT_INTID, on_tick);
    irq_set_handler(UART_INTID, on_input);
    gic_enable(TIMER_VIRT_INTID);
    gic_enable(UART_INTID);
    mmio_write32(UART_BASE + UART_IMSC, UART_INT_RX | UART_INT_RT);
    timer_start(false, COUNT_US);
    for (uint64_t seen = 0; seen < limit;) {
        irq_disable();
        if (ticks == seen)
            wfi();
        irq_enable();
        if (ticks > seen)
            print("hello: count %lu\n", ++seen);
    }
    irq_disable();
}
