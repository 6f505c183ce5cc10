"""A GPU beside a machine: composite evidence through a real broker, where each device is a part of the verdict of its own."""

import base64
import hashlib
import json

import pytest

from conftest import running_broker
from rcar import Guest

RESOURCE = "default/key/gpu"
FAULTS = {"wrong-nonce": "evidence.report_data_mismatch", "wrong-measurement": 'differing_measurements == []',
          "wrong-firmware": "nvidia.wrong_firmware", "wrong-device-key": "nvidia.wrong_device_key",
          "wrong-architecture": "nvidia.wrong_architecture", "repeated-device": "nvidia.repeated_device",
          "bad-signature": "nvidia.bad_signature", "expired": "nvidia.certificate_expired", "wrong-root": "nvidia.unknown_root"}


class GuestWithGpus(Guest):
    """A sample machine whose GPUs answer for the same handshake: they bind nonce and key, the machine binds their text."""

    def __init__(self, owner):
        super().__init__(owner.broker.url)
        self.owner = owner

    def attestation(self, nonce=None):
        document = super().attestation(nonce)
        runtime = document["runtime-data"]
        device_digest = hashlib.sha384(canonical(runtime)).hexdigest()
        additional = json.dumps({"nvidia": self.owner.evidence(device_digest)})
        digest = hashlib.sha384(canonical({**runtime, "additional-evidence": additional})).digest()
        document["tee-evidence"]["primary_evidence"]["report_data"] = base64.b64encode(digest).decode()
        document["tee-evidence"]["additional_evidence"] = additional
        return document


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Owner:
    def __init__(self, broker, directory):
        self.broker, self.file = broker, directory / "evidence.json"

    def evidence(self, report_data, tee="nvidia"):
        self.broker.coffer("simulate", "evidence", "--tee", tee, "--report-data", report_data, "--output", self.file)
        return json.loads(self.file.read_text())

    def dial(self, *arguments):
        self.broker.coffer("simulate", "set", "--tee", "nvidia", "--reset", *arguments)

    def explain(self):
        return self.broker.coffer("explain", "--last").stdout


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    directory = tmp_path_factory.mktemp("gpu")
    with running_broker(directory, "--allow-tee", "sample", "--allow-tee", "simulated:nvidia") as broker:
        owner = Owner(broker, directory)
        broker.coffer("policy", "affirming")
        secret = directory / "secret"
        secret.write_bytes(b"for this GPU alone")
        broker.coffer("resource", "set", RESOURCE, "--file", secret)
        owner.evidence("00" * 48)
        broker.coffer("reference", "from-evidence", "--tee", "simulated:nvidia", owner.file, "--set", "--simulator-root",
                      broker.home / "simulator/root.pem")
        for reference in (["launch_digest", "abcde"], ["svn", "1", "--text"], ["major_version", "1", "--single"],
                          ["minimum_minor_version", "0", "--single"]):
            broker.coffer("reference", "set", *reference)
        yield owner


def submodules(guest):
    payload = guest.token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["submods"]


def test_the_machine_with_the_measured_gpus_gets_the_key(owner):
    owner.dial("--value", "devices=2")
    guest = GuestWithGpus(owner).auth()
    status, body = guest.attest()
    assert status == 200, body
    parts = submodules(guest)
    assert set(parts) == {"cpu0", "gpu0", "gpu1"}
    assert {part["ear.status"] for part in parts.values()} == {"affirming"}, owner.explain()
    gpu = parts["gpu0"]["ear.veraison.annotated-evidence"]
    assert gpu["nvidia"]["arch"] == "Hopper"
    assert "SIMULATED, NOT SECURE" in gpu["simulated_root"]
    assert guest.resource(RESOURCE)[0] == 200


def test_each_fault_of_the_gpu_is_refused_and_named(owner):
    for fault, reason in FAULTS.items():
        owner.dial("--fault", fault)
        guest = GuestWithGpus(owner).auth()
        status, _ = guest.attest()
        assert status == (200 if fault == "wrong-measurement" else 401), fault
        assert guest.resource(RESOURCE)[0] != 200, fault
        assert reason in owner.explain(), f"{fault}: {owner.explain()}"
    owner.dial()


def test_a_gpus_report_of_another_handshake_is_refused(owner):
    owner.dial()
    first = GuestWithGpus(owner).auth()
    recorded = first.attestation()["tee-evidence"]["additional_evidence"]
    second = GuestWithGpus(owner).auth()
    second.owner = type("Replay", (), {"evidence": lambda self, report_data: json.loads(recorded)["nvidia"]})()
    status, body = second.attest()
    assert status == 401
    assert "evidence.report_data_mismatch" in owner.explain(), body


def test_a_gpu_that_the_machine_does_not_bind_is_refused(owner):
    owner.dial()
    guest = GuestWithGpus(owner).auth()
    document = guest.attestation()
    document["tee-evidence"]["additional_evidence"] = json.dumps({"nvidia": owner.evidence("00" * 48)})
    assert guest.attest(document)[0] == 401


def test_a_gpu_alone_gets_no_key(owner):
    owner.dial()
    guest = Guest(owner.broker.url, tee="nvidia").auth()
    document = guest.attestation()
    digest = hashlib.sha384(canonical({**document["runtime-data"], "additional-evidence": ""})).hexdigest()
    document["tee-evidence"]["primary_evidence"] = owner.evidence(digest)
    guest.attest(document)
    status, body = guest.resource(RESOURCE)
    assert status == 401
    assert body["code"] == "broker.tee_key_missing"
