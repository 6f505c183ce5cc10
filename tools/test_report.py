#!/usr/bin/env python3
"""Adds up what the lanes reported and prints the closing line.

usage: tools/test_report.py REPORT_DIRECTORY KNOWN_SKIPS

Reads *.xml (JUnit, from GoogleTest and pytest), *.counts ("passed failed skipped" from a lane without test cases) and
*.lane ("passed" or "failed"). A skip that KNOWN_SKIPS does not list, by "name: reason", fails the run when CI is set.
"""

import fnmatch
import os
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def read_junit(path):
    """Yields (name, outcome, reason) for each test case of a JUnit file."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name', '')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, "failed", ""
        elif skipped is not None or case.get("result") == "skipped":
            reason = "" if skipped is None else (skipped.get("message") or skipped.text or "")
            yield name, "skipped", " ".join(reason.split())
        else:
            yield name, "passed", ""


def known_skip(known, name, reason):
    """A pattern is one of the test's name or, behind an @, of the reason that it gives."""
    return any(fnmatch.fnmatch(reason, pattern[1:]) if pattern.startswith("@") else fnmatch.fnmatch(name, pattern)
               for pattern in known)


def main():
    directory, known_file = map(pathlib.Path, sys.argv[1:3])
    known = [line.split(":")[0].strip() for line in known_file.read_text().splitlines()
             if line.strip() and not line.startswith("#")]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in sorted(directory.glob("*.xml")):
        for name, outcome, reason in read_junit(path):
            counts[outcome] += 1
            if outcome == "failed":
                print(f"failed: {path.stem}: {name}")
            if outcome == "skipped":
                print(f"skipped: {path.stem}: {name}: {reason}")
                if os.environ.get("CI") and not known_skip(known, name, reason):
                    print("  this skip is not on the known list (tests/known_skips.txt), so it counts as a failure")
                    counts["failed"] += 1
    for path in sorted(directory.glob("*.counts")):
        for outcome, number in zip(counts, map(int, path.read_text().split())):
            counts[outcome] += number
    failed_lanes = [path.stem for path in sorted(directory.glob("*.lane")) if path.read_text().strip() == "failed"]
    if failed_lanes:
        print(f"failed lanes: {' '.join(failed_lanes)}")
        counts["failed"] = max(counts["failed"], 1)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
