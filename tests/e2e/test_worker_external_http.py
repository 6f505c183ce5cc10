"""Components that handle HTTP, served by the worker's external runtime: a program that is called as `wasmtime serve` is."""

import base64
import json
import signal
import sys

import pytest

from conftest import ask, free_port, wait_until
from upstream_manager import (address_in, file_of, manager, mqtt_broker, running_worker,  # noqa: F401
                              stop_serving)

# Answers with its arguments, its own environment and the module's size; /exit ends it.
SERVER = '''#!{python}
import http.server, json, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/exit":
            os._exit(3)
        body = json.dumps({{"arguments": sys.argv[1:], "environment": dict(os.environ), "size": len(open(sys.argv[-1], "rb").read())}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

assert sys.argv[1] == "serve", sys.argv
host, port = sys.argv[sys.argv.index("--addr") + 1].rsplit(":", 1)
print("said by the program", flush=True)
http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
'''
# A component (layer 1 of the binary format) that no engine loads here, and that names the interface: upstream looks for it so.
HANDLER = b"\0asm\x0d\0\1\0" + b"\xff wasi:http/incoming-handler@0.2.0"
FILE = base64.b64encode(HANDLER).decode()


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    file = tmp_path_factory.mktemp("program") / "runtime"
    file.write_text(SERVER.format(python=sys.executable))
    file.chmod(0o755)
    return file


@pytest.fixture(scope="module")
def worker(mqtt_broker, manager, tmp_path_factory, program):
    with running_worker(mqtt_broker, tmp_path_factory.mktemp("worker"), manager, HTTP_ENABLED="true", MAX_TASKS="3",
                        EXTERNAL_WASM_RUNTIME=program, HTTP_PROXY_PORT=free_port()) as started:
        yield started


def test_it_serves_as_wasmtime_would_until_it_is_stopped(manager, worker):
    task = manager.start(name="handler", file=FILE, proplet_id=worker.id, env={"GREETING": "hello"}, timeout_seconds=2,
                         cli_args=["-S", "nn"])
    url = address_in(manager.result(task))
    told = json.loads(ask(f"{url}/x")[1])
    address = url.removeprefix("http://")
    assert told["arguments"][:11] == ["serve", "-S", "cli", "-S", "http", "--addr", address, "-W", "timeout=2000ms", "-S", "nn"]
    assert "GREETING=hello" in told["arguments"] and "GREETING" not in told["environment"]
    assert told["arguments"][-1].startswith("/proc/self/fd/") and told["size"] == len(HANDLER)
    assert not any(name.startswith("PROPLET_") for name in told["environment"])
    wait_until(lambda: "said by the program" in worker.log_text(), "what the program said")
    stop_serving(manager, worker, task)
    with pytest.raises(OSError):
        ask(f"{url}/x")
    assert len(manager.results(task)) == 1


def test_each_task_has_a_port_of_its_own_and_may_name_it(manager, worker):
    wanted = free_port()
    tasks = [manager.start(name="handler", file=FILE, proplet_id=worker.id),
             manager.start(name="handler", file=FILE, proplet_id=worker.id, cli_args=["--port", str(wanted)])]
    urls = [address_in(manager.result(task)) for task in tasks]
    assert urls[1].endswith(f":{wanted}") and urls[0] != urls[1]
    assert all(ask(url)[0] == 200 for url in urls)
    taken = manager.run(name="handler", file=FILE, proplet_id=worker.id, cli_args=["--port", str(wanted)])
    assert taken["code"] == "net.address_in_use"
    for task in tasks:
        stop_serving(manager, worker, task)


@pytest.mark.parametrize("cli_args", (["--addr", "0.0.0.0:8080"], ["--dir", "/"], ["-S", "inherit-network"]))
def test_a_task_opens_neither_folders_nor_networks(manager, worker, cli_args):
    refused = manager.run(name="handler", file=FILE, proplet_id=worker.id, cli_args=cli_args)
    assert (refused["code"], refused["results"]) == ("worker.argument_refused", "")


def test_a_program_that_ends_while_it_serves_is_told(manager, worker):
    task = manager.start(name="handler", file=FILE, proplet_id=worker.id)
    url = address_in(manager.result(task))
    with pytest.raises(OSError):
        ask(f"{url}/exit")
    _, ended = manager.wait("/control/proplet/results", lambda m: m["task_id"] == task, "the end of the service", count=2)
    assert ended["code"] == "guest.service_ended" and "exit code 3" in ended["error"]


def test_without_the_setting_nothing_listens(mqtt_broker, manager, tmp_path, program):
    with running_worker(mqtt_broker, tmp_path, manager, EXTERNAL_WASM_RUNTIME=program) as plain:
        refused = manager.run(name="handler", file=FILE, proplet_id=plain.id)
        assert (refused["code"], refused["results"]) == ("worker.http_disabled", "")


def test_the_workers_end_ends_the_program(mqtt_broker, manager, tmp_path, program):
    with running_worker(mqtt_broker, tmp_path, manager, EXTERNAL_WASM_RUNTIME=program, HTTP_ENABLED="true",
                        HTTP_PROXY_PORT="0") as ending:
        url = address_in(manager.run(name="handler", file=FILE, proplet_id=ending.id))
        assert ask(url)[0] == 200
        ending.child.send_signal(signal.SIGTERM)
        assert ending.child.wait(timeout=15) == 0
    with pytest.raises(OSError):
        ask(url)


def test_a_program_that_never_listens_can_be_stopped(mqtt_broker, manager, tmp_path):
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 600\n")
    silent.chmod(0o755)
    with running_worker(mqtt_broker, tmp_path / "worker", manager, EXTERNAL_WASM_RUNTIME=silent, HTTP_ENABLED="true",
                        HTTP_PROXY_PORT="0") as worker:
        task = manager.start(name="handler", file=FILE, proplet_id=worker.id)
        wait_until(lambda: "worker.start " in worker.log_text(), "the task's start")
        manager.stop_task(task, proplet_id=worker.id)
        assert manager.result(task)["code"] == "worker.stopped"


def test_a_real_component_is_served_by_it_too(manager, worker, http_handler):
    task = manager.start(name="handler", file=file_of(http_handler), proplet_id=worker.id)
    assert ask(address_in(manager.result(task)))[0] == 200
    stop_serving(manager, worker, task)
