# SPDX-License-Identifier: Apache-2.0
"""Guest configurations that cannot be: each refused with node, property and remedy, and nothing left behind."""
import os
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

KERNEL = 'bulkhead,kernel = "hello.bin"; bulkhead,format = "raw";'
MEMORY = guests.MEMORY.format(size=16 << 20)


def memory(address, size):
    """Return a memory node with two cells each."""
    return (f'memory@{address:x} {{ device_type = "memory"; reg = <{address >> 32:#x} '
            f'{address & 0xffffffff:#x} {size >> 32:#x} {size & 0xffffffff:#x}>; }};')


def device(name, compatible, address, interrupts="<0 1 4>", extra=""):
    """Return a device node."""
    return (f'{name}@{address:x} {{ compatible = "{compatible}"; reg = <0 {address:#x} 0 0x1000>; '
            f'interrupts = {interrupts}; {extra} }};')


def vcpus(text):
    """Return a vcpus node."""
    return f"vcpus {{ {text} }};"


def fixed(address):
    """Return memory at a place of the host that is given."""
    return (f'memory@40000000 {{ device_type = "memory"; bulkhead,host-address = <{address:#x}>; '
            f'reg = <0 0x40000000 0 0x1000000>; }};')


ALIASES = """
a: a@50000000 { bulkhead,alias = <&b>; reg = <0 0x50000000 0 0x1000>; };
b: b@60000000 { bulkhead,alias = <&a>; reg = <0 0x60000000 0 0x1000>; };
"""

# name: (what the message must say, the arguments of guests.dts)
BAD = {
    "overlap": (r"uart0@40100000: reg: .*overlaps.*memory@40000000",
                dict(aspace=MEMORY + device("uart0", "arm,pl011", 0x40100000))),
    "overlap_gic": (r"reg: .*overlaps", dict(aspace=memory(0x08000000, 16 << 20) + guests.UART)),
    "size_zero": (r"memory@40000000: reg: .*size is 0", dict(aspace=memory(0x40000000, 0))),
    "size_huge": (r"memory@40000000: reg: .*(less|beyond)",
                  dict(aspace=memory(0x40000000, 1 << 62))),
    "size_wraps": (r"reg: .*beyond", dict(aspace=memory(0xfffffffffff00000, 1 << 21))),
    "more_than_host": (r"reg: .*less", dict(aspace=memory(0x40000000, 1 << 36))),
    "misaligned_start": (r"memory@40000800: reg: .*multiples of 0x1000",
                         dict(aspace=memory(0x40000800, 16 << 20))),
    "misaligned_size": (r"reg: .*multiples of 0x1000",
                        dict(aspace=memory(0x40000000, (16 << 20) + 12))),
    "unknown_device": (r"disk@a000000: compatible: .*acme,disk",
                       dict(aspace=MEMORY + device("disk", "acme,disk", 0x0a000000))),
    "no_vcpus": (r"no VCPUs; add", dict(vcpus="")),
    "zero_vcpus": (r"vcpus: bulkhead,count: 0 VCPUs", dict(vcpus=vcpus("bulkhead,count = <0>;"))),
    "many_vcpus": (r"vcpus: bulkhead,count: 1000 VCPUs",
                   dict(vcpus=vcpus("bulkhead,count = <1000>;"))),
    "minus_one_vcpu": (r"vcpus: bulkhead,count: ",
                       dict(vcpus=vcpus("bulkhead,count = <0xffffffff>;"))),
    "vcpus_string": (r"vcpus: bulkhead,count: must be one cell",
                     dict(vcpus=vcpus('bulkhead,count = "four";'))),
    "affinity": (r"bulkhead,affinity: .*no CPU 77",
                 dict(vcpus=vcpus("bulkhead,count = <1>; bulkhead,affinity = <77>;"))),
    "priority": (r"bulkhead,priority: .*too big",
                 dict(vcpus=vcpus("bulkhead,count = <1>; bulkhead,priority = <300>;"))),
    "time_slice": (r"bulkhead,time-slice-us: .*too small",
                   dict(vcpus=vcpus("bulkhead,count = <1>; bulkhead,time-slice-us = <0>;"))),
    "no_memory": (r"no memory; add", dict(aspace=guests.UART)),
    "no_reg": (r"memory@40000000: reg: must be",
               dict(aspace='memory@40000000 { device_type = "memory"; };' + guests.UART)),
    "short_reg": (r"memory@40000000: reg: must be",
                  dict(aspace='memory@40000000 { device_type = "memory"; reg = <0 1 2>; };')),
    "spi_twice": (r"interrupts: SPI 1 belongs to another",
                  dict(aspace=MEMORY + guests.UART + device("rtc", "arm,pl031", 0x09010000))),
    "spi_absent": (r"interrupts: no SPI 5000",
                   dict(aspace=MEMORY + device("uart0", "arm,pl011", 0x09000000, "<0 5000 4>"))),
    "spi_is_ppi": (r"interrupts: type 1",
                   dict(aspace=MEMORY + device("uart0", "arm,pl011", 0x09000000, "<1 11 4>"))),
    "interrupts_short": (r"interrupts: must be",
                         dict(aspace=MEMORY + device("uart0", "arm,pl011", 0x09000000, "<0 1>"))),
    "passthrough": (r"bulkhead,passthrough: ",
                    dict(aspace=MEMORY + device("uart0", "arm,pl011", 0x09000000,
                                                extra="bulkhead,passthrough;"))),
    "missing_kernel": (r"bulkhead,kernel: .*no file \"nowhere\"",
                       dict(props='bulkhead,kernel = "nowhere";')),
    "no_kernel": (r"bulkhead,kernel: missing", dict(props="")),
    "missing_initrd": (r"bulkhead,initrd: .*no file \"nowhere\"",
                       dict(props=KERNEL + 'bulkhead,initrd = "nowhere";')),
    "not_an_image": (r"bulkhead,kernel: \"hello.bin\" is no arm64 Linux image",
                     dict(props='bulkhead,kernel = "hello.bin";')),
    "not_an_elf": (r"bulkhead,kernel: \"hello.bin\" is no ELF",
                   dict(props='bulkhead,kernel = "hello.bin"; bulkhead,format = "elf";')),
    "empty_kernel": (r"bulkhead,kernel: .*empty",
                     dict(props='bulkhead,kernel = "empty"; bulkhead,format = "raw";')),
    "format": (r"bulkhead,format: \"floppy\" is unknown",
               dict(props='bulkhead,kernel = "hello.bin"; bulkhead,format = "floppy";')),
    "load": (r"bulkhead,kernel: .*not inside", dict(props=KERNEL + "bulkhead,load = <0x20000000>;")),
    "load_end": (r"bulkhead,kernel: .*not inside",
                 dict(props=KERNEL + "bulkhead,load = <0x40ffffff>;")),
    "entry": (r"bulkhead,entry: .*not in the guest's memory",
              dict(props=KERNEL + "bulkhead,entry = <0x9000000>;")),
    "policy": (r"bulkhead,on-crash: \"panic\" is unknown",
               dict(props=KERNEL + 'bulkhead,on-crash = "panic";')),
    "typing_error": (r"bulkhead,kernal: no such property",
                     dict(props=KERNEL + 'bulkhead,kernal = "x";')),
    "form": (r"bulkhead,form: .*not available",
             dict(props=KERNEL + 'bulkhead,form = "partition";')),
    "own_dtb": (r"bulkhead,dtb: .*no flattened device tree",
                dict(props=KERNEL + 'bulkhead,dtb = "hello.bin";')),
    "tiny": (r"not inside|no room", dict(aspace=memory(0x40000000, 0x1000))),
    "cells": (r"aspace: #address-cells: must be", {}),
    "uart_of_host": (r"bulkhead,passthrough: \"pl011@9000000\" is the hypervisor's console",
                     dict(aspace=MEMORY + 'a { bulkhead,passthrough = "/pl011@9000000"; };')),
    "gic_of_host": (r"bulkhead,passthrough: \"intc@8000000\" is the hypervisor's interrupt controller",
                    dict(aspace=MEMORY + 'a { bulkhead,passthrough = "/intc@8000000"; };')),
    "timer_of_host": (r"bulkhead,passthrough: \"timer\" is the hypervisor's timer",
                      dict(aspace=MEMORY + 'a { bulkhead,passthrough = "/timer"; };')),
    "nothing_of_host": (r"bulkhead,passthrough: the host has no device \"/nothing\"",
                        dict(aspace=MEMORY + 'a { bulkhead,passthrough = "/nothing"; };')),
    "hypervisor_ram": (r"bulkhead,host-address: 0x40200000 overlaps \"hypervisor\"",
                       dict(aspace=fixed(0x40200000))),
    "no_ram": (r"bulkhead,host-address: 0x9000000, size 0x1000000: is not RAM",
               dict(aspace=fixed(0x9000000))),
    "ram_misaligned": (r"bulkhead,host-address: 0x50000004 must be a multiple",
                       dict(aspace=fixed(0x50000004))),
    "alias_cycle": (r"bulkhead,alias: \"b@60000000\" is no memory or device",
                    dict(aspace=MEMORY + ALIASES)),
    "alias_of_itself": (r"bulkhead,alias: must be the label",
                        dict(aspace=MEMORY + ALIASES.replace("<&b>", "<&a>"))),
    "huge_property": (r"bulkhead,count: must be one cell",
                      dict(vcpus=vcpus("bulkhead,count = <" + "1 " * 20000 + ">;"))),
    "empty_property": (r"bulkhead,count: must be one cell", dict(vcpus=vcpus("bulkhead,count;"))),
    "huge_compatible": (r"a000000: compatible: no emulated device",
                        dict(aspace=MEMORY + "disk@a000000 { compatible = [" + "00 " * 40000 + "]; };")),
    "reservation": (r"bulkhead,budget-us: is more than there is time for",
                    dict(vcpus=vcpus("bulkhead,count = <1>; bulkhead,period-us = <1000>; "
                                     "bulkhead,budget-us = <2000>;"))),
    "period_alone": (r"bulkhead,budget-us: missing",
                     dict(vcpus=vcpus("bulkhead,count = <1>; bulkhead,period-us = <1000>;"))),
    "misspelt_nodes": (r"warning: /guests/misspelt_nodes/vcpu: means nothing here; is vcpus meant",
                       dict(vcpus="vcpu { bulkhead,count = <1>; };")),
}


def texts():
    """All bad guests, one good one, and one with several mistakes."""
    trees = {name: guests.dts(name, **{"props": KERNEL, **parts})
             for name, (_, parts) in BAD.items()}
    trees["cells"] = trees["cells"].replace("#address-cells = <2>", "#address-cells = <3>")
    trees["good"] = guests.dts("good", KERNEL)
    trees["several"] = guests.dts("several", "", vcpus(""), memory(0x40000001, 0))
    return {f"{name}.dts": text for name, text in trees.items()} | {"empty": b""}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine whose bundle has all those guests."""
    return stations.get("bad", guests.payload_files(output, "hello"), texts())


@pytest.mark.parametrize("name", BAD)
def test_refused(station, name):
    """The message names node, property and remedy; the census is as before."""
    before = guests.census(station)
    text = station.cmd(f"guest create {name}")
    assert re.search(BAD[name][0], text), text
    assert f"/guests/{name}" in text, text
    assert "not created" in text
    assert guests.census(station) == before
    assert name not in station.cmd("guest list")


def test_all_mistakes_at_once(station):
    """One attempt tells everything that is wrong."""
    text = station.cmd("guest create several")
    for what in ("bulkhead,kernel", "vcpus", "memory@40000001"):
        assert what in text, text


def test_good_one_still_works(station):
    """After all refusals the machine is as good as new."""
    with guests.running(station, "good"):
        guests.console(station, "good", "count 2")
        assert "good" in station.cmd("guest create good")
        assert guests.state(station, "good") == "running"


def test_no_such_guest(station):
    """A name without node is refused."""
    assert "nobody" in station.cmd("guest create nobody")
    assert "nothing" in station.cmd("guest create fresh nothing")


@pytest.mark.parametrize("keep", [1, 60, 200, 4000, -300, -20])
def test_truncated_bundle(machine, bundle, output, tmp_path, keep):
    """A bundle that ends too early: the prompt comes, and what is lost is named."""
    packed = bundle(*guests.payload_files(output, "hello"),
                    texts={"good.dts": guests.dts("good", KERNEL)})
    with open(packed, "rb") as file:
        data = file.read()
    short = tmp_path / "short.cpio"
    short.write_bytes(data[:keep])
    one = machine(bundle=str(short))
    text = one.cmd("log show")
    assert re.search(r"(?i)bundle", text), text
    one.cmd("guest create good")
    assert "guests=0" in guests.census(one) or guests.state(one, "good") == "reset"


def test_garbage_bundle(machine, tmp_path):
    """A ramdisk that is no archive at all."""
    path = tmp_path / "garbage"
    path.write_bytes(os.urandom(20000))
    one = machine(bundle=str(path))
    assert re.search(r"(?i)bundle", one.cmd("log show"))


def test_broken_guest_dtb(machine, bundle, output):
    """A damaged DTB in the bundle hurts nobody else."""
    good = guests.dts("good", KERNEL)
    packed = bundle(*guests.payload_files(output, "hello"),
                    texts={"a.dtb": b"\xd0\x0d\xfe\xed" + bytes(60), "b.dtb": b"", "good.dts": good,
                           "c.dtb": os.urandom(4096)})
    one = machine(bundle=packed)
    assert re.search(r"a\.dtb", one.cmd("log show"))
    with guests.running(one, "good"):
        guests.console(one, "good", "count 1")


def test_out_of_memory(machine, bundle, output):
    """Guests until the memory is gone: the last is refused, all can be destroyed, nothing is lost."""
    trees = {f"g{number}.dts": guests.dts(f"g{number}", KERNEL, mib=96) for number in range(4)}
    packed = bundle(*guests.payload_files(output, "hello"), texts=trees)
    one = machine(bundle=packed, mem="256M")
    one.cmd("log level error")
    before = guests.census(one)
    texts_seen = [one.cmd(f"guest create g{number}") for number in range(4)]
    assert "created" in texts_seen[0]
    refused = [text for text in texts_seen if "not created" in text]
    assert refused and all("less" in text or "memory" in text for text in refused), texts_seen
    for number in range(4 - len(refused)):
        guests.destroy(one, f"g{number}")
    guests.settled(one, before)
