# SPDX-License-Identifier: Apache-2.0
"""How long exits take and interrupts are held off: what each image knows of it."""
import os
import re
import subprocess

import guests
import pytest
from guests import module_stations, stations  # noqa: F401 (fixtures)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROW = r"^(\w+) +(\d+) +(\d+) +(\d+)((?: (?:<|>=)\d+:\d+)*)$"


def bundle_of(output):
    """Return files and trees with a guest that counts timer interrupts."""
    return guests.payload_files(output, "canary"), {"canary.dts": guests.payload("canary")}


def test_longest_exits(stations, output):  # noqa: F811
    """Every image knows the longest exit of each cause."""
    one = stations.get("default", *bundle_of(output))
    with guests.running(one, "canary"):
        guests.console(one, "canary", r"second 1 ")
        text = one.cmd("host latency")
        rows = dict(re.findall(r"^(\w+) +\d+ +(\d+)$", text, re.M))
        assert int(rows["wait"]) > 0 and int(rows["interrupt"]) > 0, text
        assert "CONFIG_DEBUG_LATENCY" in text
    assert "ENOSYS" in one.cmd("host latency reset")
    assert "EINVAL" in one.cmd("host latency now")


@pytest.fixture(scope="module")
def debug_image(output):
    """The image with all checks and recorders."""
    folder = os.path.join(output, "debug")
    subprocess.run(["make", "-s", "-C", ROOT, f"O={folder}", "DEFCONFIG=arch/arm64/configs/debug_defconfig",
                    os.path.join(folder, "Image")], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(folder, "Image")


def table(one):
    """Return {cause: (count, longest, {bucket: count})} as host latency shows it, and its last line."""
    text = one.cmd("host latency")
    rows = {name: (int(count), int(longest), dict(bucket.split(":") for bucket in buckets.split()))
            for name, count, longest, _, buckets in re.findall(ROW, text, re.M)}
    return rows, text.strip().splitlines()[-1]


@pytest.mark.long
def test_recorders(machine, bundle, output, debug_image):
    """Each exit and each masked section is in one bucket, none is longer than the longest."""
    files, texts = bundle_of(output)
    one = machine(image=debug_image, bundle=bundle(*files, texts=texts), smp=2)
    guests.create(one, "canary")
    guests.console(one, "canary", r"second 1 ")
    assert one.cmd("host latency reset") == ""
    guests.console(one, "canary", r"second 3 ")
    assert one.cmd("guest pause canary") == ""
    rows, last = table(one)
    assert {"wait", "interrupt", "masked"} <= set(rows), rows
    assert rows["wait"][0] >= 900 and rows["masked"][0] > rows["wait"][0], rows
    for name, (count, longest, buckets) in rows.items():
        borders = [int(border.lstrip("<>=")) for border in buckets]
        assert borders == sorted(borders) and borders[0] >= 64, rows
        if name != "masked":  # the guest stands still; the shell goes on
            assert sum(map(int, buckets.values())) == count, rows
        assert longest < borders[-1] or list(buckets)[-1].startswith(">="), rows
    # The guest sleeps most of a millisecond: that is neither an exit's time, nor are interrupts held off.
    assert int(rows["wait"][2].get("<1048576", 0)) < rows["wait"][0] // 10, rows
    assert re.match(r"longest masked: \d+ ns on CPU [01], from \w+\+0x[0-9a-f]+ to \w+\+0x[0-9a-f]+$", last)
