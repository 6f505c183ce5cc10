"""Propeller's own programs in the same places, where PROPELLER names a directory that has them: its manager beside ours, each
with our worker; its worker beside ours, each with a client that starts tasks by MQTT."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import time
import uuid

from manager import Api
from measure import Row, Sample, in_turn, median_seconds
from worker import ADD, BIN, MOSQUITTO, Peer, start

TASK = json.dumps({"name": "add", "file": base64.b64encode(ADD).decode(), "inputs": ["1", "2"]})
SHARED = {"TENANT_ID": "t", "CHANNEL_ID": "c", "API_KEY": "k"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if condition():
                return
        time.sleep(0.05)
    raise RuntimeError(f"{what} did not happen")


class Place:
    """A mosquitto of its own, and programs that are ended with it."""

    def __init__(self, stack, work, name):
        self.stack, self.directory, self.port = stack, work / name, free_port()
        self.directory.mkdir()
        (self.directory / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nuser root\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 20000\n")
        self.run("", [MOSQUITTO, "-c", self.directory / "mosquitto.conf"], {})
        until(lambda: socket.create_connection(("127.0.0.1", self.port)).close() is None, "mosquitto's start")

    def run(self, prefix, command, settings):
        settings = {"MQTT_ADDRESS": f"tcp://127.0.0.1:{self.port}", **SHARED, **settings} if prefix else {}
        child = start(command, cwd=self.directory, env={**os.environ, **{prefix + key: value for key, value in settings.items()}})
        self.stack.callback(child.wait)
        self.stack.callback(child.terminate)

    def manager(self, program, **settings):
        port = free_port()
        self.run("MANAGER_", program, {"ENTITY_ID": "m", "HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(port), "LOG_LEVEL": "error",
                                       **settings})
        until(lambda: Api(f"http://127.0.0.1:{port}").call("GET", "/health"), "a manager's start")
        return Api(f"http://127.0.0.1:{port}")

    def worker(self, program, **settings):
        self.run("PROPLET_", program, {"ENTITY_ID": str(uuid.uuid4()), "METRICS_PORT": str(free_port()), "LIVELINESS_INTERVAL": "2",
                                       **settings})


def timed(call):
    started = time.perf_counter()
    call()
    return Sample(time.perf_counter() - started, 0)


def managers(stack, work, upstream):
    ours, theirs = Place(stack, work, "our-manager"), Place(stack, work, "upstreams-manager")
    mine = ours.manager([BIN / "coffer-manager", "--insecure-open"], STORAGE_TYPE="memory")
    other = theirs.manager([upstream], STORAGE_TYPE="memory")
    for place, api in ((ours, mine), (theirs, other)):
        # It saves a start after having sent it, and loses a result that comes sooner.
        place.worker([BIN / "coffer-worker"], COMPAT_RESULT_DELAY="0" if api is mine else "20ms")
        until(lambda api=api: any(each["alive"] for each in api.call("GET", "/proplets")["proplets"]), "a worker's discovery")

    def created(api):
        return timed(lambda: api.call("POST", "/tasks", TASK))

    def started(api):
        task = api.call("POST", "/tasks", TASK)["id"]
        return timed(lambda: api.call("POST", f"/tasks/{task}/start"))

    for path, call in (("task made by REST", created), ("task started by REST", started)):
        mine_took, theirs_took = in_turn(lambda call=call: call(mine), lambda call=call: call(other), 200)
        yield Row(f"{path}, memory store", f"{median_seconds(mine_took) * 1000:.2f} ms",
                  f"{median_seconds(theirs_took) * 1000:.2f} ms (Propeller's manager)",
                  median_seconds(theirs_took) / median_seconds(mine_took), "")


def workers(stack, work, upstream):
    peers = []
    for name, program in (("our-worker", BIN / "coffer-worker"), ("upstreams-worker", upstream)):
        place = Place(stack, work, name)
        peers.append(Peer(place.port))
        place.worker([program])
        if not peers[-1].came.wait(30):
            raise RuntimeError(f"{name} does not announce itself")
    module = base64.b64encode(ADD).decode()
    mine, theirs = in_turn(*(lambda peer=peer: peer.task(module, "add", "1", "2") for peer in peers), 200)
    yield Row("task by MQTT, start to result", f"{median_seconds(mine) * 1000:.2f} ms",
              f"{median_seconds(theirs) * 1000:.2f} ms (Propeller's worker)", median_seconds(theirs) / median_seconds(mine), "")
    for peer in peers:
        peer.client.loop_stop()


def bench():
    named = os.environ.get("PROPELLER")
    if not named:
        print("bench: propeller is left out, for PROPELLER names no directory with Propeller's own programs", file=sys.stderr)
        return
    work = pathlib.Path(tempfile.mkdtemp(prefix="coffer-bench-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, work, ignore_errors=True)
        for name, rows in (("manager", managers), ("proplet", workers)):
            upstream = pathlib.Path(named).resolve() / name
            if upstream.exists():
                yield from rows(stack, work, upstream)
            else:
                print(f"bench: {upstream} does not exist, so that nothing is measured beside it", file=sys.stderr)
