# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests: machines, bundles and the files of Linux guests."""
import itertools
import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(ROOT, "tools")
OUTPUT = os.path.abspath(os.environ.get("BULKHEAD_OUTPUT", os.path.join(ROOT, "build")))
CACHE = os.path.abspath(os.environ.get("BULKHEAD_CACHE", os.path.join(ROOT, ".cache")))
LOGS = os.path.join(OUTPUT, "test-logs")
sys.path.insert(0, TOOLS)

import bundle as bundle_tool  # noqa: E402
import guests  # noqa: E402
import qemu  # noqa: E402
from machine import Machine  # noqa: E402


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item):
    """Remember whether the test failed, for the fixture that keeps its logs."""
    outcome = yield
    if outcome.get_result().failed:
        item.failed = True


@pytest.fixture(scope="session")
def output():
    """The folder with Image, bulkhead.elf and guests/*.bin."""
    if not os.path.exists(os.path.join(OUTPUT, "Image")):
        pytest.exit(f"no image in {OUTPUT}: run make first", returncode=1)
    return OUTPUT


@pytest.fixture(scope="session")
def linux_files():
    """An unmodified Debian kernel and a busybox initramfs, as arguments for a bundle."""
    return guest_files("cloud")


@pytest.fixture(scope="session")
def linux_tests():
    """linux_tests(KIND): that kernel (cloud, generic, rt) and the initramfs with tests, for a bundle."""
    return lambda kind: guest_files(kind, "tests")


def guest_files(kind, initramfs=None):
    """Fetch and make what is missing of a Linux guest's files."""
    subprocess.run([os.path.join(TOOLS, "guest-files"), CACHE, kind, *filter(None, [initramfs])], check=True)
    folder = os.path.join(CACHE, "guest")
    return [f"linux={folder}/linux-{kind}", f"initrd.cpio={folder}/{initramfs or 'initrd'}.cpio"]


@pytest.fixture
def bundle(tmp_path):
    """bundle(FILE..., texts={NAME: TEXT}) packs a boot bundle and returns its path.

    FILE is as on the command line of tools/bundle.py; a text whose name ends in .dts is compiled.
    """
    number = itertools.count()

    def pack(*files, texts=None):
        folder = tmp_path / f"bundle{next(number)}"
        folder.mkdir()
        for name, text in (texts or {}).items():
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        path = f"{folder}.cpio"
        bundle_tool.pack(path, [str(file) for file in files] + [str(folder)])
        return path

    return pack


@pytest.fixture
def machine(request, output, tmp_path):
    """machine(boot="direct", gic=3, smp=1, cpu=…, mem=…, bundle=…, …) starts a machine.

    selftest=True: its image has the self tests, too.
    It returns when mterm's prompt is there (wait=False: at once). Every machine ends with the test;
    its log is kept in OUTPUT/test-logs when the test fails.
    """
    os.makedirs(LOGS, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "_", request.node.nodeid.rpartition("/")[2])
    machines, logs, number = [], [], itertools.count()

    def start(wait=True, reboot=False, image=None, selftest=False, script=None, **settings):
        count = next(number)
        log = os.path.join(LOGS, f"{name}.{count}.log" if count else f"{name}.log")
        if os.path.exists(log):
            os.remove(log)
        logs.append(log)
        config = qemu.Config(image=image or guests.image(output, selftest), **settings)
        if config.boot == "uboot" and config.disk is None:
            config.disk = str(tmp_path / f"disk{count}.img")
            qemu.make_disk(config.disk, config.image, config.bundle, script)
        one = Machine(config, log)
        machines.append(one)
        one.start(reboot)
        if wait:
            one.prompt()
        return one

    yield start
    for one in machines:
        one.stop()
    if not getattr(request.node, "failed", False):
        for log in logs:
            os.remove(log)
