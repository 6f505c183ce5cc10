"""A TEE of the owner's own, end to end: the worked example attests, its verifier is asked, and the default policy weighs its claims."""

import contextlib
import hashlib
import sys

import pytest

from conftest import ROOT, process, running_broker, wait_until

EXAMPLE = ROOT / "examples/external-tee"


@contextlib.contextmanager
def example(program, directory, *arguments):
    socket = directory / f"{program}.sock"
    with process(sys.executable, EXAMPLE / f"{program}.py", socket, *arguments, log=directory / f"{program}.log"):
        wait_until(socket.exists, f"the {program}'s socket")
        yield socket


@pytest.fixture
def toy(tmp_path):
    """A broker that asks the example's verifier, a guest on the example's hardware, and what that measures."""
    (tmp_path / "key").write_bytes(b"k" * 32)
    (tmp_path / "program").write_text("the workload")
    with example("verifier", tmp_path, tmp_path / "key") as verifier, \
            example("attester", tmp_path, tmp_path / "key", tmp_path / "program") as attester:
        settings = f'\n[attestation_service.verifier_config.external_verifier.toy]\nsocket = "{verifier}"\n'
        with running_broker(tmp_path, "--allow-tee", "sample", settings=settings) as broker:
            broker.coffer("policy", "affirming")
            broker.coffer("resource", "set", "default/key/toy", "--random", "32")
            yield broker, {"COFFER_EXTERNAL_ATTESTER": f"toy={attester}"}, hashlib.sha256(b"the workload").hexdigest()


def get(toy):
    broker, environment, _ = toy
    return broker.coffer("resource", "get", "default/key/toy", "--tee", "external", "--output", broker.home / "key", env=environment,
                         check=False)


def affirm(toy, measurement):
    broker = toy[0]
    for aspect in ("executables", "hardware", "configuration"):
        broker.coffer("reference", "set", f"external_toy_{aspect}", "measurement")
    broker.coffer("reference", "set", "external_toy_measurement", measurement, "--text")


def test_the_key_goes_to_what_the_owner_has_named(toy):
    affirm(toy, toy[2])
    result = get(toy)
    assert result.returncode == 0, result.stderr
    assert (toy[0].home / "key").stat().st_size == 32


def test_what_was_not_named_is_contraindicated(toy):
    assert get(toy).returncode == 1
    assert "executables" in toy[0].coffer("explain", "--last").stdout


def test_another_program_gets_nothing_and_its_owner_reads_why(toy):
    affirm(toy, "00" * 32)
    assert get(toy).returncode == 1
    explanation = toy[0].coffer("explain", "--last").stdout
    assert "input.external.toy.measurement" in explanation
    assert toy[2] in explanation and "00" * 32 in explanation
