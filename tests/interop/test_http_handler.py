"""A component that handles HTTP requests, made by another tool and served by ours."""

import concurrent.futures
import json
import os
import signal
import subprocess
import time

import pytest

from conftest import BIN, ask, run

def start(image, *arguments):
    """The runner, and the address where it says that it serves."""
    runner = subprocess.Popen([BIN / "coffer-run", "-i", image, "--serve", "127.0.0.1:0", *arguments],
                              stderr=subprocess.PIPE, text=True, env={**os.environ, "RUST_LOG": "info"})
    for line in runner.stderr:
        if "guest.serving" in line:
            address = line.split('address="')[1].split('"')[0] if 'address="' in line else line.split("address=")[1].split()[0]
            return runner, f"http://{address}"
    raise AssertionError(f"the runner ended with {runner.wait()}")


@pytest.fixture
def served(tmp_path, http_handler):
    image, key = f"oci:{tmp_path}/image:1", tmp_path / "keys/default/key/handler"
    key.parent.mkdir(parents=True)
    key.write_bytes(os.urandom(32))
    run(BIN / "coffer", "--home", tmp_path / "home", "image", "push", image, http_handler, "--encrypt",
        "kbs:///default/key/handler", "--key-file", key)
    runner, url = start(image, "--offline-keys", tmp_path / "keys", "--timeout", "1")
    yield runner, url
    runner.kill()
    runner.wait()


def test_an_encrypted_component_answers_requests(served):
    _, url = served
    assert ask(f"{url}/hello?x=1") == (200, b"path: /hello?x=1\n")
    assert ask(f"{url}/echo", b"body" * 5000) == (200, b"path: /echo\n" + b"body" * 5000)
    assert ask(f"{url}/missing")[0] == 404
    assert ask(f"{url}/unfinished") == (200, b"path: /unfinished\n")


@pytest.mark.parametrize("path,status,code", [
    ("/silent", 500, "wasm.no_response"), ("/error", 500, "wasm.no_response"), ("/endless", 500, "wasm.no_response"),
    ("/trap", 500, "wasm.trap"), ("/spin", 504, "wasm.timeout")])
def test_a_guest_that_does_not_answer_costs_its_own_request_alone(served, path, status, code):
    _, url = served
    answered, body = ask(url + path)
    assert (answered, json.loads(body)["code"]) == (status, code)
    assert ask(f"{url}/after") == (200, b"path: /after\n")


def test_requests_are_served_side_by_side(served):
    _, url = served
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: ask(f"{url}/{n}", b"x" * n), range(200)))
    assert answers == [(200, b"path: /%d\n" % n + b"x" * n) for n in range(200)]


def test_a_signal_ends_the_service_also_while_a_guest_spins(served):
    runner, url = served
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        spinning = pool.submit(ask, f"{url}/spin")
        time.sleep(0.2)
        runner.send_signal(signal.SIGTERM)
        assert runner.wait(timeout=10) == 0
        try:
            assert spinning.result()[0] in (503, 504)
        except OSError:
            pass  # cut off, which is an answer too


def test_a_module_that_handles_no_http_is_refused(tmp_path, addition):
    image = f"oci:{tmp_path}/image:1"
    run(BIN / "coffer", "--home", tmp_path / "home", "image", "push", image, addition)
    refused = subprocess.run([BIN / "coffer-run", "-i", image, "--serve", "127.0.0.1:0"], capture_output=True, text=True)
    assert refused.returncode != 0
    assert "wasi:http/incoming-handler" in refused.stderr
