"""HTTP requests that guests send: to the hosts that their operator names, and to no other. The guest is the component of
src/wasm/testdata/fetch.wat, which sends one request and gives status and body, or the number of wasi:http's error."""

import http.server
import threading
import uuid

import pytest

from conftest import BIN, ROOT, free_port, run
from upstream_manager import file_of, manager, mqtt_broker, running_worker  # noqa: F401

FETCH = ROOT / "src/wasm/testdata/fetch.wasm"
# It handles requests as well, so that the function has to be chosen; its result then has a line of its own.
TASK = {"name": "fetch", "cli_args": ["--invoke", "fetch"]}
REFUSED, DENIED = "err(6)", "err(15)"  # connection-refused, HTTP-request-denied


class Server(http.server.ThreadingHTTPServer):
    """Says `hello` for everything but /away, which leads to another host, and keeps what it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.host = f"127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.command, self.path))
        length = int(self.headers.get("Content-Length") or 0)
        body = b"hello" + self.rfile.read(length)
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as started:
        threading.Thread(target=started.serve_forever, daemon=True).start()
        yield started
        started.shutdown()


def arguments(host, path="/", method=0, body="[]"):
    return [str(method), "false", f'"{host}"', f'"{path}"', body]


def listed(text):
    return "[" + ", ".join(str(byte) for byte in text.encode()) + "]"


def test_a_task_reaches_the_hosts_that_are_named_and_no_other(mqtt_broker, manager, tmp_path, server):
    closed = free_port()
    with running_worker(mqtt_broker, tmp_path, manager, HTTP_OUTGOING_ALLOW=f"{server.host},127.0.0.1:{closed}") as worker:
        def fetch(*args, **more):
            result = manager.run(**TASK, file=file_of(FETCH), proplet_id=worker.id, inputs=arguments(*args, **more))
            assert result["error"] is None, result
            return result["results"].rstrip("\n")

        assert fetch(server.host, "/x") == f"ok((200, {listed('hello')}))"
        assert fetch(server.host, "/post", method=2, body=listed("me")) == f"ok((200, {listed('hellome')}))"
        assert fetch(server.host, "/away") == f"ok((302, {listed('hello')}))"
        assert fetch(f"127.0.0.1:{closed}") == REFUSED
        for host in ("127.0.0.1", "127.0.0.1:1", f"localhost:{server.server_port}", "host.invalid:80"):
            assert fetch(host) == DENIED, host
        assert [path for _, path in server.asked] == ["/x", "/post", "/away"]
        denied = [line for line in worker.log_text().splitlines() if "wasm.http_denied" in line]
        assert len(denied) == 4 and "host.invalid:80" in denied[-1]


def test_a_task_reaches_nothing_where_no_host_is_named(mqtt_broker, manager, tmp_path, server):
    with running_worker(mqtt_broker, tmp_path, manager) as worker:
        result = manager.run(**TASK, file=file_of(FETCH), proplet_id=worker.id, inputs=arguments(server.host))
        assert result["results"] == DENIED + "\n"
        assert not server.asked
        assert "wasm.http_denied" in worker.log_text() and server.host in worker.log_text()


def test_an_encrypted_task_is_allowed_the_same(mqtt_broker, manager, tmp_path, snp_broker, registry, server):
    reference = f"{registry}/fetch-{uuid.uuid4()}:v1"
    snp_broker.coffer("image", "push", reference, FETCH, "--encrypt", "kbs:///default/key/fetch", "--create-key")
    with running_worker(mqtt_broker, tmp_path / "worker", manager, TEE="simulated:snp", KBS_URI=snp_broker.url,
                        TEE_SIMULATOR=str(snp_broker.home / "simulator"), HTTP_OUTGOING_ALLOW=server.host) as worker:
        task = {**TASK, "image_url": reference, "encrypted": True, "proplet_id": worker.id}
        assert manager.run(**task, inputs=arguments(server.host))["results"] == f"ok((200, {listed('hello')}))\n"
        assert manager.run(**task, inputs=arguments("127.0.0.1:1"))["results"] == DENIED + "\n"


def test_the_runner_allows_hosts_by_a_flag(tmp_path, server):
    run(BIN / "coffer", "image", "push", f"oci:{tmp_path}/image:1", FETCH)

    def fetch(*flags):
        words = [part for argument in arguments(server.host) for part in ("--wasm-args", argument)]
        return run(BIN / "coffer-run", "-i", f"oci:{tmp_path}/image:1", "--invoke", "fetch", *flags, *words).stdout.strip()

    assert fetch() == DENIED
    assert fetch("--allow-http", "127.0.0.1:1") == DENIED
    assert fetch("--allow-http", "127.0.0.1:1", "--allow-http", server.host) == f"ok((200, {listed('hello')}))"
    assert len(server.asked) == 1
