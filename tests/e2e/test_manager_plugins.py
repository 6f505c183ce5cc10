"""Manager plugins, beside the REST API: real modules compiled from C; and the commands of docs/manager-plugins.md."""

import contextlib
import re
import shlex
import shutil
import subprocess

import pytest
from conftest import BIN, ROOT, free_port, http_ok, process, run, wait_until
from fleet_peers import CHANNEL, COMPLETED, TENANT, Api, UpstreamWorker
from mosquitto import broker  # noqa: F401  pylint: disable=unused-import
from test_manager import known, manager

TEXT = (ROOT / "docs/manager-plugins.md").read_text()
USERS = (ROOT / "docs/manager.md").read_text()


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """What it does depends on the name of the task; see its source."""
    target = tmp_path_factory.mktemp("plugin") / "house.wasm"
    run("clang-19", "--target=wasm32-wasi", "--sysroot=/usr", "-O1", "-D_GNU_SOURCE", "-mexec-model=reactor", "-o", target,
        ROOT / "src/fleet/manager/testdata/plugin.c")
    return target


@pytest.fixture
def api(tmp_path, broker, plugin):  # noqa: F811
    (tmp_path / "plugins").mkdir()
    shutil.copy(plugin, tmp_path / "plugins")
    with manager(tmp_path, broker.address, env={"MANAGER_PLUGIN_DIR": str(tmp_path / "plugins"),
                                                "MANAGER_INSECURE_OPEN": "true", "MANAGER_PLUGIN_TIMEOUT": "300ms"}) as running:
        yield running


def refused(api, method, path, body=None):
    status, answer = api.send(method, path, body)
    assert status == 500, answer
    return answer["code"], answer["error"]


def test_a_plugin_decides_adds_and_is_told(api, broker):  # noqa: F811
    worker = UpstreamWorker(broker.address, lambda start: start["env"]["DISPATCHED"] + start["env"]["BY"])
    known(api)
    task = api.start(name="any", inputs=["1"])
    assert api.wait(task, COMPLETED)["results"] == "yesplugin"
    assert worker.starts[0]["inputs"] == ["1", "extra", "10"] and worker.starts[0]["image_url"] == "mirror/x:v1"
    wait_until(lambda: f'started {{"task":{{"id":"{task}"' in api.log.read_text().replace('\\"', '"'), "the plugin's output")
    assert refused(api, "POST", "/tasks", {"name": "forbidden"}) == ("manager.plugin_denied", "this name is not allowed")
    stays = api.ok("POST", "/tasks", {"name": "stay"})["id"]
    assert refused(api, "POST", f"/tasks/{stays}/start") == ("manager.plugin_denied", "dispatch blocked by plugin")
    tagged = api.ok("POST", "/tasks", {"name": "tagged"})["id"]
    assert refused(api, "POST", f"/tasks/{tagged}/start")[0] == "manager.no_eligible_worker"
    assert len(worker.starts) == 1
    worker.close()


def test_a_plugin_that_traps_or_hangs_denies_and_is_counted(api):
    assert refused(api, "POST", "/tasks", {"name": "trap"})[0] == "manager.plugin_failed"
    code, why = refused(api, "POST", "/tasks", {"name": "spin"})
    assert code == "manager.plugin_failed" and "wall time" in why
    api.ok("POST", "/tasks", {"name": "plain"})
    metrics = api.send("GET", "/metrics")[1]
    assert re.search(r'manager_plugin_calls_total\{hook="authorize",outcome="failed",plugin="house"\} 2', metrics)
    assert re.search(r'manager_plugin_calls_total\{hook="authorize",outcome="allowed",plugin="house"\} 1', metrics)


def test_a_file_that_is_no_plugin_keeps_the_manager_from_starting(tmp_path, plugin):
    folder = tmp_path / "plugins"
    folder.mkdir()
    shutil.copy(plugin, folder / "a.wasm")
    (folder / "b.wasm").write_bytes(b"\0asm\1\0\0\0")
    settings = {"MANAGER_TENANT_ID": TENANT, "MANAGER_CHANNEL_ID": CHANNEL, "MANAGER_ENTITY_ID": "m", "MANAGER_API_KEY": "k",
                "MANAGER_SQLITE_PATH": str(tmp_path / "manager.db"), "PATH": "/usr/bin"}
    for directory, named in ((folder, "b.wasm"), (tmp_path / "absent", "absent")):
        done = subprocess.run([BIN / "coffer-manager", "--insecure-open", "--http-port", "0", "--plugin-dir", directory],
                              env=settings, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and "manager.bad_plugin" in done.stderr and named in done.stderr


def test_the_commands_of_the_guide(tmp_path, broker):  # noqa: F811
    commands = [line[4:] for line in TEXT.splitlines() if re.match(r"^    (clang-19|coffer-manager|curl) ", line)]
    compile_it, start_it, first, second = commands
    (tmp_path / "house-rules.c").write_text(re.search(r"```c\n(.*?)```", TEXT, re.DOTALL).group(1))
    (tmp_path / "users.toml").write_text(re.search(r"```toml\n(.*?)```", USERS, re.DOTALL).group(1))
    (tmp_path / "plugins").mkdir()
    run(*shlex.split(compile_it), cwd=tmp_path)
    port = free_port()
    environment = {"MANAGER_TENANT_ID": TENANT, "MANAGER_CHANNEL_ID": CHANNEL, "MANAGER_ENTITY_ID": "m",
                   "MANAGER_API_KEY": "k", "MANAGER_HTTP_PORT": str(port)}
    program, *arguments = shlex.split(start_it.replace("tcp://localhost:1883", broker.address).removesuffix(" &"))
    with contextlib.ExitStack() as stack:
        stack.enter_context(process(BIN / program, *arguments, log=tmp_path / "log", env=environment, cwd=tmp_path))
        wait_until(lambda: http_ok(f"http://127.0.0.1:{port}/health"), "the manager's start")

        def ask(command):
            shell = command.replace("localhost:7070", f"127.0.0.1:{port}")
            return subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60, check=True).stdout

        assert ask(first) in TEXT
        assert '"HOUSE":"example.org"' in ask(second)
        assert Api(f"http://127.0.0.1:{port}", "my-secret-token").ok("GET", "/tasks")["total"] == 1
