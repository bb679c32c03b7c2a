# SPDX-License-Identifier: Apache-2.0
"""Guests for the system tests: their device trees, machines shared by a module's tests, common steps."""
import contextlib
import os
import re
import threading
import time

import bundle as bundle_tool
import pytest
import qemu
from machine import Machine

LOGIN = r"== {}: Linux \S+, (\d+) CPU\(s\), (\d+) MiB =="
SHELL = r"/ # "
DETACH = "\x1c"
MIB = 1 << 20

MEMORY = """
memory@40000000 {{
	device_type = "memory";
	reg = <0 0x40000000 0 {size:#x}>;
}};
"""
UART = """
uart0@9000000 {
	compatible = "arm,pl011", "arm,primecell";
	reg = <0 0x09000000 0 0x1000>;
	interrupts = <0 1 4>;
};
"""
RTC = """
rtc@9010000 {
	compatible = "arm,pl031", "arm,primecell";
	reg = <0 0x09010000 0 0x1000>;
	interrupts = <0 2 4>;
};
"""
GUEST = """/dts-v1/;

/ {{
	guests {{
		{name} {{
			compatible = "bulkhead,guest";
			{props}
			{vcpus}
			aspace {{
				#address-cells = <2>;
				#size-cells = <2>;
				{aspace}
			}};
			chosen {{
				bootargs = "{bootargs}";
			}};
		}};
	}};
}};
"""


def dts(name, props, vcpus="vcpus { bulkhead,count = <1>; };", aspace=None, bootargs="", mib=16):
    """Return the DTS text of one guest; every part can be replaced by a bad one."""
    if aspace is None:
        aspace = MEMORY.format(size=mib * MIB) + UART
    return GUEST.format(name=name, props=props, vcpus=vcpus, aspace=aspace, bootargs=bootargs)


def payload(name, program=None, vcpus=1, bootargs="", mib=16, props=""):
    """Return the DTS of a guest that runs tests/guests/PROGRAM."""
    return dts(name, f'bulkhead,kernel = "{program or name}.bin"; bulkhead,format = "raw"; {props}',
               f"vcpus {{ bulkhead,count = <{vcpus}>; }};",
               bootargs=f"host=bulkhead {bootargs}".strip(), mib=mib)


def linux(name, vcpus=2, mib=192, props="", bootargs=""):
    """Return the DTS of a Linux guest."""
    return dts(name, f'bulkhead,kernel = "linux"; bulkhead,initrd = "initrd.cpio"; {props}',
               f"vcpus {{ bulkhead,count = <{vcpus}>; }};",
               aspace=MEMORY.format(size=mib * MIB) + UART + RTC,
               bootargs=f"console=ttyAMA0 hostname={name} {bootargs}".strip())


def payload_files(output, *names):
    """Return the paths of the payloads' programs."""
    return [os.path.join(output, "guests", f"{name}.bin") for name in names]


def image(output, selftest=False):
    """Return the path of the image; with selftest that of the same with the self tests in it."""
    return os.path.join(output, "Image-selftest" if selftest else "Image")


class Stations:
    """Machines that the tests of a module share; one whose test failed is not used again."""

    def __init__(self, output, folder, log_prefix):
        self.output = output
        self.folder = folder
        self.log_prefix = log_prefix
        self.machines = {}
        self.logs = []

    def get(self, key, files=(), texts=None, selftest=False, **settings):
        """Return the running machine of that key, or start it with a bundle of files and texts."""
        if key not in self.machines:
            log = f"{self.log_prefix}.{key}.{len(self.logs)}.log"
            if os.path.exists(log):
                os.remove(log)
            self.logs.append(log)
            config = qemu.Config(image=image(self.output, selftest),
                                 bundle=self._pack(key, files, texts or {}), **settings)
            self.machines[key] = Machine(config, log)
            self.machines[key].start()
            self.machines[key].prompt()
            self.machines[key].cmd("log level error")
        return self.machines[key]

    def drop(self):
        """End all machines."""
        for one in self.machines.values():
            one.stop()
        self.machines.clear()

    def forget_logs(self):
        for log in self.logs:
            os.remove(log)

    def _pack(self, key, files, texts):
        folder = os.path.join(self.folder, key)
        os.makedirs(folder, exist_ok=True)
        for name, text in texts.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(text if isinstance(text, bytes) else text.encode())
        path = folder + ".cpio"
        bundle_tool.pack(path, [*map(str, files), folder])
        return path


@pytest.fixture(scope="module")
def module_stations(request, output, tmp_path_factory):
    """The module's machines; ended with the last of its tests, logs kept when one failed."""
    logs = os.path.join(output, "test-logs")
    os.makedirs(logs, exist_ok=True)
    name = request.module.__name__.rpartition(".")[2]
    before = request.session.testsfailed
    stations = Stations(output, str(tmp_path_factory.mktemp(name)), os.path.join(logs, name))
    yield stations
    stations.drop()
    if request.session.testsfailed == before:
        stations.forget_logs()


@pytest.fixture
def stations(request, module_stations):
    """stations.get(KEY, …): a machine shared with other tests, thrown away when this test fails."""
    yield module_stations
    if getattr(request.node, "failed", False):
        module_stations.drop()


def census(machine):
    """Return the line of `host memory` that counts what is in use, once no timer is armed for a moment."""
    for _ in range(20):
        line = machine.cmd_until("host memory", r"^census: .*$", timeout=5).group(0)
        if line.endswith("timers=0"):
            break
        time.sleep(0.05)
    return line


def state(machine, name):
    """Return the guest's state as `guest info` says it."""
    return re.search(r"^state: +(.*)$", machine.cmd(f"guest info {name}"), re.M).group(1)


def create(machine, *names, kick=True):
    """Create guests and start them."""
    for name in names:
        assert "created" in machine.cmd(f"guest create {name}")
        if kick:
            assert machine.cmd(f"guest kick {name}") == ""


def destroy(machine, *names):
    """Destroy guests."""
    for name in names:
        assert machine.cmd(f"guest destroy {name}") == ""


@contextlib.contextmanager
def running(machine, *names):
    """Guests that run inside the block; after it the census is what it was before."""
    before = census(machine)
    create(machine, *names)
    yield
    destroy(machine, *names)
    settled(machine, before)


def settled(machine, before):
    """Wait until the census is that one, but for timers that have run out since; freeing takes a moment."""
    rest, timers = re.match(r"(.* timers=)(\d+)$", before).groups()
    fewer = "|".join(str(number) for number in range(int(timers) + 1))
    machine.cmd_until("host memory", f"^{re.escape(rest)}({fewer})$", timeout=5, every=0.1)


def console(machine, name, pattern, timeout=60):
    """Wait until the guest's console has shown the pattern; return the match."""
    return machine.cmd_until(f"vserial dump {name}/uart0", pattern, timeout)


def verdict(machine, name, timeout=120):
    """Wait for a payload's SUMMARY; fail with its FAIL lines. Returns its whole output."""
    found = console(machine, name, r"^SUMMARY (.*)$", timeout)
    text = found.string
    failures = re.findall(r"^FAIL .*$", text, re.M)
    assert not failures, "\n".join(failures)
    assert re.match(r"passed=\d+ failed=0 ", found.group(1)), found.group(0)
    return text


@contextlib.contextmanager
def attached(machine, name):
    """The terminal is the guest's console inside the block."""
    machine.drain()
    machine.sendline(f"vserial attach {name}/uart0")
    machine.expect(r"attached to [^\n]*Ctrl-\\ leads back")
    yield
    machine.send(DETACH)
    machine.expect("detached")
    machine.prompt()


def shell(machine, command, pattern, timeout=30):
    """Type a command into an attached Linux guest; wait for its answer, then for the shell's prompt."""
    machine.sendline(command)
    found = machine.expect(pattern, timeout)
    machine.expect(SHELL, timeout)
    return found


def login(machine, name, timeout=90):
    """Wait for the banner and the shell of a Linux guest; returns its number of CPUs."""
    with attached(machine, name):
        found = machine.expect(LOGIN.format(name), timeout)
        machine.expect(SHELL, timeout)
    return int(found.group(1))


@contextlib.contextmanager
def pasting(machine, text):
    """Type a long text while the block reads: nobody else empties the terminal meanwhile."""
    writer = threading.Thread(target=machine.send, args=(text,), daemon=True)
    writer.start()
    yield
    writer.join(10)
    assert not writer.is_alive(), "not all of the text was taken"
