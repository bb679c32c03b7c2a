#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Add up the reports of a test run; a report that is missing counts as one failure.

usage: verdict.py FOLDER REPORT...
"""
import json
import os
import sys
import xml.etree.ElementTree


def read(path):
    """Return (passed, failed) of one report."""
    if path.endswith(".json"):
        with open(path, encoding="ascii") as file:
            counts = json.load(file)
        return counts["passed"], counts["failed"]
    passed = failed = 0
    for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite"):
        bad = int(suite.get("failures")) + int(suite.get("errors"))
        passed += max(int(suite.get("tests")) - bad - int(suite.get("skipped")), 0)
        failed += bad
    return passed, failed


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    total_passed = total_failed = 0
    for name in sys.argv[2:]:
        path = os.path.join(sys.argv[1], name)
        try:
            passed, failed = read(path)
        except (OSError, ValueError, KeyError, xml.etree.ElementTree.ParseError):
            print(f"{name}: no report; this part did not run to its end")
            passed, failed = 0, 1
        total_passed += passed
        total_failed += failed
    print(f"{total_passed} passed, {total_failed} failed")
    sys.exit(1 if total_failed or not total_passed else 0)


if __name__ == "__main__":
    main()
