"""Timing of whole processes, ours and the opponent's in turn, so that both meet the same machine."""

import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import time

# Whoever debugs may have set it; then every error of a Rust library costs a walk over the stack.
os.environ.pop("RUST_BACKTRACE", None)
BENCH = pathlib.Path(os.environ["COFFER_BIN"]).parent / "bench"
# `bench/run --smoke`: a few runs of each, to see that the rows come out.
SMOKE = "COFFER_BENCH_SMOKE" in os.environ


@dataclasses.dataclass
class Sample:
    seconds: float
    peak_kib: int


@dataclasses.dataclass
class Row:
    """One line of the table. `ours` and `opponent` are text with their unit; ratio > 1 means that ours is better."""
    path: str
    ours: str
    opponent: str
    ratio: float
    peak: str
    goal: str = ""


def once(command, env=None, cwd=None):
    """Runs a command to its end. Time is wall time; memory is the peak of the largest process it waited for."""
    started = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             env={**os.environ, **(env or {})}, cwd=cwd)
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{command} ended with {child.returncode}: {error.decode(errors='replace')[-2000:]}")
    return Sample(seconds, usage.ru_maxrss)


def in_turn(ours, opponent, runs, before=lambda: None):
    """Calls both alternately, one warm-up each, `before` ahead of every call. Returns the samples of each."""
    samples = ([], [])
    for number in range((min(runs, 3) if SMOKE else runs) + 1):
        for side, call in enumerate((ours, opponent)):
            before()
            sample = call()
            if number:
                samples[side].append(sample)
    return samples


def times_of(program):
    """Of a program of Google Benchmark: each one's full name -> median nanoseconds of real time."""
    often = ["--benchmark_min_time=0.02"] if SMOKE else ["--benchmark_repetitions=5", "--benchmark_enable_random_interleaving=true"]
    output = subprocess.run([BENCH / program, "--benchmark_format=json", *often], check=True,
                            capture_output=True, text=True).stdout
    times = {}
    for entry in json.loads(output)["benchmarks"]:
        assert not entry.get("error_occurred"), entry
        if entry.get("run_type") == "iteration":
            nanoseconds = entry["real_time"] * {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[entry["time_unit"]]
            times.setdefault(entry["run_name"], []).append(nanoseconds)
    return {name: statistics.median(values) for name, values in times.items()}


def median_seconds(samples):
    return statistics.median(sample.seconds for sample in samples)


def peak_mib(samples):
    return max(sample.peak_kib for sample in samples) / 1024


def table(rows):
    header = ("path", "ours", "opponent", "ratio", "peak memory", "goal")
    lines = [header] + [(row.path, row.ours, row.opponent, f"{row.ratio:.2f}x", row.peak, row.goal) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
