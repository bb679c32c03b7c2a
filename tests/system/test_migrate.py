# SPDX-License-Identifier: Apache-2.0
"""Migration and load balance: guests on the move lose nothing, busy ones are spread, isolated CPUs left alone."""
import re
import time

import guests
import pytest
from guests import module_stations, stations  # noqa: F811,F401 (fixtures)

SPINNERS = 8
CPUS = 4
ONE_THREAD = ["-accel", "tcg,thread=single"]
VMM = """/dts-v1/;

/ {
	vmm { bulkhead,isolated-cpus = <3>; };
};
"""


def texts():
    """DTS files of the guests of this module."""
    trees = [guests.payload("canary"), guests.payload("conform4", "conform", 4, "case=cpu,gic,timer,smp")]
    trees += [guests.payload(f"spin{number}", "evil", bootargs="case=J01")
              for number in range(SPINNERS)]
    return {f"guest{number}.dts": text for number, text in enumerate(trees)}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """station(gic): a machine with four CPUs and all payloads."""
    def get(gic=3, **settings):
        key = f"gic{gic}" + "".join(settings.pop("key", ""))
        files = guests.payload_files(output, "canary", "conform", "evil")
        more = settings.pop("texts", {})
        return stations.get(key, files, {**texts(), **more}, gic=gic, smp=CPUS,
                            selftest=True, **settings)
    return get


def cpu_of(one, vcpu):
    """Return the CPU that a VCPU is on."""
    return int(re.search(r"is on CPU (\d+)", one.cmd(f"vcpu affinity {vcpu}")).group(1))


def placement(one, names):
    """Return how many of the VCPUs 0 of these guests are on each CPU."""
    found = dict(re.findall(r"^ *\d+ (\S+)/vcpu0 .*? (\d+) +\S+ s +\d+$", one.cmd("vcpu list"),
                            re.M))
    counts = [0] * CPUS
    for name in names:
        counts[int(found[name])] += 1
    return counts


def top(one, names):
    """Return the CPU and the share of it, in per cent, that vcpu top shows for each guest in two seconds."""
    found = {name: (int(cpu), float(share)) for name, share, cpu in
             re.findall(r"^ *\d+ (\S+)/vcpu0 +(\d+\.\d) \S+ +(\d+) ",
                        one.cmd("vcpu top 2 | grep vcpu0"), re.M)}
    return [found[name] for name in names]


@pytest.mark.parametrize("gic", [2, 3])
def test_moves_lose_no_tick(station, gic):
    """A guest that counts a thousand timer interrupts a second, moved all the time."""
    one = station(gic)
    with guests.running(one, "canary"):
        guests.console(one, "canary", r"second 1 ")
        for number in range(60):
            assert one.cmd(f"vcpu move canary/0 {number % CPUS}") == ""
            assert number % 20 or cpu_of(one, "canary/0") == number % CPUS
        last = re.findall(r"second (\d+)", one.cmd("vserial dump canary/uart0"))[-1]
        guests.console(one, "canary", rf"second {int(last) + 2} ")
        lines = re.findall(r"second (\d+) ticks (\d+) .* unexpected (\d+) memory-errors (\d+)",
                           one.cmd("vserial dump canary/uart0"))
        for second, ticks, unexpected, errors in lines:
            assert 0 <= int(ticks) - int(second) * 1000 < 1000, lines
            assert int(unexpected) == 0 and int(errors) == 0, lines


@pytest.mark.parametrize("gic", [2, 3])
def test_conform_on_the_move(station, gic):
    """Four VCPUs that check interrupts, timers and each other, moved between the CPUs meanwhile."""
    one = station(gic)
    with guests.running(one, "conform4"):
        for number in range(2000):
            said = one.cmd(f"vcpu move conform4/{number % 4} {(number // 4 + number) % CPUS}")
            assert said == "" or "RESET" in said or "EBUSY" in said, said
            if number % 20 == 19 and "SUMMARY" in one.cmd("vserial dump conform4/uart0"):
                break
        guests.verdict(one, "conform4")


def test_refusals(station):
    """What can not be is said to be so, and why."""
    one = station()
    with guests.running(one, "canary"):
        assert "not there: CPU 4-5; there are 0-3" in one.cmd("vcpu affinity canary/0 1,4-5")
        for wrong in ("", "x", "1-", "3-2", "1,,2", "0x1", "-1"):
            if wrong:
                assert "0,2-3" in one.cmd(f"vcpu affinity canary/0 {wrong}")
        assert "not there: CPU 7" in one.cmd("vcpu move canary/0 7")
        assert "one CPU" in one.cmd("vcpu move canary/0 1-2")
        assert one.cmd("vcpu affinity canary/0 1-2") == ""
        assert cpu_of(one, "canary/0") in (1, 2)
        assert "its affinity is 1-2" in one.cmd("vcpu move canary/0 3")
        assert "CPUs 1-2;" in one.cmd("vcpu affinity canary/0")
        assert one.cmd("vcpu affinity canary/0 0-3") == ""


def test_busy_guests_are_spread(station):
    """Eight busy VCPUs on one CPU are two on each a second after they may; then nothing moves."""
    one = station()
    names = [f"spin{number}" for number in range(SPINNERS)]
    with guests.running(one, *names):
        for name in names:
            assert one.cmd(f"vcpu affinity {name}/0 0") == ""
        assert placement(one, names) == [SPINNERS, 0, 0, 0]
        for name in names:
            assert one.cmd(f"vcpu affinity {name}/0 0-3") == ""
        end = time.monotonic() + 10
        while placement(one, names) != [SPINNERS // CPUS] * CPUS:
            assert time.monotonic() < end, one.cmd("vcpu list")
            time.sleep(0.2)
        before = one.cmd("vcpu list")
        time.sleep(1)
        assert placement(one, names) == [SPINNERS // CPUS] * CPUS, before
        shown = top(one, names)
        assert sorted(cpu for cpu, _ in shown) == sorted(list(range(CPUS)) * 2), shown
        assert all(40 < share < 60 for _, share in shown), shown


def test_isolated_cpu(station):
    """Nobody comes to an isolated CPU but who names it."""
    one = station(key="-isolated", texts={"vmm.dts": VMM})
    names = [f"spin{number}" for number in range(SPINNERS)]
    with guests.running(one, *names):
        time.sleep(1)
        counts = placement(one, names)
        assert counts[3] == 0 and min(counts[:3]) >= 2, counts
        assert one.cmd("vcpu affinity spin7/0 3") == ""
        time.sleep(1)
        assert placement(one, names)[3] == 1
        assert cpu_of(one, "spin7/0") == 3


def test_linux_on_the_move(stations, linux_files):
    """Linux works on, whichever CPUs its VCPUs are on."""
    one = stations.get("linux", linux_files, {"linux0.dts": guests.linux("linux0")}, smp=CPUS)
    with guests.running(one, "linux0"):
        assert guests.login(one, "linux0") == 2
        with guests.attached(one, "linux0"):
            one.sendline("(for n in 1 2; do (i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; "
                         "usleep 100000) & done; wait; echo work of $n done) &")
            one.expect(guests.SHELL)
        for number in range(200):
            assert one.cmd(f"vcpu move linux0/{number % 2} {number // 2 % CPUS}") == ""
            if number % 20 == 19 and "work of 2 done" in one.cmd("vserial dump linux0/uart0"):
                break
        guests.console(one, "linux0", r"work of 2 done", 120)
        with guests.attached(one, "linux0"):
            one.sendline("dmesg | grep -ciE 'rcu.*stall|lockup|bug:'; echo over")
            one.expect(r"\n0[\r\n]+over\r")


@pytest.mark.parametrize("gic", [2, 3])
def test_storm(station, gic):
    """100,000 transitions of eight VCPUs, asked for by all CPUs at once."""
    one = station(gic, key="-storm", extra=ONE_THREAD)
    before = guests.census(one)
    text = one.cmd("selftest run vcpu-storm", timeout=60)
    assert re.search(r"^1\d{5} transitions, .* 0 faults", text, re.M), text
    assert "selftest vcpu-storm: passed" in text
    guests.settled(one, before)


def test_parallel_storm(station):
    """The same with CPUs that truly run at once."""
    text = station().cmd("selftest run vcpu-storm 20000", timeout=120)
    assert "selftest vcpu-storm: passed" in text, text
