"""A mixed fleet: Propeller's own programs beside ours, on one mosquitto. PROPELLER names a directory with upstream's `manager`,
`proxy`, `cli`, `proplet`, and its examples of plugins (`plugin_auth.wasm`, `proplet_plugin_example.wasm`, a component); without one
of them its tests are not there."""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import socket
import sys
import uuid

import pytest

from conftest import BIN, ask, free_port, http_ok, process, run, strip_ansi, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from fleet_peers import CHANNEL, COMPLETED, FAILED, RUNNING, TENANT, Api  # noqa: E402
from mosquitto import Broker, TlsBroker, running  # noqa: E402
from test_fleet import tee  # noqa: E402
from test_manager import known, manager  # noqa: E402
from test_worker import MODULE  # noqa: E402
from upstream_manager import running_worker  # noqa: E402

PROPELLER = os.environ.get("PROPELLER")
DAEMON = {"name": "spin", "image_url": "", "file": MODULE, "daemon": True}


def program(name):
    return pathlib.Path(PROPELLER).resolve() / name


def given(name):
    return PROPELLER and program(name).exists()


@pytest.fixture
def mqtt_broker(tmp_path):
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\n")) as started:
        yield started


@contextlib.contextmanager
def upstreams_manager(directory, mqtt, name="upstream-manager"):
    port = free_port()
    settings = {"MANAGER_MQTT_ADDRESS": mqtt.address, "MANAGER_TENANT_ID": TENANT, "MANAGER_CHANNEL_ID": CHANNEL,
                "MANAGER_ENTITY_ID": name, "MANAGER_API_KEY": "k", "MANAGER_HTTP_HOST": "127.0.0.1",
                "MANAGER_HTTP_PORT": str(port), "MANAGER_STORAGE_TYPE": "memory", "JOB_EXECUTION_MODE": "parallel"}
    with process(program("manager"), log=directory / f"{name}.log", env=settings, cwd=directory) as child:
        api = Api(f"http://127.0.0.1:{port}")
        wait_until(lambda: http_ok(api.url + "/health") or child.poll() is not None, "upstream's manager's start")
        assert child.poll() is None, (directory / f"{name}.log").read_text()
        yield api


def our_worker(mqtt, directory, **variables):
    # Trap 1 of propeller.md section 9b: that manager loses results that come before it has saved the start.
    settings = {"TENANT_ID": TENANT, "CHANNEL_ID": CHANNEL, "LIVELINESS_INTERVAL": "1s", "COMPAT_RESULT_DELAY": "200ms"}
    return running_worker(mqtt, directory, **{**settings, **variables})


def alive(api, worker_id):
    wait_until(lambda: any(each["id"] == worker_id and each["alive"] for each in api.ok("GET", "/proplets")["proplets"]),
               "the worker at the manager")


def start(api, **task):
    return api.start(**{"image_url": "", "file": MODULE, "name": "add", **task})


if given("manager"):
    def test_our_worker_runs_what_upstreams_manager_sends(tmp_path, mqtt_broker):
        with upstreams_manager(tmp_path, mqtt_broker) as api, our_worker(mqtt_broker, tmp_path / "worker") as worker:
            alive(api, worker.id)
            view = api.ok("GET", f"/proplets/{worker.id}")
            assert view["metadata"]["wasm_runtime"] == "wasmtime-internal"
            done = api.wait(start(api, inputs=["10", "20"]), COMPLETED)
            assert done["results"] == "30" and done["proplet_id"] == worker.id
            failed = api.wait(start(api, name="absent"), FAILED)
            assert "absent" in failed["error"]
            for number in range(10):
                assert api.wait(start(api, inputs=[str(number), "1"]), COMPLETED)["results"] == str(number + 1)

    def test_our_worker_keeps_daemons_and_latent_tasks_for_upstreams_manager(tmp_path, mqtt_broker):
        with upstreams_manager(tmp_path, mqtt_broker) as api, our_worker(mqtt_broker, tmp_path / "worker") as worker:
            alive(api, worker.id)
            daemon = api.start(**DAEMON)
            api.wait(daemon, COMPLETED)
            api.send("POST", f"/tasks/{daemon}/stop")
            latent = start(api, latent=True)
            wait_until(lambda: f'worker.end "the task has ended" task={latent}' in worker.log_text(), "the compilation")
            answer = api.ok("POST", f"/tasks/{latent}/invoke", {"inputs": ["20", "22"]})
            assert answer["results"] == "42", answer
            spinning = start(api, name="spin")
            wait_until(lambda: f"task={spinning}" in worker.log_text(), "the task's start")
            api.ok("POST", f"/tasks/{spinning}/stop")
            wait_until(lambda: api.task(spinning)["state"] not in (1, RUNNING), "its end")

    def test_our_worker_does_upstreams_jobs_and_workflows(tmp_path, mqtt_broker):
        with upstreams_manager(tmp_path, mqtt_broker) as api, our_worker(mqtt_broker, tmp_path / "worker") as worker:
            alive(api, worker.id)
            tasks = [{"name": "add", "file": MODULE, "inputs": [str(n), "1"]} for n in range(3)]
            job = api.ok("POST", "/jobs", {"name": "j", "execution_mode": "parallel", "tasks": tasks})
            api.ok("POST", f"/jobs/{job['job_id']}/start")
            wait_until(lambda: all(task["state"] == COMPLETED for task in api.ok("GET", f"/jobs/{job['job_id']}")["tasks"]),
                       "the job's tasks")

    def test_our_worker_does_upstreams_encrypted_tasks(tmp_path, mqtt_broker, snp_broker, registry, addition):
        reference = f"{registry}/mixed-{uuid.uuid4()}:v1"
        snp_broker.coffer("image", "push", reference, addition, "--encrypt", "kbs:///default/key/mixed", "--create-key")
        with upstreams_manager(tmp_path, mqtt_broker) as api, our_worker(mqtt_broker, tmp_path / "worker", **tee(snp_broker)) as worker:
            alive(api, worker.id)
            done = api.wait(api.start(name="add", image_url=reference, encrypted=True, inputs=["10", "20"]), COMPLETED, 30)
            assert done["results"] == "30"
        with upstreams_manager(tmp_path, mqtt_broker) as api, our_worker(mqtt_broker, tmp_path / "plain") as worker:
            alive(api, worker.id)
            failed = api.wait(api.start(name="add", image_url=reference, encrypted=True, inputs=["10", "20"]), FAILED, 30)
            assert "TEE runtime not available" in failed["error"]

    def test_our_worker_outlives_a_restart_of_upstreams_manager(tmp_path, mqtt_broker):
        with our_worker(mqtt_broker, tmp_path / "worker") as worker:
            for _ in range(2):
                with upstreams_manager(tmp_path, mqtt_broker) as api:
                    alive(api, worker.id)
                    assert api.wait(start(api, inputs=["1", "2"]), COMPLETED)["results"] == "3"

    def test_our_command_line_drives_upstreams_manager(tmp_path, mqtt_broker):
        with upstreams_manager(tmp_path, mqtt_broker) as api, our_worker(mqtt_broker, tmp_path / "worker") as worker:
            alive(api, worker.id)

            def fleet(*arguments):
                return json.loads(run(BIN / "coffer", "--json", "fleet", "--manager-url", api.url, *arguments).stdout)

            (tmp_path / "add.wasm").write_bytes(base64.b64decode(MODULE))
            task = fleet("tasks", "create", "add", "--inputs", "4,5")["id"]
            run(BIN / "coffer", "fleet", "--manager-url", api.url, "tasks", "upload", task, tmp_path / "add.wasm")
            run(BIN / "coffer", "fleet", "--manager-url", api.url, "tasks", "start", task)
            api.wait(task, COMPLETED)
            assert fleet("tasks", "view", task)["results"] == "9"
            assert fleet("proplets", "list")["proplets"][0]["id"] == worker.id
            assert run(BIN / "coffer", "fleet", "--manager-url", api.url, "health").returncode == 0


if given("cli"):
    @pytest.fixture
    def ours(tmp_path, mqtt_broker):
        """Our manager and worker, and upstream's command line for them."""
        with manager(tmp_path, mqtt_broker.address) as api, our_worker(mqtt_broker, tmp_path / "worker", COMPAT_RESULT_DELAY="0") as worker:
            known(api)

            def cli(*arguments, fails=False):
                """It ends with 0 whatever happens, and says `error:`."""
                result = run(program("cli"), "-m", api.url, *arguments)
                assert ("error:" in result.stderr) == fails, result.stdout + result.stderr
                text = strip_ansi(result.stderr if fails else result.stdout).strip()
                return json.loads(text) if text.startswith(("{", "[", '"')) else text

            yield api, worker, cli

    def test_upstreams_command_line_drives_our_managers_tasks(tmp_path, ours):
        api, worker, cli = ours
        (tmp_path / "add.wasm").write_bytes(base64.b64decode(MODULE))
        task = cli("tasks", "create", "add", "--inputs", "4,5", "--priority", "70", "--env", "A=B")["id"]
        assert cli("tasks", "upload", task, str(tmp_path / "add.wasm"))
        assert cli("tasks", "view", task)["priority"] == 70
        assert cli("tasks", "start", task) == "ok"
        api.wait(task, COMPLETED)
        assert cli("tasks", "view", task)["results"] == "9"
        assert "9" in json.dumps(cli("tasks", "results", task))
        assert any(each["id"] == task for each in cli("tasks", "list")["tasks"])
        assert cli("tasks", "metrics", task)["total"] >= 0
        cli("tasks", "update", task, "--inputs", "6,7")
        assert cli("tasks", "view", task)["inputs"] == ["6", "7"]
        latent = cli("tasks", "create", "add", "--latent", "--inputs", "1,1")["id"]
        cli("tasks", "upload", latent, str(tmp_path / "add.wasm"))
        cli("tasks", "start", latent)
        wait_until(lambda: f'worker.end "the task has ended" task={latent}' in worker.log_text(), "the compilation")
        assert cli("tasks", "invoke", latent, "20", "22") == "42"
        assert cli("tasks", "stop", latent) == "ok"
        assert cli("tasks", "delete", task) == "ok"
        assert "404" in cli("tasks", "view", task, fails=True)

    def test_upstreams_command_line_sees_our_managers_workers_jobs_and_rounds(tmp_path, ours):
        api, worker, cli = ours
        assert cli("health")
        listed = cli("proplets", "list")
        assert [each["id"] for each in listed["proplets"]] == [worker.id]
        assert cli("proplets", "view", worker.id)["alive"] is True
        assert cli("proplets", "alive-history", worker.id)["total"] >= 1
        assert cli("proplets", "sdf", worker.id)
        assert cli("proplets", "metrics", worker.id)["total"] >= 0
        tasks = json.dumps([{"name": "add", "file": MODULE, "inputs": ["1", "2"]}, {"name": "add", "file": MODULE, "inputs": ["3", "4"]}])
        job = cli("jobs", "create", "--name", "j", "--execution-mode", "sequential", "--tasks", tasks)
        cli("jobs", "start", job["job_id"])
        wait_until(lambda: api.ok("GET", f"/jobs/{job['job_id']}")["state"] == COMPLETED, "the job's end")
        assert [task["results"] for task in cli("jobs", "view", job["job_id"])["tasks"]] == ["3", "7"]
        assert any(each["job_id"] == job["job_id"] for each in cli("jobs", "list")["jobs"])
        assert len(cli("workflows", "create", "--tasks", tasks)) == 2


if given("proxy"):
    def port_is_open(port):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    @contextlib.contextmanager
    def registries(directory):
        """One store behind http and https: upstream's proxy asks by https alone. Yields HOST:PORT of each, and the root's file."""
        certificates, ports = TlsBroker(directory / "certificates"), (free_port(), free_port())
        tls = f", tls: {{certificate: {certificates.directory}/broker.pem, key: {certificates.directory}/broker.key}}"
        with contextlib.ExitStack() as stack:
            for port, more in zip(ports, ("", tls)):
                config = directory / f"registry-{port}.yml"
                config.write_text(f"version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdir: {directory}/images}}}}\n"
                                  f"http: {{addr: '127.0.0.1:{port}'{more}}}\n")
                stack.enter_context(process("docker-registry", "serve", config, log=directory / f"registry-{port}.log"))
                wait_until(lambda port=port: port_is_open(port), "a registry's start")
            yield *(f"127.0.0.1:{port}" for port in ports), certificates.root

    def test_upstreams_proxy_brings_our_worker_its_images(tmp_path, mqtt_broker, addition):
        with contextlib.ExitStack() as stack:
            plain, registry, root = stack.enter_context(registries(tmp_path))
            trusted = {"SSL_CERT_FILE": str(root)}
            # It takes the tag `latest`, whatever a task names (trap 13 of propeller.md section 9b).
            run(BIN / "coffer", "image", "push", f"{plain}/mixed:latest", addition)
            settings = {"MQTT_ADDRESS": mqtt_broker.address, "TENANT_ID": TENANT, "CHANNEL_ID": CHANNEL, "ENTITY_ID": "proxy",
                        "API_KEY": "k", "REGISTRY_URL": f"https://{registry}", "CHUNK_SIZE": "20000", "HTTP_PORT": str(free_port())}
            stack.enter_context(process(program("proxy"), log=tmp_path / "proxy.log", cwd=tmp_path,
                                        env={**trusted, **{f"PROXY_{name}": value for name, value in settings.items()}}))
            api = stack.enter_context(manager(tmp_path, mqtt_broker.address))
            worker = stack.enter_context(our_worker(mqtt_broker, tmp_path / "worker"))
            alive(api, worker.id)
            done = api.wait(api.start(name="add", image_url=f"{registry}/mixed:latest", inputs=["10", "20"]), COMPLETED, 60)
            assert (done["results"], done["proplet_id"]) == ("30", worker.id)


if given("proplet"):
    @contextlib.contextmanager
    def upstreams_worker(directory, mqtt):
        own_id = str(uuid.uuid4())
        values = {"MQTT_ADDRESS": mqtt.address, "TENANT_ID": TENANT, "CHANNEL_ID": CHANNEL, "ENTITY_ID": own_id, "API_KEY": "k",
                  "LIVELINESS_INTERVAL": "2", "METRICS_PORT": str(free_port())}
        with process(program("proplet"), log=directory / "proplet.log", cwd=directory,
                     env={f"PROPLET_{name}": value for name, value in values.items()}) as child:
            yield own_id, child

    def test_upstreams_worker_runs_what_our_manager_sends(tmp_path, mqtt_broker):
        with manager(tmp_path, mqtt_broker.address) as api, upstreams_worker(tmp_path, mqtt_broker) as (own_id, _):
            known(api)
            for number in range(5):
                done = api.wait(start(api, inputs=[number, 1]), COMPLETED)
                assert (done["results"], done["proplet_id"]) == (str(number + 1), own_id)
            with our_worker(mqtt_broker, tmp_path / "worker") as ours_too:
                known(api, 2)
                ran = {api.wait(start(api, inputs=[1, 2]), COMPLETED)["proplet_id"] for _ in range(8)}
                assert ran == {own_id, ours_too.id}


def folder_of(name, directory):
    """A folder with this one module of upstream's, as a program's plugins."""
    directory.mkdir()
    shutil.copy(program(name), directory)
    return str(directory)


if given("plugin_auth.wasm"):
    def test_upstreams_example_of_a_managers_plugin_decides_at_our_manager(tmp_path, mqtt_broker):
        plugins = folder_of("plugin_auth.wasm", tmp_path / "plugins")
        with manager(tmp_path, mqtt_broker.address, env={"MANAGER_PLUGIN_DIR": plugins}) as api, \
                our_worker(mqtt_broker, tmp_path / "worker", COMPAT_RESULT_DELAY="0"):
            known(api)
            body = {"name": "add", "file": MODULE, "inputs": ["1", "2"]}
            status, refused = api.send("POST", "/tasks", body)
            assert (status, refused["error"]) == (500, "user_id is required to create tasks")
            _, task = api.send("POST", "/tasks", body, {"X-User-Id": "ann"})
            assert task["env"] == {"PROPELLER_CREATED_BY": "ann", "PROPELLER_PLUGIN_AUTHZ": "plugin-auth"}
            assert "created by 'ann'" in api.send("POST", f"/tasks/{task['id']}/start", None, {"X-User-Id": "bob"})[1]["error"]
            assert api.send("POST", f"/tasks/{task['id']}/start", None, {"X-User-Id": "ann"})[0] == 200
            assert api.wait(task["id"], COMPLETED)["results"] == "3"


if given("proplet_plugin_example.wasm"):
    def test_upstreams_example_of_a_workers_plugin_is_asked_by_our_worker(tmp_path, mqtt_broker):
        plugins = folder_of("proplet_plugin_example.wasm", tmp_path / "plugins")
        with manager(tmp_path, mqtt_broker.address) as api, \
                our_worker(mqtt_broker, tmp_path / "worker", COMPAT_RESULT_DELAY="0", PLUGIN_DIR=plugins) as worker:
            known(api)
            task = start(api, inputs=["1", "2"])
            assert api.wait(task, COMPLETED)["results"] == "3"
            wait_until(lambda: f'"[example-plugin] task {task} finished (success=true)"' in worker.log_text(), "its last word")
            assert f'"[example-plugin] task starting: {task}"' in worker.log_text()


FEDERATED = ("fl-model-registry", "fl-local-data-store", "fl-aggregator", "fl-coordinator-http", "fl-client.wasm")

if all(map(given, FEDERATED)):
    @contextlib.contextmanager
    def upstreams_coordinator(directory, mqtt, participants):
        """Upstream's demonstration of federated learning: coordinator, aggregator, models and data. Yields their addresses."""
        ports = {name: free_port() for name in ("registry", "store", "aggregator", "coordinator")}
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        for folder in ("models", "data"):
            (directory / folder).mkdir()
        settings = (
            ("fl-model-registry", {"MODELS_DIR": str(directory / "models"), "REGISTRY_PORT": ports["registry"]}),
            ("fl-local-data-store", {"DATA_DIR": str(directory / "data"), "DATA_STORE_PORT": ports["store"],
                                     "FL_DATASET_PARTICIPANTS": ",".join(participants)}),
            ("fl-aggregator", {"AGGREGATOR_PORT": ports["aggregator"]}),
            ("fl-coordinator-http", {"COORDINATOR_PORT": ports["coordinator"], "MODEL_REGISTRY_URL": urls["registry"],
                                     "AGGREGATOR_URL": urls["aggregator"], "MQTT_BROKER": mqtt.address, "MQTT_ENTITY_ID": "fl"}))
        with contextlib.ExitStack() as stack:
            for name, environment in settings:
                stack.enter_context(process(program(name), log=directory / f"{name}.log", cwd=directory,
                                            env={key: str(value) for key, value in environment.items()}))
            for url in urls.values():
                wait_until(lambda url=url: http_ok(url + "/health"), f"{url}'s start")
            yield urls

    def test_a_round_of_upstreams_federated_demonstration_is_run_by_our_manager_and_workers(tmp_path, mqtt_broker, registry, monkeypatch):
        participants = [str(uuid.uuid4()) for _ in range(2)]
        guest = f"{registry}/fl-client-{uuid.uuid4()}:v1"
        run(BIN / "coffer", "image", "push", guest, program("fl-client.wasm"))
        with contextlib.ExitStack() as stack:
            urls = stack.enter_context(upstreams_coordinator(tmp_path, mqtt_broker, participants))
            for variable, name in (("MODEL_REGISTRY_URL", "registry"), ("DATA_STORE_URL", "store"),
                                   ("MANAGER_COORDINATOR_URL", "coordinator")):
                monkeypatch.setenv(variable, urls[name])
            api = stack.enter_context(manager(tmp_path, mqtt_broker.address))
            for own_id in participants:
                stack.enter_context(our_worker(mqtt_broker, tmp_path / own_id, own_id=own_id, COMPAT_RESULT_DELAY="0"))
            known(api, 2)
            api.ok("POST", "/fl/experiments", {
                "experiment_id": "e1", "round_id": "r-001", "model_ref": "fl/models/global_model_v0", "participants": participants,
                "hyperparams": {"epochs": 1, "lr": 0.01, "batch_size": 16}, "k_of_n": 2, "timeout_s": 120,
                "task_wasm_image": f"docker://{guest}"})
            done = wait_until(lambda: (seen := api.ok("GET", "/fl/rounds/r-001/complete")) and seen["completed"] and seen, "the round", 120)
            assert done["status"]["num_updates"] == 2
            wait_until(lambda: json.loads(ask(urls["registry"] + "/models")[1])["versions"].count(1) == 1, "the new model")
            model = json.loads(ask(urls["registry"] + "/models/1")[1])
            assert len(model["w"]) == 3 and any(model["w"])
            if given("cli"):
                said = run(program("cli"), "-m", api.url, "fl", "round-status", "r-001").stdout
                assert json.loads(strip_ansi(said))["completed"] is True
