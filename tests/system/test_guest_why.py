# SPDX-License-Identifier: Apache-2.0
"""One line says why a guest does not run, and what its last fault was."""
import os
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine with a guest that counts, and one that touches what is not there."""
    trees = {f"{name}.dts": guests.dts(name, f'bulkhead,kernel = "{name}.elf"; bulkhead,format = "elf";')
             for name in ("hello", "unmapped")}
    files = [os.path.join(output, "guests", f"{name}.elf") for name in ("hello", "unmapped")]
    return stations.get("why", files, trees)


def why(one, name):
    """Return what guest why says, which is one line."""
    line = one.cmd(f"guest why {name}").strip()
    assert line.startswith(f"{name}: ") and "\n" not in line, line
    return line.removeprefix(f"{name}: ")


def test_states(station):
    """Who stopped it, or what it waits for."""
    one = station
    guests.create(one, "hello", kick=False)
    assert why(one, "hello") == "not started (guest kick starts it); no fault"
    assert one.cmd("guest kick hello") == ""
    guests.console(one, "hello", r"count 1")
    one.cmd_until("guest why hello", r"^hello: its VCPU waits for an interrupt \(WFI\); ", 10)
    assert one.cmd("guest pause hello") == ""
    assert why(one, "hello").startswith("paused by the operator (guest pause); ")
    assert one.cmd("guest resume hello") == ""
    assert one.cmd("vcpu pause hello/0") == ""
    assert why(one, "hello").startswith("held: VCPU 0 is paused by the operator (vcpu pause); ")
    assert one.cmd("vcpu resume hello/0") == ""
    assert one.cmd("guest halt hello") == ""
    assert why(one, "hello").startswith("halted: halted by the operator; ")
    guests.destroy(one, "hello")
    assert "ENOENT" in one.cmd("guest why hello")


def test_fault(station):
    """The abort of a store to nothing: syndrome, place in the program, address, VCPU."""
    one = station
    with guests.running(one, "unmapped"):
        guests.verdict(one, "unmapped")
        one.cmd_until("guest why unmapped", r"^unmapped: halted: powered off by itself; ", 10)
        line = why(one, "unmapped")
        assert re.search(r"; last fault: data abort \(write\), external abort, PC 0x[0-9a-f]+ "
                         r"\(\w+\+0x[0-9a-f]+\), address 0xb000000: nothing there, VCPU 0, "
                         r"[\d.]+ \S+ ago, 2 in all$", line), line
        assert one.cmd("guest reset unmapped") == ""
