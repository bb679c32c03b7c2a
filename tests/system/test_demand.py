# SPDX-License-Identifier: Apache-2.0
"""Guest memory that comes when it is touched: in every way, at once, and when the host has no more."""
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

GIB = 1 << 30


def demanding(name, size, vcpus=1, bootargs=""):
    """Return the DTS of a guest that runs tests/guests/demand on memory on demand."""
    memory = guests.MEMORY.format(size=size).replace("reg", "bulkhead,demand;\n\treg")
    return guests.dts(name, 'bulkhead,kernel = "demand.bin"; bulkhead,format = "raw";',
                      f"vcpus {{ bulkhead,count = <{vcpus}>; }};", aspace=memory + guests.UART,
                      bootargs=f"host=bulkhead {bootargs}")


@pytest.fixture
def station(stations, output):  # noqa: F811
    """station(cpu): a machine of two CPUs with less memory than the guests may touch."""
    def get(cpu="cortex-a72"):
        trees = [demanding("pair", 64 * guests.MIB, vcpus=2), demanding("greedy", GIB, bootargs="all"),
                 guests.payload("hello")]
        texts = {f"guest{number}.dts": text for number, text in enumerate(trees)}
        return stations.get(cpu.partition(",")[0], guests.payload_files(output, "demand", "hello"), texts,
                            smp=2, cpu=cpu, mem="256M")
    return get


@pytest.mark.parametrize("cpu", ["cortex-a72", "max"])
def test_touch(station, cpu):
    """By loads, stores, pairs, fetches and two CPUs at once; all of it comes back."""
    one = station(cpu)
    before = guests.census(one)
    for _ in range(2):
        with guests.running(one, "pair"):
            text = guests.verdict(one, "pair")
            assert "PASS demand.race" in text, text
            assert "on demand" in one.cmd("guest regions pair")
    guests.settled(one, before)


def test_the_host_has_no_more(station):
    """The one that asks for more stops with the reason; its neighbour goes on; all of it comes back."""
    one = station()
    before = guests.census(one)
    with guests.running(one, "hello"):
        guests.create(one, "greedy")
        text = one.cmd_until("guest info greedy", "the host has no memory for its page", 120, every=0.5)
        assert guests.state(one, "greedy") == "halted", text
        count = int(re.findall(r"count (\d+)", one.cmd("vserial dump hello/uart0"))[-1])
        guests.console(one, "hello", f"count {count + 2}")
        guests.destroy(one, "greedy")
    guests.settled(one, before)
    assert one.cmd("heap check").endswith(" 0 faults")
