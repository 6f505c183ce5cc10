"""coffer-manager against a real mosquitto, with paho-mqtt playing upstream's workers."""

import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import threading
import time
import urllib.request
import uuid

import pytest
from conftest import BIN, free_port, http_ok, process, run, wait_until
from fleet_peers import CHANNEL, COMPLETED, FAILED, RUNNING, SCHEDULED, SKIPPED, TENANT, Api, MqttPeer, UpstreamWorker
from mosquitto import broker, password_broker  # noqa: F401  pylint: disable=unused-import

WASM = b"\0asm\1\0\0\0"


@contextlib.contextmanager
def manager(directory, mqtt, *arguments, name="manager", env=None):
    """A running coffer-manager; yields its Api, whose `process` can be killed."""
    url_file = directory / f"{name}.url"
    url_file.unlink(missing_ok=True)
    settings = {"MANAGER_TENANT_ID": TENANT, "MANAGER_CHANNEL_ID": CHANNEL, "MANAGER_ENTITY_ID": name,
                "MANAGER_API_KEY": f"{name}-key", "MANAGER_SQLITE_PATH": str(directory / "manager.db"),
                "MANAGER_URL_FILE": str(url_file), **(env or {})}
    with process(BIN / "coffer-manager", "--mqtt-address", mqtt, "--http-port", "0", *(arguments or ["--insecure-open"]),
                 log=directory / f"{name}.log", env=settings, cwd=directory) as child:
        wait_until(lambda: url_file.exists() and url_file.read_text().strip() or child.poll() is not None, "its address")
        assert child.poll() is None, (directory / f"{name}.log").read_text()
        api = Api(url_file.read_text().strip())
        api.process, api.log = child, directory / f"{name}.log"
        wait_until(lambda: http_ok(api.url + "/health"), "its health")
        wait_until(lambda: "fleet.broker_connected" in api.log.read_text(), "its connection to the MQTT broker")
        yield api


@pytest.fixture
def api(tmp_path, broker):  # noqa: F811
    with manager(tmp_path, broker.address) as running:
        yield running


def known(api, count=1):
    wait_until(lambda: api.ok("GET", "/proplets?status=active")["total"] == count, f"{count} workers")


def add(start):
    return str(sum(int(number) for number in start["inputs"]))


def test_a_task_goes_from_rest_to_a_worker_and_back(api, broker):  # noqa: F811
    worker = UpstreamWorker(broker.address, add)
    known(api)
    task = api.start(inputs=[10, "20"], env={"K": "V"})
    done = api.wait(task, COMPLETED)
    assert done["results"] == "30" and done["proplet_id"] == worker.id
    assert api.ok("GET", f"/tasks/{task}/results") == {"results": "30"}
    start = worker.starts[0]
    assert start["id"] == task and start["name"] == "add" and start["inputs"] == ["10", "20"]
    assert {"id", "name", "state", "cli_args", "broadcast", "daemon", "latent", "encrypted"} <= start.keys()
    assert start["cli_args"] is None and start["env"] == {"K": "V"} and "file" not in start
    worker.close()


def test_a_module_is_uploaded_and_sent(api, broker):  # noqa: F811
    worker = UpstreamWorker(broker.address, lambda start: start["file"])
    known(api)
    task = api.ok("POST", "/tasks", {"name": "add"})["id"]
    body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wasm\"\r\n\r\n" + WASM + b"\r\n--b--\r\n"
    status, _ = api.send("PUT", f"/tasks/{task}/upload", body, {"Content-Type": "multipart/form-data; boundary=b"})
    assert status == 200
    api.ok("POST", f"/tasks/{task}/start")
    assert api.wait(task, COMPLETED)["results"] == base64.b64encode(WASM).decode()
    worker.close()


def test_a_worker_that_answers_at_once_loses_no_result(api, broker):  # noqa: F811
    """Trap 1 of propeller.md section 9b, forty times."""
    worker = UpstreamWorker(broker.address, add)
    known(api)
    tasks = [api.start(inputs=[i, 1]) for i in range(40)]
    for number, task in enumerate(tasks):
        assert api.wait(task, COMPLETED)["results"] == str(number + 1)
    worker.close()


def test_offline_is_offline_and_a_strangers_last_will_is_no_worker(api, broker):  # noqa: F811
    """Trap 2: upstream's manager makes a worker of the proxy's last will."""
    stranger = MqttPeer(broker.address, [])
    stranger.publish("control/proplet/alive", {"status": "offline", "proplet_id": str(uuid.uuid4())})
    worker = UpstreamWorker(broker.address, add, interval=60)
    known(api)
    worker.beat("offline")
    known(api, 0)
    status, document = api.send("POST", f"/tasks/{api.create()}/start")
    assert status == 500 and document["code"] == "manager.no_worker"
    assert "no active proplets available" in document["error"]
    worker.beat()
    known(api)
    assert api.ok("GET", "/proplets")["total"] == 1
    stranger.close()
    worker.close()


def test_a_worker_with_upstreams_interval_does_not_flap(tmp_path, broker):  # noqa: F811
    """Trap 3, shortened: beats every 1.5 s with a time-out of 4 s."""
    with manager(tmp_path, broker.address, "--insecure-open", "--alive-timeout", "4s") as api:
        worker = UpstreamWorker(broker.address, add, interval=1.5)
        known(api)
        end = time.monotonic() + 6
        while time.monotonic() < end:
            assert api.ok("GET", "/proplets?status=active")["total"] == 1
            time.sleep(0.1)
        worker.close()
        known(api, 0)


def test_duplicate_results_and_those_of_others_change_nothing(api, broker):  # noqa: F811
    worker = UpstreamWorker(broker.address)
    other = UpstreamWorker(broker.address, worker_id=str(uuid.uuid4()))
    known(api, 2)
    task = api.start()
    owner = wait_until(lambda: next((w for w in (worker, other) if w.starts), None), "a start")
    liar = other if owner is worker else worker
    liar.result(task, "forged")
    owner.result(task, "30")
    owner.result(task, "31")
    assert api.wait(task, COMPLETED)["results"] == "30"
    time.sleep(0.3)
    assert api.task(task)["results"] == "30"
    worker.close()
    other.close()


def test_a_stopped_task_is_failed_with_the_workers_words(api, broker):  # noqa: F811
    worker = UpstreamWorker(broker.address)
    known(api)
    task = api.start()
    wait_until(lambda: worker.starts, "the start")
    assert api.ok("POST", f"/tasks/{task}/stop") == {"stopped": True}
    wait_until(lambda: worker.stops, "the stop")
    assert worker.stops[0]["id"] == task and worker.stops[0]["proplet_id"] == worker.id
    worker.result(task, "", "task was aborted")
    done = api.wait(task, FAILED)
    assert done["error"] == "task was aborted" and done["code"] == "manager.stopped"
    worker.close()


def test_a_daemon_can_be_stopped_although_it_counts_as_completed(api, broker):  # noqa: F811
    worker = UpstreamWorker(broker.address, lambda start: "")
    known(api)
    task = api.start(daemon=True)
    api.wait(task, COMPLETED)
    api.ok("POST", f"/tasks/{task}/stop")
    wait_until(lambda: worker.stops, "the stop")
    worker.close()


def test_a_latent_task_is_invoked(api, broker):  # noqa: F811
    """Trap 17: the first call finds nothing compiled; the task is deployed again, and the call made again."""
    worker = UpstreamWorker(broker.address)
    calls = []

    def answer_invocations():
        for _ in range(2):
            call = worker.wait_for(lambda suffix, document: suffix == "control/manager/invoke"
                                   and document["invocation_id"] not in calls, "a call")
            calls.append(call["invocation_id"])
            error = f"task {call['id']} has not been precompiled" if len(calls) == 1 else None
            worker.publish("control/proplet/invoke_results",
                           {"task_id": call["id"], "invocation_id": call["invocation_id"], "proplet_id": worker.id,
                            "results": "" if error else "hello " + call["inputs"][0], "error": error}, wait=False)

    known(api)
    task = api.start(latent=True)
    wait_until(lambda: worker.starts, "the start")
    thread = threading.Thread(target=answer_invocations)
    thread.start()
    assert api.ok("POST", f"/tasks/{task}/invoke", {"inputs": ["you"]}) == {"invoked": True, "results": "hello you"}
    thread.join()
    assert len(worker.starts) == 2
    worker.close()


def test_hostile_messages_are_survived(api, broker):  # noqa: F811
    peer = MqttPeer(broker.address, [])
    for suffix in ("create", "alive", "metrics", "task_metrics", "results", "invoke_results"):
        for payload in (b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"proplet_id":7}', b"[" * 10_000,
                        json.dumps({"proplet_id": "x" * 100_000, "task_id": "y"}).encode()):
            peer.publish(f"control/proplet/{suffix}", payload)
    peer.publish("fl/rounds/start", b'{"round_id":{}}')
    peer.publish("control/manager/start", b"{}")
    worker = UpstreamWorker(broker.address, add)
    known(api)
    assert api.wait(api.start(inputs=[1, 2]), COMPLETED)["results"] == "3"
    peer.close()
    worker.close()


def test_the_mqtt_broker_may_be_restarted(api, broker):  # noqa: F811
    """Upstream's manager goes deaf here: a clean session, and no subscription after the reconnect."""
    worker = UpstreamWorker(broker.address, add, interval=1)
    known(api)
    broker.restart()
    wait_until(lambda: api.log.read_text().count("fleet.broker_connected") >= 2, "the next connection", 20)
    known(api)
    assert api.wait(api.start(inputs=[1, 2]), COMPLETED)["results"] == "3"
    worker.close()


def test_a_manager_that_is_killed_loses_nothing(tmp_path, broker):  # noqa: F811
    """Running tasks run on, queued ones are given out by the next manager, each once."""
    worker = UpstreamWorker(broker.address)
    with manager(tmp_path, broker.address) as api:
        known(api)
        running = [api.start() for _ in range(5)]
        wait_until(lambda: len(worker.starts) == 5, "the starts")
        queued = [api.start(required_tags=["late"], on_unavailable="wait") for _ in range(5)]
        assert api.task(queued[0])["state"] == SCHEDULED and "late" in api.task(queued[0])["reason"]
        time.sleep(1.5)  # the acknowledgements are written down once a second
        api.process.send_signal(signal.SIGKILL)
        api.process.wait()
    with manager(tmp_path, broker.address, name="next") as api:
        assert [api.task(task)["state"] for task in running] == [RUNNING] * 5
        for task in running:
            worker.result(task, "30")
        for task in running:
            api.wait(task, COMPLETED)
        late = UpstreamWorker(broker.address, lambda start: "late")
        late.publish("control/proplet/create", {"proplet_id": late.id, "namespace": "default",
                                                "metadata": {"tags": ["late"]}})
        for task in queued:
            assert api.wait(task, COMPLETED)["results"] == "late"
        assert sorted(start["id"] for start in late.starts) == sorted(queued)
        assert len(worker.starts) == 5
        late.close()
    worker.close()


def test_results_that_come_while_no_manager_runs_are_kept_for_the_next(tmp_path, broker):  # noqa: F811
    worker = UpstreamWorker(broker.address)
    with manager(tmp_path, broker.address) as api:
        known(api)
        tasks = [api.start() for _ in range(3)]
        wait_until(lambda: len(worker.starts) == 3, "the starts")
        api.process.send_signal(signal.SIGKILL)
        api.process.wait()
    for task in tasks:
        worker.result(task, "30")
    with manager(tmp_path, broker.address) as api:
        for task in tasks:
            api.wait(task, COMPLETED)
    worker.close()


def test_callers_are_known_by_their_tokens(tmp_path, broker):  # noqa: F811
    users = tmp_path / "users.toml"
    users.write_text("".join(f'[[token]]\nname = "{role}"\nrole = "{role}"\n'
                             f'sha256 = "{hashlib.sha256(f"{role}-token".encode()).hexdigest()}"\n'
                             for role in ("viewer", "operator", "admin")))
    with manager(tmp_path, broker.address, "--auth-file", users) as api:
        assert api.send("GET", "/tasks")[0] == 401
        api.token = "viewer-token"
        assert api.send("GET", "/tasks")[0] == 200
        assert api.send("POST", "/tasks", {"name": "a"})[0] == 403
        api.token = "operator-token"
        assert api.send("POST", "/tasks", {"name": "a"})[0] == 201
        assert api.send("DELETE", f"/proplets/{uuid.uuid4()}")[0] == 403
        api.token = "admin-token"
        assert api.send("DELETE", f"/proplets/{uuid.uuid4()}")[0] == 404


def test_without_a_word_about_callers_it_does_not_start(tmp_path):
    result = run(BIN / "coffer-manager", check=False, cwd=tmp_path,
                 env={"MANAGER_TENANT_ID": TENANT, "MANAGER_CHANNEL_ID": CHANNEL, "MANAGER_ENTITY_ID": "m",
                      "MANAGER_API_KEY": "k"})
    assert result.returncode == 1 and "--insecure-open" in result.stderr


def test_a_broker_with_passwords_and_a_shared_credential_file(tmp_path, password_broker):  # noqa: F811
    """Both generations of names in config.toml."""
    for names in (("tenant_id", "entity_id", "api_key"), ("domain_id", "client_id", "client_key")):
        (tmp_path / "config.toml").write_text(
            f'[manager]\n{names[0]} = "{TENANT}"\n{names[1]} = "manager"\n{names[2]} = "manager-key"\n'
            f'channel_id = "{CHANNEL}"\n')
        empty = {name: "" for name in ("MANAGER_TENANT_ID", "MANAGER_CHANNEL_ID", "MANAGER_ENTITY_ID", "MANAGER_API_KEY")}
        with manager(tmp_path, password_broker.address, env=empty) as api:
            worker = UpstreamWorker(password_broker.address, add, username="worker", password="worker-key")
            known(api)
            assert api.wait(api.start(inputs=[4, 5]), COMPLETED)["results"] == "9"
            worker.close()
        os.unlink(tmp_path / "manager.db")


def test_a_round_trip_is_quick(api, broker):  # noqa: F811
    """No fixed sleep stands between a request and its result; the bound is generous, the median is the benchmark's."""
    worker = UpstreamWorker(broker.address, add)
    known(api)
    times = []
    for number in range(20):
        begin = time.monotonic()
        task = api.start(inputs=[number, 0])
        api.wait(task, COMPLETED)
        times.append(time.monotonic() - begin)
    assert statistics.median(times) < 0.5, times
    worker.close()


def test_the_document_is_served(api):
    with urllib.request.urlopen(api.url + "/openapi.yaml") as response:
        text = response.read().decode()
    for path in ("/tasks/{id}/invoke", "/proplets/{id}/alive-history", "/jobs/{id}/start"):
        assert f"\n  {path}:\n" in text


def test_a_job_a_workflow_and_a_broadcast(api, broker):  # noqa: F811
    def run_one(start):
        if start["name"] == "bad":
            raise ValueError("trap")
        return json.dumps(sorted(start.get("parent_results", {}).values()))

    workers = [UpstreamWorker(broker.address, run_one) for _ in range(2)]
    known(api, 2)
    job = api.ok("POST", "/jobs", {"name": "j", "execution_mode": "sequential",
                                   "tasks": [{"name": name, "image_url": "x"} for name in ("one", "two", "three")]})
    assert api.ok("POST", f"/jobs/{job['job_id']}/start")["message"] == "job started"
    wait_until(lambda: api.ok("GET", f"/jobs/{job['job_id']}")["state"] == COMPLETED, "the job's end")
    order = [start["name"] for start in sorted((s for w in workers for s in w.starts), key=lambda s: s["name"])]
    assert order == ["one", "three", "two"]
    assert api.ok("GET", "/jobs?status=completed")["total"] == 1
    ids = {name: str(uuid.uuid4()) for name in ("first", "second", "bad", "never", "cleanup")}
    tasks = [{"id": ids["first"], "name": "first"}, {"id": ids["second"], "name": "second", "depends_on": [ids["first"]]},
             {"id": ids["bad"], "name": "bad", "depends_on": [ids["second"]]},
             {"id": ids["never"], "name": "never", "depends_on": [ids["bad"]]},
             {"id": ids["cleanup"], "name": "cleanup", "depends_on": [ids["bad"]], "run_if": "failure"}]
    api.ok("POST", "/workflows", {"tasks": [{**task, "image_url": "x"} for task in tasks]})
    api.ok("POST", f"/tasks/{ids['first']}/start")
    api.wait(ids["cleanup"], COMPLETED)
    assert api.task(ids["second"])["results"] == '["[]"]'
    assert api.task(ids["bad"])["error"] == "trap" and api.task(ids["never"])["state"] == SKIPPED
    everywhere = api.wait(api.start(broadcast=True), COMPLETED)
    assert set(everywhere["proplet_results"]) == {worker.id for worker in workers}
    for worker in workers:
        worker.close()


def test_a_thousand_tasks_wait_and_are_all_run_once_by_priority(api, broker):  # noqa: F811
    ids = [api.start(priority=90 if number % 10 == 0 else 10, on_unavailable="wait") for number in range(1000)]
    urgent = set(ids[::10])
    worker = UpstreamWorker(broker.address)
    wait_until(lambda: len(worker.starts) >= 1000, "a thousand starts", 60)
    assert sorted(start["id"] for start in worker.starts) == sorted(ids)
    # Some are on their way to the broker side by side, and the broker delivers some side by side.
    first = {start["id"] for start in worker.starts[:140]}
    assert urgent <= first, len(urgent - first)
    for task in ids:
        worker.result(task, "30", wait=True)
    for task in ids:
        api.wait(task, COMPLETED)
    worker.close()


def test_a_schedule_starts_its_task(api, broker):  # noqa: F811
    worker = UpstreamWorker(broker.address, add)
    known(api)
    task = api.create(inputs=[1, 2], schedule="* * * * *", timezone="Asia/Kolkata")
    assert api.task(task)["next_run"].endswith(":00.000Z")
    done = api.wait(task, COMPLETED, 70)
    assert done["results"] == "3" and "schedule" not in done
    worker.close()


@contextlib.contextmanager
def postgres(directory):
    """A PostgreSQL of the test's own, as an unprivileged user; yields the settings of a manager."""
    binaries = sorted((path for path in map(str, __import__("pathlib").Path("/usr/lib/postgresql").glob("*/bin"))))
    if not binaries or shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL is not installed")
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    folder = subprocess.run(["mktemp", "-d", "/tmp/coffer-pg-XXXXXX"], check=True, capture_output=True,
                            text=True).stdout.strip()
    port = free_port()
    try:
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        run(*as_user, f"{binaries[-1]}/initdb", "-D", f"{folder}/data", "--no-sync", "-A", "trust", "-U", "propeller",
            cwd="/")
        with process(*as_user, f"{binaries[-1]}/postgres", "-D", f"{folder}/data", "-k", folder, "-p", str(port), "-c",
                     "listen_addresses=", "-c", "fsync=off", log=directory / "postgres.log", cwd="/"):
            wait_until(lambda: run(f"{binaries[-1]}/pg_isready", "-h", folder, "-p", port, check=False).returncode == 0,
                       "PostgreSQL's start")
            run(f"{binaries[-1]}/createdb", "-h", folder, "-p", port, "-U", "propeller", "propeller")
            yield {"MANAGER_STORAGE_TYPE": "postgres", "MANAGER_POSTGRES_HOST": folder,
                   "MANAGER_POSTGRES_PORT": str(port)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_two_managers_share_a_database_and_one_is_killed(tmp_path, broker):  # noqa: F811
    """Nothing is lost, and nothing is run twice."""
    with contextlib.ExitStack() as stack:
        settings = {**stack.enter_context(postgres(tmp_path)), "MANAGER_CLAIM_LIFETIME": "2s"}
        first = stack.enter_context(manager(tmp_path, broker.address, name="first", env=settings))
        second = stack.enter_context(manager(tmp_path, broker.address, name="second", env=settings))
        worker = UpstreamWorker(broker.address, add)
        known(first)
        known(second)
        tasks = []
        errors = []

        def submit(api, count, results):
            for number in range(count):
                try:
                    task = api.create(inputs=[number, 1], on_unavailable="wait")
                    results.append(task)
                    api.ok("POST", f"/tasks/{task}/start")
                except (OSError, AssertionError) as error:
                    errors.append(error)
                    return

        by_first, by_second = [], []
        threads = [threading.Thread(target=submit, args=(first, 200, by_first)),
                   threading.Thread(target=submit, args=(second, 60, by_second))]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(by_first) >= 30, "thirty tasks")
        first.process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
        # Those that the dead one had made and not started are started by their maker, at the other manager.
        for task in by_first:
            if second.send("GET", f"/tasks/{task}")[0] == 200 and second.task(task)["state"] == 0:
                second.ok("POST", f"/tasks/{task}/start")
        tasks = [task for task in by_first if second.send("GET", f"/tasks/{task}")[0] == 200] + by_second
        for task in tasks:
            second.wait(task, COMPLETED, 30)
        seen = [start["id"] for start in worker.starts]
        assert len(set(seen)) == len(tasks)
        # A start whose acknowledgement was never written down is published again; the worker runs an id once.
        assert len(seen) - len(set(seen)) <= 2, len(seen)
        assert len(by_second) == 60
        worker.close()
