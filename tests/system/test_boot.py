# SPDX-License-Identifier: Apache-2.0
"""The image starts on every combination it is made for, and says why where it cannot."""
import os
import re
import struct

import pytest


def online(machine):
    """Return how many lines of `host cpu` say online."""
    return len(re.findall(r"\bonline\b", machine.cmd("host cpu")))


@pytest.mark.parametrize("boot", ["direct", "uboot"])
@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("gic", [2, 3])
def test_matrix(machine, gic, smp, boot):
    assert online(machine(boot=boot, gic=gic, smp=smp)) == smp


@pytest.mark.parametrize("cpu", ["cortex-a53", "neoverse-n1", "max"])
def test_cpu_models(machine, cpu):
    assert online(machine(cpu=cpu, smp=2)) == 2


@pytest.mark.parametrize("mem", ["256M", "8G"])
def test_memory_sizes(machine, mem):
    assert online(machine(mem=mem, smp=2)) == 2


@pytest.mark.parametrize("gic", [2, 3])
def test_eight_cpus(machine, gic):
    assert online(machine(gic=gic, smp=8)) == 8


@pytest.mark.parametrize("boot", ["direct", "uboot"])
def test_bundle_arrives(machine, bundle, boot):
    packed = bundle(texts={"startup.mterm": "guest create absent-on-purpose\n"})
    one = machine(boot=boot, bundle=packed)
    one.expect("startup: .*absent-on-purpose", 20)


def test_entered_at_el1(machine):
    one = machine(el2=False, wait=False)
    one.expect("EL2", 20)


def dtb(magic=0xd00dfeed, size=4096, version=17):
    """Return a device tree blob that is broken unless its header says nothing wrong."""
    header = struct.pack(">10I", magic, size, 56, 56, 40, version, 16, 0, 0, 0)
    return header.ljust(4096, b"\0")


# QEMU itself refuses a blob without the magic number, so these are put where x0 will point.
BROKEN = {"magic": dtb(magic=0x12345678), "size": dtb(size=16), "version": dtb(version=1),
          "empty": bytes(4096), "body": dtb()}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_device_tree(machine, tmp_path, output, kind):
    """A loader stub in place of a boot loader enters the image with x0 at a broken blob."""
    blob, stub, image = 0x50000000, 0x60000000, 0x40200000
    (tmp_path / "blob").write_bytes(BROKEN[kind])
    (tmp_path / "stub").write_bytes(enter(image, blob))
    loader = "loader,file={},addr={:#x},force-raw=on"
    extra = ["-device", loader.format(os.path.join(output, "Image"), image),
             "-device", loader.format(tmp_path / "blob", blob),
             "-device", loader.format(tmp_path / "stub", stub),
             "-device", f"loader,addr={stub:#x},cpu-num=0"]
    one = machine(boot="loader", wait=False, extra=extra)
    one.expect(r"(?i)device tree", 20)


def enter(image, x0):
    """Return A64 code that jumps to image with x0 set (movz/movk, br); both are multiples of 64 KiB."""
    def load(register, value):
        return struct.pack("<2I", 0xd2a00000 | (value >> 16) << 5 | register,
                           0xf2c00000 | (value >> 32) << 5 | register)
    clear = b"".join(struct.pack("<I", 0xd2800000 | register) for register in (1, 2, 3))
    return load(0, x0) + load(4, image) + clear + struct.pack("<I", 0xd61f0000 | 4 << 5)


def test_reset_and_shutdown(machine):
    one = machine(reboot=True)
    one.sendline("reset")
    one.expect("Bulkhead", 30)
    one.prompt()
    one.sendline("shutdown")
    one.expect_exit()
