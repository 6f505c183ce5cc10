"""A registry that misbehaves as it is told: each path has a list of answers, of which the last one is repeated."""

import contextlib
import http.server
import json
import socket
import threading

from bad_input import MANIFEST, digest_of


class Answer:
    """One answer. `cut` closes the connection behind that many bytes of the body, though Content-Length promises all."""

    def __init__(self, status=200, body=b"", headers=None, cut=None, raw=None):
        self.status, self.body, self.headers, self.cut, self.raw = status, body, headers or {}, cut, raw

    def send(self, handler):
        handler.close_connection = True
        if self.raw is not None:
            handler.wfile.write(self.raw)
            return
        body, status, headers = self.body, self.status, dict(self.headers)
        wanted = handler.headers.get("Range")
        if status == 200 and wanted and "Accept-Ranges" in headers:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            headers.setdefault("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            body, status = body[start:], 206
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body if self.cut is None else body[:self.cut])
        if self.cut is not None:
            handler.wfile.flush()
            # Half-closed: nothing more comes, while the other direction stays open.
            handler.connection.shutdown(socket.SHUT_WR)


def json_answer(status, document, **headers):
    return Answer(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


def error(status, **headers):
    return json_answer(status, {"errors": [{"code": "X", "message": "as the test wants it"}]}, **headers)


class FakeRegistry:
    """Answers `image` under the tag 1, until `answers` says otherwise. `requests` are (method, path, headers) as they came."""

    def __init__(self, host, image):
        self.host, self.requests, self.answers = host, [], {}
        self.reference = f"{host}/demo:1"
        self.manifest = image.seal_manifest()
        self.healthy = {"/v2/demo/manifests/1": [Answer(200, self.manifest, {"Content-Type": MANIFEST})]}
        self.healthy[f"/v2/demo/manifests/{digest_of(self.manifest)}"] = self.healthy["/v2/demo/manifests/1"]
        for digest, content in image.blobs.items():
            self.healthy[f"/v2/demo/blobs/{digest}"] = [Answer(200, content, {"Accept-Ranges": "bytes"})]

    def blob_path(self, content):
        return f"/v2/demo/blobs/{digest_of(content)}"

    def manifest_answers(self, *answers):
        self.answers["/v2/demo/manifests/1"] = list(answers)

    def next_answer(self, path):
        path = path.partition("?")[0]
        queue = self.answers.get(path)
        if queue:
            return queue.pop(0) if len(queue) > 1 else queue[0]
        return self.healthy.get(path, [error(404)])[0]

    def asked(self, path, method="GET"):
        return [headers for verb, asked, headers in self.requests if verb == method and asked.partition("?")[0] == path]

    def heal(self):
        self.answers.clear()
        self.requests.clear()


def handler_for(registry):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            registry.requests.append((self.command, self.path, dict(self.headers)))
            with contextlib.suppress(ConnectionError):
                registry.next_answer(self.path).send(self)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *arguments):
            pass

    return Handler


@contextlib.contextmanager
def serving(handler):
    """A server of `handler` on a free port; yields HOST:PORT."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def fake_registry(image):
    registry = FakeRegistry("", image)
    with serving(handler_for(registry)) as host:
        registry.host, registry.reference = host, f"{host}/demo:1"
        yield registry
