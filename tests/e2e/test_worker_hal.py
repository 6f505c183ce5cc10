"""The host interfaces of elastic:hal as tasks of coffer-worker have them. The guest is src/workload/hal/testdata/guest.wat,
which hands each call through; hal_guest is made by another tool, after upstream's own example."""

import hashlib
import json
import socket
import time
import uuid

import pytest

from conftest import ROOT, component_of_jco, wait_until
from upstream_manager import file_of, manager, mqtt_broker, running_worker  # noqa: F401

GUEST = ROOT / "src/workload/hal/testdata/guest.wasm"
AN_HOUR = str(3_600_000_000_000)


@pytest.fixture(scope="module")
def worker(mqtt_broker, manager, tmp_path_factory):
    with running_worker(mqtt_broker, tmp_path_factory.mktemp("worker"), manager) as started:
        yield started


def call(manager, worker, function, *arguments, **members):
    return manager.run(name=function, file=file_of(GUEST), inputs=list(arguments), proplet_id=worker.id, **members)


def value(manager, worker, function, *arguments, **members):
    result = call(manager, worker, function, *arguments, **members)
    assert result["error"] is None, result
    return result["results"]


def wave(data):
    return str(list(data))


def bytes_of(text):
    """The bytes in `ok([1, 2])`."""
    assert text.startswith("ok([") and text.endswith("])"), text
    return bytes(int(number) for number in text[4:-2].split(", "))


def test_a_guest_of_another_tool_gets_what_upstreams_example_asks_for(manager, worker, tmp_path_factory):
    here = ROOT / "tests/interop/hal_guest"
    guest = component_of_jco(tmp_path_factory.mktemp("hal_guest"), here / "guest.c", here / "guest.wit", "hal-guest")
    result = manager.run(name="run-hal-test", file=file_of(guest), proplet_id=worker.id)
    assert result["error"] is None, result
    lines = dict(line.split(": ", 1) for line in json.loads(result["results"]).splitlines() if ": " in line)
    assert lines["platform"] == "None 0.0.0"
    assert {"random+", "crypto+", "attestation-", "gpu-compute-"} <= set(lines["capabilities"].split())
    assert lines["asked"] == "right"
    assert lines["sha256"] == hashlib.sha256(b"hello").hexdigest()
    assert lines["sha512"] == hashlib.sha512(b"hello").hexdigest()
    assert lines["blake3"] == "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f"
    assert lines["signature"] == "holds"
    assert lines["random"] == "32"
    assert abs(int(lines["seconds"]) - time.time()) < 300


def test_what_leads_outside_is_closed(manager, worker):
    assert value(manager, worker, "attest", "[1]").startswith('err("hal.unavailable: ')
    assert value(manager, worker, "connect", '"127.0.0.1"', "1883").startswith('err("hal.denied: ')
    assert value(manager, worker, "workloads").startswith('err("hal.denied: ')


def test_sockets_lead_where_the_operator_says(mqtt_broker, manager, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with running_worker(mqtt_broker, tmp_path, manager, HAL_SOCKETS_CONNECT=f"127.0.0.1:{port}") as worker:
            assert value(manager, worker, "connect", '"127.0.0.1"', str(port)) == "ok"
            assert value(manager, worker, "connect", '"127.0.0.1"', str(mqtt_broker.port)).startswith('err("hal.denied: ')
            assert "worker.hal_denied" in worker.log_text()


def test_a_task_stores_below_folders_that_the_operator_names(mqtt_broker, manager, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "out").symlink_to(tmp_path)
    with running_worker(mqtt_broker, tmp_path / "worker", manager, HAL_STORAGE_ROOTS=shared) as worker:
        place = {"hal_storage_path": str(shared / "job")}
        assert value(manager, worker, "store", '"c"', '"k"', "[118]", **place) == "ok(1)"
        assert (shared / "job/c/k").read_bytes() == b"v"
        assert value(manager, worker, "load", '"c"', '"k"', **place) == "ok([118])"
        assert value(manager, worker, "load", '"c"', '"../../secret"', **place).startswith('err("hal.bad_value: ')
        for refused in ("/etc", str(tmp_path), f"{shared}/../x", "shared/job"):
            result = call(manager, worker, "store", '"c"', '"k"', "[118]", hal_storage_path=refused)
            assert result["code"] == "hal.storage_refused", result
        assert value(manager, worker, "store", '"c"', '"k"', "[118]",
                     hal_storage_path=str(shared / "out")).startswith('err("hal.storage_refused: ')


def test_what_a_task_stores_without_a_folder_goes_with_it(mqtt_broker, manager, tmp_path):
    with running_worker(mqtt_broker, tmp_path, manager, HAL_STORAGE_LIMIT="4") as worker:
        assert value(manager, worker, "store", '"c"', '"k"', "[1, 2, 3, 4]") == "ok(1)"
        assert value(manager, worker, "store", '"c"', '"k"', "[1, 2, 3, 4, 5]").startswith('err("hal.limit: ')
        assert value(manager, worker, "load", '"c"', '"k"').startswith('err("hal.not_found: ')
        wait_until(lambda: not [path for path in (tmp_path / "hal").rglob("*") if path.name.startswith("task-")], "an empty folder")
    assert not list((tmp_path / "hal").iterdir())


def test_a_sleeping_guest_stops_at_once_and_sleeps_no_longer_than_it_may(manager, worker):
    task = manager.start(name="sleep", file=file_of(GUEST), inputs=[AN_HOUR], proplet_id=worker.id)
    wait_until(lambda: f"worker.start \"starting a task\" task={task}" in worker.log_text(), "the task's start")
    manager.stop_task(task, proplet_id=worker.id)
    assert manager.result(task)["code"] == "worker.stopped"
    assert call(manager, worker, "sleep", AN_HOUR, timeout_seconds=0.2)["code"] == "wasm.timeout"


def test_tasks_know_of_each_other_where_the_operator_lets_them(mqtt_broker, manager, tmp_path):
    with running_worker(mqtt_broker, tmp_path, manager, HAL_COMMUNICATION="true") as worker:
        sleeper = manager.start(name="sleep", file=file_of(GUEST), inputs=[AN_HOUR], proplet_id=worker.id)
        wait_until(lambda: value(manager, worker, "workloads") == f'ok(["{sleeper}"])', "the other's name")
        manager.stop_task(sleeper, proplet_id=worker.id)
        assert manager.result(sleeper)["code"] == "worker.stopped"
        assert value(manager, worker, "workloads") == "ok([])"


def test_without_the_hal_its_guests_are_refused(mqtt_broker, manager, tmp_path):
    with running_worker(mqtt_broker, tmp_path, manager, HAL_ENABLED="false") as worker:
        result = call(manager, worker, "platform")
        assert result["code"] == "wasm.unsupported_import"
        assert "elastic:hal/" in result["error"]
        assert not (tmp_path / "hal").exists()


def expected_report_data(report_data):
    module = "sha256:" + hashlib.sha256(GUEST.read_bytes()).hexdigest()
    return hashlib.sha512(b"elastic:hal/attestation@0.1.0\0" + module.encode() + b"\0" + report_data).digest()


def test_evidence_is_bound_to_the_callers_data_and_to_the_module(mqtt_broker, manager, tmp_path, snp_broker):
    with running_worker(mqtt_broker, tmp_path / "worker", manager, TEE="simulated:snp",
                        TEE_SIMULATOR=snp_broker.home / "simulator") as worker:
        assert value(manager, worker, "platform") == '("simulated:snp", "0.1.0")'
        evidence = bytes_of(value(manager, worker, "attest", wave(b"a verifier's nonce")))
    report = json.loads(evidence)["attestation_report"]
    assert bytes(report["report_data"]) == expected_report_data(b"a verifier's nonce")


def test_an_encrypted_task_stores_nothing_that_can_be_read(mqtt_broker, manager, tmp_path, broker, registry):
    shared, secret = tmp_path / "shared", b"what the task alone may know"
    shared.mkdir()
    broker.coffer("policy", "allow-all")
    reference = f"{registry}/hal-guest-{uuid.uuid4()}:v1"
    broker.coffer("image", "push", reference, GUEST, "--encrypt", "kbs:///default/key/hal", "--create-key")
    with running_worker(mqtt_broker, tmp_path / "worker", manager, TEE="sample", KBS_URI=broker.url,
                        HAL_STORAGE_ROOTS=shared) as worker:
        task = {"image_url": reference, "encrypted": True, "proplet_id": worker.id, "hal_storage_path": str(shared)}
        result = manager.run(name="store", inputs=['"c"', '"k"', wave(secret)], **task)
        assert result["results"] == "ok(1)", result
        stored = (shared / "c/k").read_bytes()
        assert len(stored) == len(secret) + 28 and secret not in stored
        assert bytes_of(manager.run(name="load", inputs=['"c"', '"k"'], **task)["results"]) == secret
        assert secret not in bytes_of(value(manager, worker, "load", '"c"', '"k"', hal_storage_path=str(shared)))
