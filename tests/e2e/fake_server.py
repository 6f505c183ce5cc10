"""An HTTP server that misbehaves as it is told."""

import contextlib
import http.server
import json
import socket
import threading


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


class FakeServer:
    """`answers` by path, of which the last one is repeated, come before the `healthy` ones. `requests` are (method, path,
    headers) as they came."""

    def __init__(self):
        self.host, self.requests, self.answers, self.healthy = "", [], {}, {}

    def answer_to(self, path, body):
        path = path.partition("?")[0]
        queue = self.answers.get(path)
        if queue:
            return queue.pop(0) if len(queue) > 1 else queue[0]
        return self.healthy.get(path, [Answer(404)])[0]

    def asked(self, path, method="GET"):
        return [headers for verb, asked, headers in self.requests if verb == method and asked.partition("?")[0] == path]

    def heal(self):
        self.answers.clear()
        self.requests.clear()


def handler_for(fake):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            fake.requests.append((self.command, self.path, dict(self.headers)))
            with contextlib.suppress(ConnectionError):
                fake.answer_to(self.path, body).send(self)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *arguments):
            pass

    return Handler


@contextlib.contextmanager
def serving(fake):
    """`fake` on a free port, which it learns as its host."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_for(fake))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        fake.host = f"127.0.0.1:{server.server_address[1]}"
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
