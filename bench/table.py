#!/usr/bin/env python3
"""Prints one table: path, ours, opponent, ratio, peak memory. Ratios are of medians in one run; more is better."""

import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import measure  # noqa: E402  (the folder is put on the path above)

# What one types, and the module that measures it. Modules must not be called as one of Python's own.
BENCHMARKS = {"rcar": "rcar", "resource": "resource_get", "pull": "pull", "run": "run_module",
              "evidence": "evidence", "worker": "worker", "manager": "manager", "propeller": "propeller"}


def main():
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"bench: no benchmark is called {', '.join(unknown)}; there are: {' '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    rows = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        rows += importlib.import_module(BENCHMARKS[name]).bench()
    measure.table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
