"""A fleet on an MQTT broker that nobody trusts: payloads are sealed under a key that attested workers and the managers
share; who hears them learns nothing, and who forges, repeats or moves them gets nowhere."""

import base64
import json
import os
import secrets
import shlex
import time
import uuid

import pytest
from conftest import BIN, ROOT, free_port, http_ok, process, run, wait_until
from fleet_peers import BASE, CHANNEL, COMPLETED, RUNNING, TENANT, Api, UpstreamWorker
from fleet_rig import exposition
from sealed_peer import is_sealed, seal
from sealed_rig import ALIVE, CREATE, RESOURCE, RESULTS, START, STOP, SealedPeer, known, of_worker, refused, sealed_fleet
from test_fleet import tee
from test_fleet_alerts import metrics_of
from test_fleet_canary import forms

# Its name, and how long it takes in milliseconds.
GUEST = """
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int main(int argc, char **argv) {
  long wait = argc > 2 ? atol(argv[2]) : 0;
  struct timespec pause = {wait / 1000, wait % 1000 * 1000000L};
  if (wait) nanosleep(&pause, 0);
  printf("result of %s is %s-answer\\n", argc > 1 ? argv[1] : "nobody", getenv("SECRET") ? getenv("SECRET") : "no");
  return 0;
}
"""


@pytest.fixture
def fleet(tmp_path):
    with sealed_fleet(tmp_path) as started:
        yield started


@pytest.fixture
def module(compile_guest):
    return compile_guest("sealed-guest", GUEST)


def task_of(module, **members):
    return {"name": "_start", "image_url": "", "file": base64.b64encode(module.read_bytes()).decode(), **members}


def control(fleet):
    return [(topic, payload) for topic, payload in fleet.heard() if "/registry/" not in topic]


def test_the_wire_shows_nothing_of_the_tasks(fleet, module, registry):
    canaries = {name: f"{name}-{secrets.token_hex(6)}" for name in ("input", "secret", "tag")}
    with fleet.manager() as api, fleet.worker(TAGS=canaries["tag"], DESCRIPTION="kept to itself") as worker:
        known(api, worker)
        plain = api.start(**task_of(module, inputs=[canaries["input"]], env={"SECRET": canaries["secret"]}))
        expected = f"result of {canaries['input']} is {canaries['secret']}-answer\n"
        assert api.wait(plain, COMPLETED)["results"] == expected
        reference = f"{registry}/sealed-{uuid.uuid4()}:v1"
        fleet.kbs.coffer("image", "push", reference, module, "--encrypt", "kbs:///default/key/sealed", "--create-key")
        encrypted = api.start(name="_start", image_url=reference, encrypted=True, inputs=[canaries["input"]],
                              env={"SECRET": canaries["secret"]})
        assert api.wait(encrypted, COMPLETED, 60)["results"] == expected
        latent = api.start(**task_of(module, latent=True))
        answer = api.ok("POST", f"/tasks/{latent}/invoke", {"inputs": [canaries["input"]]})
        assert canaries["input"] in json.dumps(answer)
        wait_until(lambda: fleet.heard("control/proplet/metrics"), "its metrics")
        said = control(fleet)
        assert all(is_sealed(payload) for _, payload in said), [topic for topic, payload in said if not is_sealed(payload)]
        written = b"\n".join(payload for _, payload in said)
        found = {name for name, canary in {**canaries, "task": plain, "code": "_start"}.items()
                 for form in forms(canary.encode()) if form in written}
        assert found == set()
        # With the key it is all there: what was looked for went over the wire.
        inside = json.dumps(fleet.inside())
        assert all(canary in inside for canary in (*canaries.values(), plain, encrypted, "attestation"))
        for suffix in (START, RESULTS, ALIVE, CREATE, "control/manager/invoke", "control/proplet/invoke_results"):
            assert fleet.heard(suffix), suffix
        assert refused(api.url) == {} and refused(of_worker(worker)) == {}
        secret = fleet.keys()[0]["secret"]
        assert secret not in worker.log_text() and secret not in api.log.read_text()


def test_another_implementation_of_the_format_is_a_member(fleet):
    with fleet.manager() as api:
        peer = SealedPeer(fleet, lambda start: "by hand: " + start["inputs"][0])
        wait_until(lambda: api.send("GET", f"/proplets/{peer.id}")[0] == 200, "the worker")
        done = api.wait(api.start(inputs=["5"]), COMPLETED)
        assert done["results"] == "by hand: 5" and done["proplet_id"] == peer.id
        assert refused(api.url) == {}
        peer.close()


def started(worker):
    return exposition(metrics_of(of_worker(worker)))["proplet_tasks_started_total"].get("", 0)


def test_forged_repeated_and_moved_commands_are_refused_by_the_worker(fleet, module):
    with fleet.manager() as api, fleet.worker() as worker:
        known(api, worker)
        first = api.start(**task_of(module))
        api.wait(first, COMPLETED)
        recorded = fleet.heard(START)[0][1]
        before = started(worker)
        forged = {"id": str(uuid.uuid4()), "broadcast": True, "state": 0, **task_of(module)}
        now = int(time.time() * 1000)
        stranger = {"id": fleet.keys()[0]["id"], "secret": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")}
        foreign = {**stranger, "id": "nobody-knows"}
        changed = json.loads(recorded)
        changed["coffer_sealed"]["sent_at"] += 1
        later = json.loads(recorded)
        later["coffer_sealed"]["version"] = 2
        expected = {}

        def attack(suffix, payload, code, times=1):
            for _ in range(times):
                fleet.publish(suffix, payload)
            expected[code] = expected.get(code, 0) + times
            wait_until(lambda: refused(of_worker(worker)).get(code) == expected[code], f"{code}: {refused(of_worker(worker))}")

        attack(START, forged, "sealed.not_sealed")
        attack(START, b"\xff\xfe", "sealed.not_sealed")
        attack(STOP, {"id": first, "broadcast": True}, "sealed.not_sealed")
        attack(START, recorded, "sealed.replayed", 3)
        attack(STOP, recorded, "sealed.wrong_topic")
        attack(START, recorded[:-40], "sealed.bad_envelope")
        attack(START, json.dumps(changed), "sealed.bad_tag")
        attack(START, json.dumps(later), "sealed.unsupported_version")
        attack(START, seal(stranger, "manager", f"{BASE}/{START}", forged), "sealed.bad_tag")
        attack(START, seal(foreign, "manager", f"{BASE}/{START}", forged), "sealed.unknown_key")
        attack(START, fleet.sealed(START, forged, sent_at=now - 61_000), "sealed.stale")
        attack(START, fleet.sealed(START, forged, sent_at=now + 120_000), "sealed.from_the_future")
        attack(START, forged, "sealed.not_sealed", 300)  # a flood
        assert refused(of_worker(worker)) == expected
        assert started(worker) == before
        lines = [line for line in worker.log_text().splitlines() if "worker.payload_refused" in line]
        assert {code for code in expected if any(code in line for line in lines)} == set(expected)
        assert len([line for line in lines if "sealed.not_sealed" in line]) < 100
        # Nobody was answered: an answer would end a task that is run anew under its id.
        assert len(fleet.heard(RESULTS)) == 1
        assert api.wait(api.start(**task_of(module)), COMPLETED)


def test_forged_results_and_beats_are_refused_by_the_manager(fleet, module):
    with fleet.manager() as api, fleet.worker() as worker:
        known(api, worker)
        again = api.start(**task_of(module))
        api.wait(again, COMPLETED)
        recorded = fleet.heard(RESULTS)[0][1]
        slow = api.start(**task_of(module, inputs=["slow", "900"]))
        forged = {"task_id": slow, "proplet_id": worker.id, "results": "forged", "error": None}
        fleet.publish(RESULTS, forged)
        fleet.publish(RESULTS, recorded)
        fleet.publish(RESULTS, recorded.replace(b"sequence", b"sequenze"))
        ghost = str(uuid.uuid4())
        fleet.publish(ALIVE, {"proplet_id": ghost, "status": "alive"})
        # A will is the MQTT broker's word.
        fleet.publish(ALIVE, {"proplet_id": worker.id, "status": "offline"})
        old = fleet.heard(ALIVE)[0][1]
        fleet.publish(ALIVE, old)
        done = api.wait(slow, COMPLETED)
        assert done["results"] == "result of slow is no-answer\n"
        wait_until(lambda: refused(api.url) == {"sealed.not_sealed": 3, "sealed.replayed": 2, "sealed.bad_envelope": 1},
                   f"its count: {refused(api.url)}")
        assert api.send("GET", f"/proplets/{ghost}")[0] == 404
        assert api.ok("GET", f"/proplets/{worker.id}")["alive"]


def test_a_flood_of_forgeries_holds_nothing_up(fleet, module):
    with fleet.manager() as api, fleet.worker() as worker:
        known(api, worker)
        task = api.start(**task_of(module, inputs=["flooded", "500"]))
        forged = json.dumps({"task_id": task, "proplet_id": worker.id, "results": "forged", "error": None})
        sealed = fleet.heard(ALIVE)[0][1]
        for number in range(3000):
            fleet.ear.publish((RESULTS, START)[number % 2], (forged, sealed)[number // 2 % 2], qos=0, wait=False)
        done = api.wait(task, COMPLETED)
        assert done["results"] == "result of flooded is no-answer\n"
        assert refused(api.url).keys() == {"sealed.not_sealed", "sealed.wrong_topic"}
        assert api.wait(api.start(**task_of(module)), COMPLETED)
        assert started(worker) == 2


def test_a_round_begins_by_a_sealed_word_alone(fleet):
    with fleet.manager() as api:
        peer = SealedPeer(fleet, None)
        wait_until(lambda: api.send("GET", f"/proplets/{peer.id}")[0] == 200, "the worker")

        def word(name):
            return {"round_id": name, "model_uri": "", "task_wasm_image": "x/y:1", "participants": [peer.id], "hyperparams": {}}

        fleet.publish("fl/rounds/start", word("forged"))
        wait_until(lambda: refused(api.url) == {"sealed.not_sealed": 1}, "its refusal")
        fleet.publish("fl/rounds/start", fleet.sealed("fl/rounds/start", word("sealed"), "coordinator"))
        wait_until(lambda: peer.starts, "its task")
        assert [start["name"] for start in peer.starts] == [f"fl-round-sealed-{peer.id}"]
        peer.close()


def test_a_result_recorded_before_a_restart_does_not_end_the_next_run(fleet, module):
    """A manager that was started anew does not know what it had; the time in the seal, which is bound, says enough."""
    with fleet.worker() as worker:
        with fleet.manager(MANAGER_GROUP_KEY_MAX_AGE="3s") as api:
            known(api, worker)
            task = api.start(**task_of(module, inputs=["first"]))
            api.wait(task, COMPLETED)
            recorded = fleet.heard(RESULTS)[0][1]
        with fleet.manager(MANAGER_GROUP_KEY_MAX_AGE="3s") as api:
            known(api, worker)
            sent = json.loads(recorded)["coffer_sealed"]["sent_at"] / 1000
            wait_until(lambda: time.time() > sent + 3.5, "more than is tolerated")
            api.ok("PUT", f"/tasks/{task}", {"inputs": ["second", "900"]})
            api.ok("POST", f"/tasks/{task}/start")
            fleet.publish(RESULTS, recorded)
            wait_until(lambda: "sent before the task was started" in api.log.read_text(), "its being passed over")
            assert "second" in api.wait(task, COMPLETED)["results"]


def sealed_with(heard):
    return {json.loads(payload)["coffer_sealed"]["key_id"] for _, payload in heard}


def test_rotation_while_tasks_run_loses_nothing(fleet, module):
    with fleet.manager() as api, fleet.worker() as worker, fleet.worker() as other:
        known(api, worker)
        known(api, other)

        def start(wait):
            tasks.append(api.start(**task_of(module, inputs=["rotating", wait])))

        for _ in range(2):
            tasks = []
            for _ in range(8):
                start("300")
            # At once: workers learn of the key when they first hear it.
            fleet.group_key("rotate", "--after", "0s", "--upload")
            new = fleet.keys()[0]["id"]
            wait_until(lambda: start("50") or new in sealed_with(fleet.heard(START)), "the manager's new key", 30)
            for task in tasks:
                api.wait(task, COMPLETED, 60)
            for one in (worker, other):
                wait_until(lambda: new in sealed_with((topic, payload) for topic, payload in fleet.heard(ALIVE)
                                                      if sender(payload) == one.id), "the worker's new key", 30)
        assert len(sealed_with(fleet.heard(START))) == 3
        # And one that is in force only later.
        before = fleet.keys()[0]["id"]
        fleet.group_key("rotate", "--after", "15m", "--upload")
        heard = len(fleet.heard(START))
        assert api.wait(api.start(**task_of(module)), COMPLETED)
        assert sealed_with(fleet.heard(START)[heard:]) == {before}
        assert refused(api.url) == {} and refused(of_worker(worker)) == {} and refused(of_worker(other)) == {}


def sender(payload):
    return json.loads(payload)["coffer_sealed"]["sender"]


def speaks(fleet, worker, since=0):
    return [payload for _, payload in fleet.heard()[since:] if is_sealed(payload) and sender(payload) == worker.id]


def test_a_worker_that_does_not_attest_never_gets_the_key(fleet, module):
    fleet.kbs.coffer("policy", "deny-all")
    with fleet.manager() as api, fleet.worker() as worker:
        wait_until(lambda: "worker.group_key_failed" in worker.log_text(), "its refusal")
        fleet.publish(START, fleet.sealed(START, {"id": str(uuid.uuid4()), "broadcast": True, **task_of(module)}))
        wait_until(lambda: refused(of_worker(worker)) == {"sealed.no_key": 1}, "its count")
        wait_until(lambda: "keyclient.policy_denied" in metrics_of(of_worker(worker)), "its count")
        assert speaks(fleet, worker) == [] and control(fleet) == fleet.heard(START)
        assert exposition(metrics_of(of_worker(worker)))["coffer_worker_can_speak"] == {"": 0}
        assert api.send("GET", f"/proplets/{worker.id}")[0] == 404
        fleet.kbs.coffer("policy", "affirming")
        known(api, worker)
        assert exposition(metrics_of(of_worker(worker)))["coffer_worker_can_speak"] == {"": 1}
        assert api.wait(api.start(**task_of(module)), COMPLETED)


def test_a_worker_whose_attestation_lapses_forgets_the_key(fleet, module):
    with fleet.manager(MANAGER_ALIVE_TIMEOUT="3s") as api, fleet.worker(GROUP_KEY_REFRESH="1s") as worker:
        known(api, worker)
        slow = api.start(**task_of(module, inputs=["slow", "2500"]))
        wait_until(lambda: fleet.heard(START), "its start")
        fleet.kbs.coffer("policy", "deny-all")
        wait_until(lambda: "worker.group_key_forgotten" in worker.log_text(), "its forgetting", 30)
        wait_until(lambda: not api.ok("GET", f"/proplets/{worker.id}")["alive"], "its silence", 30)
        heard, tries = len(fleet.heard()), worker.log_text().count("worker.group_key_failed")
        wait_until(lambda: worker.log_text().count("worker.group_key_failed") > tries, "another try", 30)
        assert speaks(fleet, worker, heard) == [] and fleet.heard(RESULTS) == []
        fleet.kbs.coffer("policy", "affirming")
        # What it had to tell has waited.
        assert "slow" in api.wait(slow, COMPLETED, 60)["results"]


def test_without_a_tee_there_is_no_worker_with_a_group_key(fleet):
    result = run(BIN / "coffer-worker", check=False, env={
        "PROPLET_TENANT_ID": "t", "PROPLET_CHANNEL_ID": "c", "PROPLET_ENTITY_ID": str(uuid.uuid4()), "PROPLET_API_KEY": "k",
        "PROPLET_MQTT_ADDRESS": fleet.mqtt.address, "PROPLET_METRICS_PORT": "0", "PROPLET_TEE_ENABLED": "false",
        "PROPLET_GROUP_KEY": f"kbs:///{RESOURCE}", "PROPLET_KBS_URI": fleet.kbs.url})
    assert result.returncode == 1 and "worker.group_key_needs_tee" in result.stderr
    assert control(fleet) == []


def test_restarts_of_manager_and_mqtt_broker_lose_nothing(fleet, module):
    with fleet.worker() as worker:
        with fleet.manager() as api:
            known(api, worker)
            kept = api.start(**task_of(module, inputs=["kept", "900"]))
            wait_until(lambda: api.task(kept)["state"] == RUNNING and fleet.heard(START), "its start")
        # mosquitto keeps the result for the manager, who reads it in another process.
        wait_until(lambda: fleet.heard(RESULTS), "the result")
        with fleet.manager() as api:
            assert "kept" in api.wait(kept, COMPLETED)["results"]
            known(api, worker)
            fleet.mqtt.restart()
            wait_until(lambda: worker.log_text().count("worker.connected") == 2, "its connection", 30)
            wait_until(lambda: api.log.read_text().count("fleet.broker_connected") >= 2, "the manager's", 30)
            assert api.wait(api.start(**task_of(module)), COMPLETED)
            # Without its key broker it goes on for as long as its attestation holds.
            fleet.kbs.process.kill()
            assert api.wait(api.start(**task_of(module)), COMPLETED)
            assert refused(of_worker(worker)) == {}
            assert set(refused(api.url)) <= {"sealed.replayed", "sealed.stale"}  # what the broker sent twice or kept


def test_a_fleet_moves_to_sealed_payloads_worker_by_worker(fleet, module):
    with fleet.manager(MANAGER_GROUP_KEY_MODE="accept-plain") as api:
        upstream = UpstreamWorker(fleet.mqtt.address, lambda start: "plain")
        wait_until(lambda: api.send("GET", f"/proplets/{upstream.id}")[0] == 200, "the plain worker")
        assert api.wait(api.start(proplet_id=upstream.id), COMPLETED)["results"] == "plain"
        with fleet.worker() as worker:
            known(api, worker)
            before = len(fleet.heard(START))
            assert "nobody" in api.wait(api.start(**task_of(module, proplet_id=worker.id)), COMPLETED)["results"]
            assert [is_sealed(payload) for _, payload in fleet.heard(START)[before:]] == [True]
            assert refused(of_worker(worker)).keys() <= {"sealed.not_sealed"}  # the upstream one's starts
        told = exposition(metrics_of(api.url))
        assert told["manager_accepts_plain_payloads"] == {"": 1} and told["manager_plain_payloads_accepted_total"][""] > 0
        assert "PLAIN PAYLOADS ARE TAKEN" in api.log.read_text()
        named = [line for line in api.log.read_text().splitlines() if "fleet.plain_member" in line]
        assert len(named) == 1 and upstream.id in named[0]
        upstream.close()
    with fleet.manager(MANAGER_ALIVE_TIMEOUT="2s") as api:
        late = UpstreamWorker(fleet.mqtt.address, lambda start: "plain", interval=0.5)
        wait_until(lambda: refused(api.url).get("sealed.not_sealed", 0) > 3, "its refusal")
        assert api.send("GET", f"/proplets/{late.id}")[0] == 404
        wait_until(lambda: not api.ok("GET", f"/proplets/{upstream.id}")["alive"], "the other's silence")
        late.close()


def test_a_manager_does_not_start_with_keys_that_others_may_read(fleet):
    os.chmod(fleet.key_file, 0o644)
    environment = {"MANAGER_TENANT_ID": "t", "MANAGER_CHANNEL_ID": "c", "MANAGER_ENTITY_ID": "m", "MANAGER_API_KEY": "k",
                   "MANAGER_GROUP_KEY_FILE": str(fleet.key_file), "MANAGER_SQLITE_PATH": str(fleet.directory / "m.db")}
    result = run(BIN / "coffer-manager", "--insecure-open", "--http-port", "0", check=False, env=environment)
    assert result.returncode == 1 and "sealed.exposed_key_file" in result.stderr


def test_the_commands_make_rotate_and_list_keys(fleet):
    first = fleet.keys()
    assert oct(fleet.key_file.stat().st_mode & 0o777) == "0o600" and len(first) == 1
    refusal = fleet.kbs.coffer("fleet", "group-key", "create", "--file", fleet.key_file, check=False)
    assert refusal.returncode == 1 and fleet.keys() == first
    assert fleet.kbs.coffer("fleet", "group-key", "rotate", "--file", fleet.key_file, "--after", "soon", check=False).returncode == 2
    told = fleet.group_key("rotate", "--after", "10m").stdout
    assert "next: coffer fleet group-key upload" in told
    both = fleet.keys()
    assert [key["id"] for key in both][1:] == [first[0]["id"]] and "active_at" in both[0]
    assert "2 keys" in fleet.group_key("upload").stdout
    table = fleet.group_key("list").stdout
    assert "waiting" in table and "seals" in table and both[0]["secret"] not in table
    fetched = fleet.directory / "fetched"
    fleet.kbs.coffer("resource", "get", RESOURCE, "--tee", "simulated:snp", "--output", fetched)
    assert json.loads(fetched.read_text())["keys"] == both
    assert both[0]["secret"] not in fleet.kbs.log.read_text()


def test_the_first_commands_of_the_document_make_a_sealed_fleet(fleet, tmp_path):
    """Those that test_docs.py does not run, because they last."""
    lines = [line.strip().removesuffix(" &") for line in (ROOT / "docs/group-keys.md").read_text().splitlines()
             if line.startswith("    coffer-") and "--check" not in line]
    manager_line, worker_line = (line for line in lines if not line.startswith("coffer fleet"))
    directory, port = tmp_path / "document", free_port()
    directory.mkdir()
    worker_id = str(uuid.uuid4())
    (directory / "group-key.json").write_bytes(fleet.key_file.read_bytes())
    os.chmod(directory / "group-key.json", 0o600)
    (directory / "config.toml").write_text("".join(
        f'[{name}]\ntenant_id = "{TENANT}"\nchannel_id = "{CHANNEL}"\nentity_id = "{entity}"\napi_key = "k"\n'
        for name, entity in (("manager", "m"), ("proplet", worker_id))))

    def words(line):
        line = line.replace("tcp://localhost:1883", fleet.mqtt.address).replace("http://127.0.0.1:8080", fleet.kbs.url)
        program, *arguments = shlex.split(line)
        return [BIN / program, *arguments]

    settings = {"MANAGER_HTTP_PORT": str(port), "PROPLET_METRICS_PORT": "0", "PROPLET_LIVELINESS_INTERVAL": "1",
                **{f"PROPLET_{name}": value for name, value in tee(fleet.kbs).items() if name != "KBS_URI"}}
    with process(*words(manager_line), log=directory / "manager.log", env=settings, cwd=directory), \
            process(*words(worker_line), log=directory / "worker.log", env=settings, cwd=directory):
        api = Api(f"http://127.0.0.1:{port}")
        wait_until(lambda: http_ok(api.url + "/health"), "the manager's start")
        wait_until(lambda: api.send("GET", f"/proplets/{worker_id}")[0] == 200, "the worker", 30)
        assert all(is_sealed(payload) for _, payload in control(fleet))
