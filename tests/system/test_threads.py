# SPDX-License-Identifier: Apache-2.0
"""Threads on real CPUs: contention, running out of memory, FP registers next to guests that use them."""
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)


def selftest(one, name, amount, timeout):
    """Run a self test and return what it printed; it must pass."""
    text = one.cmd(f"selftest run {name} {amount}", timeout)
    assert f"selftest {name}: passed" in text, text
    return text


def test_stress(machine):
    """200 threads on 4 CPUs for a minute, on everything that a thread can sleep in."""
    one = machine(smp=4, selftest=True)
    text = selftest(one, "thread-stress", 60, 180)
    # How many depends on how soon the host runs a CPU that was woken.
    rounds = int(re.search(r"(\d+) rounds", text).group(1))
    assert rounds > 10000, text
    selftest(one, "thread-stress", 1, 60)


def test_timer_race(machine):
    """All CPUs start, stop and move the same timer events: no CPU waits for one that does not run."""
    text = selftest(machine(smp=4, selftest=True), "timer-race", 20000, 60)
    assert " 0 faults" in text, text


def test_more_than_memory(machine):
    """Threads until memory is used up: a clean error, everything is given back, twice."""
    one = machine(smp=2, mem="128M", selftest=True)
    numbers = [int(re.search(r"(\d+) threads: ENOMEM", selftest(one, "thread-crowd", 0, 180)).group(1))
               for _ in range(2)]
    assert numbers[0] > 500 and numbers[0] - numbers[1] <= 1, numbers


def test_list(machine):
    one = machine(smp=2)
    text = one.cmd("thread list")
    row = re.search(r"^ *\d+ worker +sleeping +3 +[\d.]+ s +\d .* work_off$", text, re.M)
    assert row, text
    assert re.search(r"^worker +3 +0 +\d+ ", one.cmd("thread queues"), re.M)


@pytest.mark.parametrize("smp", [1, 2])
def test_fp_registers(stations, output, smp):  # noqa: F811
    """Threads that use FP, and guests that check theirs all the time, take turns on the same CPUs."""
    one = stations.get(f"fp{smp}", guests.payload_files(output, "conform"),
                       {"fp.dts": guests.payload("fp", "conform", vcpus=4, bootargs="case=cpu.fp")},
                       smp=smp, selftest=True)
    for _ in range(3):
        with guests.running(one, "fp"):
            selftest(one, "thread-fp", 5, 120)
            guests.verdict(one, "fp")
