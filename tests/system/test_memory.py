# SPDX-License-Identifier: Apache-2.0
"""Host memory: shared between guests, exhausted, shown and dumped."""
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
    return {f"guest{number}.dts": text for number, text in enumerate(trees)}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """station(smp): a machine with the guests of this file."""
    def get(smp=2):
        return stations.get(f"smp{smp}", guests.payload_files(output, "share"), texts(), smp=smp)
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
