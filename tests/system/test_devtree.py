# SPDX-License-Identifier: Apache-2.0
"""Command devtree on the machine: a guest written by hand at run time, files loaded, what is in use stays."""
import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

BY_HAND = """
node add /guests/hand
attr set /guests/hand compatible string bulkhead,guest
attr set /guests/hand bulkhead,kernel string hello.bin
attr set /guests/hand bulkhead,format string raw
node add /guests/hand/vcpus
attr set /guests/hand/vcpus bulkhead,count u32 2
node add /guests/hand/aspace
attr set /guests/hand/aspace #address-cells u32 2
attr set /guests/hand/aspace #size-cells u32 2
node add /guests/hand/aspace/memory@40000000
attr set /guests/hand/aspace/memory@40000000 device_type string memory
attr set /guests/hand/aspace/memory@40000000 reg cells 0 0x40000000 0 0x1000000
node add /guests/hand/aspace/uart0@9000000
attr set /guests/hand/aspace/uart0@9000000 compatible strings arm,pl011 arm,primecell
attr set /guests/hand/aspace/uart0@9000000 reg cells 0 0x09000000 0 0x1000
attr set /guests/hand/aspace/uart0@9000000 interrupts cells 0 1 4
node add /guests/hand/chosen
attr set /guests/hand/chosen bootargs string "host=bulkhead by hand"
"""
SETTINGS = """/dts-v1/;
/ {
	vmm { bulkhead,log-level = "debug"; bulkhead,startup = "nowhere"; bulkhead,colour = "red"; };
};
"""
EXTRA = """/dts-v1/;
/ { colour = "green"; sub { deep { cells = <1 2>; }; }; };
"""


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine with the guest hello."""
    return stations.get("devtree", guests.payload_files(output, "hello"),
                        {"hello.dts": guests.payload("hello"), "extra": b"",
                         "broken.dat": b"\xd0\x0d\xfe\xed" + bytes(100)}, smp=2)


def test_guest_by_hand(station):
    """A guest made of typed lines runs, and can be taken away again."""
    for line in BY_HAND.strip().splitlines():
        assert station.cmd(f"devtree {line}") == ""
    assert "0 errors, 0 warnings" in station.cmd("devtree check")
    with guests.running(station, "hand"):
        guests.console(station, "hand", "count 2")
        for line in ("node delete /guests/hand", "node delete /guests",
                     "attr set /guests/hand/vcpus bulkhead,count u32 1",
                     "attr delete /guests/hand bulkhead,kernel", "node add /guests/hand/more",
                     "node delete /guests/hand/aspace/uart0@9000000"):
            assert "hand uses it" in station.cmd(f"devtree {line}")
        guests.console(station, "hand", "count 3")
    assert station.cmd("devtree node delete /guests/hand") == ""
    assert "no such guest" in station.cmd("guest create hand")


def test_mistake_by_hand(station):
    """What is typed wrong is told by the check, and the guest is not made."""
    assert station.cmd("devtree node copy /guests/hello /guests/typo") == ""
    assert station.cmd("devtree attr set /guests/typo/vcpus bulkhead,cuont u32 3") == ""
    assert "is bulkhead,count meant?" in station.cmd("devtree check")
    assert "is bulkhead,count meant?" in station.cmd("guest create typo")
    assert station.cmd("devtree attr delete /guests/typo/vcpus bulkhead,cuont") == ""
    with guests.running(station, "typo"):
        guests.console(station, "typo", "count 1")
    assert station.cmd("devtree node delete /guests/typo") == ""


def test_host_nodes_in_use(station):
    """What the hypervisor lives on stays; what nobody uses may go."""
    assert "the hypervisor uses it" in station.cmd("devtree node delete /intc@8000000")
    assert "the hypervisor uses it" in station.cmd("devtree node delete /cpus/cpu@1")
    assert "the hypervisor uses it" in station.cmd("devtree node delete /timer")
    assert "uses it" in station.cmd("devtree node delete /pl011@9000000")
    assert "uses it" in station.cmd("devtree attr set /pl011@9000000 reg u32 0")
    assert station.cmd("devtree node add /board") == ""
    assert station.cmd("devtree node delete /board") == ""
    assert "no such node" in station.cmd("devtree node show /board")


def test_load(machine, bundle, output):
    """A file of the bundle is merged at any node, or not at all."""
    extra = bundle(texts={"x.dts": EXTRA})
    with open(extra, "rb") as file:
        data = file.read()
    start = data.index(b"\xd0\x0d\xfe\xed")
    size = int.from_bytes(data[start + 4:start + 8], "big")
    blob = data[start:start + size]
    one = machine(bundle=bundle(texts={"extra": blob, "cut": blob[:-8]}))
    assert one.cmd("devtree node add /box") == ""
    assert one.cmd("devtree load extra /box") == ""
    assert 'colour = "green";' in one.cmd("devtree attr show /box")
    assert "cells = <0x1 0x2>;" in one.cmd("devtree node dump /box")
    assert one.cmd("devtree node add /other") == ""
    assert "nothing was changed" in one.cmd("devtree load cut /other")
    assert "ENOENT" in one.cmd("devtree load nofile /other")
    assert "colour" not in one.cmd("devtree node dump /other")


def test_settings_of_the_bundle(machine, bundle):
    """/vmm of a bundle holds; what is wrong in it is in the log."""
    one = machine(bundle=bundle(texts={"settings.dts": SETTINGS}))
    text = one.cmd("log show")
    assert "/vmm: bulkhead,colour: no such property" in text
    assert 'bulkhead,startup' in text
    assert "debug" in one.cmd("log level")
