# SPDX-License-Identifier: Apache-2.0
"""mterm's shell on the machine: scripts, background, pipes, pages, and commands that stay."""
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

SCRIPTS = {
    "good.mterm": "# a script\necho first\n-nonsense\necho second | grep sec\n",
    "bad.mterm": "echo first\nnonsense\necho never\n",
    "loop.mterm": "echo again\nrun loop.mterm\n",
    "slow.mterm": "echo begin\nsleep 600\necho end\n",
    "startup.mterm": "echo at the start\nsleep 0.1 &\njobs wait\n",
}


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine with scripts, and the guest busy, which runs for a moment now and then."""
    texts = {"busy.dts": guests.payload("busy", "hello", vcpus=1), **SCRIPTS}
    return stations.get("shell", guests.payload_files(output, "hello"), texts, smp=2)


def test_scripts(station):
    text = station.cmd("run good.mterm")
    assert re.search(r"^first$.*unknown command.*going on$.*^second$", text, re.S | re.M), text
    text = station.cmd("run bad.mterm")
    assert "line 2 failed" in text and "never" not in text
    text = station.cmd("run loop.mterm")
    assert text.count("again") == 3 and "more than 3 commands or scripts" in text
    assert "boot bundle has no file" in station.cmd("run nothing.mterm")
    assert "at the start" in station.cmd("log show | grep startup")
    assert re.search(r"job 1: done", station.cmd("log show"))


def test_script_in_the_background(station):
    assert "in the background" in station.cmd("run slow.mterm &")
    number = station.cmd_until("jobs", r"^ *(\d+) running .*run slow", 5).group(1)
    assert station.cmd(f"jobs output {number}").strip() == "begin"
    assert re.search(r"slow.mterm$", station.cmd(f"jobs stop {number}"))
    station.cmd("jobs clear")


def test_interrupt(station):
    """Ctrl-C ends a script, not only the command in it."""
    station.drain()
    station.sendline("run slow.mterm")
    station.expect(r"\nbegin")
    station.send("\x03")
    station.expect(r"\^C")
    station.prompt()
    assert "end" not in station.cmd("version")


def test_pages(station):
    station.cmd("page 12")
    station.drain()
    station.sendline("help")
    for key in (" ", "\r", " "):
        station.expect("-- more --")
        station.send(key)
    station.expect("-- more --")
    station.send("q")
    station.prompt()
    station.cmd("page off")
    assert "-- more --" not in station.cmd("help")


def test_top(station):
    """VCPUs are shown with their share, and the load of each host CPU."""
    guests.create(station, "busy")
    station.drain()
    station.sendline("vcpu top 0.5")
    station.expect(r"q leads back")
    station.expect(r"cpu0 +\d+\.\d%")
    station.expect(r"EXITS/S")
    station.expect(r"q leads back")
    station.send("q")
    station.prompt()
    assert re.search(r"busy/vcpu0 +\d+\.\d (running|paused|ready)", station.cmd("vcpu top 1 | grep busy"))
    guests.destroy(station, "busy")


def test_watch(station):
    station.drain()
    station.sendline("watch 0.2 'guest list | grep -c NAME'")
    for _ in range(3):
        station.expect(r"\n1\r")
    station.send("q")
    station.prompt()


def test_log_follow(station):
    station.drain()
    station.sendline("log follow info")
    station.expect("job 1: done")
    station.send("q")
    station.prompt()
    assert "online" in station.cmd("log show info")
