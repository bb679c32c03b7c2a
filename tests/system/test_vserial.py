# SPDX-License-Identifier: Apache-2.0
"""Serial ports of guests: who reads and who writes, floods, the log of the start, ports that go away."""
import re
import time

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

LOGGED = guests.UART.replace("interrupts", "bulkhead,log-size = <4096>;\n\tinterrupts")


def dts(name, program, args="", uart=guests.UART):
    """A payload whose UART may have a log."""
    return guests.dts(name, f'bulkhead,kernel = "{program}.bin"; bulkhead,format = "raw";',
                      aspace=guests.MEMORY.format(size=16 * guests.MIB) + uart,
                      bootargs=f"host=bulkhead {args}".strip())


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine with quiet and loud guests, none of them created."""
    return stations.get(
        "vserial", guests.payload_files(output, "hello", "evil"),
        {"hello.dts": dts("hello", "hello", uart=LOGGED),
         "flood0.dts": dts("flood0", "evil", "case=I02", LOGGED),
         "flood1.dts": dts("flood1", "evil", "case=I02"),
         "badlog.dts": dts("badlog", "hello", uart=LOGGED.replace("4096", "7")),
         "look.mterm": "sleep 2\n-vserial list\n-vserial send hello/uart0 'from behind'\n",
         "end.mterm": "sleep 2\nguest destroy hello\n"}, smp=2)


def row(machine, port):
    """What `vserial list` says of a port: bytes out, bytes in, lost, readers, log, writer."""
    found = re.search(rf"^{port} +(\d+) +(\d+) +(\d+) +(\d+) +(\S+) (\S+)", machine.cmd("vserial list"), re.M)
    return [int(word) if word.isdigit() else word for word in found.groups()]


def test_send(station):
    """Lines typed by a command reach the guest byte by byte."""
    with guests.running(station, "hello"):
        guests.console(station, "hello", "count 1")
        assert station.cmd("vserial send hello/uart0 'from the operator'") == ""
        guests.console(station, "hello", r"hello: line from the operator$")
        assert station.cmd("vserial send -n hello/uart0 'two \\x70arts'") == ""
        assert station.cmd("vserial send hello/uart0 ' of one'") == ""
        guests.console(station, "hello", r"hello: line two parts of one$")
        assert "escapes are" in station.cmd("vserial send hello/uart0 '\\q'")
        assert "usage: vserial send" in station.cmd("vserial send hello/uart0")
        assert row(station, "hello/uart0")[1:4] == [35, 0, 0]
        tail = station.cmd("vserial dump hello/uart0 20").replace("\n", "")
        assert 10 < len(tail) <= 20


def test_the_writer_is_told(station):
    """While a terminal is attached, others read, and are told who writes."""
    with guests.running(station, "hello"):
        guests.console(station, "hello", "count 1")
        station.cmd("run look.mterm &")
        with guests.attached(station, "hello"):
            station.sendline("typed")
            station.expect("hello: line typed")
            time.sleep(4)
        text = station.cmd_until("jobs output 1", "EBUSY", every=1).string
        assert re.search(r"^hello/uart0 .* 1 +\d+/4096 mterm$", text, re.M), text
        assert re.search(r"somebody else writes there: mterm: EBUSY", text), text
        assert row(station, "hello/uart0")[5] == "-"
        assert station.cmd("vserial send hello/uart0 'now it is free'") == ""
        guests.console(station, "hello", r"hello: line now it is free$")
        assert "from behind" not in station.cmd("vserial dump hello/uart0")
        station.cmd("jobs clear")


def test_port_goes_while_attached(station):
    """The guest is destroyed under an attached terminal, which says so and is mterm again."""
    before = guests.census(station)
    guests.create(station, "hello")
    guests.console(station, "hello", "count 1")
    station.cmd("run end.mterm &")
    station.drain()
    station.sendline("vserial attach hello/uart0")
    station.expect("leads back")
    station.expect("the port is gone")
    station.prompt()
    station.cmd("jobs wait")
    station.cmd("jobs clear")
    assert "hello" not in station.cmd("vserial list")
    guests.settled(station, before)


def test_flood(station):
    """Two guests flood, with nobody reading and with a reader that is too slow; others go on."""
    with guests.running(station, "flood0", "flood1", "hello"):
        first = row(station, "flood0/uart0")[0]
        station.cmd_until("vserial list", r"^flood1/uart0 +\d{6,}")
        assert row(station, "flood0/uart0")[0] > first
        assert row(station, "flood0/uart0")[2] == 0
        guests.console(station, "hello", "count 3")
        start = time.monotonic()
        station.cmd("version")
        assert time.monotonic() - start < 10
        dump = station.cmd("vserial dump flood0/uart0 200")
        assert "\x1b" not in dump and "\\x1b[6n" in dump
        with guests.attached(station, "flood0"):
            time.sleep(3)
        guests.console(station, "hello", r"count \d{2}")


def test_log_keeps_the_start(station):
    """What a flooding guest printed first can be read when its history is long over."""
    with guests.running(station, "flood0"):
        station.cmd_until("vserial list", r"^flood0/uart0 +\d{5,}.* 4096/4096 ")
        text = station.cmd("vserial log flood0/uart0")
        assert text.startswith("evil"), text[:200]
        assert re.search(r"^\[the log is full: \d+ bytes came after this\]$", text, re.M), text[-200:]
        dump = station.cmd("vserial dump flood0/uart0")
        assert re.match(r"\[\d+ older bytes are no longer kept\]\n", dump)
        assert "ENOENT" not in station.cmd("vserial log flood0/uart0 clear")


def test_log_is_kept_over_resets(station):
    """Two starts stand in one log; clear begins anew."""
    with guests.running(station, "hello"):
        guests.console(station, "hello", "count 1")
        assert station.cmd("guest reset hello") == ""
        station.cmd_until("vserial log hello/uart0", r"(?s)hello: 1 cpu.*count 1.*hello: 1 cpu.*count 2")
        assert station.cmd("vserial log hello/uart0 clear") == ""
        assert "1 cpu" not in station.cmd("vserial log hello/uart0")


def test_log_size_is_checked(station):
    """A log of a size that makes no sense is refused, by name."""
    assert re.search(r"uart0@9000000: bulkhead,log-size: 7 is too small; at least 1024",
                     station.cmd("guest create badlog"))
