"""A task by REST, made, started and done, through coffer-manager, mosquitto and coffer-worker, against what its three durable
notes cost SQLite alone; how many a core of the manager carries; and ten thousand workers in one."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import statistics
import tempfile
import threading
import time
import uuid

import paho.mqtt.client as mqtt

from measure import Row, Sample, in_turn, median_seconds
from worker import ADD, BASE, BIN, MOSQUITTO, start

TASK = json.dumps({"name": "add", "file": base64.b64encode(ADD).decode(), "inputs": [1, 2]})
TASKS, CLIENTS, WORKERS = 2000, 16, 10_000


class Api:
    """The manager's REST API over one connection."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(url.split("//")[1])

    def call(self, method, path, body=None):
        self.connection.request(method, path, body, {"Content-Type": "application/json"})
        text = self.connection.getresponse().read()
        return json.loads(text) if text else None

    def start(self):
        task = self.call("POST", "/tasks", TASK)["id"]
        self.call("POST", f"/tasks/{task}/start")
        return task

    def wait(self, task):
        while True:
            found = self.call("GET", f"/tasks/{task}")
            if found["state"] >= 3:
                assert found["state"] == 3, found
                return
            time.sleep(0.0005)

    def round_trip(self):
        started = time.perf_counter()
        self.wait(self.start())
        return Sample(time.perf_counter() - started, 0)


def three_commits(database):
    started = time.perf_counter()
    for _ in range(3):
        database.execute("INSERT INTO t VALUES (?)", (TASK,))
        database.commit()
    return Sample(time.perf_counter() - started, 0)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_memory(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def throughput(url, pid):
    before, started = cpu_seconds(pid), time.perf_counter()
    last = []

    def submit():
        api = Api(url)
        for _ in range(TASKS // CLIENTS):
            task = api.start()
        last.append(task)

    threads = [threading.Thread(target=submit) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for task in last:
        Api(url).wait(task)
    return TASKS / (time.perf_counter() - started), TASKS / (cpu_seconds(pid) - before)


def announce(port):
    """Ten thousand discoveries, as upstream's workers send them."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in range(WORKERS):
        metadata = {"tags": ["a", "b"], "hostname": f"host-{number}", "os": "linux", "cpu_arch": "x86_64"}
        client.publish(f"{BASE}/control/proplet/create",
                       json.dumps({"proplet_id": str(uuid.uuid4()), "namespace": "default", "metadata": metadata}), 1)
    return client


def rows(work, port, url, pid):
    api = Api(url)
    database = sqlite3.connect(work / "bench.db")
    database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x)")
    mine, theirs = in_turn(api.round_trip, lambda: three_commits(database), 300)
    yield Row("task by REST, made to done", f"{median_seconds(mine) * 1000:.2f} ms",
              f"{median_seconds(theirs) * 1000:.2f} ms (three commits of SQLite)", median_seconds(theirs) / median_seconds(mine),
              f"{peak_memory(pid):.0f} MiB", "p50 under 10 ms")
    whole, a_core = (statistics.median(figures) for figures in zip(*(throughput(url, pid) for _ in range(3))))
    yield Row(f"{TASKS} tasks, {CLIENTS} clients", f"{a_core:.0f}/s a core of the manager", f"{whole:.0f}/s on this machine", a_core / 1000,
              f"{peak_memory(pid):.0f} MiB", "1000/s a core")
    started = time.perf_counter()
    client = announce(port)
    while api.call("GET", "/proplets")["total"] <= WORKERS:
        time.sleep(0.05)
    yield Row(f"{WORKERS} workers", f"{peak_memory(pid):.0f} MiB", f"announced in {time.perf_counter() - started:.1f} s",
              512 / peak_memory(pid), f"{peak_memory(pid):.0f} MiB", "under 512 MiB")
    client.loop_stop()


def bench():
    work = pathlib.Path(tempfile.mkdtemp(prefix="coffer-bench-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (work / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nuser root\nallow_anonymous true\nset_tcp_nodelay true\n"
                                         "max_queued_messages 20000\n")
    shared = {"MQTT_ADDRESS": f"tcp://127.0.0.1:{port}", "TENANT_ID": "t", "CHANNEL_ID": "c", "API_KEY": "k"}
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, work, ignore_errors=True)

        def run(prefix, command, settings):
            child = start(command, cwd=work, env={**os.environ, **{prefix + key: value for key, value in settings.items()}})
            stack.callback(child.wait)
            stack.callback(child.terminate)
            return child

        run("", [MOSQUITTO, "-c", work / "mosquitto.conf"], {})
        time.sleep(0.5)
        manager = run("MANAGER_", [BIN / "coffer-manager", "--insecure-open"],
                      {**shared, "ENTITY_ID": "m", "HTTP_PORT": "0", "URL_FILE": str(work / "url"), "LOG_LEVEL": "warn"})
        run("PROPLET_", [BIN / "coffer-worker"], {**shared, "ENTITY_ID": str(uuid.uuid4()), "METRICS_ENABLED": "false"})
        deadline = time.monotonic() + 20
        while not (work / "url").exists() or Api((work / "url").read_text().strip()).call("GET", "/proplets")["total"] == 0:
            assert time.monotonic() < deadline and manager.poll() is None, "manager and worker do not find each other"
            time.sleep(0.05)
        yield from rows(work, port, (work / "url").read_text().strip(), manager.pid)
