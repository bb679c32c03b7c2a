# SPDX-License-Identifier: Apache-2.0
"""Lines of a generator, typed at a running machine: each ends, nothing breaks. SEED=n repeats a run or tries another."""
import os
import random
import re

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

SEED = int(os.environ.get("SEED", "1"))
LINES = 250
# They end the machine, wait for keys, or take minutes, as they should.
LEFT_OUT = ("reset", "shutdown", "page", "selftest run")
# They stay until they are told to end; Ctrl-\ does it for an attached console.
LIVE = ("watch", "sleep", "vcpu top", "log follow", "vserial attach", "jobs wait")
HOSTILE = ["", "0", "1", "-1", "0x", "18446744073709551616", "0xffffffffffffffff", "4294967296", "0.3", "/", "//",
           "/guests", "/guests/hello", "/no/such", "hello", "hello/0", "hello/99", "hello/uart0", "nobody", "on", "off",
           "info", "--", "-v", "a b", "%s%n%p", "x" * 120, "\x7f\x7f", "\xff\u009b", "0-63", "3-1", "'", "\\", "'|'",
           "| grep a", "| grep", "|", "&", "hello/0 hello/0"]


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine on which the guest hello runs."""
    one = stations.get("fuzz", guests.payload_files(output, "hello"), {"hello.dts": guests.payload("hello")}, smp=2)
    if "hello" not in one.cmd("guest list"):
        guests.create(one, "hello")
    return one


def verbs(machine):
    """Return "COMMAND VERB" of all that help lists, and how many arguments each may take."""
    found = {}
    for line in machine.cmd("help").splitlines():
        match = re.match(r"  ([a-z]+(?: [a-z]+(?:\|[a-z]+)*)*)((?: [A-Z\[][^ ]*)*)(?:  | [a-z0-9]|$)", line)
        if match and not line.startswith(" " * 10):
            found[match.group(1)] = len(match.group(2).split())
    return {name: count for name, count in found.items() if not name.startswith(LEFT_OUT)}


def line_of(dice, known):
    """Return one line: mostly a known verb with about as many arguments as it takes."""
    if dice.random() < 0.1:
        return "".join(chr(dice.choice([*range(2, 9), *range(14, 28), *range(32, 127), 0x85, 0x9b, 0xe9]))
                       for _ in range(dice.randrange(300)))
    verb = dice.choice(sorted(known))
    count = max(0, known[verb] + dice.choice([-1, 0, 0, 0, 1]))
    return " ".join([verb.replace("|", " ")] + [dice.choice(HOSTILE) for _ in range(count)])


@pytest.mark.parametrize("round_", range(2))
def test_lines(station, round_):
    print(f"SEED={SEED} round {round_}")
    dice = random.Random(SEED * 1000 + round_)
    known = verbs(station)
    assert len(known) > 30, known
    for number in range(LINES):
        line = line_of(dice, known)
        station.drain(0)
        station.sendline(line)
        if any(name in line for name in LIVE):
            station.send("\x1c\x03")
        # A quoted word, so that the echo of the line is not mistaken for the answer.
        station.send(f"\x03echo 'sy'nc-{number}\r")
        station.expect(rf"\nsync-{number}\r", 20)
        station.prompt()
    for job in re.findall(r"^ *(\d+) running", station.cmd("jobs"), re.M):
        station.cmd(f"jobs stop {job}")
    station.cmd("jobs clear")
    assert "compiler" in station.cmd("version")
    if "hello" in station.cmd("guest list"):
        guests.destroy(station, "hello")


def test_every_verb_without_arguments(station):
    """What is missing is told together with the usage."""
    for verb, count in verbs(station).items():
        if count == 0 or verb.startswith(LIVE) or "|" in verb:
            continue
        text = station.cmd(f"{verb} " + "x " * (count + 1))
        assert re.search(r"usage|words", text) or verb.startswith("echo"), (verb, text)
