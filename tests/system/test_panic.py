# SPDX-License-Identifier: Apache-2.0
"""The hypervisor's own faults, provoked by a debugger: each says what, where, and who ran, and stops the machine."""
import os
import subprocess
import time

import pytest

IMAGE_ADDRESS = 0x40200000
# Stacks lie in the lower halves of slots of twice their size, from 2^47 on: this is in an upper half.
FAULTS = {
    "null_call": ("set $pc = 0x10", r"PANIC: instruction abort in the hypervisor: .*FAR 0x10\b"),
    "undeclared_fp": ("set $pc = fp_regs_save",
                      r"PANIC: FP/SIMD access that the thread has not declared in the hypervisor"),
    "stack_overflow": ("set $sp = 0x800000007f00", r"PANIC: stack overflow: SP 0x800000007f00\b"),
}


def wait_for(path):
    """Wait until QEMU has made its socket."""
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.05)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_told(machine, output, tmp_path, fault):
    command, cause = FAULTS[fault]
    socket = tmp_path / "gdb.sock"
    one = machine(smp=2, wait=False,
                  extra=["-S", "-gdb", f"unix:{socket},server=on,wait=off"])
    wait_for(socket)
    steps = ["set confirm off", "set architecture aarch64",
             f"add-symbol-file {os.path.join(output, 'bulkhead.elf')} -o {IMAGE_ADDRESS:#x}",
             f"target remote {socket}", "hbreak driver_probe_all", "continue", command, "detach"]
    subprocess.run(["gdb-multiarch", "-q", "-batch", *[word for s in steps for word in ("-ex", s)]],
                   check=True, timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for pattern in (cause, r"CPU \d", r"VCPU init ", r"x0 +[0-9a-f]{16}", "back-trace:",
                    r"thread_main\+0x", "system halted"):
        one.child.expect(pattern, timeout=60)
