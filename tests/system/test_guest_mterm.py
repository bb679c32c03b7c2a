# SPDX-License-Identifier: Apache-2.0
"""mterm under bad use: every command says what is wrong and how it is used; nothing crashes or hangs it."""
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

# Command and what its answer must contain.
BAD = {
    "nonsense": r"unknown command.*usage", "guest": r"usage:", "guest nonsense x": r"usage:",
    "guest create": r"argument missing\s+usage: guest create", "guest destroy": r"usage: guest destroy",
    "guest destroy nobody": r"nobody", "guest kick nobody": r"nobody", "guest reset nobody": r"nobody",
    "guest pause nobody": r"nobody", "guest resume nobody": r"nobody", "guest halt nobody": r"nobody",
    "guest info nobody": r"nobody", "guest list too many": r"usage: guest list",
    "guest create a b c": r"usage: guest create", "vcpu": r"usage:", "vcpu info": r"usage: vcpu info",
    "vcpu info 4711": r"4711", "vcpu info hello/9": r"hello/9", "vcpu info -1": r"-1",
    "vcpu info 99999999999999999999": r"9999", "vcpu pause": r"usage: vcpu pause",
    "vcpu regs nobody/0": r"nobody/0", "vcpu kick hello/x": r"hello/x", "vserial": r"usage:",
    "vserial attach": r"usage: vserial attach", "vserial attach nobody/uart0": r"vserial list",
    "vserial dump nobody": r"vserial list", "devtree node show /no/such": r"no such node",
    "devtree node dump nonsense": r"nonsense", "log level loud": r"usage: log level",
    "host": r"usage:", "host nonsense": r"usage:", "host cpu 1 2": r"usage: host cpu",
    "thread": r"usage:", "thread list 1": r"usage: thread list", "help nonsense": r"nonsense",
    "version 1": r"usage: version", "'open quote": r"quote", "a\\": r"quote|backslash",
    "watch": r"usage: watch", "watch 0 version": r"usage: watch", "jobs stop 99": r"jobs. lists", "page 2": r"usage: page",
    "sleep soon": r"usage: sleep", "run nothing": r"no file", "log follow loud": r"usage: log follow",
    "vcpu top 0": r"usage: vcpu top", "version | more": r"grep \[-v\]", "version & version": r"end of the line",
    "| grep a": r"before", "version | grep": r"WORD",
    "reset now please": r"usage: reset", "shutdown now": r"usage: shutdown",
    "help " + "x" * 400: r"x{20}", " ".join("abcdefghijklmnopqrstuvwxyz"): r"words|unknown",
}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine with the guest hello, created but not started."""
    one = stations.get("mterm", guests.payload_files(output, "hello"),
                       {"hello.dts": guests.payload("hello")}, smp=2)
    if "hello" not in one.cmd("guest list"):
        guests.create(one, "hello", kick=False)
    return one


@pytest.mark.parametrize("line", BAD, ids=lambda line: line[:30])
def test_bad_use(station, line):
    text = station.cmd(line)
    assert re.search(BAD[line], text, re.S), text


def test_threads_are_left_alone(station):
    """No operator stops the hypervisor's own threads."""
    orphans = re.findall(r"^ *(\d+) .*\borphan\b", station.cmd("vcpu list"), re.M)
    assert orphans
    for number in orphans:
        for verb in ("pause", "halt", "reset", "kick", "resume"):
            assert "orphan" in station.cmd(f"vcpu {verb} {number}")
        station.cmd(f"vcpu regs {number}")
        station.cmd(f"vcpu info {number}")


def test_life_in_wrong_order(station):
    """Operations that do not fit the state are refused, and harm nothing."""
    for verb in ("resume", "pause", "halt", "reset", "reset", "kick", "kick", "resume", "pause", "pause",
                 "kick", "resume", "halt", "halt", "resume", "pause", "kick", "reset"):
        station.cmd(f"guest {verb} hello")
    if guests.state(station, "hello") != "running":
        station.cmd("guest kick hello")
    assert guests.state(station, "hello") == "running"
    guests.console(station, "hello", "count 2")
    guests.destroy(station, "hello")


def test_help_tells_all(station):
    """Each command that help names has its usage."""
    text = station.cmd("help")
    for name in ("guest", "vcpu", "vserial", "thread", "host", "devtree", "log", "reset", "shutdown"):
        assert re.search(rf"^\s+{name} ?", text, re.M), text
        assert name in station.cmd(f"help {name}")


def test_editing(station):
    """Keys edit the line; history and completion work."""
    station.drain()
    station.send("vversion\x7f\x7f")
    station.send("\x01\x04\x05on\r")
    station.expect("compiler")
    station.prompt()
    station.send("\x1b[A\r")
    station.expect("compiler")
    station.prompt()
    station.send("garbage\x15vers\t\r")
    station.expect("compiler")
    station.prompt()
    station.send("guest list oops\x17\x7f\r")
    station.expect("NAME +ID STATE")
    station.prompt()
    station.send("half a line\x03")
    station.prompt()
    assert "unknown command" in station.cmd("nonsense")


def test_hostile_keys(station):
    """Control bytes, broken escape sequences, long lines: the prompt comes back."""
    station.drain()
    for text in ("\x7f" * 200, "\x1b[" + "9" * 300, "\x1b[999999999999A\x1bOZ\x1b[\x1b[", "x" * 2000,
                 "\x00\x80\xff\x9b", "\t" * 20, "'" * 300, "\x04" * 10):
        station.send(text)
        station.send("\x03")
        station.drain(0.2)
    assert "compiler" in station.cmd("version")


def test_big_paste(station):
    """Ten KiB of commands pasted at once: each is run, none is lost."""
    station.drain()
    lines = [f"nonsense-{number:04} {'y' * 60}" for number in range(140)]
    with guests.pasting(station, "".join(line + "\r" for line in lines)):
        for number in range(len(lines)):
            station.expect(rf'unknown command "nonsense-{number:04}"', 30)
        station.prompt()
