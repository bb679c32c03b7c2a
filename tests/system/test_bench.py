# SPDX-License-Identifier: Apache-2.0
"""No exit costs more than its budget."""
import os
import subprocess

import guests
from conftest import CACHE

SECONDS = 900


def test_budgets(output):
    """All measurements, as make bench makes them; its table is the message when one is over its budget."""
    script = os.path.join(os.path.dirname(guests.__file__), "..", "bench", "bench.py")
    done = subprocess.run(["/usr/bin/python3", script, output, CACHE], capture_output=True,
                          text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
