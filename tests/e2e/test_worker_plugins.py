"""Plugins of coffer-worker: src/fleet/worker/testdata/plugin.wat, which goes by the first letter of the task's name."""

import shutil
import uuid

import pytest

from conftest import BIN, ROOT, ask, component_of_jco, run, wait_until
from fleet_rig import exposition
from upstream_manager import file_of, manager, mqtt_broker, running_worker, settings  # noqa: F401

PLUGIN = ROOT / "src/fleet/worker/testdata/plugin.wasm"
PRINTER = """
#include <stdio.h>
#include <stdlib.h>
int main(void) {
  const char* names[] = {"PLUGIN", "STARTED", "ENDED", "FAILED", "OWN"};
  for (int i = 0; i < 5; ++i) printf("%s ", getenv(names[i]) ? getenv(names[i]) : "-");
  return getenv("OWN") && getenv("OWN")[0] == 'x';
}
"""


@pytest.fixture(scope="module")
def printer(compile_guest):
    return compile_guest("printer", PRINTER)


@pytest.fixture
def worker(mqtt_broker, manager, tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/10-first.wasm").write_bytes(PLUGIN.read_bytes())
    with running_worker(mqtt_broker, tmp_path, manager, PLUGIN_DIR=tmp_path / "plugins") as started:
        yield started


def start(manager, worker, printer, name="_start", **members):
    return manager.run(name=name, file=file_of(printer), proplet_id=worker.id, **members)


def metrics_of(worker):
    return ask(f"http://{worker.metrics_address()}/metrics")[1].decode()


def told(worker, count):
    """Waits until the plugin has been told of as many ends; they are told after the results."""
    wait_until(lambda: worker.log_text().count("task starts ") == count, "what the plugin writes")


def test_a_denial_is_the_tasks_result(manager, worker, printer):
    result = start(manager, worker, printer, "deny me")
    assert (result["error"], result["code"], result["results"]) == ("not on my machine", "worker.plugin_denied", "")
    result = start(manager, worker, printer, "quietly")
    assert (result["error"], result["code"]) == ("denied by plugin", "worker.plugin_denied")
    assert 'worker.start "starting' not in worker.log_text(), "nothing was fetched"


def test_a_plugin_that_traps_denies_and_stands_again(manager, worker, printer):
    result = start(manager, worker, printer, "trap")
    assert result["code"] == "worker.plugin_failed"
    assert "10-first.wasm" in result["error"]
    assert start(manager, worker, printer)["error"] is None
    calls = exposition(metrics_of(worker))["coffer_worker_plugin_calls_total"]
    assert calls['hook="authorize",outcome="failed",plugin="10-first.wasm"'] == 1
    assert calls['hook="authorize",outcome="ok",plugin="10-first.wasm"'] == 1


def test_variables_are_added_and_starts_and_ends_counted(manager, worker, printer):
    assert start(manager, worker, printer, env={"PLUGIN": "mine", "OWN": "kept"})["results"] == "yes 0 0 0 kept "
    told(worker, 1)
    assert start(manager, worker, printer, env={"OWN": "x"})["code"] == "worker.exit_code"
    told(worker, 2)
    wait_until(lambda: start(manager, worker, printer)["results"].split()[3] == "1", "the failure's count")


def test_a_plugin_that_never_comes_back_denies_in_its_time(mqtt_broker, manager, tmp_path, printer):
    (tmp_path / "p.wasm").write_bytes(PLUGIN.read_bytes())
    with running_worker(mqtt_broker, tmp_path, manager, PLUGIN_DIR=tmp_path, PLUGIN_TIMEOUT="1s") as worker:
        assert start(manager, worker, printer, "loop")["code"] == "worker.plugin_failed"
        assert start(manager, worker, printer)["results"].startswith("yes 0 ")


def test_a_plugin_that_another_tool_made_of_upstreams_interface(mqtt_broker, manager, tmp_path, tmp_path_factory, compile_guest):
    here = ROOT / "tests/interop/plugin_guest"
    plugin = component_of_jco(tmp_path_factory.mktemp("plugin"), here / "plugin.c", here / "plugin.wit", "plugin-guest")
    guest = compile_guest("named", '#include <stdio.h>\n#include <stdlib.h>\n'
                          'int main(void) { printf("%s/%s", getenv("TASK_NAME"), getenv("LAST_OUTPUT")); }\n')
    (tmp_path / "plugins").mkdir()
    shutil.copy(plugin, tmp_path / "plugins")
    with running_worker(mqtt_broker, tmp_path, manager, PLUGIN_DIR=tmp_path / "plugins") as worker:
        assert start(manager, worker, guest)["results"] == "_start/"
        wait_until(lambda: start(manager, worker, guest)["results"].startswith("_start/_start/"), "the last output")
        refused = start(manager, worker, guest, cli_args=["a", "b", "c"])
        assert (refused["error"], refused["code"]) == ("at most two arguments", "worker.plugin_denied")


@pytest.mark.parametrize("content, words", [
    (b"no module", "b.wasm"),
    (b"\0asm\1\0\0\0", "core module"),
    (b"\0asm\x0d\0\1\0", "does not export propeller:proplet-plugin/lifecycle@0.1.0#authorize"),
])
def test_a_file_that_is_no_plugin_ends_the_start(mqtt_broker, tmp_path, content, words):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/b.wasm").write_bytes(content)
    env = settings(mqtt_broker, tmp_path, str(uuid.uuid4()), PLUGIN_DIR=tmp_path / "plugins")
    result = run(BIN / "coffer-worker", check=False, env=env, cwd=tmp_path)
    assert result.returncode == 1
    assert "b.wasm" in result.stderr and words in result.stderr and "worker.bad_plugin" in result.stderr


def test_a_directory_that_is_not_there_ends_the_start(mqtt_broker, tmp_path):
    env = settings(mqtt_broker, tmp_path, str(uuid.uuid4()), PLUGIN_DIR=tmp_path / "missing")
    result = run(BIN / "coffer-worker", check=False, env=env, cwd=tmp_path)
    assert result.returncode == 1 and "missing" in result.stderr
