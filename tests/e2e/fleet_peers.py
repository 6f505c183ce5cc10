"""Peers of the fleet's programs, played by paho-mqtt with the payload shapes of upstream's."""

import json
import queue
import socket
import threading
import time
import urllib.error
import urllib.request
import uuid

import paho.mqtt.client as mqtt

TENANT = "0b5d1f3e-tenant"
CHANNEL = "5b1f9a37-channel"
BASE = f"m/{TENANT}/c/{CHANNEL}"


class MqttPeer:
    """A client that keeps what it hears and can wait for it."""

    def __init__(self, address, topics, client_id=None, username=None, password=None):
        self.heard = []
        self.changed = threading.Condition()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id or str(uuid.uuid4()))
        if username:
            self.client.username_pw_set(username, password)
        self.client.on_connect = lambda client, *_: [client.subscribe(topic, 2) for topic in topics]
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self.on_message
        self.client.reconnect_delay_set(0.1, 0.5)
        self.subscribed = threading.Event()
        host, port = address.split("//")[1].split(":")
        self.client.connect(host, int(port))
        self.client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.loop_start()
        assert not topics or self.subscribed.wait(10), "no subscription"

    def on_message(self, _client, _data, message):
        with self.changed:
            self.heard.append((message.topic, message.payload))
            self.changed.notify_all()

    def publish(self, suffix, payload, qos=2, wait=True):
        text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
        sent = self.client.publish(f"{BASE}/{suffix}", text, qos)
        if wait:
            sent.wait_for_publish(10)

    def wait_for(self, condition, what, seconds=15):
        """The first message (topic suffix, document) for which `condition` is true."""
        deadline = time.monotonic() + seconds
        seen = 0
        with self.changed:
            while True:
                for topic, payload in self.heard[seen:]:
                    seen += 1
                    try:
                        document = json.loads(payload)
                    except ValueError:
                        continue
                    suffix = topic.removeprefix(BASE + "/")
                    if condition(suffix, document):
                        return document
                left = deadline - time.monotonic()
                assert left > 0, f"{what} did not come within {seconds} s; heard {self.heard[-5:]}"
                self.changed.wait(left)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class UpstreamWorker(MqttPeer):
    """Announces itself as upstream's proplet does, beats, and answers starts by `run(start)`.

    `run` gives the result's text, an exception's text becomes the error, None leaves the start unanswered.
    """

    def __init__(self, address, run=None, worker_id=None, interval=2, extra=None, **options):
        self.id = worker_id or str(uuid.uuid4())
        self.run = run
        self.extra = extra or {}
        self.starts, self.stops = [], []
        self.stopping = threading.Event()
        # One at a time: mosquitto 2.0.11 drops what a client sends beyond its bound of messages in flight.
        self.answers = queue.Queue()
        self.answering = threading.Thread(target=self.answer_on, daemon=True)
        self.answering.start()
        super().__init__(address, [f"{BASE}/control/manager/+"], **options)
        self.announce()
        self.beat()
        self.beats = threading.Thread(target=self.beat_on, args=(interval,), daemon=True)
        self.beats.start()

    def announce(self):
        self.publish("control/proplet/create", {
            "proplet_id": self.id, "namespace": "default",
            "metadata": {"description": "played", "tags": ["test"], "os": "linux", "cpu_arch": "x86_64",
                         "environment": "binary", "total_memory_bytes": 1 << 30, "proplet_version": "0.5.0",
                         "wasm_runtime": "wasmtime-internal"}, **self.extra})

    def beat(self, status="alive"):
        self.publish("control/proplet/alive",
                     {"proplet_id": self.id, "status": status, "namespace": "default", **self.extra}, wait=False)

    def beat_on(self, interval):
        while not self.stopping.wait(interval):
            self.beat()

    def answer_on(self):
        while (answer := self.answers.get()) is not None:
            self.publish("control/proplet/results", answer)
            self.answers.task_done()

    def on_message(self, client, data, message):
        command = json.loads(message.payload)
        if message.topic.endswith("/stop"):
            self.stops.append(command)
        if message.topic.endswith("/start") and (command.get("broadcast") or command.get("proplet_id") == self.id):
            self.starts.append(command)
            if self.run:
                self.answer(command)
        super().on_message(client, data, message)

    def answer(self, start):
        try:
            results, error = self.run(start), None
        except Exception as problem:  # pylint: disable=broad-except
            results, error = "", str(problem)
        if results is not None:
            self.result(start["id"], results, error)

    def result(self, task, results, error=None, wait=False):
        self.answers.put({"task_id": task, "proplet_id": self.id, "results": results, "error": error})
        if wait:
            self.answers.join()

    def close(self):
        self.stopping.set()
        self.answers.put(None)
        self.answering.join(10)
        super().close()


class Api:
    """The manager's REST API."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token

    def send(self, method, path, body=None, headers=None):
        """Status and document (or text)."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text.decode()

    def ok(self, method, path, body=None, expected=(200, 201, 204)):
        status, document = self.send(method, path, body)
        assert status in expected, f"{method} {path}: {status} {document}"
        return document

    def create(self, **task):
        return self.ok("POST", "/tasks", {"name": "add", "image_url": "docker.io/x/add:v1", **task})["id"]

    def start(self, **task):
        """Makes a task and starts it; its id."""
        task_id = self.create(**task)
        self.ok("POST", f"/tasks/{task_id}/start")
        return task_id

    def task(self, task_id):
        return self.ok("GET", f"/tasks/{task_id}")

    def wait(self, task_id, state, seconds=20):
        deadline = time.monotonic() + seconds
        while True:
            task = self.task(task_id)
            if task["state"] == state:
                return task
            assert time.monotonic() < deadline, f"state {state} is expected, found {task}"
            time.sleep(0.01)


PENDING, SCHEDULED, RUNNING, COMPLETED, FAILED, SKIPPED, INTERRUPTED = range(7)
