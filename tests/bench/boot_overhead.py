#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What Bulkhead costs a Debian kernel's boot: entry to the first instruction of init, over the same on the bare machine.

usage: boot_overhead.py OUTPUT-DIR CACHE [cloud|generic|rt]
The bare machine starts from a copy of the guest's own memory as it is before its first instruction, so that kernel,
device tree, initramfs and their places are the same.
"""
import os
import re
import struct
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.join(ROOT, "tests", "system")]

import bundle  # noqa: E402
import guests  # noqa: E402
import newc  # noqa: E402
import qemu  # noqa: E402
from machine import Machine  # noqa: E402
from qmp import Qmp  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = ("cloud", "generic", "rt")
NS_PER_SECOND = 1_000_000_000
HZ = 62_500_000  # QEMU's counter
RAM_START, RAM_SIZE = 0x40000000, 256 * guests.MIB
# Where the copy's memory lies on the host; the hypervisor itself is at the start of RAM.
HOST_START, HOST_SIZE = 0x60000000, "1G"
DTB_ALIGN = 2 * guests.MIB
SEGMENT = 64 << 10
SCRIPT = "guest create boot\nguest kick boot\nsleep 5\n" \
    "vcpu info boot/0\nvserial log boot/uart0\necho over-now\n"
LOG_UART = guests.UART.replace("interrupts", "bulkhead,log-size = <0x20000>;\n\tinterrupts")


class BenchError(RuntimeError):
    """A boot that did not come to its end."""


def tree(bootargs, place=""):
    """Return the DTS of the guest; place is what its memory node says besides."""
    memory = guests.MEMORY.format(size=RAM_SIZE).replace("reg =", f"{place}\n\treg =")
    return guests.dts("boot", 'bulkhead,kernel = "linux"; bulkhead,initrd = "boot.cpio";',
                      aspace=memory + LOG_UART + guests.RTC, bootargs=f"console=ttyAMA0 {bootargs}")


def build_initramfs(folder):
    """Write boot.cpio: the program that says when it runs, and its console."""
    program = os.path.join(folder, "init")
    subprocess.run([os.environ.get("CROSS", "aarch64-linux-gnu-") + "gcc", "-nostdlib", "-static", "-s",
                    "-Wl,--build-id=none", "-o", program, os.path.join(HERE, "boot_init.S")], check=True)
    with open(program, "rb") as file:
        init = newc.regular("init", file.read(), 0o755)
    newc.write(os.path.join(folder, "boot.cpio"),
               [newc.directory("dev"), newc.character_device("dev/console", 5, 1), init])


def pack(folder, name, kernel, text, script=None):
    """Return the path of a boot bundle with the guest of that device tree."""
    source = os.path.join(folder, "boot.dts")
    with open(source, "w", encoding="ascii") as file:
        file.write(text)
    arguments = [f"linux={kernel}", os.path.join(folder, "boot.cpio"), source]
    if script:
        path = os.path.join(folder, "boot.mterm")
        with open(path, "w", encoding="ascii") as file:
            file.write(script)
        arguments.append(path)
    packed = os.path.join(folder, f"{name}.bundle")
    bundle.pack(packed, arguments)
    return packed


def boot_as_guest(output, packed, log):
    """Return (counter at init, exits) of the guest."""
    config = qemu.Config(image=os.path.join(output, "Image"), bundle=packed, mem=HOST_SIZE, icount=True)
    with Machine(config, log) as one:
        one.start()
        one.prompt()
        # Nothing is typed and no other thread has work while it boots.
        one.sendline("run boot.mterm")
        one.expect("over-now", 300)
        text = one.child.before
    return booted(text, log), int(re.search(r"^exits: +(\d+)", text, re.M).group(1))


def booted(text, log):
    """Return the counter that init has read."""
    found = re.search(r"BOOTED (\d+)", text)
    if not found:
        raise BenchError(f"no marker of init; see {log}")
    return int(found.group(1))


def copy_of_memory(output, packed, folder, log):
    """Return the guest's memory as it is before the first instruction."""
    socket, dump = os.path.join(folder, "qmp"), os.path.join(folder, "ram")
    config = qemu.Config(image=os.path.join(output, "Image"), bundle=packed, mem=HOST_SIZE,
                         extra=["-qmp", f"unix:{socket},server=on,wait=off"])
    with Machine(config, log) as one:
        one.start()
        one.prompt()
        if "created" not in one.cmd("guest create boot"):
            raise BenchError(f"the guest is not created; see {log}")
        with Qmp(socket) as monitor:
            monitor.command("pmemsave", val=HOST_START, size=RAM_SIZE, filename=dump)
    with open(dump, "rb") as file:
        memory = file.read()
    os.remove(dump)
    return memory


def find_dtb(memory):
    """Return where the device tree lies in the guest's memory."""
    for at in range(0, len(memory), DTB_ALIGN):
        if memory[at:at + 4] == b"\xd0\x0d\xfe\xed":
            return at
    raise BenchError("the guest's memory has no device tree")


def segments(memory):
    """Yield (offset, bytes) of what is not zero."""
    zero, start = bytes(SEGMENT), None
    for at in range(0, len(memory) + 1, SEGMENT):
        used = at < len(memory) and memory[at:at + SEGMENT] != zero
        if used and start is None:
            start = at
        elif not used and start is not None:
            yield start, memory[start:at]
            start = None


def write_elf(path, memory):
    """Write an ELF program that is the guest's memory and starts its kernel as the hypervisor does."""
    # ldr x0, dtb; mov x1, xzr; mov x2, xzr; mov x3, xzr; ldr x4, kernel; br x4
    start = struct.pack("<6I2Q", 0x580000c0, 0xaa1f03e1, 0xaa1f03e2, 0xaa1f03e3, 0x58000084, 0xd61f0080,
                        RAM_START + find_dtb(memory), RAM_START)
    free = -(-memory.index(bytes(2 * SEGMENT), find_dtb(memory)) // SEGMENT) * SEGMENT
    parts = [(RAM_START + at, data) for at, data in segments(memory)]
    parts.append((RAM_START + free, start))
    offset = 64 + 56 * len(parts)
    headers = b""
    for address, data in parts:
        headers += struct.pack("<2I6Q", 1, 7, offset, address, address, len(data), len(data), 1)
        offset += len(data)
    with open(path, "wb") as file:
        file.write(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 183, 1, parts[-1][0], 64, 0,
                               0, 64, 56, len(parts), 0, 0, 0))
        file.write(headers)
        for _, data in parts:
            file.write(data)


def boot_bare(elf, log):
    """Return the counter at init on the machine without a hypervisor."""
    config = qemu.Config(image=elf, mem=str(RAM_SIZE // guests.MIB), icount=True, el2=False)
    with Machine(config, log) as one:
        one.start()
        return booted(one.expect_exit(120), log)


def measure_one(output, cache, kind, bootargs):
    """Return figures of one boot: guest, bare, exits of the guest, and overhead in percent."""
    folder = os.path.join(output, "bench", f"boot-{kind}-{bootargs.split()[0] if bootargs else 'verbose'}")
    log = os.path.join(output, f"bench-{os.path.basename(folder)}.log")
    kernel = os.path.join(cache, "guest", f"linux-{kind}")
    os.makedirs(folder, exist_ok=True)
    build_initramfs(folder)
    packed = pack(folder, "guest", kernel, tree(bootargs), SCRIPT)
    ticks, exits = boot_as_guest(output, packed, log)
    place = f"bulkhead,host-address = <0 {HOST_START:#x}>;"
    packed = pack(folder, "copy", kernel, tree(bootargs, place))
    elf = os.path.join(folder, "bare.elf")
    write_elf(elf, copy_of_memory(output, packed, folder, log))
    bare = boot_bare(elf, log)
    to_instructions = NS_PER_SECOND // HZ
    return {"guest": ticks * to_instructions, "bare": bare * to_instructions, "exits": exits,
            "percent": round(100 * (ticks - bare) / bare, 3)}


def measure(output, cache, kind="cloud"):
    """Return {"quiet": figures, "verbose": figures} of a Debian kernel's boot."""
    subprocess.run([os.path.join(ROOT, "tools", "guest-files"), cache, kind], check=True)
    return {name: measure_one(output, cache, kind, bootargs)
            for name, bootargs in (("quiet", "quiet"), ("verbose", ""))}


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[3:] and sys.argv[3] not in KINDS:
        sys.exit(__doc__)
    output, cache = map(os.path.abspath, sys.argv[1:3])
    print(f"{'':9}{'guest':>15}{'bare':>15}{'exits':>9}{'overhead':>11}")
    for name, one in measure(output, cache, *sys.argv[3:]).items():
        print(f"{name:9}{one['guest']:>15}{one['bare']:>15}{one['exits']:>9}{one['percent']:>+10.3f}%")


if __name__ == "__main__":
    main()
