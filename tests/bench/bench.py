#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Exact costs: instructions of exits and of the start, sizes; fails when one is over its budget.

usage: bench.py OUTPUT-DIR CACHE
Under -icount shift=0,sleep=off one instruction is one nanosecond of virtual time, so that the results are
the same on every machine. They are printed as a table and written to OUTPUT-DIR/bench.json.
"""
import glob
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.join(ROOT, "tests", "system")]

import boot_overhead  # noqa: E402
import bundle  # noqa: E402
import guests  # noqa: E402
import qemu  # noqa: E402
from machine import Machine  # noqa: E402

NS_PER_SECOND = 1_000_000_000
# name: (unit, budget: less than this)
BUDGETS = {
    "boot_to_prompt": ("instructions", 1_500_001),
    "image_size": ("bytes", (384 << 10) + 1),
    "ram_used": ("bytes", (2 << 20) + 1),
    "guest_overhead": ("bytes", (96 << 10) + 1),
    "demand_fault": ("instructions", 1201),
    "null_hypercall": ("instructions", 121),
    "psci_version": ("instructions", 131),
    "id_register_read": ("instructions", 131),
    "gicd_typer_read": ("instructions", 201),
    "gicd_isenabler_write": ("instructions", 301),
    "pl011_fr_read": ("instructions", 201),
    "eoi": ("instructions", 16),
    "priority_mask_write": ("instructions", 16),
    "sgi_self": ("instructions", 351),
    "sgi_and_back": ("instructions", 1201),
    "sgi_sleeper": ("instructions", 1501),
    "timer_busy": ("instructions", 351),
    "timer_wfi": ("instructions", 801),
    "vcpu_switch_min": ("instructions", 848),
    "vcpu_switch_mean": ("instructions", 880),
    "thread_switch": ("instructions", 251),
    "thread_wake": ("instructions", 401),
    "timer_start_1000": ("instructions", 151),
    "linux_boot_quiet": ("percent", 0.501),
}
# name: the figure that it may be twice at most
TWICE = {"timer_start_10000": "timer_start_1000",
         **{f"sched_pick_1000_{name}": f"sched_pick_10_{name}"
            for name in ("rr", "prr", "edf", "rm", "partition")}}
# A page that both guests of the switch measurement write their stamps to.
SHARED_PAGE = """
memory@50000000 {
	device_type = "memory";
	reg = <0 0x50000000 0 0x1000>;
	bulkhead,shared = "stamps";
};
"""


def config(output, image="Image", **settings):
    """Return the one machine that everything is measured on."""
    return qemu.Config(image=os.path.join(output, image), mem="1G", icount=True, **settings)


def free_memory(one):
    """Return the host's free bytes."""
    return int(re.search(r"^free: +(\d+) KiB", one.cmd("host memory"), re.M).group(1)) << 10


def measure_host(output):
    """Start without bundle; return instructions to the prompt and bytes of RAM in use there."""
    with Machine(config(output), os.path.join(output, "bench-host.log")) as one:
        one.start()
        one.prompt()
        info, memory = one.cmd("host info"), one.cmd("host memory")
    ticks = int(re.search(r"^boot: +(\d+) ticks", info, re.M).group(1))
    frequency = int(re.search(r"^counter: +(\d+) Hz", info, re.M).group(1))
    ram = sum(map(int, re.findall(r"^ram: .* (\d+) KiB", memory, re.M)))
    free = int(re.search(r"^free: +(\d+) KiB", memory, re.M).group(1))
    return {"boot_to_prompt": ticks * NS_PER_SECOND // frequency, "ram_used": (ram - free) << 10}


def measure_services(output):
    """Run the self tests that measure; return the figures of those that have a budget."""
    with Machine(config(output, "Image-selftest"), os.path.join(output, "bench-services.log")) as one:
        one.start()
        one.prompt()
        text = "".join(one.cmd(f"selftest run {name}", 120) for name in ("bench-sched", "bench-timer"))
    figures = {name: int(value) for name, value in re.findall(r"^(\w+): (\d+) instructions", text, re.M)}
    wanted = {*BUDGETS, *TWICE, *TWICE.values()}
    return {name: value for name, value in figures.items() if name in wanted}


def budgets(results):
    """Return {name: (unit, budget)} with those that depend on another figure."""
    twice = {name: ("instructions", 2 * results.get(base, 0) + 1) for name, base in TWICE.items()}
    return {**BUDGETS, **twice}


def run_guests(output, name, texts, programs, until, **settings):
    """Start a machine with guests of these device trees; return what the guest `until` has printed at its end."""
    folder = os.path.join(output, "bench", name)
    os.makedirs(folder, exist_ok=True)
    for stem, text in texts.items():
        with open(os.path.join(folder, f"{stem}.dts"), "w", encoding="ascii") as file:
            file.write(text)
    packed = os.path.join(output, "bench", f"{name}.cpio")
    bundle.pack(packed, [*guests.payload_files(output, *programs), folder])
    with Machine(config(output, bundle=packed, **settings), os.path.join(output, f"bench-{name}.log")) as one:
        one.start()
        one.prompt()
        one.cmd_until("vserial list", f"{until}/uart0", every=0.1)
        # It waits for a key, so that nothing else is typed and no command runs while it measures.
        with guests.attached(one, until):
            one.send("g")
            one.expect(r"SUMMARY [^\n]*\n", 120)
        text = one.cmd(f"vserial dump {until}/uart0")
    return {name: int(value) for name, value in re.findall(r"^BENCH (\w+) (\d+)", text, re.M)}


def measure_guest(output):
    """Run the bench payload as the only guest; return what it measured."""
    tree = guests.payload("bench", bootargs="wait", props="bulkhead,autostart;")
    return run_guests(output, "exits", {"bench": tree}, ["bench"], "bench")


def measure_pair(output, name, cpus, bootargs=""):
    """Run a guest of two VCPUs on as many host CPUs as given, one each; return what goes between them."""
    nodes = " ".join(f"vcpu@{n} {{ reg = <{n}>; bulkhead,affinity = <{n % cpus}>; }};" for n in (0, 1))
    tree = guests.dts("bench", 'bulkhead,kernel = "bench.bin"; bulkhead,format = "raw"; bulkhead,autostart;',
                      f"vcpus {{ #address-cells = <1>; #size-cells = <0>; {nodes} }};",
                      bootargs=f"host=bulkhead wait {bootargs}".strip())
    return run_guests(output, name, {"bench": tree}, ["bench"], "bench", smp=cpus)


def switching_guest(name, slot):
    """Return the device tree of one of the two guests that share a CPU and a page."""
    return guests.dts(name, 'bulkhead,kernel = "switch.bin"; bulkhead,format = "raw"; '
                      'bulkhead,autostart; bulkhead,counter = "host";',
                      "vcpus { bulkhead,count = <1>; bulkhead,time-slice-us = <200>; };",
                      aspace=guests.MEMORY.format(size=16 << 20) + guests.UART + SHARED_PAGE,
                      bootargs=f"host=bulkhead slot={slot}{'' if slot else ' wait'}")


def measure_switch(output):
    """Run two guests that are busy on one CPU; return what changing from one to the other takes."""
    trees = {f"switch{slot}": switching_guest(f"switch{slot}", slot) for slot in (0, 1)}
    return run_guests(output, "switch", trees, ["switch"], "switch0")


def measure_demand(output):
    """Run the guest whose memory comes page by page; return what a page takes."""
    memory = guests.MEMORY.format(size=64 << 20).replace("reg", "bulkhead,demand;\n\treg")
    tree = guests.dts("demand", 'bulkhead,kernel = "demand.bin"; bulkhead,format = "raw"; bulkhead,autostart;',
                      aspace=memory + guests.UART, bootargs="host=bulkhead wait")
    return run_guests(output, "demand", {"demand": tree}, ["demand"], "demand")


def measure_overhead(output):
    """Create and start a guest with one VCPU and a PL011; return what it takes of the host beyond its RAM."""
    folder = os.path.join(output, "bench", "overhead")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "hello.dts"), "w", encoding="ascii") as file:
        file.write(guests.payload("hello", mib=64))
    packed = os.path.join(output, "bench", "overhead.cpio")
    bundle.pack(packed, [*guests.payload_files(output, "hello"), folder])
    with Machine(config(output, bundle=packed), os.path.join(output, "bench-overhead.log")) as one:
        one.start()
        one.prompt()
        before = free_memory(one)
        guests.create(one, "hello")
        one.cmd("guest kick hello")
        one.cmd_until("vserial dump hello/uart0", "count 2", every=0.1)
        return {"guest_overhead": before - free_memory(one) - (64 << 20)}


def measure_linux(output, cache):
    """Return what Bulkhead adds to the time that a Debian kernel takes to start, with and without its messages."""
    return {f"linux_boot_{name}": figures["percent"]
            for name, figures in boot_overhead.measure(output, cache).items()}


def report(results):
    """Print the table; return the names of what is over its budget or was not measured."""
    known = budgets(results)
    broken = [name for name, (_, budget) in known.items() if results.get(name, budget) >= budget]
    print(f"{'':24}{'measured':>12}  {'less than':>12}  unit")
    for name in [*known, *(name for name in results if name not in known)]:
        unit, budget = known.get(name, ("percent" if name == "linux_boot_verbose" else "instructions", ""))
        mark = "  OVER BUDGET" if name in broken else ""
        print(f"{name:24}{results.get(name, 'missing'):>12}  {budget:>12}  {unit}{mark}")
    return broken


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    output, cache = map(os.path.abspath, sys.argv[1:])
    results = {"image_size": os.path.getsize(os.path.join(output, "Image"))}
    for log in glob.glob(os.path.join(output, "bench-*.log")):
        os.remove(log)
    results.update(measure_host(output))
    results.update(measure_services(output))
    results.update(measure_guest(output))
    results.update(measure_pair(output, "pair", 2))
    results.update(measure_pair(output, "sleeper", 1, "asleep"))
    results.update(measure_switch(output))
    results.update(measure_demand(output))
    results.update(measure_overhead(output))
    results.update(measure_linux(output, cache))
    broken = report(results)
    with open(os.path.join(output, "bench.json"), "w", encoding="ascii") as file:
        json.dump({"results": results, "budgets": {n: b for n, (_, b) in budgets(results).items()},
                   "broken": broken}, file, indent=4)
    sys.exit(f"over budget: {', '.join(broken)}" if broken else 0)


if __name__ == "__main__":
    main()
