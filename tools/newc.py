# SPDX-License-Identifier: Apache-2.0
"""Write cpio archives of format newc: boot bundles and initramfs images, without needing root."""
import stat
from collections import namedtuple

Entry = namedtuple("Entry", "name mode data device", defaults=(b"", (0, 0)))


def directory(name):
    return Entry(name, stat.S_IFDIR | 0o755)


def regular(name, data, mode=0o644):
    return Entry(name, stat.S_IFREG | mode, data)


def symlink(name, target):
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def character_device(name, major, minor):
    return Entry(name, stat.S_IFCHR | 0o600, b"", (major, minor))


def _pad(size):
    return b"\0" * (-size % 4)


def _record(number, entry):
    name = entry.name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (number, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0,
              entry.device[0], entry.device[1], len(name), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    return header + name + _pad(len(header) + len(name)) + entry.data + _pad(len(entry.data))


def write(path, entries):
    """Write the archive; equal entries give equal bytes."""
    with open(path, "wb") as file:
        for number, entry in enumerate(entries, 1):
            file.write(_record(number, entry))
        file.write(_record(0, Entry("TRAILER!!!", 0)))
