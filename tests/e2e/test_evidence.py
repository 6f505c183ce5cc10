"""Evidence recorded on real hardware, through the command line: shown, verified as of its day, compared, refused."""

import json
import os
import pathlib

import pytest

from conftest import BIN, ROOT, run

VECTORS = pathlib.Path(os.environ.get("COFFER_VECTORS", ROOT.parent / "shared/vectors"))
pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="no recorded vectors (COFFER_VECTORS, ../shared/vectors)")

# Each with what it takes to be verified in full, as of a day on which its certificates and collateral held.
VERIFIED = {
    "snp": ["snp/test-report.bin", "--cert", "snp/test-vcek.der", "--at", "2024-06-01T00:00:00Z"],
    "snp-document": ["snp/genoa-v3-evidence.json", "--at", "2025-06-01T00:00:00Z"],
    "tdx": ["tdx/dcap/tdx_quote", "--collateral", "tdx/dcap/tdx_quote_collateral.json", "--at", "2025-06-20T00:00:00Z"],
    "sgx": ["sgx/dcap/sgx_quote", "--collateral", "sgx/dcap/sgx_quote_collateral.json", "--at", "2025-06-20T00:00:00Z"],
    "nitro": ["nitro/document.bin"],
}

NITRO_SIZE = 4527


def coffer(*arguments, **options):
    return run(BIN / "coffer", "evidence", *arguments, **options)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Finds a file by its name among the vectors. The recorder put a head before the Nitro document and a tail behind it."""
    directory = tmp_path_factory.mktemp("recorded")
    (directory / "nitro").mkdir()
    (directory / "nitro/document.bin").write_bytes(nitro_document())
    return lambda name: next((root / name for root in (VECTORS, directory) if (root / name).exists()), name)


def tee_of(name):
    return name.split("-")[0]


def nitro_document():
    content = (VECTORS / "nitro/nitro_attestation.bin").read_bytes()
    return content[4:4 + NITRO_SIZE]


def made_at(name, recorded):
    """A Nitro document says itself when it was made."""
    fields = json.loads(coffer("inspect", "--json", "--tee", tee_of(name), recorded(VERIFIED[name][0])).stdout)["fields"]
    return ["--at", fields["made_at"]] if "made_at" in fields else []


@pytest.mark.parametrize("name", VERIFIED)
def test_recorded_evidence_verifies_as_of_its_day(name, recorded):
    result = coffer("verify", "--tee", tee_of(name), *map(recorded, VERIFIED[name]), *made_at(name, recorded))
    assert result.stdout.startswith("VERIFIED as of ")
    assert "bound to nothing" in result.stdout
    document = json.loads(coffer("verify", "--json", "--tee", tee_of(name), *map(recorded, VERIFIED[name]), *made_at(name, recorded)).stdout)
    assert document["verified"] is True and document["bound"] is False
    assert document["devices"][0]["claims"]


@pytest.mark.parametrize("name", VERIFIED)
def test_the_same_evidence_is_shown_without_being_trusted(name, recorded):
    result = coffer("inspect", "--tee", tee_of(name), recorded(VERIFIED[name][0]))
    assert result.stdout.startswith("NOT VERIFIED")
    assert len(result.stdout.splitlines()) > 10


@pytest.mark.parametrize("name", VERIFIED)
def test_evidence_bound_to_something_else_is_refused(name, recorded):
    result = coffer("verify", "--tee", tee_of(name), *map(recorded, VERIFIED[name]), *made_at(name, recorded), "--report-data", "00" * 48,
                    check=False)
    assert result.returncode == 1
    assert "evidence.report_data_mismatch" in result.stderr


@pytest.mark.parametrize("name,code", [("tdx", "evidence.collateral_missing"), ("sgx", "evidence.collateral_missing")])
def test_a_quote_without_its_collateral_is_not_verified(name, code):
    result = coffer("verify", "--tee", name, VECTORS / VERIFIED[name][0], "--at", "2025-06-20T00:00:00Z", check=False)
    assert result.returncode == 1
    assert code in result.stderr


def test_a_report_without_its_certificate_is_not_verified():
    result = coffer("verify", "--tee", "snp", VECTORS / "snp/test-report.bin", check=False)
    assert result.returncode == 1
    assert "evidence.collateral_missing" in result.stderr


def test_a_certificate_completes_an_evidence_document_too(tmp_path):
    document = json.loads((VECTORS / "snp/genoa-v3-evidence.json").read_text())
    certificates = []
    for entry in document["cert_chain"]:
        certificates += ["--cert", tmp_path / f"{entry['cert_type']}.der"]
        certificates[-1].write_bytes(bytes(entry["data"]))
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps({**document, "cert_chain": None}))
    command = ["verify", "--tee", "snp", bare, "--at", "2025-06-01T00:00:00Z"]
    assert "evidence.collateral_missing" in coffer(*command, check=False).stderr
    assert coffer(*command, *certificates).returncode == 0


def test_evidence_without_room_for_certificates_takes_none(tmp_path):
    evidence = tmp_path / "evidence.json"
    evidence.write_text('{"quote": "AA=="}')
    certificate = VECTORS / "snp/test-vcek.der"
    result = coffer("verify", "--tee", "tdx", evidence, "--cert", certificate, check=False)
    assert result.returncode == 1
    assert "evidence.not_supported" in result.stderr


@pytest.mark.parametrize("wrong", ["test-vcek-invalid-legacy.der", "test-vcek-invalid-new.der", "test-vlek.der"])
def test_a_report_is_refused_with_a_certificate_that_is_not_its_own(wrong):
    result = coffer("verify", "--tee", "snp", VECTORS / "snp/test-report.bin", "--cert", VECTORS / "snp" / wrong, "--at",
                    "2024-06-01T00:00:00Z", check=False)
    assert result.returncode == 1
    assert "snp." in result.stderr


def test_a_report_that_the_guests_lower_privilege_level_asked_for_is_refused():
    result = coffer("verify", "--tee", "snp", VECTORS / "snp/test-vlek-report.bin", "--cert", VECTORS / "snp/test-vlek.der", "--at",
                    "2025-06-01T00:00:00Z", check=False)
    assert result.returncode == 1
    assert "snp.wrong_vmpl" in result.stderr or "evidence.collateral_missing" in result.stderr


def test_an_altered_report_is_refused_and_the_difference_named(tmp_path):
    report = bytearray((VECTORS / "snp/test-report.bin").read_bytes())
    report[0x90] ^= 1  # the first byte of the measurement
    altered = tmp_path / "altered.bin"
    altered.write_bytes(report)
    result = coffer("verify", "--tee", "snp", altered, "--cert", VECTORS / "snp/test-vcek.der", "--at", "2024-06-01T00:00:00Z",
                    check=False)
    assert result.returncode == 1
    difference = coffer("diff", "--tee", "snp", VECTORS / "snp/test-report.bin", altered, check=False)
    assert difference.returncode == 1
    assert "measurement" in difference.stdout
    assert coffer("diff", "--tee", "snp", altered, altered).stdout == "no difference\n"


def test_reference_values_come_from_verified_evidence_alone(recorded):
    proposal = ["reference", "from-evidence", "--json", "--tee", "snp"]
    result = run(BIN / "coffer", *proposal, *map(recorded, VERIFIED["snp"]))
    values = json.loads(result.stdout)["reference_values"]
    assert len(values["snp_launch_measurement"][0]) == 96
    assert isinstance(values["snp_guest_abi_major"], int)
    unverified = run(BIN / "coffer", *proposal, VECTORS / "snp/test-report.bin", check=False)
    assert unverified.returncode == 1
    assert "reference_values" not in unverified.stdout


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\x00" * 64, b"\xff" * 5000],
                         ids=["nothing", "cut", "object", "zeros", "ones"])
@pytest.mark.parametrize("tee", ["snp", "tdx", "sgx", "nitro", "tpm", "az-snp-vtpm", "az-tdx-vtpm", "cca", "psa", "keystone", "csv",
                                 "se", "hygondcu", "nvidia", "nvidia-dpu", "external"])
def test_rubbish_is_refused_by_every_reader(tee, content, tmp_path):
    file = tmp_path / "rubbish"
    file.write_bytes(content)
    for verb in ("inspect", "verify"):
        result = coffer(verb, "--tee", tee, file, check=False)
        assert result.returncode == 1, result.stdout
        assert result.stderr.startswith("coffer: ")
