# SPDX-License-Identifier: Apache-2.0
"""Debian's unmodified kernel as a guest: prompt, commands, reboot, power-off, two at once, pause, census."""
import re
import time

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)


@pytest.fixture
def station(stations, linux_files):  # noqa: F811
    """station(gic, smp): a machine with Linux guests linux0 (two VCPUs), linux1 (two), linux4 (four)."""
    def get(gic=3, smp=2):
        texts = {"linux0.dts": guests.linux("linux0"),
                 "linux1.dts": guests.linux("linux1", bootargs="quiet"),
                 "linux4.dts": guests.linux("linux4", vcpus=4, bootargs="quiet")}
        return stations.get(f"gic{gic}-smp{smp}", linux_files, texts, gic=gic, smp=smp)
    return get


@pytest.mark.parametrize("gic", [2, 3])
def test_prompt_and_commands(station, gic):
    """At its shell with all its VCPUs, it answers what is typed."""
    one = station(gic)
    with guests.running(one, "linux0"):
        assert guests.login(one, "linux0") == 2
        with guests.attached(one, "linux0"):
            one.sendline()
            one.expect(guests.SHELL)
            guests.shell(one, "nproc", r"\r\n2\r")
            guests.shell(one, "echo answer $((6 * 7))", r"\nanswer 42\r")
            guests.shell(one, "uname -m", r"\naarch64\r")
            guests.shell(one, "dmesg | grep -ciE 'call trace|rcu.*stall|lockup|BUG:'", r"\n0\r")
        assert "linux0" in one.cmd("guest list")


@pytest.mark.parametrize("gic,count", [(3, 5), (2, 2)])
def test_reboot(station, gic, count):
    """Reboot inside the guest brings it back each time, with the same resources."""
    one = station(gic)
    with guests.running(one, "linux1"):
        guests.login(one, "linux1")
        before = guests.census(one)
        with guests.attached(one, "linux1"):
            one.sendline()
            one.expect(guests.SHELL)
            for _ in range(count):
                one.sendline("reboot -f")
                assert one.expect(guests.LOGIN.format("linux1"), 90).group(1) == "2"
                one.expect(guests.SHELL, 30)
        assert re.search(rf"^resets: +{count}$", one.cmd("guest info linux1"), re.M)
        guests.settled(one, before)


def test_poweroff(station):
    """Power-off inside the guest halts it; reset and kick start it again."""
    one = station()
    with guests.running(one, "linux0"):
        guests.login(one, "linux0")
        with guests.attached(one, "linux0"):
            one.sendline()
            one.expect(guests.SHELL)
            one.sendline("poweroff")
            one.expect("[Pp]ower down", 30)
        one.cmd_until("guest info linux0", r"^state: +halted$", 20)
        assert one.cmd("guest reset linux0") == ""
        if guests.state(one, "linux0") != "running":
            assert one.cmd("guest kick linux0") == ""
        with guests.attached(one, "linux0"):
            one.expect(guests.LOGIN.format("linux0"), 90)
            one.expect(guests.SHELL, 30)


@pytest.mark.parametrize("gic", [2, 3])
def test_two_on_one_cpu(station, gic):
    """Two guests with two VCPUs each share one CPU; both answer."""
    one = station(gic, 1)
    with guests.running(one, "linux0", "linux1"):
        for name in ("linux0", "linux1"):
            assert guests.login(one, name, 180) == 2
            with guests.attached(one, name):
                one.sendline()
                one.expect(guests.SHELL)
                guests.shell(one, "hostname", rf"\n{name}\r")
                guests.shell(one, "nproc", r"\n2\r")


def test_four_vcpus(station):
    """Four VCPUs on two CPUs, all at work."""
    one = station()
    with guests.running(one, "linux4"):
        assert guests.login(one, "linux4", 180) == 4
        with guests.attached(one, "linux4"):
            one.sendline()
            one.expect(guests.SHELL)
            work = "for n in 1 2 3 4; do (i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done) & done; wait"
            guests.shell(one, work + "; echo all done", r"\nall done\r", 120)


def test_pause_while_it_counts(station):
    """A pause stops the guest and its clock; it goes on counting without a complaint."""
    one = station()
    with guests.running(one, "linux0"):
        guests.login(one, "linux0")
        with guests.attached(one, "linux0"):
            one.sendline()
            one.expect(guests.SHELL)
            one.sendline("n=0; while true; do n=$((n+1)); echo count $n; usleep 100000; done &")
            one.expect("count 5\r")
        before_pause = uptime(one)
        assert one.cmd("guest pause linux0") == ""
        last = count(one)
        time.sleep(4)
        assert count(one) == last
        assert one.cmd("guest resume linux0") == ""
        guests.console(one, "linux0", rf"count {last + 3}\b")
        assert uptime(one) - before_pause < 3.5
        with guests.attached(one, "linux0"):
            one.sendline("kill %1; dmesg | grep -ciE 'rcu.*stall|lockup'; echo over")
            one.expect(r"\n0[\r\n]+over\r")


def count(one):
    """Return the last number that the guest has counted."""
    return int(re.findall(r"count (\d+)\r?\n", one.cmd("vserial dump linux0/uart0"))[-1])


def uptime(one):
    """Return the seconds that the guest believes it has been up."""
    with guests.attached(one, "linux0"):
        one.sendline("echo up $(cut -d' ' -f1 /proc/uptime)")
        return float(one.expect(r"\nup ([\d.]+)\r").group(1))


def test_create_and_destroy(station):
    """Twenty lives of a Linux guest, ended at different moments, leave nothing behind."""
    one = station()
    before = guests.census(one)
    for number in range(20):
        guests.create(one, "linux0")
        time.sleep(0.15 * (number % 7))
        guests.destroy(one, "linux0")
    guests.settled(one, before)
    with guests.running(one, "linux0"):
        assert guests.login(one, "linux0") == 2
