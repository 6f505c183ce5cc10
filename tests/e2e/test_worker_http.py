"""Tasks that serve HTTP, in coffer-worker under a client that plays upstream's manager."""

import concurrent.futures
import hashlib
import json
import signal
import urllib.request
import uuid

import pytest

from conftest import ask, free_port
from upstream_manager import (address_in, file_of, manager, mqtt_broker, running_worker,  # noqa: F401
                              stop_serving)


@pytest.fixture(scope="module")
def worker(mqtt_broker, manager, tmp_path_factory):
    with running_worker(mqtt_broker, tmp_path_factory.mktemp("worker"), manager, HTTP_ENABLED="true", MAX_TASKS="3",
                        HTTP_PROXY_PORT=free_port()) as started:
        yield started


@pytest.fixture
def serve(manager, worker, http_handler):
    """Starts the handler as a task, gives its id and address, and stops it in the end."""
    started = []

    def start(**members):
        started.append(manager.start(name="handler", file=file_of(http_handler), proplet_id=worker.id, **members))
        return started[-1], address_in(manager.result(started[-1]))

    yield start
    for task in started:
        stop_serving(manager, worker, task)


def test_a_component_serves_until_it_is_stopped(manager, worker, http_handler, serve):
    task, url = serve()
    assert ask(f"{url}/hello?x=1") == (200, b"path: /hello?x=1\n")
    assert ask(f"{url}/echo", b"body" * 5000) == (200, b"path: /echo\n" + b"body" * 5000)
    assert ask(f"{url}/missing")[0] == 404
    stop_serving(manager, worker, task)
    with pytest.raises(OSError):
        ask(f"{url}/hello")
    only, = manager.results(task)
    assert only["module_digest"] == "sha256:" + hashlib.sha256(http_handler.read_bytes()).hexdigest()
    assert only["proplet_id"] == worker.id


def test_a_daemon_serves_likewise(manager, worker, serve):
    task, url = serve(daemon=True)
    assert ask(f"{url}/daemon") == (200, b"path: /daemon\n")
    stop_serving(manager, worker, task)
    assert len(manager.results(task)) == 1


def test_each_task_has_the_next_free_port_and_a_place_among_the_daemons(manager, worker, http_handler, serve):
    urls = [serve()[1] for _ in range(3)]
    assert len(set(urls)) == 3
    assert all(ask(f"{url}/{n}") == (200, f"path: /{n}\n".encode()) for n, url in enumerate(urls))
    assert manager.run(name="handler", file=file_of(http_handler), proplet_id=worker.id)["code"] == "worker.busy"


def test_a_task_may_name_its_port_and_gets_no_other(manager, worker, http_handler, serve):
    port = free_port()
    _, url = serve(cli_args=["--port", str(port)])
    assert url.endswith(f":{port}")
    assert ask(f"{url}/x")[0] == 200
    taken = manager.run(name="handler", file=file_of(http_handler), proplet_id=worker.id, cli_args=[f"--addr=127.0.0.1:{port}"])
    assert (taken["code"], taken["results"]) == ("net.address_in_use", "")
    assert str(port) in taken["error"]


@pytest.mark.parametrize("cli_args", (["--addr", "0.0.0.0:8080"], ["--addr=localhost:1"], ["--port", "65536"], ["--port"]))
def test_a_task_chooses_no_other_network_and_no_port_that_is_none(manager, worker, http_handler, cli_args):
    refused = manager.run(name="handler", file=file_of(http_handler), proplet_id=worker.id, cli_args=cli_args)
    assert (refused["code"], refused["results"]) == ("worker.argument_refused", "")


def test_a_module_that_serves_is_not_latent(manager, worker, http_handler):
    refused = manager.run(name="handler", file=file_of(http_handler), proplet_id=worker.id, latent=True)
    assert refused["code"] == "worker.unsupported"


def test_limits_hold_for_each_request(serve):
    _, url = serve(timeout_seconds=1)
    answered, body = ask(f"{url}/spin")
    assert (answered, json.loads(body)["code"]) == (504, "wasm.timeout")
    assert ask(f"{url}/trap")[0] == 500
    assert ask(f"{url}/after") == (200, b"path: /after\n")


def test_fuel_bounds_a_request(serve):
    _, url = serve(fuel=10_000_000)
    answered, body = ask(f"{url}/spin")
    assert (answered, json.loads(body)["code"]) == (500, "wasm.out_of_fuel")
    assert ask(f"{url}/after") == (200, b"path: /after\n")


def test_requests_are_served_side_by_side(serve):
    _, url = serve()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: ask(f"{url}/{n}", b"x" * n), range(100)))
    assert answers == [(200, b"path: /%d\n" % n + b"x" * n) for n in range(100)]


def test_stop_ends_a_request_that_spins(manager, worker, serve):
    task, url = serve()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        spinning = pool.submit(ask, f"{url}/spin")
        assert ask(f"{url}/meanwhile")[0] == 200
        stop_serving(manager, worker, task)
        try:
            assert spinning.result(timeout=10)[0] in (503, 504)
        except OSError:
            pass  # cut off, which is an answer too


def test_what_a_task_writes_is_in_the_workers_log(worker, serve):
    task, url = serve()
    assert ask(f"{url}/say")[0] == 200
    assert f'worker.guest_output "said aloud" task={task} stream=stdout' in worker.log_text()
    assert f'worker.guest_output "said in distress" task={task} stream=stderr' in worker.log_text()


def test_without_the_setting_nothing_listens(mqtt_broker, manager, tmp_path, http_handler):
    with running_worker(mqtt_broker, tmp_path, manager) as plain:
        refused = manager.run(name="handler", file=file_of(http_handler), proplet_id=plain.id)
        assert (refused["code"], refused["results"]) == ("worker.http_disabled", "")
        assert "PROPLET_HTTP_ENABLED=true" in refused["error"]
        assert "worker.serving" not in plain.log_text()


def test_the_workers_end_ends_what_serves(mqtt_broker, manager, tmp_path, http_handler):
    with running_worker(mqtt_broker, tmp_path, manager, HTTP_ENABLED="true", HTTP_PROXY_PORT="0") as ending:
        url = address_in(manager.run(name="handler", file=file_of(http_handler), proplet_id=ending.id))
        assert ask(f"{url}/x")[0] == 200
        ending.child.send_signal(signal.SIGTERM)
        assert ending.child.wait(timeout=15) == 0
    with pytest.raises(OSError):
        ask(f"{url}/x")


def test_an_encrypted_component_serves_in_a_tee(mqtt_broker, manager, tmp_path, snp_broker, registry, http_handler):
    reference = f"{registry}/handler-{uuid.uuid4()}:v1"
    snp_broker.coffer("image", "push", reference, http_handler, "--encrypt", "kbs:///default/key/handler", "--create-key")
    with running_worker(mqtt_broker, tmp_path / "worker", manager, TEE="simulated:snp", KBS_URI=snp_broker.url,
                        TEE_SIMULATOR=str(snp_broker.home / "simulator"), HTTP_ENABLED="true", HTTP_PROXY_PORT="0") as tee:
        task = manager.start(name="handler", image_url=reference, encrypted=True, proplet_id=tee.id)
        url = address_in(manager.result(task))
        assert ask(f"{url}/inside") == (200, b"path: /inside\n")
        assert ask(f"{url}/say")[0] == 200
        stop_serving(manager, tee, task)
        assert "said aloud" not in tee.log_text() and "said in distress" not in tee.log_text()
        assert f"task={task} stream=stderr bytes=16" in tee.log_text()
        with urllib.request.urlopen(f"http://{tee.metrics_address()}/metrics") as metrics:
            assert "coffer_worker_key_seconds_count 1" in metrics.read().decode()
