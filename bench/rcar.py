"""RCAR handshakes and resource GETs inside one process, against libcrypto's own cost for the same operations."""

import json
import os
import pathlib
import statistics
import subprocess

from measure import Row

BENCH = pathlib.Path(os.environ["COFFER_BIN"]).parent / "bench"
PAIRS = [
    ("RCAR handshake, affirmed sample TEE", "rcar_handshake", "libcrypto_handshake", "1.25x of libcrypto, 900/s a core"),
    ("RCAR handshake, contraindicated and explained", "explained_handshake", "libcrypto_handshake", ""),
    ("resource GET with a token", "resource_get", "libcrypto_resource_get", "3000/s a core"),
]


def medians(report):
    """Benchmark name -> median nanoseconds, and its peak memory where it tells."""
    times = {}
    for entry in report["benchmarks"]:
        if entry.get("run_type") == "iteration":
            times.setdefault(entry["name"].split("/")[0], []).append(entry["real_time"])
    return {name: statistics.median(values) for name, values in times.items()}


def bench():
    output = subprocess.run([BENCH / "keybroker_benchmark", "--benchmark_format=json", "--benchmark_repetitions=5",
                             "--benchmark_enable_random_interleaving=true"], check=True, capture_output=True, text=True).stdout
    times = medians(json.loads(output))
    for path, ours, floor, goal in PAIRS:
        yield Row(path, f"{1e9 / times[ours]:.0f}/s ({times[ours] / 1000:.0f} us)",
                  f"{times[floor] / 1000:.0f} us (libcrypto)", times[floor] / times[ours], "", goal)
