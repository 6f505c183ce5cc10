"""Upstream's manager as its workers see it: a paho-mqtt client that sends the payloads its source writes."""

import base64
import contextlib
import json
import threading
import time
import uuid

import paho.mqtt.client as mqtt
import pytest

from conftest import BIN, process, wait_until
from mosquitto import Broker, running

TENANT, CHANNEL = "tenant-1", "channel-1"
BASE = f"m/{TENANT}/c/{CHANNEL}"


class UpstreamManager:
    """Hears everything on the channel, as upstream's does (`Base/#`), and updates of rounds, and keeps it."""

    def __init__(self, port):
        self.messages = []  # (topic suffix, payload bytes)
        self.changed = threading.Condition()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"manager-{uuid.uuid4()}")
        self.client.on_message = self._on_message
        subscribed = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe([(f"{BASE}/#", 2), ("fl/rounds/#", 2)])
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert subscribed.wait(10), "mosquitto does not answer"

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def _on_message(self, _client, _data, message):
        with self.changed:
            self.messages.append((message.topic.removeprefix(BASE), message.payload))
            self.changed.notify_all()

    def publish(self, suffix, payload):
        body = payload if isinstance(payload, (bytes, str)) else json.dumps(payload)
        self.client.publish(BASE + suffix, body, qos=2).wait_for_publish(10)

    def all(self, suffix):
        with self.changed:
            return [json.loads(payload) for topic, payload in self.messages if topic == suffix]

    def traffic(self):
        with self.changed:
            return b"\n".join(payload for _, payload in self.messages)

    def wait(self, suffix, matches, what, seconds=30, count=1):
        """The first (or list of `count`) messages on a topic that match."""
        deadline = time.monotonic() + seconds
        found, seen = [], 0
        while True:
            with self.changed:
                while len(self.messages) == seen:
                    left = deadline - time.monotonic()
                    assert left > 0, f"{what} did not come within {seconds} s: {len(found)} of {count}"
                    self.changed.wait(left)
                new, seen = self.messages[seen:], len(self.messages)
            found += [message for message in (json.loads(payload) for topic, payload in new if topic == suffix)
                      if matches(message)]
            if len(found) >= count:
                return found[0] if count == 1 else found

    def start(self, task_id=None, **members):
        """A start command with the keys that upstream always writes; the task's id."""
        task_id = task_id or str(uuid.uuid4())
        payload = {"id": task_id, "name": "task", "state": 0, "cli_args": None, "broadcast": False, "daemon": False,
                   "latent": False, "encrypted": False, **members}
        self.publish("/control/manager/start", payload)
        return task_id

    def result(self, task_id, seconds=30):
        return self.wait("/control/proplet/results", lambda m: m["task_id"] == task_id, f"the result of {task_id}", seconds)

    def results(self, task_id):
        return [m for m in self.all("/control/proplet/results") if m["task_id"] == task_id]

    def run(self, seconds=30, **members):
        return self.result(self.start(**members), seconds)

    def stop_task(self, task_id, **members):
        self.publish("/control/manager/stop", {"id": task_id, "broadcast": False, **members})

    def invoke(self, task_id, proplet_id, seconds=30, **members):
        invocation = str(uuid.uuid4())
        self.publish("/control/manager/invoke", {"id": task_id, "broadcast": False, "proplet_id": proplet_id,
                                                 "invocation_id": invocation, "inputs": None, "env": {}, **members})
        return self.wait("/control/proplet/invoke_results", lambda m: m["invocation_id"] == invocation,
                         "the invocation's result", seconds)


class Worker:
    """A running coffer-worker."""

    def __init__(self, own_id, log, child):
        self.id, self.log, self.child = own_id, log, child

    def log_text(self):
        return self.log.read_text(errors="replace")

    def metrics_address(self):
        line = next(line for line in self.log_text().splitlines() if "worker.started" in line)
        return line.split("metrics=")[1].split()[0]


def file_of(path):
    return base64.b64encode(path.read_bytes()).decode()


@contextlib.contextmanager
def upstream_manager(port):
    manager = UpstreamManager(port)
    try:
        yield manager
    finally:
        manager.close()


def settings(mqtt_broker, directory, own_id, **variables):
    """The environment of a worker; names without PROPLET_."""
    values = {"MQTT_ADDRESS": mqtt_broker.address, "TENANT_ID": TENANT, "CHANNEL_ID": CHANNEL, "ENTITY_ID": own_id,
              "API_KEY": "worker-key", "METRICS_PORT": "0", "LIVELINESS_INTERVAL": "1", "METRICS_INTERVAL": "1",
              "LAYER_STORE_PATH": str(directory / "layers"), "HAL_STORAGE_DIR": str(directory / "hal"), "TEE_ENABLED": "", **variables}
    return {f"PROPLET_{name}": str(value) for name, value in values.items()}


@contextlib.contextmanager
def running_worker(mqtt_broker, directory, manager=None, own_id=None, under=(), **variables):
    """A worker that has announced itself to `manager`, where one is given. `under`: a command that starts it."""
    own_id = own_id or str(uuid.uuid4())
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / f"worker-{own_id[:8]}.log"
    with process(*under, BIN / "coffer-worker", log=log, env=settings(mqtt_broker, directory, own_id, **variables),
                 cwd=directory) as child:
        worker = Worker(own_id, log, child)
        wait_until(lambda: "worker.started" in worker.log_text() or child.poll() is not None, "the worker's start")
        assert child.poll() is None, worker.log_text()
        if manager is not None:
            manager.wait("/control/proplet/create", lambda m: m["proplet_id"] == own_id, "the worker's discovery")
        yield worker


def address_in(result):
    """Of a task that serves HTTP, out of the result that says so."""
    assert result["error"] is None, result
    assert result["results"].startswith("started at port ")
    return f"http://127.0.0.1:{result['results'].split()[-1]}"


def stop_serving(manager, worker, task):
    manager.stop_task(task, proplet_id=worker.id)
    wait_until(lambda: f'worker.end "the task was stopped" task={task}' in worker.log_text(), "the end of the service")


@pytest.fixture(scope="module")
def mqtt_broker(tmp_path_factory):
    settings_of_broker = "allow_anonymous true\nmax_packet_size 2000000\nmax_queued_messages 0\n"
    with running(Broker(tmp_path_factory.mktemp("mosquitto"), settings_of_broker)) as started:
        yield started


@pytest.fixture(scope="module")
def manager(mqtt_broker):
    with upstream_manager(mqtt_broker.port) as started:
        yield started
