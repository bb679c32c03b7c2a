# SPDX-License-Identifier: Apache-2.0
"""Timers of guests from outside: periods counted, one time for ever, interrupts held, sleepers destroyed, storms."""
import itertools
import re
import time

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

PERIODS = 10000
LATE_MAX_NS = 65536
SHORT_ROUNDS = 16
LONG_ROUNDS = 250
CANARIES = ("canary0", "canary1")
STORM_GUESTS = 8
STORM_VCPUS = 8
STORM_SECONDS = 2
STORM_PERIODS = 100
HIGH_PRIORITY = 4


def tick(name, case, vcpus=4, extra=""):
    """Return the DTS of a guest that runs cases of tests/guests/tick."""
    return guests.payload(name, "tick", vcpus=vcpus, bootargs=f"case=tick.{case} {extra}".strip())


def canary(name, cpu, priority=3):
    """Return the DTS of a canary on one CPU."""
    return guests.dts(name, 'bulkhead,kernel = "canary.bin"; bulkhead,format = "raw";',
                      f"vcpus {{ bulkhead,count = <1>; bulkhead,affinity = <{cpu}>; "
                      f"bulkhead,priority = <{priority}>; }};", bootargs="host=bulkhead")


def above(name):
    """Return the DTS of a guest that counts a few periods, above the storms."""
    return guests.dts(name, 'bulkhead,kernel = "tick.bin"; bulkhead,format = "raw";',
                      "vcpus { bulkhead,count = <2>; "
                      f"bulkhead,priority = <{HIGH_PRIORITY}>; }};",
                      bootargs=f"host=bulkhead case=tick.periodic n={STORM_PERIODS}")


def texts():
    """DTS files of all guests."""
    trees = [tick("periods", "periodic", extra=f"n={PERIODS}"),
             tick("periods-physical", "periodic", extra=f"n={PERIODS} physical"),
             tick("periods-busy", "periodic", extra=f"n={PERIODS // 20} busy"),
             tick("hold", "hold", vcpus=2), tick("sleep", "sleep"), tick("clock", "clock", vcpus=2),
             guests.payload("on-host-counter", "conform", 4, "case=timer host-counter",
                            props='bulkhead,counter = "host";'),
             canary("canary-high", 0, HIGH_PRIORITY), above("above")]
    trees += [canary(name, cpu) for cpu, name in enumerate(CANARIES)]
    trees += [tick(f"storm{number}", "storm", STORM_VCPUS,
                   f"seed={number} {'physical' if number % 2 else ''}")
              for number in range(STORM_GUESTS)]
    return {f"guest{number}.dts": text for number, text in enumerate(trees)}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """station(gic, smp): a machine with all payloads; one at a time."""
    def get(gic=3, smp=2, icount=False):
        key = f"gic{gic}-smp{smp}{'-icount' * icount}"
        if key not in stations.machines:
            stations.drop()
        return stations.get(key, guests.payload_files(output, "tick", "canary", "conform"), texts(), gic=gic,
                            smp=smp, icount=icount)
    return get


def check_periods(one, name, bound):
    """All periods were counted, none early; with a bound, none late beyond it. The histogram is in the log."""
    with guests.running(one, name):
        text = guests.verdict(one, name, 300)
    counted = re.findall(r"^PERIODS cpu (\d+) count (\d+) early (\d+) late-max-ns (\d+)$", text,
                         re.M)
    assert [int(cpu) for cpu, *_ in counted] == [0, 1, 2, 3], text
    assert len(re.findall(r"^LATE cpu \d( \d+){16}$", text, re.M)) == 4, text
    for _, count, early, late in counted:
        assert early == "0" and int(count) == (PERIODS // 20 if "busy" in name else PERIODS), text
        assert bound is None or int(late) < bound, text


@pytest.mark.parametrize("gic,smp", [(2, 4), (3, 1)])
def test_ten_thousand_periods(station, gic, smp):
    """Four VCPUs at 1 kHz for ten seconds of virtual time, on four CPUs and on one: none missing, none early."""
    check_periods(station(gic, smp, True), "periods", LATE_MAX_NS)


@pytest.mark.long
@pytest.mark.parametrize("name", ["periods", "periods-physical", "periods-busy"])
@pytest.mark.parametrize("gic,smp", [(3, 4), (2, 1), (2, 4), (3, 1)])
def test_ten_thousand_periods_matrix(station, gic, smp, name):
    """The same on the other machines, by the emulated timer, and with VCPUs that are busy now and then."""
    check_periods(station(gic, smp, True), name, None if "busy" in name else LATE_MAX_NS)


def clock(one):
    """Return the last time in microseconds that the guest has told; it never went back."""
    found = re.findall(r"^CLOCK us (\d+) backwards (\d+)$", one.cmd("vserial dump clock/uart0"), re.M)
    assert all(backwards == "0" for _, backwards in found), found
    return int(found[-1][0]) if found else 0


def clock_passes(one, us):
    """Wait until the guest tells that time."""
    end = time.monotonic() + 60
    while clock(one) < us:
        assert time.monotonic() < end, "its time does not go on"
        time.sleep(0.1)


def check_start(one, count):
    """The guest's time began with it, each of its lives."""
    found = guests.console(one, "clock", rf"(?s)(CLOCK starts us \d+.*){{{count}}}").group(0)
    starts = re.findall(r"CLOCK starts us (\d+)", found)
    assert len(starts) == count and all(int(start) < 1000000 for start in starts), starts


@pytest.mark.parametrize("gic", [2, 3])
def test_one_time(station, gic):
    """Counters start with the guest, are one on all VCPUs, stand still in a pause, go on when moved."""
    one = station(gic)
    time.sleep(1)  # a counter that began with the host would show
    with guests.running(one, "clock"):
        check_start(one, 1)
        clock_passes(one, 300000)
        for number in range(12):
            assert one.cmd(f"vcpu move clock/{number % 2} {number // 2 % 2}") == ""
        assert one.cmd("guest pause clock") == ""
        before = clock(one)
        time.sleep(2)
        assert clock(one) == before
        assert one.cmd("guest resume clock") == ""
        clock_passes(one, before + 1)
        assert clock(one) < before + 1500000
        assert one.cmd("guest reset clock") == ""
        check_start(one, 2)
        clock_passes(one, 200000)


@pytest.mark.parametrize("gic", [2, 3])
def test_host_counter(station, gic):
    """Without an offset the timers are as right as with one; here compare values may go to the end, too."""
    one = station(gic)
    with guests.running(one, "on-host-counter"):
        text = guests.verdict(one, "on-host-counter")
        assert "PASS timer.virt_cval_end" in text


def canary_seconds(one, names):
    """Return the last second of each canary, after checking its line."""
    seconds = []
    for name in names:
        lines = re.findall(r"second (\d+) ticks (\d+) .* unexpected (\d+) memory-errors (\d+)",
                           one.cmd(f"vserial dump {name}/uart0"))
        assert lines, f"{name} says nothing"
        second, ticks, unexpected, errors = map(int, lines[-1])
        assert 0 <= ticks - second * 1000 < 1000 and unexpected == errors == 0, lines[-1]
        seconds.append(second)
    return seconds


def held(one):
    """The guest holds and ends interrupts, on both of its VCPUs; it has seen nothing wrong."""
    for vcpu in range(2):
        found = guests.console(one, "hold", rf"HELD cpu {vcpu} round \d+", 60)
        assert "FAIL" not in found.string, found.string


def check_canaries(one):
    """
    New guests, one on each CPU, have their timers. Not before: with a second guest, what was left active on a CPU would be
    ended sooner or later by their taking turns.
    """
    with guests.running(one, *CANARIES):
        for name in CANARIES:
            guests.console(one, name, "canary: second 1 ", 10)
        canary_seconds(one, CANARIES)


@pytest.mark.parametrize("gic", [2, 3])
def test_between_acknowledge_and_end(station, gic):
    """A timer interrupt that is held does not outlive the world it was in: moved, reset, destroyed."""
    one = station(gic)
    before = guests.census(one)
    guests.create(one, "hold")
    held(one)
    for number in range(SHORT_ROUNDS):
        # One that is on its way already, or not yet started again, is not moved.
        said = one.cmd(f"vcpu move hold/{number % 2} {number // 2 % 2}")
        assert said == "" or "EBUSY" in said or "RESET" in said, said
        if number % 4 == 1:
            assert one.cmd("guest reset hold") == ""
            held(one)
        if number % 4 == 3:
            guests.destroy(one, "hold")
            guests.create(one, "hold")
            held(one)
    guests.destroy(one, "hold")
    check_canaries(one)
    guests.settled(one, before)


def burst(one, *commands):
    """Type commands ahead of their answers, which are not looked at."""
    one.drain()
    one.send("".join(f"{command}\r" for command in commands))
    for _ in commands:
        one.prompt()


@pytest.mark.long
@pytest.mark.parametrize("gic", [2, 3])
def test_between_acknowledge_and_end_long(station, gic):
    """The same, one command upon the other, for many rounds."""
    one = station(gic)
    before = guests.census(one)
    guests.create(one, "hold")
    for number in range(LONG_ROUNDS):
        cpu = number % 2
        burst(one, f"vcpu move hold/0 {cpu}", f"vcpu move hold/1 {1 - cpu}", "guest reset hold")
        burst(one, f"vcpu move hold/0 {1 - cpu}", "guest destroy hold", "guest create hold",
              "guest kick hold")
        if number % 10 == 9:
            held(one)
    guests.destroy(one, "hold")
    check_canaries(one)
    guests.settled(one, before)


def check_sleepers(one, rounds):
    """Create, reset and destroy a guest whose VCPUs sleep on near and far timers of both kinds."""
    before = guests.census(one)
    for number in range(rounds):
        guests.create(one, "sleep")
        if number % 8 == 0:
            guests.console(one, "sleep", r"ASLEEP round 0")
        if number % 2:
            assert one.cmd("guest reset sleep") == ""
        guests.destroy(one, "sleep")
    guests.settled(one, before)


def test_sleepers_are_destroyed(station):
    """No timer outlives the VCPU that slept on it."""
    check_sleepers(station(3), SHORT_ROUNDS)


@pytest.mark.long
@pytest.mark.parametrize("gic", [2, 3])
def test_sleepers_are_destroyed_long(station, gic):
    """The same for many rounds."""
    check_sleepers(station(gic), LONG_ROUNDS)


def uptime(one, name):
    """Return the seconds since a guest began to run."""
    return float(re.search(r"^uptime: +([\d.]+) s$", one.cmd(f"guest info {name}"), re.M).group(1))


def storms():
    """Return the names of the storms."""
    return [f"storm{number}" for number in range(STORM_GUESTS)]


def check_storms(one):
    """They all go on."""
    for name in storms():
        assert guests.state(one, name) == "running"


def test_storm(station):
    """64 VCPUs with timers of 1 to 50 us on two CPUs: a guest above them misses nothing and is not late by 1 %."""
    one = station(3, 2, True)
    with guests.running(one, *storms(), "above"):
        text = guests.verdict(one, "above", 300)
        late = [int(number) for number in re.findall(r"late-max-ns (\d+)$", text, re.M)]
        assert len(late) == 2 and max(late) < STORM_PERIODS * 1000000 * 0.01, text
        check_storms(one)


@pytest.mark.long
@pytest.mark.parametrize("gic", [2, 3])
def test_storm_long(station, gic):
    """The host's time and a canary above the storms keep within 1 %."""
    one = station(gic, 2, True)
    with guests.running(one, "canary-high", *storms()):
        begin = uptime(one, "canary-high")
        one.cmd(f"vcpu top {STORM_SECONDS} | grep vcpu0", timeout=300)
        took = uptime(one, "canary-high") - begin
        assert STORM_SECONDS <= took < STORM_SECONDS * 1.01 + 0.05, took
        assert canary_seconds(one, ["canary-high"])[0] >= int((begin + took) * 0.99)
        check_storms(one)
        # What ends them has to take turns with all of them, and virtual time is slow beside so many.
        for name in storms():
            assert one.cmd(f"guest pause {name}") == ""
