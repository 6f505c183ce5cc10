"""Signatures of images and modules: our command line and worker beside a peer that does what cosign does."""

import json
import subprocess
import uuid

import pytest

import cosign
from conftest import BIN, process, run
from upstream_manager import CHANNEL, TENANT, file_of, manager, mqtt_broker, running_worker  # noqa: F401


@pytest.fixture
def image(registry, addition):
    reference = f"{registry}/signed-{uuid.uuid4()}:v1"
    run(BIN / "coffer", "image", "push", reference, addition)
    return reference


@pytest.fixture(scope="module")
def operators_key():
    return cosign.Key()


@pytest.fixture(scope="module")
def keys_folder(operators_key, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    (folder / "cosign.pub").write_text(operators_key.public_pem())
    return folder


@pytest.fixture(scope="module")
def strict_worker(mqtt_broker, manager, tmp_path_factory, keys_folder):
    """Its operator wants every module signed."""
    with running_worker(mqtt_broker, tmp_path_factory.mktemp("strict"), manager, IMAGE_ROUTE="registry",
                        IMAGE_KEYS=keys_folder) as worker:
        yield worker


@pytest.fixture(scope="module")
def open_worker(mqtt_broker, manager, tmp_path_factory):
    with running_worker(mqtt_broker, tmp_path_factory.mktemp("open"), manager, IMAGE_ROUTE="registry") as worker:
        yield worker


def add(manager, worker, **members):
    result = manager.run(name="add", inputs=["10", "20"], proplet_id=worker.id, **members)
    return (result.get("code"), result["results"])


RAN = (None, "30")


@pytest.mark.parametrize("kind", ("ecdsa", "rsa", "ed25519"))
def test_what_the_command_line_signs_cosign_verifies_and_the_other_way_round(image, tmp_path, kind):
    ours, theirs, stranger = cosign.Key(kind), cosign.Key(kind), cosign.Key(kind)
    (tmp_path / "ours.pem").write_text(ours.private_pem())
    for name, key in (("ours", ours), ("theirs", theirs), ("stranger", stranger)):
        (tmp_path / f"{name}.pub").write_text(key.public_pem())
    cosign.sign(image, theirs)
    told = json.loads(run(BIN / "coffer", "--json", "image", "sign", image, "--key", tmp_path / "ours.pem").stdout)
    assert told["digest"] == cosign.digest_of(cosign.Repository(image).manifest())
    assert cosign.verify(image, ours) and cosign.verify(image, theirs) and not cosign.verify(image, stranger)
    for name in ("ours", "theirs"):
        verified = json.loads(run(BIN / "coffer", "--json", "image", "verify", image, "--key", tmp_path / f"{name}.pub").stdout)
        assert verified["digest"] == told["digest"]
    refused = run(BIN / "coffer", "image", "verify", image, "--key", tmp_path / "stranger.pub", check=False)
    assert refused.returncode == 1 and "image.signature_invalid" in refused.stderr


def test_an_unsigned_image_and_keys_that_are_none_are_told_apart(image, tmp_path):
    (tmp_path / "good.pub").write_text(cosign.Key().public_pem())
    (tmp_path / "bad.pub").write_text("no key")
    refused = run(BIN / "coffer", "image", "verify", image, "--key", tmp_path / "good.pub", check=False)
    assert refused.returncode == 1 and "image.signature_missing" in refused.stderr
    refused = run(BIN / "coffer", "image", "verify", image, "--key", tmp_path / "bad.pub", check=False)
    assert refused.returncode == 1 and "image.bad_signing_key" in refused.stderr
    refused = run(BIN / "coffer", "image", "sign", image, "--key", tmp_path / "good.pub", check=False)
    assert refused.returncode == 1 and "image.bad_signing_key" in refused.stderr


def test_a_worker_with_keys_runs_what_they_signed_and_nothing_else(manager, strict_worker, operators_key, image):
    assert add(manager, strict_worker, image_url=image) == ("image.signature_missing", "")
    cosign.sign(image, cosign.Key())
    assert add(manager, strict_worker, image_url=image) == ("image.signature_invalid", "")
    cosign.sign(image, operators_key)
    assert add(manager, strict_worker, image_url=image) == RAN
    assert "worker.signature" in strict_worker.log_text()


def test_a_signature_over_another_image_does_not_count(manager, strict_worker, operators_key, image):
    payload = cosign.payload_for("sha256:" + "0" * 64)
    cosign.store(image, payload, {cosign.SIGNATURE: operators_key.sign(payload)})
    assert add(manager, strict_worker, image_url=image) == ("image.signature_mismatch", "")


def test_a_document_of_another_kind_does_not_count(manager, strict_worker, operators_key, image):
    payload = cosign.payload_for(cosign.digest_of(cosign.Repository(image).manifest()), kind="atomic container signature")
    cosign.store(image, payload, {cosign.SIGNATURE: operators_key.sign(payload)})
    assert add(manager, strict_worker, image_url=image) == ("image.bad_signature_payload", "")


def test_a_keyless_signature_is_refused_by_name(manager, strict_worker, image):
    payload = cosign.payload_for(cosign.digest_of(cosign.Repository(image).manifest()))
    cosign.store(image, payload, {cosign.SIGNATURE: cosign.Key().sign(payload),
                                  "dev.sigstore.cosign/certificate": "-----BEGIN CERTIFICATE-----"})
    assert add(manager, strict_worker, image_url=image) == ("image.keyless_signature", "")


def test_a_request_cannot_loosen_what_the_operator_demands(manager, strict_worker, operators_key, image):
    mine = cosign.Key()
    cosign.sign(image, mine)
    asked = {"module_signature": {"public_key": mine.public_pem()}}
    assert add(manager, strict_worker, image_url=image, **asked) == ("image.signature_invalid", "")


def test_a_module_without_an_image_needs_a_signature_over_itself(manager, strict_worker, operators_key, addition, image):
    task = {"file": file_of(addition)}
    assert add(manager, strict_worker, **task) == ("image.signature_missing", "")
    good = operators_key.sign(addition.read_bytes())
    assert add(manager, strict_worker, **task, module_signature={"signature": good}) == RAN
    strangers = cosign.Key().sign(addition.read_bytes())
    assert add(manager, strict_worker, **task, module_signature={"signature": strangers}) == ("image.signature_invalid", "")
    assert add(manager, strict_worker, image_url=image, module_signature={"signature": good}) == RAN
    assert add(manager, strict_worker, image_url="http://127.0.0.1:1/x.wasm") == ("image.signature_missing", "")


def test_what_openssl_signs_is_such_a_signature(manager, open_worker, addition, tmp_path):
    """The commands of worker.md, "Signed modules"."""
    (tmp_path / "app.wasm").write_bytes(addition.read_bytes())
    subprocess.run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out sign.key 2>/dev/null && "
                   "openssl pkey -in sign.key -pubout -out sign.pub && "
                   "openssl dgst -sha256 -sign sign.key app.wasm | base64 -w0 > app.sig", shell=True, check=True, cwd=tmp_path)
    asked = {"public_key": (tmp_path / "sign.pub").read_text(), "signature": (tmp_path / "app.sig").read_text()}
    assert add(manager, open_worker, file=file_of(addition), module_signature=asked) == RAN


def test_a_request_may_ask_for_a_signature_where_the_operator_does_not(manager, open_worker, image):
    mine = cosign.Key("ed25519")
    asked = {"module_signature": {"public_key": mine.public_pem()}}
    assert add(manager, open_worker, image_url=image) == RAN
    assert add(manager, open_worker, image_url=image, **asked) == ("image.signature_missing", "")
    cosign.sign(image, mine)
    assert add(manager, open_worker, image_url=image, **asked) == RAN


@pytest.mark.parametrize("asked, code", (
    ({"signature": "AAAA"}, "worker.no_trusted_key"), ({}, "fleet.bad_member"), ({"public_key": "cosign.pub"}, "fleet.bad_member"),
    ({"public_key": "-----BEGIN PUBLIC KEY-----"}, "image.bad_signing_key"),
    ({"public_key": "kbs:///default/key/cosign"}, "worker.tee_not_available")))
def test_a_request_that_makes_no_sense_is_told_why(manager, open_worker, addition, asked, code):
    assert add(manager, open_worker, file=file_of(addition), module_signature=asked) == (code, "")


def test_by_proxy_the_signatures_come_along(mqtt_broker, manager, tmp_path, registry, image, operators_key, keys_folder):
    settings = {"TENANT_ID": TENANT, "CHANNEL_ID": CHANNEL, "ENTITY_ID": str(uuid.uuid4()), "API_KEY": "proxy-key",
                "MQTT_ADDRESS": mqtt_broker.address, "REGISTRY_URL": registry, "HTTP_PORT": "0"}
    with process(BIN / "coffer-proxy", log=tmp_path / "proxy.log", cwd=tmp_path,
                 env={f"PROXY_{name}": value for name, value in settings.items()}), \
            running_worker(mqtt_broker, tmp_path / "worker", manager, IMAGE_KEYS=keys_folder) as worker:
        assert add(manager, worker, image_url=image) == ("image.signature_missing", "")
        cosign.sign(image, operators_key)
        assert add(manager, worker, image_url=image) == RAN


def test_encrypted_images_are_checked_before_their_key_is_asked_for(mqtt_broker, manager, tmp_path, snp_broker, registry, addition,
                                                                  operators_key, keys_folder):
    reference = f"{registry}/sealed-{uuid.uuid4()}:v1"
    snp_broker.coffer("image", "push", reference, addition, "--encrypt", "kbs:///default/key/sealed", "--create-key")
    requests_key = cosign.Key()
    (tmp_path / "requests.pub").write_text(requests_key.public_pem())
    snp_broker.coffer("resource", "set", "default/cosign/key", "--file", tmp_path / "requests.pub")

    def releases():
        return [record for record in snp_broker.json("audit", "--last", "100")
                if record["decision"] == "released" and record["resource"] == "default/key/sealed"]

    with running_worker(mqtt_broker, tmp_path / "worker", manager, TEE="simulated:snp", KBS_URI=snp_broker.url,
                        TEE_SIMULATOR=str(snp_broker.home / "simulator"), IMAGE_KEYS=keys_folder) as worker:
        task = {"image_url": reference, "encrypted": True}
        assert add(manager, worker, **task) == ("image.signature_missing", "")
        assert not releases()
        cosign.sign(reference, operators_key)
        assert add(manager, worker, **task) == RAN
        assert len(releases()) == 1
        with_key = {**task, "module_signature": {"public_key": "kbs:///default/cosign/key"}}
        assert add(manager, worker, **with_key) == ("image.signature_invalid", "")
        over_module = requests_key.sign(addition.read_bytes())
        assert add(manager, worker, **task, module_signature={
            "public_key": "kbs:///default/cosign/key", "signature": over_module}) == ("image.signature_invalid", "")


def test_a_worker_does_not_start_with_keys_that_are_none(tmp_path):
    (tmp_path / "cosign.pub").write_text("no key")
    refused = run(BIN / "coffer-worker", "--mqtt-address", "tcp://127.0.0.1:1", "--tenant-id", "t", "--channel-id", "c",
                  "--entity-id", str(uuid.uuid4()), "--image-keys", tmp_path / "cosign.pub", "--check", check=False,
                  env={"PROPLET_API_KEY": "k"})
    assert refused.returncode == 1 and "image-keys" in refused.stderr.lower(), refused.stderr
