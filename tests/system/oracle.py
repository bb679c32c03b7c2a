# SPDX-License-Identifier: Apache-2.0
"""What must hold beside any attack: eight points, looked at before, during and after it (docs/hostile.md)."""
import collections
import contextlib
import re
import time

import guests

CANARY = "canary"
LINES_PER_SECOND = 20
ANSWER_SECONDS = 5  # of a machine whose emulator may be sharing its CPUs
DESTROY_SECONDS = 20
CANARY_LINE = re.compile(r"^canary: second (\d+) ticks (\d+) missing (\d+) late-max-us (\d+) "
                         r"unexpected (\d+) memory-errors (\d+)", re.M)


def canary_dts(smp=1):
    """The sibling: above the attackers, so that its lateness is the hypervisor's doing; on CPU 0 with them."""
    return guests.dts(CANARY, f'bulkhead,kernel = "{CANARY}.bin"; bulkhead,format = "raw";',
                      "vcpus { bulkhead,count = <1>; bulkhead,priority = <4>; "
                      f"bulkhead,affinity = <{' '.join(str(cpu) for cpu in range(smp))}>; }};",
                      bootargs="host=bulkhead")


def isolation(machine):
    """Points 3: hash of code and constants, and no page of a guest where it must not be."""
    text = machine.cmd("selftest run isolation", timeout=60)
    assert "selftest isolation: passed" in text, text
    return re.search(r"^hash: (.*)$", text, re.M).group(1)


def irq_owners(machine):
    """Which physical interrupts are there, whose they are and whether they are enabled."""
    return re.findall(r"^ +\d+ +\d+ .*?(?:enabled|disabled)\b +\S+", machine.cmd("irq list"), re.M)


def log_rate(text):
    """Most lines that any second of a log has."""
    seconds = collections.Counter(re.findall(r"^\[ *(\d+)\.\d+\]", text, re.M))
    return max(seconds.values(), default=0)


class Oracle:
    """Watches one attack; use it by watch()."""

    def __init__(self, machine, case, attackers, late_us):
        self.machine = machine
        self.case = case
        self.attackers = attackers
        self.late_us = late_us
        self.begin = self.canary_lines()[-1][0]
        self.figures = {}

    def canary_lines(self):
        """Point 2, so far: every line of the canary as numbers; a wrong one fails."""
        text = self.machine.cmd(f"vserial dump {CANARY}/uart0")
        lines = [tuple(map(int, words)) for words in CANARY_LINE.findall(text)]
        assert lines and "FAIL" not in text, text[-1000:]
        for second, ticks, _, _, unexpected, errors in lines:
            # Late by a moment it catches up; what was lost would be missing for ever.
            assert ticks >= second * 1000 and unexpected == 0 and errors == 0, lines
        return lines

    def canary_goes_on(self, seconds=1):
        """The canary counts further: all ticks come, at last none is missing for good."""
        # The first second has still seen the oracle's own walk through all memory.
        last = max(self.canary_lines()[-1][0], self.begin + 1)
        guests.console(self.machine, CANARY, rf"canary: second {last + seconds} ", 60)
        lines = [line for line in self.canary_lines() if line[0] > self.begin + 1]
        self.figures["late-max-us"] = max(line[3] for line in lines)
        self.figures["missing"] = lines[-1][2]
        if self.late_us is not None:
            assert self.figures["late-max-us"] <= self.late_us, lines
            assert self.figures["missing"] <= 1, lines

    def answers(self, key):
        """Point 6: the terminal answers; how long that took is a figure."""
        start = time.monotonic()
        text = self.machine.cmd("guest list", timeout=ANSWER_SECONDS)
        self.figures[key] = round(1000 * (time.monotonic() - start))
        assert CANARY in text and "PANIC" not in text, text
        return text

    def look(self):
        """All that can be seen while the attack goes on."""
        text = self.answers("answer-ms")
        assert all(name in text for name in self.attackers), text
        self.canary_goes_on()

    def end_attack(self):
        """Points 3, 5 and 6: the attackers have no page of others, and go at once; the log was quiet."""
        if self.late_us is None:  # virtual time waits for a walk through all memory
            isolation(self.machine)
        start = time.monotonic()
        guests.destroy(self.machine, *self.attackers)
        self.figures["destroy-ms"] = round(1000 * (time.monotonic() - start))
        assert time.monotonic() - start < DESTROY_SECONDS * len(self.attackers)
        self.answers("answer-after-ms")
        self.figures["log-lines-per-second"] = log_rate(self.machine.cmd("log show"))
        assert self.figures["log-lines-per-second"] <= LINES_PER_SECOND * len(self.attackers)

    def report(self):
        """Point 8's line for those who compare runs."""
        print(f"HOSTILE {self.case} "
              + " ".join(f"{name}={value}" for name, value in self.figures.items()))


@contextlib.contextmanager
def watch(machine, case, *attackers, late_us=None, kick=True):
    """The attackers run inside the block, which gets the Oracle; before and after it everything is compared.

    Point 1 is the machine's own affair: every wait fails at a panic. Point 7 is the canary's lateness, bounded by late_us
    where time is virtual.
    """
    census = guests.census(machine)
    guests.create(machine, CANARY)
    guests.console(machine, CANARY, r"canary: second 1 ")
    hashes, owners = isolation(machine), irq_owners(machine)
    oracle = Oracle(machine, case, attackers, late_us)
    guests.create(machine, *attackers, kick=kick)
    yield oracle
    oracle.end_attack()
    oracle.canary_goes_on()
    assert isolation(machine) == hashes
    assert irq_owners(machine) == owners
    guests.destroy(machine, CANARY)
    guests.settled(machine, census)
    oracle.report()
