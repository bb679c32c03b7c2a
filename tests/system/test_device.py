# SPDX-License-Identifier: Apache-2.0
"""Devices, drivers and interrupts of the machine that QEMU gives."""
import re

import pytest


def rows(text):
    """Return the words of each line that begins with a number, by that number."""
    return {words[0]: words for words in (line.split() for line in text.splitlines())
            if words and words[0].isdigit()}


@pytest.mark.parametrize("gic", [2, 3])
def test_lists(machine, gic):
    one = machine(gic=gic, smp=2)
    devices = one.cmd("device list")
    assert re.search(r"^pl011@9000000 +bound +char +pl011 +platform$", devices, re.M)
    assert re.search(r"^pl031@9010000 +bound +rtc +pl031 +platform$", devices, re.M)
    assert re.search(r"^intc@8000000 +early ", devices, re.M)
    assert re.search(r"^timer +early ", devices, re.M)
    assert re.search(r"^virtio_mmio@a000000 +no driver ", devices, re.M)
    assert not re.search("failed|waiting", devices)
    chars = one.cmd("device list char").splitlines()
    assert len(chars) == 2 and chars[1].startswith("pl011@9000000")
    assert "ENOENT" in one.cmd("device list nonsense")
    info = one.cmd("device info pl011@9000000")
    assert "registers:  0x9000000..0x9000fff" in info
    assert "interrupt:  33" in info
    assert "console" in info
    assert "ENOENT" in one.cmd("device info nonsense")
    drivers = one.cmd("driver list")
    assert re.search(r"^pl011 \(platform\): arm,pl011\n +bound: pl011@9000000$", drivers, re.M)
    assert re.search(r"^ns16550 \(platform\): ns16550a .*\n +no device$", drivers, re.M)
    irqs = rows(one.cmd("irq list"))
    assert irqs["33"][2:7] == [f"GICv{gic}", "level", "0", "enabled", "pl011@9000000"]
    assert irqs["26"][2:5] == [f"GICv{gic}", "level", "each"]
    assert int(irqs["33"][-2]) > 0 and int(irqs["33"][-1]) == 0


@pytest.mark.parametrize("gic", [2, 3])
def test_affinity(machine, gic):
    """The console's interrupt moves to another CPU and works there; what can not move says so."""
    one = machine(gic=gic, smp=4)
    one.cmd("irq affinity 33 2-3")
    before = rows(one.cmd("irq list"))["33"]
    assert before[4] in ("2", "3")
    after = rows(one.cmd("irq list"))["33"]
    assert int(after[7 + int(before[4])]) > int(before[7 + int(before[4])])
    assert after[7] == before[7]
    assert "each CPU has its own" in one.cmd("irq affinity 27 1")
    assert "ERANGE" in one.cmd("irq affinity 33 9")


def test_what_may_not_be_disabled(machine):
    """The hypervisor's own interrupts and the console's."""
    one = machine(smp=2)
    for irq in ("0", "1", "25", "26", "27", "33"):
        assert "EPERM" in one.cmd(f"irq disable {irq}")
    assert "ENOENT" in one.cmd("irq disable 99")
    assert "EINVAL" in one.cmd("irq disable x")
    assert "bound" in one.cmd("device list char")


@pytest.mark.parametrize("gic", [2, 3])
def test_selftests(machine, gic):
    """An interrupt that raises itself, and handlers that sleep, on the real controller."""
    one = machine(gic=gic, smp=2, selftest=True)
    for name in ("irq-cost", "irq-storm", "irq-thread"):
        assert f"selftest {name}: passed" in one.cmd(f"selftest run {name}", 60)


def test_input_storm(machine):
    """A flood of input does not lock the only CPU: commands get their answer in the end."""
    one = machine(smp=1)
    for _ in range(20):
        one.send("#" * 2000)
        one.drain(0.01)
    one.send("\x03\r")
    one.drain(0.5)
    assert one.cmd_until("irq list", r"^ *33 .* enabled +pl011@9000000 +\d{3,}$", 60)
