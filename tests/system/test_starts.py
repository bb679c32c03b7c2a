# SPDX-License-Identifier: Apache-2.0
"""A start is a race between CPUs: it is run so often that a rare loser shows."""
import os

import pytest
import qemu
from machine import Machine

STARTS = int(os.environ.get("BULKHEAD_STARTS", "100"))


@pytest.mark.parametrize("smp", [4, 8])
@pytest.mark.timeout(3600)
def test_every_cpu_every_time(output, tmp_path, smp):
    for number in range(STARTS):
        config = qemu.Config(image=os.path.join(output, "Image"), boot="direct", mem="512M",
                             gic=2 + number % 2, smp=smp)
        with Machine(config, str(tmp_path / f"start{number}.log")) as one:
            one.start()
            one.expect(rf"\b{smp} of {smp} CPUs online", 60)
            one.prompt()
