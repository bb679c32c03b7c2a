# SPDX-License-Identifier: Apache-2.0
"""Bare-metal guests: hostile behaviour next to a canary, consoles, life cycle."""
import os
import re
import time

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

PROGRAMS = ("conform", "hello", "canary", "unmapped", "evil")


def texts():
    """DTS files of all payload guests; each machine has them all."""
    trees = [guests.payload("conform4", "conform", 4, "case=cpu,gic,smp"), guests.payload("hello"),
             guests.payload("canary"), guests.payload("unmapped"),
             guests.payload("evil-flood", "evil", bootargs="case=I02")]
    trees += [guests.payload("crasher", "evil", bootargs="case=B06.vbar_device")]
    trees += [guests.payload(f"reset-{policy}", "evil", bootargs="case=C19",
                             props=f'bulkhead,on-reboot = "{policy}";')
              for policy in ("halt", "destroy")]
    trees += [guests.dts("elf", 'bulkhead,kernel = "hello.elf"; bulkhead,format = "elf";'),
              guests.dts("placed", 'bulkhead,kernel = "hello.elf"; bulkhead,format = "elf";'
                                   "bulkhead,entry = <0x40080000>;", mib=32),
              guests.payload("loaded", "hello", props="bulkhead,load = <0x40080000>;")]
    return {f"guest{number}.dts": text for number, text in enumerate(trees)}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """station(gic, smp): a machine whose bundle has all payloads."""
    def get(gic=3, smp=1):
        files = [*guests.payload_files(output, *PROGRAMS),
                 os.path.join(output, "guests", "hello.elf")]
        return stations.get(f"gic{gic}-smp{smp}", files, texts(), gic=gic, smp=smp)
    return get


def canary_second(one):
    """Return the last second that the canary has counted, after checking its line."""
    lines = re.findall(r"^canary: second (\d+) ticks (\d+) .* unexpected (\d+) memory-errors (\d+)",
                       one.cmd("vserial dump canary/uart0"), re.M)
    assert lines, "the canary says nothing"
    second, ticks, unexpected, errors = map(int, lines[-1])
    # Late by a moment it catches up; what was lost would be missing for ever.
    assert 0 <= ticks - second * 1000 < 1000 and unexpected == 0 and errors == 0, lines[-1]
    return second


def canary_lives(one):
    """The canary goes on counting, without a lost tick."""
    before = canary_second(one)
    guests.console(one, "canary", rf"canary: second {before + 2} ", 20)
    canary_second(one)


@pytest.mark.parametrize("gic", [2, 3])
def test_unmapped_address(station, gic):
    """A guest that touches nothing gets its abort; its sibling and mterm live on."""
    one = station(gic, 1)
    with guests.running(one, "canary"):
        guests.console(one, "canary", r"second 1 ")
        with guests.running(one, "unmapped"):
            text = guests.verdict(one, "unmapped")
            assert "PASS unmapped.load" in text and "PASS unmapped.store" in text
            canary_lives(one)
            assert guests.state(one, "unmapped") == "halted"
            assert "PANIC" not in one.cmd("guest list")


def test_flood_is_harmless(station):
    """What a guest prints is no command, and is shown without its control bytes."""
    one = station(3, 1)
    with guests.running(one, "evil-flood"):
        time.sleep(0.5)
        text = one.cmd("vserial dump evil-flood/uart0")
        assert "\x1b" not in text and "\x9b" not in text and r"\x1b" in text


def test_crash_in_vectors(station):
    """Vectors on a device page: fault upon fault, and still only that guest's trouble."""
    one = station(3, 1)
    with guests.running(one, "crasher", "hello"):
        guests.console(one, "hello", r"count 3")


@pytest.mark.parametrize("gic", [2, 3])
def test_console_input(station, gic):
    """Lines typed into an attached guest arrive complete."""
    one = station(gic, 1)
    with guests.running(one, "hello"):
        guests.console(one, "hello", r"count 1")
        with guests.attached(one, "hello"):
            one.sendline("good morning")
            one.expect(r"hello: line good morning\r")
            lines = [f"{number:03} " + "abcdefghij" * 9 for number in range(110)]
            with guests.pasting(one, "".join(line + "\r" for line in lines)):
                for line in lines:
                    one.expect(f"hello: line {line}\r", 30)


def count(one):
    """Return hello's last count."""
    return int(re.findall(r"hello: count (\d+)", one.cmd("vserial dump hello/uart0"))[-1])


@pytest.mark.parametrize("smp", [1, 4])
def test_pause_and_resume(station, smp):
    """A paused guest stands still, whatever interrupts it waits for, and goes on afterwards."""
    one = station(3, smp)
    with guests.running(one, "hello"):
        guests.console(one, "hello", r"count 2")
        for _ in range(3):
            assert one.cmd("guest pause hello") == ""
            assert guests.state(one, "hello") == "paused"
            before = count(one)
            time.sleep(1)
            assert count(one) == before
            assert one.cmd("guest resume hello") == ""
            guests.console(one, "hello", rf"count {before + 2}")
        assert one.cmd("vcpu pause hello/0") == ""
        before = count(one)
        time.sleep(0.6)
        assert count(one) == before
        assert one.cmd("vcpu resume hello/0") == ""
        guests.console(one, "hello", rf"count {before + 2}")


def test_halt_reset_kick(station):
    """A halted guest stays halted until it is reset; it then starts from its first line."""
    one = station(3, 4)
    with guests.running(one, "hello"):
        guests.console(one, "hello", r"count 2")
        assert one.cmd("guest halt hello") == ""
        assert guests.state(one, "hello") == "halted"
        assert one.cmd("guest kick hello") != ""
        assert one.cmd("guest reset hello") == ""
        if guests.state(one, "hello") != "running":
            assert one.cmd("guest kick hello") == ""
        guests.console(one, "hello", r"count 1\r?\n(.*\n)*hello: 1 cpu(.*\n)*hello: count 1\r?\n")


@pytest.mark.parametrize("name", ["elf", "placed", "loaded"])
def test_formats(station, name):
    """An ELF program, with its own and a given entry, and a raw one at a given place."""
    one = station()
    with guests.running(one, name):
        guests.console(one, name, r"count 2")


def test_reboot_policies(station):
    """A guest that resets itself is halted or destroyed, as its node wants."""
    one = station()
    with guests.running(one, "reset-halt"):
        one.cmd_until("guest info reset-halt", r"^state: +halted$", 10)
    before = guests.census(one)
    guests.create(one, "reset-destroy", kick=False)
    one.cmd("guest kick reset-destroy")
    one.cmd_until("guest list", r"FAULTS\s*\Z", 10)
    guests.settled(one, before)


def test_autostart(stations, output):  # noqa: F811
    """A guest with bulkhead,autostart runs without being asked for."""
    one = stations.get("autostart", guests.payload_files(output, "hello"),
                       {"hello.dts": guests.payload("hello", props="bulkhead,autostart;")})
    guests.console(one, "hello", r"count 2")


@pytest.mark.parametrize("gic", [2, 3])
def test_create_and_destroy(station, gic):
    """Twenty lives, some of them with several VCPUs at work, leave nothing behind."""
    one = station(gic, 4)
    before = guests.census(one)
    for number in range(20):
        name = ("hello", "conform4")[number % 2]
        guests.create(one, name)
        if number % 4 < 2:
            guests.console(one, name, r"hello|conform", 20)
        guests.destroy(one, name)
    guests.settled(one, before)


def test_more_vcpus_than_cpus(station):
    """Seven VCPUs on one CPU: each guest gets along, and the shell too."""
    one = station(3, 1)
    with guests.running(one, "conform4", "hello", "canary", "unmapped"):
        guests.verdict(one, "conform4", 240)
        guests.verdict(one, "unmapped")
        guests.console(one, "hello", r"count 5")
        guests.console(one, "canary", r"second 2 ")
