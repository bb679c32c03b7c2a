# SPDX-License-Identifier: Apache-2.0
"""What exits cost is counted by cause, and shown."""
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

ROW = r"^  (\w+) +(\d+) +(\d+) +(\d+) +(\d+)$"


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine with a guest that measures exits, and one that counts timer interrupts."""
    trees = {"bench.dts": guests.payload("bench"), "canary.dts": guests.payload("canary")}
    return stations.get("exits", guests.payload_files(output, "bench", "canary"), trees,
                        smp=1, icount=True)


def causes(one, vcpu):
    """Return {cause: (count, mean ns, longest ns, total us)} as vcpu info shows them."""
    return {name: tuple(map(int, figures))
            for name, *figures in re.findall(ROW, one.cmd(f"vcpu info {vcpu}"), re.M)}


def test_exits_by_cause(station):
    """Each cause has its count and times; a mean is no longer than the longest."""
    with guests.running(station, "bench"):
        guests.console(station, "bench", r"^SUMMARY ")
        found = causes(station, "bench/0")
        assert {"hypercall", "register", "memory", "interrupt", "wait"} <= set(found), found
        for count, mean, longest, total in found.values():
            assert count > 0 and mean <= longest
            assert abs(total * 1000 - count * mean) <= count + 1000
        # The payload's own loops: 4160 rounds each of unknown calls by HVC and SMC, and of PSCI_VERSION.
        assert found["hypercall"][0] >= 3 * 4160 and found["hypercall"][1] < 150, found
        total = int(re.search(r"^exits: +(\d+)$", station.cmd("vcpu info bench/0"), re.M).group(1))
        assert total >= sum(count for count, *_ in found.values())


def test_waiting_is_no_exit_time(station):
    """A guest that sleeps most of the time spends next to none of it in exits."""
    with guests.running(station, "canary"):
        guests.console(station, "canary", r"second 1 ")
        count, mean, longest, _ = causes(station, "canary/0")["wait"]
        assert count >= 900 and mean < 20_000 and longest < 900_000


def test_top_shows_what_exits_cost(station):
    """Exits a second, their share of the CPU, and what most of them were."""
    with guests.running(station, "canary"):
        guests.console(station, "canary", r"second 1 ")
        text = station.cmd("vcpu top 2 | grep canary", 60)
        rate, share, cause = re.search(r" (\d+) +(\d+\.\d) (\w+)$", text, re.M).groups()
        assert int(rate) >= 1000 and float(share) < 20 and cause in ("wait", "interrupt", "register"), text
