#!/usr/bin/env python3
"""Prints one table: path, ours, opponent, ratio, peak memory. Ratios are of medians in one run; more is better."""

import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import measure  # noqa: E402  (the folder is put on the path above)

NAMES = ("rcar", "resource", "pull", "run")


def main():
    names = sys.argv[1:] or NAMES
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"bench: no benchmark is called {', '.join(unknown)}; there are: {' '.join(NAMES)}", file=sys.stderr)
        return 2
    rows = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        rows += importlib.import_module(f"{'run_module' if name == 'run' else name}").bench()
    measure.table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
