"""A task through the worker: start command to result over a real mosquitto at QoS 2, against the broker's own round trip;
and one second of work in it against the wasmtime wheel (seed 002: under 10 % more)."""

import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import paho.mqtt.client as mqtt

from measure import Row, Sample, in_turn, median_seconds, times_of
from run_module import SPIN, WHEEL

BIN = pathlib.Path(os.environ["COFFER_BIN"])
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
BASE = "m/t/c/c"
# add: (i32, i32) -> i32
ADD = bytes.fromhex("0061736d0100000001070160027f7f017f0302010007070103616464" "00000a09010700200020016a0b")


class Peer:
    """A client that waits for one answer at a time, as upstream's manager does at QoS 2."""

    def __init__(self, port):
        self.answer, self.came = None, threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"bench-{uuid.uuid4()}")
        self.client.on_message = self._on_message
        ready = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe([(f"{BASE}/control/proplet/results", 2), (f"{BASE}/echo", 2),
                                                                      (f"{BASE}/control/proplet/create", 2)])
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.connect("127.0.0.1", port)
        self.client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.loop_start()
        assert ready.wait(10)

    def _on_message(self, _client, _data, message):
        self.answer = message
        self.came.set()

    def ask(self, topic, payload):
        self.came.clear()
        started = time.perf_counter()
        self.client.publish(BASE + topic, payload, qos=2)
        assert self.came.wait(60), topic
        return Sample(time.perf_counter() - started, 0)

    def task(self, module, name, *inputs):
        payload = {"id": str(uuid.uuid4()), "name": name, "state": 0, "cli_args": None, "file": module, "inputs": list(inputs)}
        sample = self.ask("/control/manager/start", json.dumps(payload))
        assert json.loads(self.answer.payload)["error"] is None, self.answer.payload
        return sample


def start(command, **options):
    return subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


def wheel(work, module):
    started = time.perf_counter()
    subprocess.run([sys.executable, work / "wheel.py", module], check=True, stdout=subprocess.DEVNULL)
    return Sample(time.perf_counter() - started, 0)


# The opponent of a warm start: the same module compiled by the wheel, a fresh store and instance for each call.
WHEEL_WARM = """
import statistics, sys, time, wasmtime
engine = wasmtime.Engine()
module = wasmtime.Module(engine, bytes.fromhex(sys.argv[1]))
linker = wasmtime.Linker(engine)
def once():
    started = time.perf_counter()
    store = wasmtime.Store(engine)
    assert linker.instantiate(store, module).exports(store)["add"](store, 5, 10) == 15
    return time.perf_counter() - started
for _ in range(500):
    once()
print(statistics.median(once() for _ in range(int(sys.argv[2]))))
"""


def warm_starts(work):
    """From a command that is parsed to its result, in one thread; and from the message as it came to the answer."""
    (work / "warm.py").write_text(WHEEL_WARM)
    wheel = float(subprocess.run([sys.executable, work / "warm.py", ADD.hex(), "5000"], check=True, capture_output=True,
                                 text=True).stdout)
    times = times_of("fleet_worker_benchmark")
    for path, name, goal in (("warm start of a compiled module", "warm_start/46/real_time", "100 us"),
                             ("the same, 100 KiB of module", "warm_start/102400/real_time", "100 us"),
                             ("the same, named by digest", "warm_start_by_digest/real_time", "100 us"),
                             ("the same, encrypted and kept opened", "warm_start_kept/real_time", "100 us"),
                             ("invocation of a latent task", "warm_run/real_time", "100 us"),
                             ("message to answer, parsing and threads with it", "message_to_answer/46/real_time", "")):
        yield Row(path, f"{times[name] / 1000:.1f} us", f"{wheel * 1e6:.1f} us (wasmtime wheel: instantiate and call)",
                  wheel * 1e9 / times[name], "", goal)


def rows(work, peer):
    module = base64.b64encode(ADD).decode()
    tasks, echoes = in_turn(lambda: peer.task(module, "add", "1", "2"), lambda: peer.ask("/echo", b"x" * 400), 300)
    yield Row("task by MQTT, start to result", f"{median_seconds(tasks) * 1000:.2f} ms",
              f"{median_seconds(echoes) * 1000:.2f} ms (the broker's echo, QoS 2)", median_seconds(echoes) / median_seconds(tasks), "",
              "p50 under 10 ms")
    (work / "spin.c").write_text(SPIN)
    (work / "wheel.py").write_text(WHEEL)
    subprocess.run(["clang-19", "--target=wasm32-wasi", "--sysroot=/usr", "-O2", "-o", work / "spin.wasm", work / "spin.c"], check=True)
    spin = base64.b64encode((work / "spin.wasm").read_bytes()).decode()
    mine, theirs = in_turn(lambda: peer.task(spin, "_start"), lambda: wheel(work, work / "spin.wasm"), 5)
    yield Row("plain task, 1 s of work", f"{median_seconds(mine) * 1000:.0f} ms", f"{median_seconds(theirs) * 1000:.0f} ms (wasmtime wheel)",
              median_seconds(theirs) / median_seconds(mine), "", "under 10% more")


def bench():
    work = pathlib.Path(tempfile.mkdtemp(prefix="coffer-bench-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (work / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nuser root\nallow_anonymous true\nset_tcp_nodelay true\n")
    children = [start([MOSQUITTO, "-c", work / "mosquitto.conf"])]
    try:
        time.sleep(0.5)
        peer = Peer(port)
        settings = {"MQTT_ADDRESS": f"tcp://127.0.0.1:{port}", "TENANT_ID": "t", "CHANNEL_ID": "c", "ENTITY_ID": str(uuid.uuid4()),
                    "API_KEY": "k", "METRICS_ENABLED": "false"}
        children.append(start([BIN / "coffer-worker"], cwd=work,
                              env={**os.environ, **{f"PROPLET_{name}": value for name, value in settings.items()}}))
        assert peer.came.wait(15), "the worker does not announce itself"
        yield from rows(work, peer)
        yield from warm_starts(work)
        peer.client.loop_stop()
    finally:
        for child in reversed(children):
            child.terminate()
            child.wait()
        shutil.rmtree(work, ignore_errors=True)
