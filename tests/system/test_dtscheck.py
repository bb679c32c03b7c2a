# SPDX-License-Identifier: Apache-2.0
"""tools/dtscheck: the same words as the hypervisor's own, with places; exit status; damaged files."""
import os
import pathlib
import random
import re
import subprocess

import guests
import pytest
import test_guest_config as configs
from conftest import ROOT
from guests import module_stations, stations  # noqa: F401 (fixtures)

TOOL = os.path.join(ROOT, "tools", "dtscheck")
GUEST = """/dts-v1/;
/ {
	guests {
		one {
			compatible = "bulkhead,guest";
			bulkhead,kernel = "hello.bin";
			bulkhead,format = "raw";
			vcpus { bulkhead,count = <1>; };
			aspace {
				#address-cells = <2>;
				#size-cells = <2>;
				ram: memory@40000000 {
					device_type = "memory";
					reg = <0 0x40000000 0 0x1000000>;
				};
			};
		};
	};
};
"""


@pytest.fixture(scope="module")
def files(output, tmp_path_factory):
    """The folder of the bundle's files."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "empty").write_bytes(b"")
    for path in guests.payload_files(output, "hello"):
        (folder / os.path.basename(path)).symlink_to(path)
    return str(folder)


def run(output, *arguments):
    """Return (exit status, lines, complaints); a crash fails the test."""
    done = subprocess.run([TOOL, "--output", output, *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1, 2), done.stderr
    assert not re.search(r"Sanitizer|runtime error|PANIC|Traceback", done.stderr), done.stderr
    return done.returncode, done.stdout.splitlines(), done.stderr


def check(output, tmp_path, text, *options):
    """The same for the text of one file, with its name left out of the lines."""
    path = tmp_path / "one.dts"
    path.write_text(text)
    status, lines, complaints = run(output, *options, path)
    return status, [line.replace(f"{path}:", "") for line in lines], complaints.replace(f"{path}:", "")


def words(lines):
    """Return what is said, sorted, without places and what depends on the moment or the build."""
    said = []
    for line in lines:
        found = re.match(r"(?:\S*\d+:\d+: (?:error: )?)?((?:warning: )?/\S*: .*)$", line.strip())
        if found:
            text = re.sub(r"has \d+ MiB free", "has free", found.group(1))
            said.append(re.sub(r'("hypervisor" \(0x\w+, size) 0x\w+', r"\1", text))
    return sorted(said)


@pytest.fixture
def station(stations, output):  # noqa: F811
    """A machine whose bundle has all bad guests."""
    return stations.get("same", guests.payload_files(output, "hello"), configs.texts(), smp=4, mem="2G")


@pytest.fixture(scope="module")
def judged(output, files, tmp_path_factory):
    """What the tool says of all bad guests at once: (exit status, lines)."""
    folder = tmp_path_factory.mktemp("all")
    for name, text in configs.texts().items():
        if name.endswith(".dts"):
            (folder / name).write_text(text)
    return run(output, "--files", files, *sorted(folder.glob("*.dts")))[:2]


@pytest.mark.parametrize("name", configs.BAD)
def test_same_words(station, judged, name):
    """What `guest create` says and what the tool says is the same."""
    told = words(station.cmd(f"guest create {name}").splitlines())
    own = [line for line in judged[1] if re.search(rf": /guests/{name}[/:]", line)]
    assert words(own) == told != []
    assert all(re.match(rf"\S*/{name}\.dts:\d+:\d+: ", line) for line in own), own


def test_same_words_for_all(station, judged):
    """`devtree check` and the tool see the same in the whole tree."""
    station.drain()
    station.sendline("devtree check")
    told = station.expect(r"(?s)(.*?)(\d+) errors, (\d+) warnings", 30)
    station.prompt()
    assert judged[0] == 1
    assert words(judged[1]) == words(told.group(1).splitlines())
    assert judged[1][-1] == f"dtscheck: {told.group(2)} errors, {told.group(3)} warnings"


def test_good(output, files, tmp_path):
    """Nothing to say."""
    assert check(output, tmp_path, GUEST, "--files", files)[:2] == (0, ["dtscheck: 0 errors, 0 warnings"])


def test_the_projects_own_guests(output):
    """What `make run` uses is right."""
    folder = os.path.join(ROOT, "tools", "guests")
    names = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".dts")]
    assert run(output, *names)[:2] == (0, ["dtscheck: 0 errors, 0 warnings"])


def test_without_files(output, tmp_path):
    """No folder of files: they are not missed."""
    assert check(output, tmp_path, GUEST.replace("hello.bin", "nowhere"))[0] == 0


@pytest.mark.parametrize("change, place, said", [
    (('"hello.bin"', '"nowhere"'), "6:4", 'bulkhead,kernel: the boot bundle has no file "nowhere"'),
    (("\t\t\tbulkhead,kernel = \"hello.bin\";\n", ""), "4:7", "bulkhead,kernel: missing"),
    (("<1>", "<0>"), "8:12", "0 VCPUs"),
    (("#size-cells = <2>", "#size-cells = <0>"), "11:5", "#size-cells: must be there"),
    (("0 0x1000000>", "0 0x1000001>"), "14:6", "multiples of 0x1000"),
    (("vcpus {", "vcpu {"), "8:9", "warning: /guests/one/vcpu: means nothing here; is vcpus meant?"),
])
def test_places(output, files, tmp_path, change, place, said):
    """Line and column of the property, or of the node when it is missing."""
    _, lines, _ = check(output, tmp_path, GUEST.replace(*change), "--files", files)
    assert any(line.startswith(f"{place}: ") and said in line for line in lines), lines


def test_included_file(output, tmp_path):
    """The place is that in the file that was included."""
    (tmp_path / "vcpus.dtsi").write_text("// a comment\nvcpus { bulkhead,count = <99>; };\n")
    text = GUEST.replace("vcpus { bulkhead,count = <1>; };", '#include "vcpus.dtsi"')
    _, lines, _ = check(output, tmp_path, text)
    assert re.match(r".*/vcpus\.dtsi:2:9: error: /guests/one/vcpus: bulkhead,count: 99 VCPUs", lines[0])


def test_syntax(output, tmp_path):
    """dtc's complaint, in the same form."""
    status, lines, complaints = check(output, tmp_path, GUEST.replace("reg = <", "reg < "))
    assert status == 2 and lines == []
    assert re.match(r"14:\d+: error: syntax error", complaints), complaints
    assert run(output, tmp_path / "nothing.dts")[0] == 2


def test_host(output, tmp_path):
    """Another machine: its CPUs, its interrupt controller, its RAM."""
    host = tmp_path / "host.dts"
    host.write_text("""/dts-v1/;
/ { #address-cells = <2>; #size-cells = <2>;
	memory@0 { device_type = "memory"; reg = <0 0 0 0x80000000>; };
	cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; };
		cpu@1 { device_type = "cpu"; reg = <0>; }; };
	reserved-memory { #address-cells = <2>; #size-cells = <2>;
		secure@10000000 { reg = <0 0x10000000 0 0x1000000>; }; };
	gic: intc { compatible = "arm,gic-400"; interrupt-controller; #interrupt-cells = <3>; };
};""")
    text = GUEST.replace("<1>; };", "<1>; bulkhead,affinity = <0 1>; };").replace(
        'device_type = "memory";', 'device_type = "memory"; bulkhead,host-address = <0x10800000>;')
    text = text.replace("ram: memory", 'gic@8000000 { compatible = "arm,gic-v3"; }; ram: memory')
    _, lines, _ = check(output, tmp_path, text, "--host", host)
    assert any("this host has no CPU 1 online" in line for line in lines), lines
    assert any("a GICv3 guest can not run on this GICv2 host" in line for line in lines), lines
    assert any('0x10800000 overlaps "firmware" (0x10000000, size 0x1000000)' in line for line in lines), lines
    assert check(output, tmp_path, GUEST, "--host", tmp_path / "one.dts")[0] == 2


HOST = {
    "cells": "#address-cells = <2>; #size-cells = <2>;",
    "memory": 'memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x40000000>; };',
    "cpus": 'cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; };'
            ' cpu@1 { device_type = "cpu"; reg = <1>; }; };',
    "gic": 'intc { compatible = "arm,gic-v3"; interrupt-controller; #interrupt-cells = <3>; };',
}
MANY = "".join(f'cpu@{number:x} {{ device_type = "cpu"; reg = <{number:#x}>; }}; ' for number in range(1024))


@pytest.mark.parametrize("changes, status, said", [
    ({}, 0, "dtscheck: 0 errors"),
    ({"memory": ""}, 2, "no usable memory"),
    ({"memory": 'memory@0 { device_type = "memory"; };'}, 2, "no usable memory"),
    ({"memory": HOST["memory"].replace("reg = <0 0x40000000 0 0x40000000>", "reg = <1>")}, 2, "memory"),
    ({"memory": HOST["memory"].replace("<0 0x40000000 0 0x40000000>", "<0xff000000 0 0xffffffff 0>")}, 2,
     "64 GiB"),
    ({"memory": HOST["memory"].replace("0 0x40000000>", "0 0>")}, 2, "too little RAM"),
    ({"cells": "#address-cells = <5>; #size-cells = <0>;"}, 2, "memory"),
    ({"cpus": ""}, 1, "this host has no CPU 1 online"),
    ({"cpus": "cpus { };"}, 1, "this host has no CPU 1 online"),
    ({"cpus": HOST["cpus"].replace("reg = <1>", "reg = <0>")}, 1, "this host has no CPU 1 online"),
    ({"cpus": HOST["cpus"].replace("reg = <1>", 'reg = <1>; status = "disabled"')}, 1, "no CPU 1 online"),
    ({"cpus": "cpus { #address-cells = <1>; #size-cells = <0>; " + MANY + "};"}, 0, "0 errors"),
    ({"gic": ""}, 1, "can not be virtualised"),
    ({"gic": HOST["gic"].replace("arm,gic-v3", "acme,gic")}, 1, "can not be virtualised"),
])
def test_hosts(output, tmp_path, changes, status, said):
    """Machines that lack something, or say it wrong."""
    host = tmp_path / "host.dts"
    host.write_text("/dts-v1/; / { " + "".join({**HOST, **changes}.values()) + " };")
    text = GUEST.replace("<1>; };", "<1>; bulkhead,affinity = <0 1>; };")
    got, lines, complaints = check(output, tmp_path, text, "--host", host)
    assert got == status, complaints
    assert said in "\n".join(lines) + complaints


def test_hypervisors_own_ram(output, tmp_path):
    """A fixed place over the hypervisor's image."""
    text = GUEST.replace('device_type = "memory";',
                         'device_type = "memory"; bulkhead,host-address = <0x40200000>;')
    _, lines, _ = check(output, tmp_path, text)
    assert any(re.match(r"13:30: error: .*0x40200000 overlaps \"hypervisor\"", line) for line in lines), lines


def test_described_twice(output, tmp_path):
    """The same guest in two files, told with the place."""
    for name in ("a.dts", "b.dts"):
        (tmp_path / name).write_text(GUEST)
    status, lines, _ = run(output, tmp_path / "a.dts", tmp_path / "b.dts")
    assert status == 0
    assert re.match(r".*:4:7: warning: /guests/one: is there already; what .*/b\.dts says", lines[0])


def test_too_deep(output, tmp_path):
    """Nodes nested deeper than a tree may be."""
    deep = "".join(f"n{number} {{ " for number in range(64)) + "};" * 64
    status, _, complaints = check(output, tmp_path, GUEST.replace("ram: memory", deep + " ram: memory"))
    assert status == 2 and "EBADMSG" in complaints


def compiled(tmp_path):
    """The guest as bytes of a DTB."""
    return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-"], input=GUEST.encode(),
                          stdout=subprocess.PIPE, check=True).stdout


def test_damaged_files(output, tmp_path):
    """Bits turned over and ends cut off: refused or judged, never a crash."""
    good = compiled(tmp_path)
    chance = random.Random(1)
    path = tmp_path / "bad.dtb"
    seen = set()
    for number in range(25):
        blob = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            blob[chance.randrange(len(blob))] ^= 1 << chance.randrange(8)
        if number % 4 == 0:
            del blob[chance.randrange(len(blob)):]
        path.write_bytes(blob)
        seen.add(run(output, path)[0])
        seen.add(run(output, "--host", path, tmp_path / "bad.dtb")[0])
    assert seen == {0, 1, 2}


def test_every_property_is_documented():
    """Each property that the checks know has a place in the bindings, and the other way round."""
    known = set()
    core, emulators = (pathlib.Path(ROOT, name) for name in ("core/guest", "emulators"))
    for path in [*core.glob("guest_config*"), *core.glob("guest_aspace*"),
                 *core.glob("guest_intc*"), *emulators.rglob("*.c")]:
        known |= set(re.findall(r'"(bulkhead,[a-z-]+)"', path.read_text()))
    with open(os.path.join(ROOT, "docs", "dts-bindings.md"), encoding="utf-8") as file:
        documented = set(re.findall(r"\bbulkhead,[a-z-]+", file.read()))
    others = {"bulkhead,guest", "bulkhead,gic", "bulkhead,shared-memory", "bulkhead,raz-wi"}
    assert known - others == documented - others
