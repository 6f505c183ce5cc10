"""A collector of traces: takes OTLP by HTTP in JSON, as strictly as opentelemetry-proto has it, and can misbehave."""

import contextlib
import http.server
import json
import re
import threading
import time

KINDS = {1, 2, 3, 4, 5}


def value_of(value):
    (kind, content), = value.items()
    if kind == "intValue":
        assert isinstance(content, str), "64-bit integers are strings"
        return int(content)
    assert isinstance(content, {"stringValue": str, "doubleValue": (int, float), "boolValue": bool}[kind]), value
    return content


def attributes_of(items):
    return {item["key"]: value_of(item["value"]) for item in items}


class Span:
    def __init__(self, service, document):
        assert set(document) <= {"traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano",
                                 "attributes", "status"}, document
        assert re.fullmatch("[0-9a-fA-F]{32}", document["traceId"]) and re.fullmatch("[0-9a-fA-F]{16}", document["spanId"])
        assert document["kind"] in KINDS and document["name"]
        self.service, self.name, self.kind = service, document["name"], document["kind"]
        self.trace, self.id, self.parent = document["traceId"], document["spanId"], document.get("parentSpanId", "")
        self.start, self.end = int(document["startTimeUnixNano"]), int(document["endTimeUnixNano"])
        assert isinstance(document["startTimeUnixNano"], str) and 0 < self.start <= self.end
        self.attributes = attributes_of(document.get("attributes", []))
        self.status = document.get("status", {})
        assert self.status.get("code", 0) in (0, 2)

    def __repr__(self):
        return f"{self.service}/{self.name}({self.trace[:6]} {self.parent[:6]}>{self.id[:6]} {self.attributes})"


class Collector:
    """`answers`: (status, headers) for the next requests; then 200."""

    def __init__(self):
        self.spans, self.bodies, self.answers, self.resources = [], [], [], {}
        self.delay, self.requests, self.gone = 0, [], False
        self.changed = threading.Condition()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def go_away(self):
        self.gone = True
        self.server.shutdown()
        self.server.server_close()

    def handler(self):
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if collector.gone:  # a connection that was kept is of no use any more
                    self.close_connection = True
                    return
                status, headers = collector.take(self, body)
                answer = b"{}"
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(answer)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler

    def take(self, request, body):
        with self.changed:
            self.requests.append((request.path, dict(request.headers)))
            self.changed.notify_all()
            if self.answers:
                return self.answers.pop(0)
            delay = self.delay
        if delay:
            time.sleep(delay)
        assert request.headers["Content-Type"] == "application/json"
        document = json.loads(body)
        found = []
        for resource in document["resourceSpans"]:
            attributes = attributes_of(resource["resource"]["attributes"])
            service = attributes["service.name"]
            for scope in resource["scopeSpans"]:
                assert scope["scope"]["name"]
                found += [Span(service, span) for span in scope["spans"]]
            with self.changed:
                self.resources[service] = attributes
        with self.changed:
            self.spans += found
            self.bodies.append(body)
            self.changed.notify_all()
        return 200, {}

    def wait_for(self, condition, what, seconds=20):
        """The spans, once the condition holds for them."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition(self.spans):
                left = deadline - time.monotonic()
                assert left > 0, f"{what} did not come within {seconds} s: {self.spans}"
                self.changed.wait(left)
            return list(self.spans)


@contextlib.contextmanager
def collector():
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()
