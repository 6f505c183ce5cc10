"""Appraisal and parsing of hardware evidence, against the signature checks that libcrypto must do for it."""

from measure import Row, times_of

PARSE_GOAL = 50_000  # ns
# Leaf, its program, the benchmark of an appraisal with everything known that can be, and the goal.
APPRAISALS = [("SNP", "snp_benchmark", "appraisal_with_cached_chain", "within 1.25x: 0.80"),
              ("TDX", "dcap_benchmark", "appraise_tdx_cached/real_time/threads:1", "0.5 ms"),
              ("SGX", "dcap_benchmark", "appraise_sgx_cached", "0.5 ms"),
              ("Nitro", "nitro_benchmark", "appraisal_with_cached_chain", ""),
              ("NVIDIA", "nvidia_benchmark", "appraisal_with_cached_chain", ""),
              ("TPM", "tpm_benchmark", "appraisal", "")]
PARSERS = [("SNP evidence parsed from its text", "snp_benchmark", "parse_evidence_text"),
           ("SNP raw report parsed", "snp_benchmark", "parse_raw_report"),
           ("TDX evidence parsed, with its event log", "dcap_benchmark", "parse_tdx_evidence"),
           ("SGX quote parsed", "dcap_benchmark", "parse_quote"),
           ("Nitro document parsed", "nitro_benchmark", "parse_nitro"),
           ("NVIDIA GPU's report parsed", "nvidia_benchmark", "parse_nvidia"),
           ("TPM evidence parsed", "tpm_benchmark", "parsing"),
           ("TPM event log parsed", "tpm_benchmark", "event_log_parsing")]


def against(path, ours, floor, what, goal):
    return Row(path, f"{ours / 1000:.1f} us", f"{floor / 1000:.1f} us ({what})", floor / ours, "", goal)


def threads():
    """Appraisals through the service by two threads against one: twice as many where no lock is shared and two cores are free."""
    times = times_of("appraisal_benchmark")
    one, two = (1e9 / times[f"service_appraisal/real_time/threads:{number}"] for number in (1, 2))
    # The library gives real time an iteration over all threads.
    return Row("appraisals of SNP evidence, two threads", f"{two:.0f}/s", f"{one:.0f}/s (one thread)", two / one, "", "2 on two free cores")


def bench():
    times = {program: times_of(program) for program in sorted({program for _, program, _, _ in APPRAISALS})}
    for leaf, program, name, goal in APPRAISALS:
        yield against(f"{leaf} appraisal, chain cached", times[program][name], times[program]["libcrypto_signature"], "libcrypto", goal)
    for path, program, name in PARSERS:
        yield against(path, times[program][name], PARSE_GOAL, "goal", "50 us")
    yield threads()
