"""Appraisal and parsing of hardware evidence, against the signature checks that libcrypto must do for it."""

import json
import subprocess

from measure import Row
from rcar import BENCH, medians

PARSE_GOAL = 50_000  # ns


def times_of(program):
    output = subprocess.run([BENCH / program, "--benchmark_format=json", "--benchmark_repetitions=5",
                             "--benchmark_enable_random_interleaving=true"], check=True, capture_output=True, text=True).stdout
    return medians(json.loads(output))


def against(path, ours, floor, what, goal):
    return Row(path, f"{ours / 1000:.1f} us", f"{floor / 1000:.1f} us ({what})", floor / ours, "", goal)


def bench():
    snp = times_of("snp_benchmark")
    yield against("SNP appraisal, chain cached", snp["appraisal_with_cached_chain"], snp["libcrypto_signature"], "libcrypto",
                  "within 1.25x: 0.80")
    yield against("SNP evidence parsed from its text", snp["parse_evidence_text"], PARSE_GOAL, "goal", "50 us")
    yield against("SNP raw report parsed", snp["parse_raw_report"], PARSE_GOAL, "goal", "50 us")
