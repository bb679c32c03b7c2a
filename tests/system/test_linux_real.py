# SPDX-License-Identifier: Apache-2.0
"""Debian's generic, cloud and RT kernels at real work: stress-ng, cyclictest, the kernel's selftests, CPU hotplug."""
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

KINDS = ("generic", "cloud", "rt")
MIB = 384
# What a kernel says when its machine does not behave.
COMPLAINTS = (r"WARNING:|BUG|Oops|[Cc]all trace|lockup|rcu.*(stall|detected)|hung_task|[Uu]nexpected|"
              r"[Ss]purious|unstable|clocksource.*skew|nobody cared|[Ss]Error|Internal error|[Bb]ad mode")
# stress-ng's stressors and the operations of each: CPU, memory, timers, switches, faults, signals.
STRESSORS = {"cpu": 6, "vm": 20, "timer": 200, "timerfd": 200, "switch": 600, "fault": 100, "sigsegv": 600,
             "sigfpe": 100, "futex": 600, "membarrier": 10, "clock": 20, "nanosleep": 6, "brk": 400, "mmap": 4,
             "fork": 20, "pipe": 600, "icache": 10, "atomic": 10}
# Of a stressor, two if it is not here. vm says "out of system resources" when its time is over before it has begun.
SECONDS = {"vm": 60}
# Few and slow timers: thousands, at a million a second each, leave an emulated CPU no time for anything else.
STRESS = ("stress-ng --quiet --temp-path /tmp --timer-freq 1000 --timerfd-freq 100 --timerfd-fds 8 "
          "--vm-bytes 32m --mmap-bytes 16m")
SHORT = ("cpu", "timer", "switch", "fault", "sigsegv", "futex")
# What arm64 does not have.
MAY_SKIP = {"vdso_test_getcpu"}
# The selftests that a busy host makes too slow.
TIMED = ("futex_requeue", "futex_wait", "futex_waitv")
# In virtual time, an instruction a nanosecond; on the bare machine cyclictest sees 33 us at most, 38 us when busy.
LATENCY_US = 60
SELFTEST = r"SELFTEST (\S+): (passed|skipped|failed[^\r\n]*)\r"
LONG = pytest.mark.long


@pytest.fixture
def station(stations, linux_tests):  # noqa: F811
    """station(KIND, gic): a machine whose guests two0 and two1 have two VCPUs, four has four."""
    def get(kind, gic=3):
        texts = {f"{name}.dts": guests.linux(name, vcpus=vcpus, mib=MIB, bootargs="quiet")
                 for name, vcpus in (("two0", 2), ("two1", 2), ("four", 4))}
        key = f"{kind}-gic{gic}"
        if key not in stations.machines:
            stations.drop()
        return stations.get(key, linux_tests(kind), texts, gic=gic, smp=2, mem="2G")
    return get


class Shell:
    """The shell of a Linux guest, attached."""

    def __init__(self, machine, name):
        self.machine = machine
        self.name = name
        self.count = 0

    def run(self, command, timeout=60):
        """Run a command to its end; return what it has printed. It fails the test when it fails."""
        self.count += 1
        with guests.attached(self.machine, self.name):
            # Attaching shows again what was printed last, so each command's end has a number of its own.
            self.machine.sendline(f"echo 'ready' {self.count}")
            self.machine.expect(rf"\nready {self.count}\r", timeout)
            self.machine.expect(guests.SHELL, timeout)
            self.machine.sendline(f"{command}; echo 'ended' {self.count} with $?")
            found = self.machine.expect(rf"\nended {self.count} with (\d+)\r", timeout)
            text = self.machine.child.before
            self.machine.expect(guests.SHELL)
        assert found.group(1) == "0", f"{command}: status {found.group(1)}\n{text[-3000:]}"
        return text

    def healthy(self):
        """The kernel has not complained, and its clock is the architected timer."""
        assert not re.findall(rf"^.*(?:{COMPLAINTS}).*$", self.run("dmesg | cat"), re.M)
        clock = self.run("cat /sys/devices/system/clocksource/clocksource0/current_clocksource")
        assert "arch_sys_counter" in clock

    def stress(self, stressors, workers, timeout=240):
        """Run each stressor of stress-ng for its number of operations, or some seconds."""
        for name in stressors:
            self.run(f"{STRESS} --{name} {workers} --{name}-ops {STRESSORS[name]} -t {SECONDS.get(name, 2)}",
                     timeout)

    def latency(self, loops=500):
        """Return the greatest latency in microseconds that cyclictest sees on any CPU."""
        self.run("mkdir -p /dev/shm")
        text = self.run(f"cyclictest -q -a -t -m -p 80 -i 2000 -l {loops}", 120)
        found = re.findall(r"C: *(\d+) .*Max: *(\d+)", text)
        # The first thread that has done its loops ends them all.
        assert max((int(count) for count, _ in found), default=0) == loops, text
        return max(int(value) for _, value in found)

    def selftests(self, timeout=900):
        """Run all selftests of the kernel; none of them fails."""
        text = self.run("selftests", timeout)
        results = dict(re.findall(SELFTEST, text))
        failed = {name: verdict for name, verdict in results.items() if verdict.startswith("failed")}
        assert len(results) > 25 and not failed, f"{failed}\n{text[-6000:]}"
        return results

    def hotplug(self, vcpus, rounds):
        """Take each CPU but the first away and give it back."""
        cpus = " ".join(str(cpu) for cpu in range(1, vcpus))
        self.run(f"(for n in $(seq {rounds}); do for c in {cpus}; do for v in 0 1; do "
                 "echo $v >/sys/devices/system/cpu/cpu$c/online || exit 1; done; done; done)", 180)
        assert f"\n{vcpus}\r" in self.run("nproc")


def shell_of(machine, name, vcpus):
    """Return the shell of a guest that has just been started."""
    assert guests.login(machine, name, 240) == vcpus
    return Shell(machine, name)


def test_short(station):
    """The RT kernel under a little of everything."""
    one = station("rt")
    with guests.running(one, "two0"):
        shell = shell_of(one, "two0", 2)
        shell.stress(SHORT, 2)
        print(f"latency: {shell.latency(100)} us")
        shell.hotplug(2, 2)
        shell.healthy()


def test_in_virtual_time(stations, linux_tests):  # noqa: F811
    """The RT kernel alone on a CPU meets its deadlines as the bare machine does, whatever the host is busy with."""
    one = stations.get("icount", linux_tests("rt"), {"one.dts": guests.linux("one", 1, MIB, bootargs="quiet")},
                       icount=True, mem="1G")
    with guests.running(one, "one"):
        shell = shell_of(one, "one", 1)
        text = shell.run(f"selftests {' '.join(TIMED)}")
        assert dict(re.findall(SELFTEST, text)) == dict.fromkeys(TIMED, "passed"), text
        idle = shell.latency()
        shell.run(f"({STRESS} --switch 1 --fault 1 --timer 1 -t 1 >/dev/null 2>&1 &); sleep 0.5")
        busy = shell.latency(200)
        print(f"latency: {idle} us, busy {busy} us")
        assert idle < LATENCY_US and busy < LATENCY_US
        shell.healthy()


@LONG
@pytest.mark.parametrize("gic", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_stress(station, kind, gic):
    """stress-ng, cyclictest and CPU hotplug on four VCPUs, more than there are CPUs."""
    one = station(kind, gic)
    with guests.running(one, "four"):
        shell = shell_of(one, "four", 4)
        shell.stress(STRESSORS, 4)
        print(f"{kind} gic{gic}: latency {shell.latency(100)} us")
        shell.hotplug(4, 4)
        shell.healthy()


@LONG
@pytest.mark.parametrize("kind", KINDS)
def test_selftests(station, kind):
    """The kernel's selftests pass."""
    one = station(kind)
    with guests.running(one, "two0"):
        shell = shell_of(one, "two0", 2)
        skipped = {name for name, verdict in shell.selftests().items() if verdict == "skipped"}
        assert skipped <= MAY_SKIP
        shell.healthy()


@LONG
@pytest.mark.parametrize("kind", KINDS)
def test_two_at_a_time(station, kind):
    """Two guests under load at once; one reboots while the other works, and both stay well."""
    one = station(kind)
    with guests.running(one, "two0", "two1"):
        first, second = shell_of(one, "two0", 2), shell_of(one, "two1", 2)
        second.run(f"(while true; do {STRESS} --switch 2 --switch-ops 600 --timer 1 --timer-ops 100; done) "
                   ">/dev/null 2>&1 & true")
        first.stress(SHORT, 2)
        first.healthy()
        with guests.attached(one, "two0"):
            one.sendline("reboot -f")
            # What was printed before the guest was attached is shown again: only what follows this is new.
            one.expect("reboot: Restarting system", 60)
            assert one.expect(guests.LOGIN.format("two0"), 240).group(1) == "2"
            one.expect(guests.SHELL, 60)
        first.stress(SHORT, 2)
        first.healthy()
        second.run("kill %1")
        second.healthy()
