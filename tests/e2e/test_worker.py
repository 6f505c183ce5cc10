"""coffer-worker under a Python client that plays upstream's manager, over a real mosquitto."""

import base64
import http.server
import json
import os
import signal
import stat
import threading
import time
import urllib.request
import uuid

import pytest

from conftest import BIN, run, wait_until
from mosquitto import Broker, running
from upstream_manager import BASE, file_of, manager, mqtt_broker, running_worker, settings, upstream_manager  # noqa: F401


def wasm_module():
    """A core module that exports add: (i32, i32) -> i32 and spin: () -> ()."""
    types = bytes([1, 10, 2, 0x60, 2, 0x7F, 0x7F, 1, 0x7F, 0x60, 0, 0])
    functions = bytes([3, 3, 2, 0, 1])
    exports = bytes([7, 14, 2, 3]) + b"add" + bytes([0, 0, 4]) + b"spin" + bytes([0, 1])
    bodies = bytes([10, 17, 2, 7, 0, 0x20, 0, 0x20, 1, 0x6A, 0x0B, 7, 0, 0x03, 0x40, 0x0C, 0, 0x0B, 0x0B])
    return b"\0asm\1\0\0\0" + types + functions + exports + bodies


MODULE = base64.b64encode(wasm_module()).decode()


@pytest.fixture(scope="module")
def worker(mqtt_broker, manager, tmp_path_factory):
    with running_worker(mqtt_broker, tmp_path_factory.mktemp("worker"), manager, TAGS="gpu, eu", DESCRIPTION="test",
                        TASK_TIMEOUT="60s", MAX_OUTPUT="1000", COMPAT_RESULT_DELAY="0") as started:
        yield started


def test_a_plain_function_is_called_with_typed_inputs(manager, worker):
    result = manager.run(name="add", file=MODULE, inputs=["10", "20"])
    assert result["results"] == "30"
    assert result["error"] is None
    assert result["proplet_id"] == worker.id


def test_a_command_gives_its_output(manager, worker, addition):
    result = manager.run(name="_start", file=file_of(addition), inputs=["5", "10"], proplet_id=worker.id)
    assert result["results"] == result["stdout"] == "5 + 10 = 15\n"
    assert result["exit_code"] == 0


def test_discovery_has_upstreams_members_and_ours_beside_them(manager, worker):
    discovery = manager.wait("/control/proplet/create", lambda m: m["proplet_id"] == worker.id, "discovery")
    assert discovery["namespace"] == "default"
    metadata = discovery["metadata"]
    assert metadata["tags"] == ["gpu", "eu"]
    assert metadata["description"] == "test"
    assert metadata["wasm_runtime"] == "wasmtime-internal"
    assert metadata["os"] == "linux" and metadata["cpu_arch"] and metadata["total_memory_bytes"] > 0
    assert discovery["coffer"]["runtimes"] == ["wasm"]
    assert "attestation" not in discovery["coffer"]


def test_heartbeats_and_node_metrics_come_by_themselves(manager, worker):
    beats = manager.wait("/control/proplet/alive", lambda m: m["proplet_id"] == worker.id, "heartbeats", count=2)
    assert {beat["status"] for beat in beats} == {"alive"}
    metrics = manager.wait("/control/proplet/metrics", lambda m: m["proplet_id"] == worker.id, "node metrics")
    assert metrics["memory_metrics"]["rss_bytes"] > 0
    assert metrics["timestamp"].endswith("Z")


def test_prometheus_and_health_answer(manager, worker):
    manager.run(name="add", file=MODULE, inputs=["1", "2"])
    address = worker.metrics_address()
    with urllib.request.urlopen(f"http://{address}/health", timeout=5) as answer:
        assert json.loads(answer.read())["status"] == "ok"
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    for name in ("proplet_tasks_started_total", "proplet_tasks_completed_total", "proplet_tasks_failed_total",
                 "proplet_tasks_running", "proplet_mqtt_reconnects_total", "proplet_wasm_fetch_bytes_total",
                 "proplet_cpu_usage_ratio", "proplet_memory_rss_bytes"):
        assert f"\n{name}" in text, name


@pytest.mark.parametrize("members, code, words", [
    ({"name": ""}, "fleet.missing_member", "name"),
    ({"encrypted": True}, "fleet.encrypted_needs_image", "image_url"),
    ({"encrypted": True, "image_url": "h/i:1", "file": MODULE}, "fleet.encrypted_with_file", "file"),
    ({}, "fleet.nothing_to_run", "file"),
    ({"file": "***"}, "fleet.bad_member", "file"),
    ({"file": MODULE, "env": 5}, "fleet.bad_member", "env"),
    ({"file": base64.b64encode(b"no module").decode()}, "wasm.bad_module", ""),
    ({"file": MODULE, "name": "add", "inputs": ["1"]}, "wasm.bad_arguments", ""),
    ({"file": MODULE, "name": "subtract"}, "wasm.missing_export", "subtract"),
    ({"file": MODULE, "name": "add", "inputs": ["1", "2"], "module_digest": "sha256:" + "0" * 64}, "image.digest_mismatch", ""),
    ({"file": MODULE, "name": "spin", "fuel": 100000}, "wasm.out_of_fuel", ""),
    ({"file": MODULE, "name": "spin", "timeout_seconds": 1}, "wasm.timeout", ""),
    ({"image_url": "http://127.0.0.1:1/x.wasm"}, "net.refused", ""),
])
def test_whatever_is_wrong_with_a_start_is_answered(manager, worker, members, code, words):
    result = manager.run(**members)
    assert result["code"] == code
    assert words in result["error"]
    assert result["results"] == ""


def test_a_start_that_is_no_json_is_answered_where_its_id_can_be_read(manager, worker):
    task = str(uuid.uuid4())
    manager.publish("/control/manager/start", f'{{"id":"{task}","name":"add","file":"')
    result = manager.result(task)
    assert result["code"] == "fleet.bad_payload"


def test_a_start_for_another_worker_is_left_to_it(manager, worker):
    other = manager.start(name="add", file=MODULE, inputs=["1", "2"], proplet_id=str(uuid.uuid4()))
    manager.run(name="add", file=MODULE, inputs=["1", "2"])
    assert manager.results(other) == []


def test_a_duplicate_delivery_runs_once_and_a_later_start_anew(manager, worker):
    task = str(uuid.uuid4())
    for _ in range(2):
        manager.start(task, name="spin", file=MODULE, timeout_seconds=1)
    assert manager.result(task)["code"] == "wasm.timeout"
    time.sleep(0.7)  # over the window in which a delivery counts as the same
    assert len(manager.results(task)) == 1
    manager.start(task, name="add", file=MODULE, inputs=["2", "2"])
    wait_until(lambda: len(manager.results(task)) == 2, "the second result")
    assert manager.results(task)[1]["results"] == "4"


def test_stop_ends_a_module_that_spins(manager, worker):
    task = manager.start(name="spin", file=MODULE)
    wait_until(lambda: f"task={task}" in worker.log_text(), "the task's start")
    manager.stop_task(task, proplet_id=str(uuid.uuid4()))
    manager.stop_task(task)
    result = manager.result(task)
    assert result["code"] == "worker.stopped"
    assert "stopped" in result["error"]


def test_a_daemon_is_told_at_once_and_stopped_later(manager, worker):
    task = manager.start(name="spin", file=MODULE, daemon=True)
    result = manager.result(task)
    assert result["results"] == "" and result["error"] is None
    manager.stop_task(task, proplet_id=worker.id)
    wait_until(lambda: f'worker.end "the task was stopped" task={task}' in worker.log_text(), "the daemon's end")
    assert len(manager.results(task)) == 1


def test_a_latent_task_is_compiled_once_and_invoked_often(manager, worker):
    unknown = manager.invoke(str(uuid.uuid4()), worker.id)
    assert "has not been precompiled" in unknown["error"]
    task = manager.start(name="add", file=MODULE, inputs=["1", "1"], latent=True)
    wait_until(lambda: f'worker.end "the task has ended" task={task}' in worker.log_text(), "the compilation")
    assert manager.invoke(task, worker.id, inputs=["20", "22"])["results"] == "42"
    assert manager.invoke(task, worker.id)["results"] == "2"
    assert manager.results(task) == []
    manager.stop_task(task)
    wait_until(lambda: "has not been precompiled" in (manager.invoke(task, worker.id)["error"] or ""), "the end of it")


def test_environment_and_parents_results_reach_the_guest(manager, worker, compile_guest):
    guest = compile_guest("surroundings", """
        #include <stdio.h>
        #include <stdlib.h>
        int main(int argc, char **argv) {
          char line[200] = "";
          fgets(line, sizeof line, stdin);
          printf("%s|%s|%s|%s|%d", getenv("K"), getenv("PROPLET_ID"), getenv("PARENT_RESULTS"), line, argc);
          return getenv("PATH") != NULL;
        }""")
    result = manager.run(name="_start", file=file_of(guest), env={"K": "value"}, parent_results={"a": 1})
    assert result["results"] == f'value|{worker.id}|{{"a":1}}|{{"a":1}}|1'


def test_a_federated_round_reads_its_model_and_gives_its_update_away(manager, worker, compile_guest):
    guest = compile_guest("trainer", """
        #include <stdio.h>
        #include <stdlib.h>
        int main(void) { printf("{\\"model\\":%s,\\"data\\":%s}", getenv("MODEL_DATA"), getenv("DATASET_DATA")); }""")
    requests = []

    class Services(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            self.reply(b"[1]")

        def do_POST(self):  # pylint: disable=invalid-name
            self.reply(b"{}", self.rfile.read(int(self.headers["Content-Length"])))

        def reply(self, body, received=b""):
            requests.append((self.path, received))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Services) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        env = {"ROUND_ID": "r1", "MODEL_URI": "fl/models/global_model_v3", "MODEL_REGISTRY_URL": url, "DATA_STORE_URL": url,
               "COORDINATOR_URL": url, "FL_NUM_SAMPLES": "64"}
        result = manager.run(name="fl-round-r1-x", file=file_of(guest), env=env)["results"]
        update = b'{"model":[1],"data":[1]}'
        assert base64.b64decode(result.pop("update_b64")) == update
        assert result == {"task_id": result["task_id"], "round_id": "r1", "proplet_id": worker.id, "num_samples": 64,
                          "format": "f32-delta", "metrics": {}}
        assert requests == [("/models/3", b""), (f"/datasets/{worker.id}", b""), ("/update", update)]
        manager.run(name="fl-round-r1-x", file=file_of(guest), env={**env, "COORDINATOR_URL": "http://127.0.0.1:1"})
        manager.wait(f"fl/rounds/r1/updates/{worker.id}", lambda m: m == json.loads(update), "the update by MQTT")
        server.shutdown()


def test_exit_codes_and_errors_of_the_guest_are_told(manager, worker, compile_guest):
    guest = compile_guest("failing", '#include <stdio.h>\nint main(void) { puts("out"); fputs("why", stderr); return 3; }')
    result = manager.run(name="_start", file=file_of(guest))
    assert result["code"] == "worker.exit_code" and result["exit_code"] == 3
    assert "3" in result["error"] and "why" in result["error"]
    assert result["results"] == "out\n" and result["stderr"] == "why"


def test_output_is_bounded(manager, worker, compile_guest):
    guest = compile_guest("chatty", '#include <stdio.h>\nint main(void) { for (int i = 0; i < 100000; ++i) puts("x"); }')
    result = manager.run(name="_start", file=file_of(guest))
    assert len(result["results"]) < 1200
    assert "199000 more bytes" in result["results"]


def test_a_module_comes_from_an_address(manager, worker, tmp_path):
    class Files(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            kind = "text/html" if "page" in self.path else "application/wasm"
            self.send_response(200 if "missing" not in self.path else 404)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(wasm_module())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        assert manager.run(name="add", image_url=f"{base}/add.wasm", inputs=["4", "5"])["results"] == "9"
        for path, words in (("missing", "404"), ("page", "text/html")):
            result = manager.run(name="add", image_url=f"{base}/{path}", inputs=["4", "5"])
            assert result["code"] == "worker.http_status" and words in result["error"]
        server.shutdown()


def test_a_module_comes_piece_by_piece_through_a_proxy(manager, worker):
    module, name = wasm_module(), f"registry.example/{uuid.uuid4()}:latest"
    task = manager.start(name="add", image_url=name, inputs=["6", "7"])
    manager.wait("/registry/proplet", lambda m: m == {"app_name": name}, "the request")
    pieces = [module[at:at + 20] for at in range(0, len(module), 20)]
    for index in reversed(range(len(pieces))):
        for _ in range(2):
            manager.publish("/registry/server", {"app_name": name, "chunk_idx": index, "total_chunks": len(pieces),
                                                 "data": base64.b64encode(pieces[index]).decode()})
    assert manager.result(task)["results"] == "13"


def test_a_module_comes_directly_from_a_registry(manager, worker, registry, addition):
    reference = f"{registry}/plain-worker:v1"
    run(BIN / "coffer", "image", "push", reference, addition)
    result = manager.run(name="_start", image_url=f"docker://{reference}", inputs=["1", "2"])
    assert result["results"] == "1 + 2 = 3\n"
    missing = manager.run(name="_start", image_url=f"docker://{registry}/none:v1")
    assert missing["code"] == "image.not_found"


def test_hostile_messages_leave_the_worker_standing(manager, worker):
    for suffix in ("/control/manager/start", "/control/manager/stop", "/control/manager/invoke", "/registry/server"):
        for payload in (b"", b"\xff\xfe", b"[]", b"{}", b"null", b"[" * 100000, b'{"id":5}', b'{"app_name":"x","chunk_idx":-1}'):
            manager.publish(suffix, payload)
    assert manager.run(name="add", file=MODULE, inputs=["3", "4"])["results"] == "7"


def test_a_thousand_tasks_at_once_all_end(manager, worker):
    tasks = [str(uuid.uuid4()) for _ in range(1000)]
    for task in tasks:
        manager.client.publish(f"{BASE}/control/manager/start", json.dumps(
            {"id": task, "name": "add", "state": 0, "file": MODULE, "inputs": ["1", "2"], "cli_args": None}), qos=1)
    wanted = set(tasks)
    results = manager.wait("/control/proplet/results", lambda m: m["task_id"] in wanted, "1000 results", 90, 1000)
    assert {result["results"] for result in results} == {"3"}


def test_after_a_restart_of_the_broker_the_worker_announces_itself_again(tmp_path):
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\n")) as mqtt_broker:
        with running_worker(mqtt_broker, tmp_path / "worker") as worker:
            wait_until(lambda: "worker.connected" in worker.log_text(), "the first connection")
            mqtt_broker.restart()
            with upstream_manager(mqtt_broker.port) as manager:
                manager.wait("/control/proplet/create", lambda m: m["proplet_id"] == worker.id, "discovery")
                assert manager.run(name="add", file=MODULE, inputs=["1", "2"])["results"] == "3"


def test_a_result_that_falls_into_an_outage_comes_after_it(tmp_path):
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\n")) as mqtt_broker:
        with running_worker(mqtt_broker, tmp_path / "worker") as worker:
            wait_until(lambda: "worker.connected" in worker.log_text(), "the first connection")
            with upstream_manager(mqtt_broker.port) as manager:
                task = manager.start(name="spin", file=MODULE, timeout_seconds=2)
                wait_until(lambda: f"task={task}" in worker.log_text(), "the task's start")
            mqtt_broker.kill()
            wait_until(lambda: "worker.end" in worker.log_text(), "the task's end")
            mqtt_broker.start()
            with upstream_manager(mqtt_broker.port) as manager:
                assert manager.result(task)["code"] == "wasm.timeout"


def test_an_ordinary_end_stops_tasks_and_tells_their_results(mqtt_broker, manager, tmp_path):
    with running_worker(mqtt_broker, tmp_path, manager) as worker:
        task = manager.start(name="spin", file=MODULE, proplet_id=worker.id)
        wait_until(lambda: f"task={task}" in worker.log_text(), "the task's start")
        worker.child.send_signal(signal.SIGTERM)
        assert manager.result(task)["code"] == "worker.stopped"
        assert worker.child.wait(10) == 0
    assert all(m["status"] == "alive" for m in manager.all("/control/proplet/alive"))


def test_upstreams_manager_may_be_given_time_to_save_a_start(mqtt_broker, manager, tmp_path):
    with running_worker(mqtt_broker, tmp_path, manager, COMPAT_RESULT_DELAY="700ms") as worker:
        begun = time.monotonic()
        result = manager.run(name="add", file=MODULE, inputs=["1", "2"], proplet_id=worker.id)
        assert result["results"] == "3"
        assert time.monotonic() - begun > 0.65


def test_an_external_runtime_gets_arguments_as_they_are_and_the_tasks_environment_not(mqtt_broker, manager, tmp_path):
    program = tmp_path / "runtime"
    program.write_text('#!/bin/sh\nfor each; do printf "[%s]" "$each"; done\nprintf "K=%s" "$K"\nexit ${CODE:-0}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with running_worker(mqtt_broker, tmp_path / "worker", manager, EXTERNAL_WASM_RUNTIME=str(program)) as worker:
        result = manager.run(name="add", file=MODULE, inputs=["1; rm -rf /", "$(id)"], env={"K": "v", "LD_PRELOAD": "/x"},
                             cli_args=["-S", "nn"], proplet_id=worker.id)
        assert result["error"] is None, result
        text = result["results"]
        assert text.startswith("[run][-S][nn][--invoke][add]")
        assert "[--env][K=v]" in text and "[--env][LD_PRELOAD=/x]" in text
        assert text.endswith("[1; rm -rf /][$(id)]K=")
        refused = manager.run(name="add", file=MODULE, cli_args=["--dir=/"], proplet_id=worker.id)
        assert refused["code"] == "worker.argument_refused" and "--dir=/" in refused["error"]
        limited = manager.run(name="add", file=MODULE, inputs=["1", "2"], fuel=100000, proplet_id=worker.id)
        assert limited["results"] == "3"


def test_monitoring_profiles_sample_the_task(manager, worker):
    profile = {"enabled": True, "interval": 1, "collect_cpu": True, "collect_memory": True, "collect_disk_io": True,
               "collect_threads": True, "collect_file_descriptors": True, "export_to_mqtt": True, "retain_history": True,
               "history_size": 10}
    task = manager.start(name="spin", file=MODULE, monitoring_profile=profile)
    samples = manager.wait("/control/proplet/task_metrics", lambda m: m["task_id"] == task, "samples", count=2)
    manager.stop_task(task)
    assert samples[1]["metrics"]["memory_bytes"] > 0
    assert samples[1]["aggregated"]["sample_count"] == 2


@pytest.mark.parametrize("variables, words", [
    ({"TENANT_ID": ""}, "PROPLET_TENANT_ID"),
    ({"METRICS_PORT": "x"}, "PROPLET_METRICS_PORT"),
    ({"MQTT_KEEP_ALIVE": "soon"}, "PROPLET_MQTT_KEEP_ALIVE"),
    ({"TEE": "tdx"}, "PROPLET_TEE"),
    ({"IMAGE_ROUTE": "pigeon"}, "PROPLET_IMAGE_ROUTE"),
    ({"EXTERNAL_WASM_RUNTIME": "/no/such/program"}, "/no/such/program"),
    ({"TEE_ENABLED": "true"}, "this machine shows no TEE"),
    ({"MQTT_ADDRESS": "carrier://x"}, "carrier"),
])
def test_settings_that_cannot_hold_end_the_start(mqtt_broker, tmp_path, variables, words):
    result = run(BIN / "coffer-worker", check=False, env=settings(mqtt_broker, tmp_path, str(uuid.uuid4()), **variables), cwd=tmp_path)
    assert result.returncode == 1
    assert words in result.stderr


def test_a_port_of_another_worker_is_told_with_the_setting_that_changes_it(mqtt_broker, tmp_path):
    with running_worker(mqtt_broker, tmp_path / "first") as first:
        port = first.metrics_address().rsplit(":", 1)[1]
        second = run(BIN / "coffer-worker", check=False, cwd=tmp_path,
                     env=settings(mqtt_broker, tmp_path, str(uuid.uuid4()), METRICS_PORT=port))
    assert second.returncode == 1
    assert port in second.stderr and "PROPLET_METRICS_PORT" in second.stderr


def test_settings_that_have_no_effect_are_named_at_the_start(mqtt_broker, tmp_path):
    silent = {"USB_ENABLED": "false", "HAL_ENABLED": "true"}
    with running_worker(mqtt_broker, tmp_path / "silent", **silent) as worker:
        assert "has no effect" not in worker.log_text()
    named = {"USB_ENABLED": "true"}
    with running_worker(mqtt_broker, tmp_path / "named", **named) as worker:
        for name in named:
            assert f"PROPLET_{name} has no effect" in worker.log_text()


def test_flags_win_over_variables_and_the_key_has_none(mqtt_broker, tmp_path):
    env = settings(mqtt_broker, tmp_path, str(uuid.uuid4()), METRICS_PORT="x")
    assert run(BIN / "coffer-worker", "--check", "--metrics-port", "0", env=env, cwd=tmp_path).stdout == "the configuration is valid\n"
    text = run(BIN / "coffer-worker", "--help").stdout
    assert "--mqtt-address" in text and "--kbs-uri" in text and "--api-key" not in text


def test_both_generations_of_the_credential_file_are_read(mqtt_broker, manager, tmp_path):
    own_id = str(uuid.uuid4())
    (tmp_path / "config.toml").write_text(
        f'[proplet]\ndomain_id = "tenant-1"\nclient_id = "{own_id}"\nclient_key = "k"\nchannel_id = "channel-1"\n')
    empty = {name: "" for name in ("TENANT_ID", "CHANNEL_ID", "ENTITY_ID", "API_KEY")}
    with running_worker(mqtt_broker, tmp_path, manager, own_id=own_id, **empty) as worker:
        assert manager.run(name="add", file=MODULE, inputs=["1", "2"], proplet_id=worker.id)["results"] == "3"
    assert os.path.exists(worker.log)
