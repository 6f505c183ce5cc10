"""`coffer fleet`, also as propeller-cli, against a real manager, a real mosquitto and a played worker."""

import base64
import hashlib
import json
import os
import stat
import subprocess
import threading
import tomllib
import uuid

import pytest

from conftest import BIN, run, wait_until
from fleet_peers import UpstreamWorker
from mosquitto import PasswordBroker, broker, running  # noqa: F401  pylint: disable=unused-import
from test_manager import manager

WASM = b"\0asm\1\0\0\0"


def add(start):
    return str(sum(int(number) for number in start["inputs"]))


class Fleet:
    """The command line, pointed at one manager."""

    def __init__(self, api, worker):
        self.api, self.worker = api, worker

    def run(self, *arguments, **options):
        return run(BIN / "coffer", "fleet", "-m", self.api.url, *arguments, **options)

    def json(self, *arguments, **options):
        return json.loads(self.run("--json", *arguments, **options).stdout)

    def create(self, name, *arguments):
        return self.json("tasks", "create", name, *arguments)["id"]


@pytest.fixture(name="fleet")
def fleet_fixture(tmp_path, broker):  # noqa: F811
    with manager(tmp_path, broker.address) as api:
        worker = UpstreamWorker(broker.address, add)
        wait_until(lambda: api.ok("GET", "/proplets?status=active")["total"] == 1, "the worker")
        yield Fleet(api, worker)
        worker.close()


@pytest.fixture(name="module")
def module_fixture(tmp_path):
    file = tmp_path / "add.wasm"
    file.write_bytes(WASM)
    return file


def test_a_task_from_its_making_to_its_result(fleet, module):
    task = fleet.create("add", "--file", module, "--inputs", "10,20", "--env", "K=V,L=a=b", "--priority", "70",
                        "--metadata", '{"team":"x"}', "--timeout-seconds", "5", "--start")
    watched = fleet.run("watch", task, "--timeout", "20")
    assert "Completed" in watched.stdout and "results=30" in watched.stdout
    assert fleet.run("tasks", "results", task).stdout == "30\n"
    start = fleet.worker.starts[0]
    assert start["inputs"] == ["10", "20"] and start["env"] == {"K": "V", "L": "a=b"} and start["timeout_seconds"] == 5
    view = fleet.json("tasks", "view", task)
    assert view["priority"] == 70 and view["metadata"] == {"team": "x"}
    assert "state: Completed" in fleet.run("tasks", "view", task).stdout
    listed = fleet.run("tasks", "list").stdout
    assert task in listed and "Completed" in listed and "30" in listed
    assert fleet.json("tasks", "list", "--limit", "1")["total"] == 1


def test_a_task_is_changed_uploaded_to_started_and_removed(fleet, module):
    task = fleet.create("old", "--image-url", "registry/none:1")
    fleet.run("tasks", "update", task, "--name", "add", "--inputs", "1,2")
    assert "uploaded" in fleet.run("tasks", "upload", task, module).stdout
    assert "started" in fleet.run("tasks", "start", task).stdout
    assert fleet.run("watch", task, "--timeout", "20").returncode == 0
    assert fleet.worker.starts[0]["name"] == "add" and fleet.worker.starts[0]["file"]
    fleet.run("tasks", "delete", task)
    gone = fleet.run("tasks", "view", task, check=False)
    assert gone.returncode == 1 and "cli.manager_refused" in gone.stderr and "404" in gone.stderr


def test_a_task_asks_for_its_modules_signature_by_a_file_or_by_the_brokers_name_of_a_key(fleet, tmp_path):
    key = tmp_path / "cosign.pub"
    key.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    by_file = fleet.create("add", "--image-url", "registry/none:1", "--module-signature-key", key, "--module-signature", "AAAA")
    assert fleet.json("tasks", "view", by_file)["module_signature"] == {"public_key": key.read_text(), "signature": "AAAA"}
    by_name = fleet.create("add", "--image-url", "registry/none:1", "--module-signature-key", "kbs:///default/key/cosign")
    assert fleet.json("tasks", "view", by_name)["module_signature"] == {"public_key": "kbs:///default/key/cosign"}


def test_watch_follows_every_change_and_tells_failure_by_its_status(fleet, module):
    release = threading.Event()

    def fails(_start):
        release.wait(20)
        raise RuntimeError("no luck today")

    fleet.worker.run = fails
    task = fleet.create("add", "--file", module, "--start")
    with subprocess.Popen([BIN / "coffer", "fleet", "-m", fleet.api.url, "--json", "watch", task, "--interval", "0.05"],
                          stdout=subprocess.PIPE, text=True) as watch:
        first = json.loads(watch.stdout.readline())
        assert first["state"] in ("Pending", "Running")
        release.set()
        states = [json.loads(line) for line in watch.stdout]
        assert watch.wait(20) == 1
    assert states[-1]["state"] == "Failed" and "no luck today" in states[-1]["error"]


def test_workers_are_listed_viewed_and_described(fleet):
    identity = fleet.worker.id
    table = fleet.run("proplets", "list", "--status", "active").stdout
    assert identity in table and "yes" in table
    assert fleet.json("proplets", "view", identity)["id"] == identity
    assert fleet.json("proplets", "sdf", identity)["info"]
    assert fleet.json("proplets", "alive-history", identity)["total"] >= 1
    assert fleet.json("proplets", "metrics", identity)["total"] == 0
    assert "no workers" in fleet.run("workers", "list", "--status", "inactive").stdout


def test_jobs_and_workflows_are_made_of_documents(fleet, tmp_path):
    tasks = [{"name": "add", "file": base64.b64encode(WASM).decode(), "inputs": ["1", str(number)]} for number in range(3)]
    document = tmp_path / "tasks.json"
    document.write_text(json.dumps(tasks), encoding="utf-8")
    job = fleet.json("jobs", "create", "--name", "three", "--execution-mode", "parallel", "--tasks-file", document)["job_id"]
    fleet.run("jobs", "start", job)
    wait_until(lambda: "Completed" in fleet.run("jobs", "view", job).stdout.splitlines()[0], "the job's end")
    assert "three" in fleet.run("jobs", "list", "--status", "completed").stdout
    made = fleet.json("workflows", "create", "--tasks", json.dumps(tasks))
    assert len(made["tasks"]) == 3
    fleet.run("jobs", "stop", job, check=False)


def test_says_what_is_wrong(fleet):
    unknown = fleet.run("tasks", "start", str(uuid.uuid4()), check=False)
    assert unknown.returncode == 1 and "manager_code" in unknown.stderr
    failed = json.loads(fleet.run("--json", "tasks", "view", "no-uuid", check=False).stdout)
    assert failed["error"]["code"] == "cli.manager_refused" and failed["error"]["context"]["status"] == "400"
    for arguments in (("tasks", "create", "x", "--env", "novalue"), ("tasks", "create", "x", "--metadata", "{"),
                      ("jobs", "create", "--name", "x"), ("jobs", "create", "--name", "x", "--tasks", "{}")):
        assert fleet.run(*arguments, check=False).returncode == 2, arguments
    assert "federated learning is off" in fleet.run("fl", "round-status", "r1", check=False).stderr
    nobody = run(BIN / "coffer", "fleet", "-m", "http://127.0.0.1:1", "health", check=False)
    assert nobody.returncode == 1 and "net.refused" in nobody.stderr


def test_answers_to_the_name_of_upstreams_command_line(fleet, tmp_path):
    link = tmp_path / "propeller-cli"
    link.symlink_to(BIN / "coffer")
    assert "pass" in run(link, "-m", fleet.api.url, "-v", "health").stdout
    assert fleet.worker.id in run(link, "proplets", "list", "-m", fleet.api.url, "-o", "0", "-l", "10").stdout


def test_shows_its_token_to_a_manager_that_asks(tmp_path, broker):  # noqa: F811
    (tmp_path / "users.toml").write_text(
        f'[[token]]\nname = "viewer"\nrole = "viewer"\nsha256 = "{hashlib.sha256(b"secret").hexdigest()}"\n', encoding="utf-8")
    with manager(tmp_path, broker.address, "--auth-file", tmp_path / "users.toml") as api:
        command = [BIN / "coffer", "fleet", "-m", api.url, "tasks"]
        assert "manager_code" in run(*command, "list", check=False).stderr
        token = {"COFFER_MANAGER_TOKEN": "secret"}
        assert "no tasks" in run(*command, "list", env=token).stdout
        assert run(*command, "create", "x", check=False, env=token).returncode == 1


def test_provisions_a_fleet_whose_members_connect(tmp_path):
    """config.toml and the broker's password file by the command alone, then mosquitto and manager with them."""
    run(BIN / "coffer", "fleet", "provision", "init", "--proplets", "2", "--passwords", "passwords", cwd=tmp_path)
    run(BIN / "coffer", "fleet", "provision", "add-proplets", "1", "--passwords", "passwords", cwd=tmp_path)
    document = tomllib.loads((tmp_path / "config.toml").read_text(encoding="utf-8"))
    assert set(document) == {"manager", "proxy", "proplet1", "proplet2", "proplet3"}
    assert len({section["api_key"] for section in document.values()}) == 5
    assert len({section["tenant_id"] for section in document.values()}) == 1
    for name in ("config.toml", "passwords"):
        assert stat.S_IMODE(os.stat(tmp_path / name).st_mode) == 0o600
    again = run(BIN / "coffer", "fleet", "provision", "init", check=False, cwd=tmp_path)
    assert again.returncode == 1 and "add-proplets" in again.stderr
    users = dict(line.split(":", 1) for line in (tmp_path / "passwords").read_text(encoding="utf-8").splitlines())
    with running(PasswordBroker(tmp_path / "mosquitto", users)) as started:
        names = {f"MANAGER_{name}": "" for name in ("TENANT_ID", "CHANNEL_ID", "ENTITY_ID", "API_KEY")}
        with manager(tmp_path, started.address, env=names) as api:
            assert api.ok("GET", "/health")["status"] == "pass"
