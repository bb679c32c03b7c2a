# SPDX-License-Identifier: Apache-2.0
"""The conformance cases: on the bare machine, which proves the cases, and as guests, which proves Bulkhead."""
import os
import re

import guests
import pytest
import qemu
from guests import module_stations, stations  # noqa: F401 (fixtures)
from machine import Machine

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "guests", "conform")
# The cases of "reset" reset their machine; they are in no other group's run.
GROUPS = sorted(entry.name for entry in os.scandir(FOLDER) if entry.is_dir()) + ["reset"]
# (GIC, CPU, host CPUs)
MATRIX = [(gic, cpu, smp) for gic in (2, 3) for cpu in ("cortex-a72", "max") for smp in (1, 4)]
CORNERS = [(2, "max", 4), (3, "cortex-a72", 1)]
BARE = [(gic, cpu) for gic in (2, 3) for cpu in ("cortex-a72", "max")]
BARE_CORNER = [(3, "cortex-a72")]
VCPUS = (1, 4)
VCPUS_MANY = 8
WITH_MANY = ("gic", "psci", "smp")
# CPUs that wait for each other by spinning: shorter slices end that sooner, and bring more orders of events.
SLICE_US = {"psci": 300, "smp": 300}
RACES = {"race": "psci.race", "storm": "smp.storm"}
# What is typed into the case that wants input.
INPUT_CASE = "case=device.pl011_input input"
INPUT_READY = r"uart.input: type now"
INPUT = "".join(chr(ord("a") + number % 26) for number in range(600))
# A log, so that no verdict of a long run is lost.
UART = guests.UART.replace("interrupts", "bulkhead,log-size = <0x8000>;\n\tinterrupts")


def name_of(config):
    """Return the configuration as part of a test's name."""
    words = [f"gic{config[0]}", config[1].removeprefix("cortex-")]
    return "-".join(words + [f"smp{smp}" for smp in config[2:]])


def configured(configs):
    """Parametrize a test by configuration and, within each, by group."""
    return pytest.mark.parametrize(
        "config,group", [pytest.param(config, group, id=f"{name_of(config)}-{group}")
                         for config in configs for group in GROUPS])


def tree(name, vcpus, bootargs, slice_us=None):
    """Return the DTS of a guest that runs conformance cases."""
    size = 16 * guests.MIB
    time_slice = f"bulkhead,time-slice-us = <{slice_us}>;" if slice_us else ""
    return guests.dts(name, 'bulkhead,kernel = "conform.bin"; bulkhead,format = "raw";',
                      f"vcpus {{ bulkhead,count = <{vcpus}>; {time_slice} }};",
                      aspace=guests.MEMORY.format(size=size) + UART + guests.RTC,
                      bootargs=f"host=bulkhead {bootargs}")


def counts(group):
    """Return the numbers of VCPUs that a group runs with."""
    return VCPUS + (VCPUS_MANY,) * (group in WITH_MANY)


def trees():
    """Return the DTS files of all guests."""
    files = {f"{group}{vcpus}.dts": tree(f"{group}{vcpus}", vcpus, f"case={group}",
                                         SLICE_US.get(group))
             for group in GROUPS for vcpus in counts(group)}
    files["typed.dts"] = tree("typed", 1, INPUT_CASE)
    for name, case in RACES.items():
        files[f"{name}.dts"] = tree(name, 4, f"case={case} rounds=100000", SLICE_US["psci"])
    return files


def station(stations, output, config):  # noqa: F811
    """Return the running machine of a configuration; only one runs at a time."""
    key = name_of(config)
    if key not in stations.machines:
        stations.drop()
    gic, cpu, smp = config
    return stations.get(key, guests.payload_files(output, "conform"), trees(), gic=gic, cpu=cpu, smp=smp)


def check_text(text):
    """Fail with the FAIL lines of what cases printed, or without their good end."""
    failures = re.findall(r"^FAIL .*$", text, re.M)
    assert not failures, "\n".join(failures)
    assert re.search(r"^SUMMARY passed=\d+ failed=0 ", text, re.M), text[-2000:]


def check_guests(one, group):
    """Run a group's cases as guests, one after the other."""
    for vcpus in counts(group):
        name = f"{group}{vcpus}"
        with guests.running(one, name):
            guests.console(one, name, r"^SUMMARY ", 120)
            check_text(one.cmd(f"vserial log {name}/uart0"))


@configured(CORNERS)
def test_guest(stations, output, config, group):  # noqa: F811
    """What a guest sees is what the architecture says; several VCPUs also on one CPU."""
    check_guests(station(stations, output, config), group)


@pytest.mark.long
@configured([config for config in MATRIX if config not in CORNERS])
def test_guest_matrix(stations, output, config, group):  # noqa: F811
    """The same on all other machines."""
    check_guests(station(stations, output, config), group)


@pytest.mark.parametrize("config", [pytest.param(config, id=name_of(config)) for config in CORNERS])
def test_guest_input(stations, output, config):  # noqa: F811
    """A flood of input that the guest does not read for a while arrives complete."""
    one = station(stations, output, config)
    with guests.running(one, "typed"):
        guests.console(one, "typed", INPUT_READY)
        with guests.attached(one, "typed"):
            one.send(INPUT)
            one.expect("SUMMARY", 60)
        check_text(one.cmd("vserial log typed/uart0"))


@pytest.mark.long
@pytest.mark.timeout(2700)
@pytest.mark.parametrize("name", RACES)
def test_races(stations, output, name):  # noqa: F811
    """CPU_ON and CPU_OFF raced for 100,000 times: one winner a round, no start lost or doubled."""
    one = station(stations, output, (3, "cortex-a72", 4))
    with guests.running(one, name):
        guests.console(one, name, r"^SUMMARY ", 800)
        check_text(one.cmd(f"vserial log {name}/uart0"))


@pytest.fixture
def bare(request, output, tmp_path):
    """bare(config, smp, bootargs) runs cases on a machine without Bulkhead; returns what they printed."""
    def run(config, smp, bootargs, reboot=False, typed=None):
        gic, cpu = config
        settings = qemu.Config(image=guests.payload_files(output, "conform")[0], el2=False, gic=gic,
                               cpu=cpu, smp=smp, mem="512M", append=bootargs)
        with Machine(settings, str(tmp_path / f"bare{smp}.log")) as one:
            one.start(reboot)
            if typed:
                one.expect(INPUT_READY)
                one.send(typed)
            return one.expect_exit(120)
    return run


def check_bare(bare, config, group):  # pylint: disable=redefined-outer-name
    """Run a group's cases on the bare machine."""
    for cpus in counts(group):
        check_text(bare(config, cpus, f"case={group}", group == "reset"))


def test_bare_input(bare):
    """The same on the bare machine."""
    check_text(bare(BARE_CORNER[0], 1, INPUT_CASE, typed=INPUT))


@configured(BARE_CORNER)
def test_bare(bare, config, group):
    """A case is right about the architecture when the bare machine passes it."""
    check_bare(bare, config, group)


@pytest.mark.long
@configured([config for config in BARE if config not in BARE_CORNER])
def test_bare_matrix(bare, config, group):
    """The same on all other machines."""
    check_bare(bare, config, group)
