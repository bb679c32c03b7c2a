# SPDX-License-Identifier: Apache-2.0
"""Host memory: shared between guests, exhausted, shown and dumped."""
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

SHARED = """
shared: shared@{start:x} {{
	device_type = "memory";
	reg = <0 {start:#x} 0 {size:#x}>;
	bulkhead,shared = "{name}";
	{props}
}};
"""
BIG, SMALL = 12, 40
ALIAS = "mirror@70000000 { reg = <0 0x70000000 0 0x3000>; bulkhead,alias = <&shared>; };"


def sharer(name, args, start=0x50000000, size=0x200000, extra="", **region):
    """DTS of a guest that runs tests/guests/share on a shared region."""
    shared = SHARED.format(start=start, size=size, name=region.get("name", "pipe"),
                           props=region.get("props", ""))
    return guests.dts(name, 'bulkhead,kernel = "share.bin"; bulkhead,format = "raw";',
                      aspace=guests.MEMORY.format(size=16 * guests.MIB) + guests.UART + shared + extra,
                      bootargs=f"host=bulkhead {args}")


def texts():
    """DTS files of the guests here."""
    trees = [sharer("first", "me=0"), sharer("second", "me=1 shm=0x70000000", extra=ALIAS),
             sharer("watcher", "watch shm=0x57fff000", start=0x57fff000, props="read-only;"),
             sharer("other-size", "me=1", size=0x201000)]
    trees += [guests.payload(f"big{number}", "share", mib=128) for number in range(BIG)]
    trees += [guests.payload(f"small{number}", "share", mib=4) for number in range(SMALL)]
    return {f"guest{number}.dts": text for number, text in enumerate(trees)}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """station(smp): a machine with the guests of this file."""
    def get(smp=2):
        return stations.get(f"smp{smp}", guests.payload_files(output, "share"), texts(), smp=smp,
                            selftest=True)
    return get


@pytest.mark.parametrize("smp", [1, 2])
def test_shared_memory(station, smp):
    """Each sees what the other writes; a read-only view sees it too; the last one leaves nothing."""
    one = station(smp)
    for _ in range(2):
        with guests.running(one, "first", "second", "watcher"):
            guests.verdict(one, "first")
            guests.verdict(one, "second")
            guests.verdict(one, "watcher")


def test_shared_sizes_differ(station):
    """A guest that wants another size than the one there is refused, with both sizes."""
    one = station()
    with guests.running(one, "first"):
        before = guests.census(one)
        text = one.cmd("guest create other-size")
        assert 'shared memory "pipe" has 0x200000 bytes, this region 0x201000' in text
        assert guests.census(one) == before


def test_memory_runs_out(station):
    """Guests until there is no memory for one more: a clear refusal; destroyed, all of it is back."""
    one = station()
    before = guests.census(one)
    pieces = one.cmd("memory show").partition("ORDER")[2]
    names = []
    for number in range(BIG):
        text = one.cmd(f"guest create big{number}")
        if f"guest big{number} created" not in text:
            assert re.search(r"the host has (\d+ MiB|no contiguous \S+ bytes) free", text), text
            break
        names.append(f"big{number}")
    assert 4 <= len(names) < BIG
    guests.create(one, "first", kick=False)
    owners = one.cmd("memory owners")
    assert all(re.search(rf"^{name} +\d+ +\d{{6}}$", owners, re.M) for name in names), owners
    assert re.search(r"^shared/pipe +512 +2048$", owners, re.M), owners
    guests.destroy(one, *names, "first")
    guests.settled(one, before)
    assert one.cmd("memory show").partition("ORDER")[2] == pieces
    assert one.cmd("heap check").endswith(" 0 faults")


def test_many_guests(station):
    """As many small guests as have room for their VCPUs, ids and heap; all of it comes back."""
    one = station()
    before = guests.census(one)
    names = [f"small{number}" for number in range(SMALL)]
    guests.create(one, *names, kick=False)
    assert re.search(rf"^small{SMALL - 1} +\d+ +\d+$", one.cmd("heap owners"), re.M)
    guests.destroy(one, *names)
    guests.settled(one, before)


def test_dump(station):
    """RAM is shown as it is, a guest's too; whatever else is refused with a reason."""
    one = station()
    image = int(re.search(r"^0x(\w+)\.\.\S+ .* r-x text", one.cmd("memory map"), re.M).group(1), 16)
    assert re.search(r"^0x\w+  .*ARMd", one.cmd(f"memory dump {image:#x} 64"), re.M)
    assert len(one.cmd(f"memory dump {image:#x} 100").splitlines()) == 7
    for line, reason in (("0", "not all of it is RAM"), ("0x9000000 4", "device registers"),
                         ("0x8000000", "device registers"), ("0x7ffffff0 32", "not all of it is RAM"),
                         ("0xffffffffffffff80", "beyond the last address"),
                         ("0x800000000000", "not all of it is RAM"), (f"{image:#x} 0", "LENGTH"),
                         (f"{image:#x} 64K", None), (f"{image:#x} 65537", "LENGTH"),
                         ("0x50000000000000000", "address"), ("nowhere", "address")):
        text = one.cmd(f"memory dump {line}", timeout=30)
        assert reason is None or reason in text, text
    assert "PANIC" not in one.cmd("host info")


def test_stress(station):
    """All CPUs work on the allocators at once; nothing is damaged, lost or left behind."""
    text = station().cmd("selftest run mm-stress", timeout=120)
    assert "0 faults" in text and text.endswith("selftest mm-stress: passed"), text
