#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Pack a boot bundle: the files that Bulkhead finds in its boot loader's ramdisk.

usage: bundle.py OUT.cpio [NAME=]FILE|FOLDER...
A file NAME.dts is compiled and becomes NAME.dtb; a folder stands for the files in it, *.dtsi left out.
"""
import os
import subprocess
import sys

import newc


def compile_dts(path):
    """Return the DTB of a DTS file, which goes through the C preprocessor as in Linux."""
    source = subprocess.run(["cpp", "-nostdinc", "-undef", "-x", "assembler-with-cpp",
                             "-I", os.path.dirname(path) or ".", path],
                            stdout=subprocess.PIPE, check=True).stdout
    # Bus warnings speak of a whole board; a guest's file is a fragment of one.
    return subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-i",
                           os.path.dirname(path) or ".", "-"],
                          input=source, stdout=subprocess.PIPE, check=True).stdout


def content(name, path):
    """Return (name in the bundle, bytes) of one file."""
    if path.endswith(".dts"):
        name = name.removesuffix(".dts").removesuffix(".dtb") + ".dtb"
        return name, compile_dts(path)
    with open(path, "rb") as file:
        return name, file.read()


def files(argument):
    """Yield (name, path) of the files that one argument stands for."""
    name, equals, path = argument.rpartition("=")
    if os.path.isdir(path):
        for entry in sorted(os.listdir(path)):
            full = os.path.join(path, entry)
            if os.path.isfile(full) and not entry.endswith((".dtsi", ".md")):
                yield entry, full
    else:
        yield (name if equals else os.path.basename(path)), path


def pack(out, arguments):
    """Write the bundle made of the arguments of the command line."""
    found = [content(name, path) for argument in arguments for name, path in files(argument)]
    newc.write(out, [newc.regular(name, data) for name, data in found])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        pack(sys.argv[1], sys.argv[2:])
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"bundle: {error}")


if __name__ == "__main__":
    main()
