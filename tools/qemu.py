# SPDX-License-Identifier: Apache-2.0
"""QEMU command lines and boot disks for Bulkhead, shared by tools/run and the system tests."""
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass, field

QEMU = "qemu-system-aarch64"
UBOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
MIB = 1 << 20
SECTOR = 512
PARTITION_START = MIB

BOOT_SCRIPT = """\
load ${devtype} ${devnum}:${distro_bootpart} ${kernel_addr_r} Image
%s
"""
WITH_BUNDLE = """\
load ${devtype} ${devnum}:${distro_bootpart} ${ramdisk_addr_r} bundle.cpio
booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdtcontroladdr}"""
WITHOUT_BUNDLE = "booti ${kernel_addr_r} - ${fdtcontroladdr}"


@dataclass
class Config:
    """One virtual machine to start the image on; boot is direct, uboot, or loader (extra does it)."""
    image: str
    bundle: str = None
    boot: str = "direct"
    gic: int = 3
    smp: int = 1
    cpu: str = "cortex-a72"
    mem: str = "1G"
    dtb: str = None
    append: str = None
    icount: bool = False
    el2: bool = True
    disk: str = None
    extra: list = field(default_factory=list)


def command(config):
    """Return QEMU's argument list; the console is on standard input and output."""
    cpu = "max,pauth-impdef=on" if config.cpu == "max" else config.cpu
    machine = f"virt,gic-version={config.gic}"
    if config.el2:
        machine += ",virtualization=on"
    if config.icount:
        machine += ",dtb-randomness=off"
    words = [QEMU, "-M", machine, "-cpu", cpu, "-smp", str(config.smp), "-m", str(config.mem),
             "-nographic", "-net", "none"]
    if config.icount:
        words += ["-icount", "shift=0,sleep=off", "-rtc", "base=2024-01-01,clock=vm"]
    if config.boot == "uboot":
        words += ["-bios", UBOOT, "-drive", f"if=none,id=boot,format=raw,file={config.disk}",
                  "-device", "virtio-blk-device,drive=boot"]
    elif config.boot == "direct":
        words += ["-kernel", config.image]
        words += ["-initrd", config.bundle] if config.bundle else []
        words += ["-dtb", config.dtb] if config.dtb else []
        words += ["-append", config.append] if config.append else []
    return words + list(config.extra)


def make_disk(path, image, bundle=None, script=None):
    """Make a disk (MBR, one FAT partition) from which U-Boot starts image with bundle."""
    folder = path + ".d"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    if script is None:
        script = BOOT_SCRIPT % (WITH_BUNDLE if bundle else WITHOUT_BUNDLE)
    source = os.path.join(folder, "boot.cmd")
    with open(source, "w", encoding="ascii") as file:
        file.write(script)
    boot_script = os.path.join(folder, "boot.scr")
    _quiet(["mkimage", "-A", "arm64", "-O", "linux", "-T", "script", "-C", "none", "-d", source,
            boot_script])
    size = os.path.getsize(image) + (os.path.getsize(bundle) if bundle else 0)
    size = (size // MIB + 36) * MIB  # FAT32 needs 33 MiB at least
    with open(path, "wb") as file:
        file.write(partition_table(PARTITION_START // SECTOR, size // SECTOR))
        file.truncate(PARTITION_START + size)
    partition = f"{path}@@{PARTITION_START}"
    _quiet(["mformat", "-i", partition, "-T", str(size // SECTOR), "-h", "16", "-s", "63", "::"])
    _quiet(["mcopy", "-i", partition, boot_script, "::boot.scr"])
    _quiet(["mcopy", "-i", partition, image, "::Image"])
    if bundle:
        _quiet(["mcopy", "-i", partition, bundle, "::bundle.cpio"])
    shutil.rmtree(folder)


def partition_table(start, sectors):
    """Return a master boot record with one bootable FAT32 (LBA) partition."""
    no_chs = b"\xfe\xff\xff"
    entry = struct.pack("<B3sB3sII", 0x80, no_chs, 0x0c, no_chs, start, sectors)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def _quiet(words):
    """Run a command; its output is worth reading only when it fails."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stdout.strip()}")
