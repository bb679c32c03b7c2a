# SPDX-License-Identifier: Apache-2.0
"""What `make run` gives: U-Boot, mterm's prompt, and after it two Linux guests at their shells."""
import os

import guests
from conftest import TOOLS


def test_two_linux_guests_by_uboot(machine, bundle, linux_files):
    packed = bundle(os.path.join(TOOLS, "guests"), *linux_files)
    one = machine(boot="uboot", gic=3, smp=4, mem="2G", bundle=packed)
    one.cmd_until("guest list", r"^linux1 .* running", 60)
    for name in ("linux0", "linux1"):
        assert guests.login(one, name) == 2
        with guests.attached(one, name):
            one.sendline("echo answer $((6 * 7)) of $(nproc)")
            one.expect(r"\nanswer 42 of 2\r")
    one.sendline("shutdown")
    one.expect_exit()
