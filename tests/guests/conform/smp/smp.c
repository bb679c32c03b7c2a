// SPDX-License-Identifier: Apache-2.0
// Several CPUs: start, identity, SGIs in all directions, routing, atomics, off and on again.
#include "../conform.h"

#define SGI_PING 1
#define SGI_PONG 2
#define SGI_STOP 15
#define SPI_ROUTED 51
#define ADDITIONS 2000
#define CYCLES 5

static volatile uint32_t arrived, wrong_identity, stop;
static volatile uint32_t pings[BOOT_CPUS_MAX], pongs, routed_to, routed;
static uint64_t sum;

static void on_ping(uint32_t intid)
{
    (void)intid;
    pings[this_cpu()->index]++;
    gic_send_sgi(SGI_PONG, 0);
}

static void on_pong(uint32_t intid)
{
    (void)intid;
    __atomic_fetch_add(&pongs, 1, __ATOMIC_RELAXED);
}

static void on_stop(uint32_t intid)
{
    (void)intid;
}

static void on_routed(uint32_t intid)
{
    (void)intid;
    routed_to = this_cpu()->index;
    routed++;
}

static void check_in(void)
{
    struct cpu *cpu = this_cpu();

    if ((sysreg_read(mpidr_el1) & 0xff00ffffff) != cpu->mpidr)
        __atomic_fetch_add(&wrong_identity, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < ADDITIONS; i++)
        __atomic_fetch_add(&sum, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&arrived, 1, __ATOMIC_RELEASE);
}

static void serve_irqs(void)
{
    check_in();
    while (!stop) {
        irq_disable();
        if (!stop)
            wfi();
        irq_enable();
    }
    irq_disable();
}

static unsigned start_others(void (*fn)(void))
{
    unsigned started = 0;

    arrived = 0;
    stop = 0;
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        started += smp_start(i, fn) == 0;
    return started;
}

static bool others_off(void)
{
    bool off = true;

    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        off &= smp_wait_off(i, 5000);
    return off;
}

static void stop_others(void)
{
    stop = 1;
    gic_send_sgi_others(SGI_STOP);
}

static void case_smp(void)
{
    unsigned others = boot_info.cpu_count - 1;
    sum = 0;
    unsigned started = start_others(check_in);
    bool all = timer_wait(&arrived, others, 10000);

    report("smp.started", started == others && all, "%u started, %u arrived", started, arrived);
    report("smp.identity", !wrong_identity, "%u with a wrong MPIDR", wrong_identity);
    report("smp.off", others_off(), "not all off");
    report("smp.atomics", sum == (uint64_t)others * ADDITIONS, "%lu", sum);
}

TEST_CASE("smp.basic", 2, case_smp);

static void check_ping_each(void)
{
    unsigned lost = 0;

    pongs = 0;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 1; i < boot_info.cpu_count; i++) {
            uint32_t want = pongs + 1;

            gic_send_sgi(SGI_PING, i);
            lost += !timer_wait(&pongs, want, 2000);
        }
    }
    report("smp.ping", !lost, "%u lost", lost);
}

static void check_broadcast(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < boot_info.cpu_count; i++)
        pings[i] = 0;
    gic_send_sgi_others(SGI_PING);
    for (unsigned i = 1; i < boot_info.cpu_count; i++)
        wrong += !timer_wait(&pings[i], 1, 2000);
    report("smp.broadcast", !wrong && pings[0] == 0, "%u missing, self %u", wrong, pings[0]);
}

static void check_routing(void)
{
    unsigned last = boot_info.cpu_count - 1;

    gic_set_edge(SPI_ROUTED, true);
    gic_route(SPI_ROUTED, last);
    routed = 0;
    gic_enable(SPI_ROUTED);
    gic_set_pending(SPI_ROUTED);
    bool came = timer_wait(&routed, 1, 2000);
    report("smp.route", came && routed_to == last, "came %d, to CPU %u", came, routed_to);
    gic_route(SPI_ROUTED, 0);
    routed = 0;
    gic_set_pending(SPI_ROUTED);
    came = timer_wait(&routed, 1, 2000);
    report("smp.route_back", came && routed_to == 0, "came %d, to CPU %u", came, routed_to);
    gic_disable(SPI_ROUTED);
}

static void case_smp_sgi(void)
{
    unsigned others = boot_info.cpu_count - 1;

    irq_set_handler(SGI_PING, on_ping);
    irq_set_handler(SGI_PONG, on_pong);
    irq_set_handler(SGI_STOP, on_stop);
    irq_set_handler(SPI_ROUTED, on_routed);
    unsigned started = start_others(serve_irqs);
    if (!report("smp.serving", started == others && timer_wait(&arrived, others, 10000), "%u of %u",
                arrived, others))
        return;
    irq_enable();
    check_ping_each();
    check_broadcast();
    check_routing();
    irq_disable();
    report("smp.already_on", smp_start(1, serve_irqs) == PSCI_ALREADY_ON, "another answer");
    stop_others();
    report("smp.stopped", others_off(), "not all off");
}

TEST_CASE("smp.sgi", 2, case_smp_sgi);

static void case_smp_cycle(void)
{
    unsigned others = boot_info.cpu_count - 1, bad = 0;

    for (unsigned i = 0; i < CYCLES; i++) {
        sum = 0;
        unsigned started = start_others(check_in);

        bad += started != others || !timer_wait(&arrived, others, 10000) || !others_off();
    }
    report("smp.cycles", !bad, "%u of %u cycles failed", bad, CYCLES);
}

TEST_CASE("smp.cycle", 2, case_smp_cycle);
