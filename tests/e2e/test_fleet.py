"""The fleet whole: REST to coffer-manager, mosquitto, coffer-worker and back, plain and encrypted."""

import base64
import contextlib
import json
import urllib.request
import uuid

import pytest
from conftest import wait_until
from fleet_peers import BASE, CHANNEL, COMPLETED, FAILED, SCHEDULED, TENANT, MqttPeer
from mosquitto import Broker, running
from test_manager import known, manager
from upstream_manager import running_worker


@pytest.fixture
def mqtt_broker(tmp_path):
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\n")) as started:
        yield started


@contextlib.contextmanager
def worker(mqtt_broker, directory, **variables):
    with running_worker(mqtt_broker, directory, TENANT_ID=TENANT, CHANNEL_ID=CHANNEL, **variables) as started:
        yield started


def tee(kbs, kind="simulated:snp"):
    return {"TEE": kind, "TEE_SIMULATOR": str(kbs.home / "simulator"), "KBS_URI": kbs.url}


def trust(kbs, directory, *allowed):
    """The settings of a manager that believes this broker."""
    certificate = directory / "broker.pem"
    with urllib.request.urlopen(kbs.url + "/kbs/v0/info", timeout=5) as answer:
        certificate.write_text(json.load(answer)["token_certificates"])
    return {"MANAGER_ATTESTATION_CERTS": str(certificate), "MANAGER_ALLOW_TEES": ",".join(allowed)}


def test_plain_work_runs_without_a_tee(mqtt_broker, tmp_path, addition):
    with manager(tmp_path, mqtt_broker.address) as api, worker(mqtt_broker, tmp_path / "worker") as running_one:
        known(api)
        view = api.ok("GET", f"/proplets/{running_one.id}")
        assert view["coffer"]["verified"] is False and view["metadata"]["cpu_arch"]
        task = api.start(name="_start", image_url="", file=base64.b64encode(addition.read_bytes()).decode(), inputs=[10, 20])
        done = api.wait(task, COMPLETED)
        assert done["results"] == "10 + 20 = 30\n"
        refused = api.create(encrypted=True)
        status, document = api.send("POST", f"/tasks/{refused}/start")
        assert status == 500 and document["code"] == "manager.no_eligible_worker"


def test_encrypted_work_waits_for_a_worker_that_proves_itself(mqtt_broker, tmp_path, snp_broker, registry, addition):
    reference = f"{registry}/fleet-{uuid.uuid4()}:v1"
    snp_broker.coffer("image", "push", reference, addition, "--encrypt", "kbs:///default/key/fleet", "--create-key")
    environment = {**trust(snp_broker, tmp_path, "simulated:snp"), "MANAGER_ALIVE_TIMEOUT": "6s"}
    with manager(tmp_path, mqtt_broker.address, env=environment) as api:
        with worker(mqtt_broker, tmp_path / "plain"):
            known(api)
            task = api.start(name="_start", image_url=reference, encrypted=True, inputs=[10, 20], on_unavailable="wait")
            waiting = api.task(task)
            assert waiting["state"] == SCHEDULED and "attestation token" in waiting["reason"], waiting
            with worker(mqtt_broker, tmp_path / "tee", **tee(snp_broker)) as confidential:
                done = api.wait(task, COMPLETED, 60)
                assert done["results"] == "10 + 20 = 30\n" and done["proplet_id"] == confidential.id
                view = api.ok("GET", f"/proplets/{confidential.id}")["coffer"]
                assert view["verified"] and view["tee"] == "simulated:snp"
                for _ in range(3):
                    again = api.start(name="_start", image_url=reference, encrypted=True, inputs=[1, 2])
                    assert api.wait(again, COMPLETED, 30)["proplet_id"] == confidential.id
            wait_until(lambda: api.ok("GET", "/proplets?status=active")["total"] == 1, "its end", 30)
            status, document = api.send("POST", f"/tasks/{api.create(image_url=reference, encrypted=True)}/start")
            assert status == 500 and document["code"] == "manager.no_eligible_worker"


def test_a_simulated_tee_proves_nothing_to_a_manager_that_does_not_name_it(mqtt_broker, tmp_path, snp_broker):
    with manager(tmp_path, mqtt_broker.address, env=trust(snp_broker, tmp_path)) as api, \
            worker(mqtt_broker, tmp_path / "tee", **tee(snp_broker)) as liar:
        known(api)
        said = wait_until(lambda: (view := api.ok("GET", f"/proplets/{liar.id}")["coffer"])
                          and "simulated:snp" in view.get("unverified_because", "") and view, "its token")
        assert not said["verified"] and said["says"]["tee"]["type"] == "snp"
        status, document = api.send("POST", f"/tasks/{api.create(encrypted=True)}/start")
        assert status == 500 and "simulated:snp" in document["error"]


def test_a_worker_that_shows_anothers_token_gets_no_encrypted_work(mqtt_broker, tmp_path, snp_broker):
    """Everybody on the channel hears a worker's token; without its key it is worth nothing."""
    with manager(tmp_path, mqtt_broker.address, env=trust(snp_broker, tmp_path, "simulated:snp")) as api:
        ear = MqttPeer(mqtt_broker.address, [f"{BASE}/control/proplet/alive"])
        with worker(mqtt_broker, tmp_path / "tee", **tee(snp_broker)):
            heard = ear.wait_for(lambda _, m: m.get("coffer", {}).get("attestation"), "a token", 30)
        thief = str(uuid.uuid4())
        ear.publish("control/proplet/alive", {"proplet_id": thief, "status": "alive", "coffer": heard["coffer"]})
        said = wait_until(lambda: api.send("GET", f"/proplets/{thief}")[0] == 200
                          and api.ok("GET", f"/proplets/{thief}")["coffer"], "the thief")
        assert not said["verified"] and "fleet.bad_proof" in said["unverified_because"]
        ear.close()


def test_neither_key_nor_plaintext_reaches_the_manager(mqtt_broker, tmp_path, snp_broker, registry, compile_guest):
    canary = "canary-71c2a9d4"
    module = compile_guest("fleet-canary", 'static volatile const char secret[] = "' + canary + '";\n'
                           "int main(void) { return secret[0] != 99; }")
    reference = f"{registry}/fleet-{uuid.uuid4()}:v1"
    snp_broker.coffer("image", "push", reference, module, "--encrypt", "kbs:///default/key/canary", "--create-key")
    key_file = tmp_path / "key"
    snp_broker.coffer("resource", "get", "default/key/canary", "--tee", "simulated:snp", "--output", key_file)
    key = key_file.read_bytes()
    key_file.unlink()
    ear = MqttPeer(mqtt_broker.address, ["#"])
    environment = {**trust(snp_broker, tmp_path, "simulated:snp"), "MANAGER_LOG_LEVEL": "trace"}
    with manager(tmp_path, mqtt_broker.address, env=environment) as api, \
            worker(mqtt_broker, tmp_path / "tee", LOG_LEVEL="trace", **tee(snp_broker)) as confidential:
        known(api)
        task = api.start(name="_start", image_url=reference, encrypted=True, on_unavailable="wait")
        api.wait(task, COMPLETED, 60)
        answers = json.dumps(api.task(task)) + json.dumps(api.ok("GET", "/proplets"))
        written = answers.encode() + b"".join(payload for _, payload in ear.heard) + confidential.log.read_bytes()
        log = api.log
    for file in [log, *tmp_path.glob("manager.db*")]:
        written += file.read_bytes()
    assert task.encode() in written
    for form in (key, key.hex().encode(), base64.b64encode(key), canary.encode(), base64.b64encode(module.read_bytes())[:64]):
        assert form not in written
    ear.close()


def test_a_workers_refusal_is_the_tasks_error(mqtt_broker, tmp_path):
    """An operator may send encrypted work to anybody, as upstream does; the worker's own answer is then the result."""
    with manager(tmp_path, mqtt_broker.address, env={"MANAGER_UNVERIFIED_ENCRYPTED": "true"}) as api, \
            worker(mqtt_broker, tmp_path / "plain"):
        known(api)
        task = api.start(image_url="localhost:1/x:v1", encrypted=True)
        failed = api.wait(task, FAILED)
        assert "TEE runtime not available" in failed["error"] and failed["code"]
