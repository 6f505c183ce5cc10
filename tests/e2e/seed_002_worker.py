"""Seed 002 ("encrypted workloads in the worker"): its test cases 1 to 3, its end-to-end workflow and what it decided, with
our worker under a client that plays upstream's manager."""

import base64
import contextlib
import hashlib
import json
import urllib.request
import uuid

import pytest

from conftest import BIN, process, wait_until
from upstream_manager import CHANNEL, TENANT, file_of, mqtt_broker, running_worker, upstream_manager  # noqa: F401


@pytest.fixture
def manager(mqtt_broker):
    with upstream_manager(mqtt_broker.port) as started:
        yield started


def push(kbs, registry, module, key, *more):
    """An image of the module, encrypted under a new key of that name."""
    reference = f"{registry}/seed-002-{key}-{uuid.uuid4()}:v1"
    kbs.coffer("image", "push", reference, module, "--encrypt", f"kbs:///default/key/{key}", "--create-key", *more)
    return reference


def push_plain(kbs, registry, module):
    reference = f"{registry}/seed-002-plain-{uuid.uuid4()}:v1"
    kbs.coffer("image", "push", reference, module)
    return reference


@contextlib.contextmanager
def tee_worker(mqtt_broker, manager, directory, kbs, tee="simulated:snp", **more):
    with running_worker(mqtt_broker, directory / "worker", manager, TEE=tee, TEE_SIMULATOR=str(kbs.home / "simulator"),
                        KBS_URI=kbs.url, **more) as worker:
        yield worker


@pytest.fixture
def confidential_worker(mqtt_broker, manager, tmp_path, snp_broker):
    with tee_worker(mqtt_broker, manager, tmp_path, snp_broker) as worker:
        yield worker


def test_case_1_unencrypted_work_runs_without_a_tee(mqtt_broker, manager, tmp_path, addition):
    with running_worker(mqtt_broker, tmp_path, manager) as worker:
        result = manager.run(name="_start", file=file_of(addition), inputs=["10", "20"])
        assert result["error"] is None
        assert result["results"] == "10 + 20 = 30\n"
        assert manager.run(name="add", file=file_of(addition), inputs=["10", "20"])["results"] == "30"
        assert "worker.attested" not in worker.log_text()


def test_case_2_encrypted_work_runs_with_sample_attestation(mqtt_broker, manager, tmp_path, broker, registry, addition):
    broker.coffer("policy", "allow-all")
    reference = push(broker, registry, addition, "sample")
    with tee_worker(mqtt_broker, manager, tmp_path, broker, tee="sample"):
        result = manager.run(name="add", image_url=reference, encrypted=True, inputs=["10", "20"])
        assert result["error"] is None, result
        assert result["results"] == "30"


def test_case_2_encrypted_work_runs_with_simulated_hardware(manager, confidential_worker, snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "snp")
    result = manager.run(name="add", image_url=reference, encrypted=True, inputs=["10", "20"])
    assert result["error"] is None, result
    assert result["results"] == "30"
    assert result["module_digest"] == "sha256:" + hashlib.sha256(addition.read_bytes()).hexdigest()
    assert confidential_worker.id == result["proplet_id"]


def test_case_3_encrypted_work_outside_a_tee_is_refused_with_a_clear_error(mqtt_broker, manager, tmp_path, registry, broker, addition):
    reference = push(broker, registry, addition, "outside")
    with running_worker(mqtt_broker, tmp_path / "worker", manager, KBS_URI=broker.url) as worker:
        result = manager.run(name="add", image_url=reference, encrypted=True, inputs=["10", "20"], seconds=5)
        assert "TEE runtime not available" in result["error"]
        assert result["code"] == "worker.tee_not_available"
        assert result["results"] == ""
        assert "worker.encrypted_refused" in worker.log_text()
    assert "broker.released" not in broker.log.read_text()


@pytest.mark.parametrize("encrypted", (False, True))
@pytest.mark.parametrize("in_tee", (False, True))
def test_the_matrix_of_encrypted_or_not_in_a_tee_or_not(mqtt_broker, manager, tmp_path, snp_broker, registry, addition, encrypted, in_tee):
    reference = push(snp_broker, registry, addition, "matrix") if encrypted else push_plain(snp_broker, registry, addition)
    settings = {"KBS_URI": snp_broker.url, "IMAGE_ROUTE": "registry"}
    if in_tee:
        settings.update(TEE="simulated:snp", TEE_SIMULATOR=str(snp_broker.home / "simulator"))
    with running_worker(mqtt_broker, tmp_path / "worker", manager, **settings):
        result = manager.run(name="add", image_url=reference, encrypted=encrypted, inputs=["10", "20"])
        if encrypted and not in_tee:
            assert result["code"] == "worker.tee_not_available"
        else:
            assert (result["error"], result["results"]) == (None, "30")


def test_the_whole_workflow_leaves_neither_key_nor_plaintext_behind(mqtt_broker, manager, tmp_path, snp_broker, registry, compile_guest):
    # A text in the module that must not show up anywhere but in the guest's own output.
    canary = "canary-5f0d5f2a"
    module = compile_guest("canary", '#include <stdio.h>\nstatic volatile const char secret[] = "' + canary + '";\n'
                           'int main(void) { printf("%d", (int)sizeof secret); return secret[0] != 99; }')
    assert canary.encode() in module.read_bytes()
    reference = push(snp_broker, registry, module, "workflow")
    key_file = tmp_path / "key"
    snp_broker.coffer("resource", "get", "default/key/workflow", "--tee", "simulated:snp", "--output", key_file)
    key = key_file.read_bytes()
    key_file.unlink()
    with tee_worker(mqtt_broker, manager, tmp_path, snp_broker, LOG_LEVEL="trace") as worker:
        result = manager.run(name="_start", image_url=reference, encrypted=True)
        assert result["results"] == str(len(canary) + 1)
        with urllib.request.urlopen(f"http://{worker.metrics_address()}/metrics", timeout=5) as answer:
            assert 'coffer_worker_encrypted_starts_total{outcome="ok"} 1' in answer.read().decode()
    written = manager.traffic() + worker.log.read_bytes() + snp_broker.log.read_bytes()
    for file in (tmp_path / "worker").rglob("*"):
        written += file.read_bytes() if file.is_file() else b""
    plaintext = module.read_bytes()
    for form in (key, key.hex().encode(), base64.b64encode(key), base64.urlsafe_b64encode(key).rstrip(b"="), canary.encode(),
                 base64.b64encode(plaintext)[:64]):
        assert form not in written


def test_the_manager_sees_an_attestation_with_a_proof_and_results_signed_by_the_same_key(manager, confidential_worker, snp_broker,
                                                                                       registry, addition):
    def attested(message):
        return message["proplet_id"] == confidential_worker.id and "attestation" in message.get("coffer", {})

    beat = manager.wait("/control/proplet/alive", attested, "an attestation in a heartbeat")["coffer"]
    assert beat["tee"] == {"type": "snp", "simulated": True}
    assert "tee" in beat["runtimes"]
    attestation = beat["attestation"]
    assert attestation["token"].count(".") == 2 and attestation["expires_at"].endswith("Z")
    header, claims, _ = attestation["proof"].split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["typ"] == "coffer-presence+jwt"
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["proplet_id"] == confidential_worker.id
    reference = push(snp_broker, registry, addition, "signed")
    result = manager.run(name="add", image_url=reference, encrypted=True, inputs=["1", "2"])
    statement = json.loads(base64.urlsafe_b64decode(result["signature"].split(".")[1] + "=="))
    assert statement["task_id"] == result["task_id"]
    assert statement["module_digest"] == result["module_digest"]


def test_many_encrypted_tasks_share_one_attestation(manager, confidential_worker, snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "shared")
    tasks = [manager.start(name="add", image_url=reference, encrypted=True, inputs=[str(n), "1"]) for n in range(12)]
    assert [manager.result(task)["results"] for task in tasks] == [str(n + 1) for n in range(12)]
    with urllib.request.urlopen(f"http://{confidential_worker.metrics_address()}/metrics", timeout=5) as answer:
        assert 'coffer_worker_attestations_total{outcome="ok"} 1' in answer.read().decode()
    assert snp_broker.log.read_text().count("/kbs/v0/attest") <= 1


def test_what_was_chosen_by_invoke_is_answered_as_wasmtime_prints_it(manager, confidential_worker, snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "invoked")
    result = manager.run(name="label", cli_args=["--invoke", "add"], image_url=reference, encrypted=True, inputs=["10", "20"])
    assert result["results"] == "30\n"
    assert confidential_worker.id


def test_environment_limits_daemon_and_stop_hold_for_encrypted_tasks(manager, confidential_worker, snp_broker, registry, compile_guest):
    module = compile_guest("loop", '#include <stdio.h>\n#include <stdlib.h>\n'
                           'int main(void) { if (getenv("PRINT")) { puts(getenv("PRINT")); return 0; } for (;;) { __asm__ volatile(""); } }')
    reference = push(snp_broker, registry, module, "loop")
    task = {"name": "_start", "image_url": reference, "encrypted": True}
    assert manager.run(**task, env={"PRINT": "seen"})["results"] == "seen\n"
    assert manager.run(**task, timeout_seconds=1)["code"] == "wasm.timeout"
    assert manager.run(**task, fuel=100000)["code"] == "wasm.out_of_fuel"
    spinning = manager.start(**task)
    wait_until(lambda: confidential_worker.log_text().count(f"task={spinning}") >= 2, "the task's run")
    manager.stop_task(spinning)
    assert manager.result(spinning)["code"] == "worker.stopped"
    daemon = manager.start(**task, daemon=True)
    assert manager.result(daemon)["error"] is None
    manager.stop_task(daemon)
    wait_until(lambda: f'"the task was stopped" task={daemon}' in confidential_worker.log_text(), "the daemon's end")


def test_nothing_falls_back_to_plain(manager, confidential_worker, snp_broker, registry, addition):
    plain = push_plain(snp_broker, registry, addition)
    downgraded = manager.run(name="add", image_url=plain, encrypted=True, inputs=["1", "2"])
    assert downgraded["code"] == "guest.not_encrypted" and downgraded["results"] == ""
    sealed = push(snp_broker, registry, addition, "unmarked")
    unmarked = manager.run(name="add", image_url=f"docker://{sealed}", inputs=["1", "2"])
    assert unmarked["code"] == "worker.encrypted_image" and unmarked["results"] == ""
    address = manager.run(name="add", image_url="http://127.0.0.1:1/x.wasm", encrypted=True)
    assert address["code"] == "worker.unsupported"
    assert confidential_worker.id


def test_a_policy_that_denies_is_told_by_code_and_explained_to_the_owner_alone(manager, confidential_worker, snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "denied")
    snp_broker.coffer("policy", "deny-all")
    result = manager.run(name="add", image_url=reference, encrypted=True, inputs=["1", "2"])
    assert result["code"] == "keyclient.policy_denied"
    assert confidential_worker.id


def test_the_requests_key_wins_over_the_annotations_and_these_over_the_workers(mqtt_broker, manager, tmp_path, snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "annotated")
    key_file = tmp_path / "key"
    snp_broker.coffer("resource", "get", "default/key/annotated", "--tee", "simulated:snp", "--output", key_file)
    snp_broker.coffer("resource", "set", "default/key/copy", "--file", key_file)
    task = {"name": "add", "image_url": reference, "encrypted": True, "inputs": ["1", "2"]}
    with tee_worker(mqtt_broker, manager, tmp_path, snp_broker, KBS_RESOURCE_PATH="default/key/none") as worker:
        assert manager.run(**task)["results"] == "3"
        assert manager.run(**task, kbs_resource_path="default/key/copy")["results"] == "3"
        assert manager.run(**task, kbs_resource_path="default/key/none")["code"] == "keyclient.not_found"
        assert "kid=kbs:///default/key/copy" in worker.log_text()


def test_a_request_may_name_a_broker_only_from_the_workers_list(mqtt_broker, manager, tmp_path, snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "domain")
    task = {"name": "add", "image_url": reference, "encrypted": True, "inputs": ["1", "2"]}
    with running_worker(mqtt_broker, tmp_path / "worker", manager, TEE="simulated:snp", TEE_SIMULATOR=str(snp_broker.home / "simulator"),
                        KBS_URI="http://127.0.0.1:1", KBS_ALLOWED_URIS=snp_broker.url):
        assert manager.run(**task, kbs_uri=snp_broker.url)["results"] == "3"
        assert manager.run(**task, kbs_uri="http://127.0.0.1:2")["code"] == "worker.broker_not_allowed"
        assert manager.run(**task)["code"] == "keyclient.unreachable"


def test_a_tee_without_a_broker_starts_runs_plain_work_and_refuses_encrypted(mqtt_broker, manager, tmp_path, addition):
    with running_worker(mqtt_broker, tmp_path, manager, TEE="sample") as worker:
        assert manager.run(name="add", file=file_of(addition), inputs=["1", "2"])["results"] == "3"
        refused = manager.run(name="add", image_url="127.0.0.1:1/x:v1", encrypted=True)
        assert "TEE runtime not available" in refused["error"] and "PROPLET_KBS_URI" in refused["error"]
        assert "worker.no_broker" in worker.log_text()


def test_switched_off_the_tee_takes_no_encrypted_work(mqtt_broker, manager, tmp_path, snp_broker):
    with tee_worker(mqtt_broker, manager, tmp_path, snp_broker, TEE_ENABLED="false") as worker:
        refused = manager.run(name="add", image_url="127.0.0.1:1/x:v1", encrypted=True)
        assert "PROPLET_TEE_ENABLED=false" in refused["error"]
        discovery = manager.wait("/control/proplet/create", lambda m: m["proplet_id"] == worker.id, "discovery")
        assert "tee" not in discovery["coffer"] and discovery["coffer"]["runtimes"] == ["wasm"]


def chunks_of(reference):
    """What coffer-proxy sends of an image: upstream's members, and ours in the first chunk."""
    host, rest = reference.split("/", 1)
    name, tag = rest.rsplit(":", 1)

    def get(path, accept="*/*"):
        request = urllib.request.Request(f"http://{host}/v2/{name}/{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read()

    manifest = get(f"manifests/{tag}", "application/vnd.oci.image.manifest.v1+json")
    parsed = json.loads(manifest)
    layer = get(f"blobs/{parsed['layers'][0]['digest']}")
    pieces = [layer[at:at + 20000] for at in range(0, len(layer), 20000)]
    for index, piece in enumerate(pieces):
        chunk = {"app_name": reference, "chunk_idx": index, "total_chunks": len(pieces), "data": base64.b64encode(piece).decode()}
        if index == 0:
            chunk |= {"manifest": manifest.decode(), "config": get(f"blobs/{parsed['config']['digest']}").decode(),
                      "digest": parsed["layers"][0]["digest"], "annotations": parsed["layers"][0].get("annotations", {})}
        yield chunk


def test_encrypted_images_also_come_by_proxy_under_the_same_checks(mqtt_broker, manager, tmp_path, snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "by-proxy")
    plain = push_plain(snp_broker, registry, addition)
    with tee_worker(mqtt_broker, manager, tmp_path, snp_broker, ENCRYPTED_IMAGE_ROUTE="proxy"):
        def serve(image, chunks):
            task = manager.start(name="add", image_url=image, encrypted=True, inputs=["10", "20"])
            manager.wait("/registry/proplet", lambda m: m["app_name"] == image, "the request")
            for chunk in chunks:
                manager.publish("/registry/server", {**chunk, "app_name": image})
            return manager.result(task)

        whole = list(chunks_of(reference))
        assert serve(reference, whole)["results"] == "30"
        unsealed = serve(plain, chunks_of(plain))
        assert unsealed["code"] == "guest.not_encrypted"
        bare = serve(f"{reference}-bare", [{k: c[k] for k in ("app_name", "chunk_idx", "total_chunks", "data")} for c in whole])
        assert bare["code"] == "worker.unsupported" and "manifest" in bare["error"]
        last = bytearray(base64.b64decode(whole[-1]["data"]))
        last[0] ^= 1
        forged = [dict(c) for c in whole]
        forged[-1]["data"] = base64.b64encode(bytes(last)).decode()
        forged[0].pop("digest")
        refused = serve(f"{reference}-forged", forged)
        assert refused["error"] and refused["results"] == ""


def test_plain_and_encrypted_images_come_through_coffer_proxy(mqtt_broker, manager, tmp_path, snp_broker, registry, addition):
    reference, plain = push(snp_broker, registry, addition, "real-proxy"), push_plain(snp_broker, registry, addition)
    log = tmp_path / "proxy.log"
    settings = {"MQTT_ADDRESS": mqtt_broker.address, "TENANT_ID": TENANT, "CHANNEL_ID": CHANNEL, "ENTITY_ID": "proxy", "API_KEY": "k",
                "HTTP_PORT": "0", "REGISTRY_URL": registry, "CHUNK_SIZE": "20000"}
    with process(BIN / "coffer-proxy", log=log, env={f"PROXY_{name}": value for name, value in settings.items()}, cwd=tmp_path), \
            tee_worker(mqtt_broker, manager, tmp_path, snp_broker, ENCRYPTED_IMAGE_ROUTE="proxy"):
        assert manager.run(name="add", image_url=plain, inputs=["10", "20"])["results"] == "30"
        sealed = manager.run(name="add", image_url=reference, encrypted=True, inputs=["10", "20"])
        assert (sealed["error"], sealed["results"]) == (None, "30")
        missing = manager.run(name="add", image_url=f"{registry}/no-such-image:v1", inputs=["1", "2"])
        assert missing["code"] == "fleet.fetch_failed"
        assert len([m for m in manager.all("/registry/server") if m["app_name"] == reference]) > 1
