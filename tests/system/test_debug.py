# SPDX-License-Identifier: Apache-2.0
"""Looking inside: the profiler, back-traces of threads and of guests."""
import re

import guests


def rows(text):
    """Return {where: samples} of a profile report."""
    return {where: int(samples) for samples, where in
            re.findall(r"^ +[\d.]+ +[\d.]+ +(\d+)  (.*?) *$", text, re.M)}


def test_profile(machine, output, bundle):
    """A busy guest and idle CPUs have the samples; nothing is sampled after the stop."""
    # Alone, the program waits for its partner for ever.
    page = guests.MEMORY.replace("40000000", "50000000").format(size=4096)
    tree = guests.dts("busy", 'bulkhead,kernel = "switch.bin"; bulkhead,format = "raw"; '
                      'bulkhead,autostart;', bootargs="slot=0",
                      aspace=guests.MEMORY.format(size=16 << 20) + guests.UART + page)
    one = machine(smp=2, bundle=bundle(*guests.payload_files(output, "switch"), texts={"g.dts": tree}))
    one.cmd_until("guest info busy", r"^state: +running")
    assert "nothing was profiled yet" in one.cmd("profile report")
    assert "1 to 10000" in one.cmd("profile start 10001")
    assert one.cmd("profile start") == ""
    assert "EBUSY" in one.cmd("profile start")
    one.cmd_until("profile report", r"^running: [1-9]\d{3,} samples")
    assert one.cmd("profile stop") == ""
    report = one.cmd("profile report")
    assert rows(report)["sched_idle"] > 100 and rows(report)["guest busy/vcpu0"] > 100
    assert one.cmd("profile report") == report
    assert len(rows(one.cmd("profile report 3"))) == 3


def test_threads(machine):
    """Of the thread that asks, of one that sleeps, and of what is not there."""
    one = machine(smp=2)
    names = re.findall(r"^ *\d+ (\S+)", one.cmd("thread list"), re.M)
    assert "mterm" in names
    own = one.cmd("backtrace thread mterm")
    assert re.search(r"^  0  0x[0-9a-f]{16}  \w+\+0x", own, re.M) and "command_run" in own
    sleeper = next(name for name in names if name != "mterm")
    assert re.search(r"sched_block|sched_schedule", one.cmd(f"backtrace thread {sleeper}"))
    assert "ENOENT" in one.cmd("backtrace thread nobody")


def test_guest(machine, linux_files, bundle):
    """Linux' own functions, in its own upper half; it goes on afterwards."""
    packed = bundle(*linux_files, texts={"g.dts": guests.linux("linux0")})
    one = machine(smp=2, bundle=packed)
    guests.create(one, "linux0", kick=False)
    assert "EINVAL" in one.cmd("backtrace guest linux0/0")
    assert one.cmd("guest kick linux0") == ""
    guests.login(one, "linux0")
    for vcpu in range(2):
        frames = re.findall(r"^ +\d+  0x(\w{16})$", one.cmd(f"backtrace guest linux0/{vcpu}"), re.M)
        assert len(frames) >= 4 and all(frame.startswith("ffff") for frame in frames), frames
    with guests.attached(one, "linux0"):
        guests.shell(one, "echo still $((40+2))", "still 42")
