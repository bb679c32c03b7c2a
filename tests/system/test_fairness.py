# SPDX-License-Identifier: Apache-2.0
"""Shares of busy guests on one CPU, in virtual time: fair among equals, obedient to priorities."""
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F811,F401 (fixtures)

EQUALS = [f"equal{number}" for number in range(4)]
PRIORITIES = (1, 1, 2, 2, 3, 3, 4, 4)
MIXED = [f"mixed{number}" for number in range(len(PRIORITIES))]
SECONDS = 10


def spinner(name, priority):
    """Return the DTS of a guest that masks all interrupts and spins, on CPU 0."""
    return guests.dts(name, 'bulkhead,kernel = "evil.bin"; bulkhead,format = "raw";',
                      "vcpus { bulkhead,count = <1>; bulkhead,affinity = <0>; "
                      f"bulkhead,priority = <{priority}>; }};",
                      bootargs="host=bulkhead case=J01")


def texts():
    """DTS files of all guests."""
    trees = [spinner(name, 3) for name in EQUALS]
    trees += [spinner(name, priority) for name, priority in zip(MIXED, PRIORITIES)]
    return {f"guest{number}.dts": text for number, text in enumerate(trees)}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine with one CPU whose time is that of its instructions."""
    return stations.get("icount", guests.payload_files(output, "evil"), texts(),
                        smp=1, icount=True)


def shares(one, names, seconds):
    """Return what part of the CPU, in per cent, each guest had for some seconds of virtual time."""
    text = one.cmd(f"vcpu top {seconds} | grep vcpu0", timeout=60 * seconds)
    found = {name: float(share)
             for name, share in re.findall(r"^ *\d+ (\S+)/vcpu0 +(\d+\.\d)", text, re.M)}
    return [found[name] for name in names]


def test_equals_share_within_one_per_cent(station):
    """Four busy guests of one priority for ten seconds."""
    with guests.running(station, *EQUALS):
        found = shares(station, EQUALS, SECONDS)
        assert sum(found) > 98, found
        assert max(found) - min(found) <= 0.01 * max(found) + 0.1, found


def test_priorities_are_obeyed(station):
    """Of eight busy guests those of the highest priority run, equally; the shell is above them all."""
    with guests.running(station, *MIXED):
        found = shares(station, MIXED, 2)
        assert sum(found[:6]) == 0 and min(found[6:]) > 48, found
        for name in MIXED[6:]:
            assert station.cmd(f"guest pause {name}") == ""
        found = shares(station, MIXED, 2)
        assert sum(found[:4] + found[6:]) == 0 and min(found[4:6]) > 48, found


def uptime(one, name):
    """Return the seconds since a guest began to run."""
    return float(re.search(r"^uptime: +([\d.]+) s$", one.cmd(f"guest info {name}"), re.M).group(1))


def test_masked_loop_is_destroyed_within_a_second(station):
    """Who masks all interrupts and spins is preempted, and goes when it has to."""
    other, gone = EQUALS[:2]
    before = guests.census(station)
    # The other one is busy, too: time does not leap while the machine waits for the next command.
    guests.create(station, other, gone)
    start = uptime(station, other)
    guests.destroy(station, gone)
    assert uptime(station, other) - start < 1
    guests.destroy(station, other)
    guests.settled(station, before)
