# SPDX-License-Identifier: Apache-2.0
"""The time of day: from the host's RTC, set by mterm, kept by the RTC, followed by guests."""
import itertools
import re
import time

import guests
from guests import module_stations, stations  # noqa: F401 (fixtures)


def unix(one):
    """Return the Unix time that mterm says."""
    return int(re.search(r"^Unix: +(\d+)$", one.cmd("date"), re.M).group(1))


def test_read_from_the_rtc(machine):
    """At the start it is the RTC's time."""
    one = machine(extra=["-rtc", "base=2031-02-03T04:05:06"])
    text = one.cmd("date")
    assert re.search(r"^UTC: +Mon 2031-02-03 04:0[5-9]:", text, re.M)
    assert re.search(r"^source: pl031@9010000$", text, re.M)
    assert "wall clock: 2031-02-03T04:" in one.cmd("log show")


def test_zone_of_the_device_tree(machine, bundle):
    """/vmm bulkhead,time-zone, and what it is when that is nonsense."""
    zones = {"-05:30": "-05:30", "+5:00": "+00:00"}
    for text, expected in zones.items():
        dts = '/dts-v1/;\n/ { vmm { bulkhead,time-zone = "%s"; }; };\n' % text
        one = machine(bundle=bundle(texts={"vmm.dts": dts}))
        assert one.cmd("date zone").strip() == expected
        assert ("bulkhead,time-zone" in one.cmd("log show")) == (text != expected)
        one.stop()


def test_linux_follows(stations, linux_files):  # noqa: F811
    """A Linux guest starts with mterm's time, and its clock follows when that is set."""
    one = stations.get("date", linux_files, {"linux0.dts": guests.linux("linux0", vcpus=1)})
    assert one.cmd("date set 2033-04-05T06:07:08Z") == ""
    assert unix(one) - 1996294028 < 10
    with guests.running(one, "linux0"):
        guests.login(one, "linux0")
        assert abs(ask(one, "date -u +%s") - unix(one)) <= 2
        assert one.cmd("date set 2029-01-01T00:00:00Z") == ""
        seconds = ask(one, "hwclock -s -u; date -u +%s")
        assert abs(seconds - unix(one)) <= 2
        # What the guest sets is its own.
        ask(one, "date -u -s @981173106 >/dev/null; hwclock -w -u; date -u +%s")
        time.sleep(1.5)
        assert 981173107 <= ask(one, "hwclock -s -u; date -u +%s") < 981173206
        assert 0 <= unix(one) - seconds < 100


def ask(one, command, number=itertools.count()):
    """Run a command in the Linux guest that prints a number; return that.

    Answers are told apart by a number: an attached console shows old ones again.
    """
    mark = f"answer{next(number)}"
    with guests.attached(one, "linux0"):
        one.sendline()
        one.expect(guests.SHELL)
        return int(guests.shell(one, f"echo {mark} $({command})", rf"\n{mark} (\d+)\r").group(1))
