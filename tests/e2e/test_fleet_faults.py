"""What goes wrong between the fleet's programs: networks, clocks, brokers' limits, killed workers, registries and key brokers
that break off. Real mosquitto, docker-registry, coffer-kbs, coffer-manager and coffer-worker throughout."""

import base64
import contextlib
import hashlib
import json
import re
import secrets
import signal
import time
import urllib.request
import uuid

import pytest

from conftest import run, wait_until
from fleet_peers import BASE, CHANNEL, COMPLETED, FAILED, PENDING, RUNNING, SCHEDULED, TENANT, MqttPeer
from mosquitto import Broker, running
from relay import relay
from test_fleet import tee, trust
from test_manager import known, manager
from test_worker import MODULE
from upstream_manager import running_worker

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


@pytest.fixture
def mqtt_broker(tmp_path):
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\nlog_type all\n")) as started:
        yield started


def worker(mqtt_broker, directory, **variables):
    settings = {"TENANT_ID": TENANT, "CHANNEL_ID": CHANNEL, "LIVELINESS_INTERVAL": "500ms", "LAST_WILL": "true"}
    return running_worker(mqtt_broker, directory, **{**settings, **variables})


def spin(api, seconds, **members):
    """A task whose worker is busy for as long, and then says so."""
    return api.start(name="spin", image_url="", file=MODULE, timeout_seconds=seconds, **members)


def add(api, **members):
    return api.start(name="add", image_url="", file=MODULE, inputs=[2, 3], **members)


def results_heard(ear):
    with ear.changed:
        return [json.loads(payload)["task_id"] for topic, payload in ear.heard if topic.endswith("/proplet/results")]


def figure(started, name):
    """A figure of a worker's /metrics, summed over its labels."""
    with urllib.request.urlopen(f"http://{started.metrics_address()}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


class Namespace:
    """A network of its own with one link to this one. No packet of it leaves this machine, cut or not."""

    def __init__(self):
        tag, block = secrets.token_hex(3), 4 * secrets.randbelow(60)
        self.name, self.outer, self.inner = f"coffer-{tag}", f"cfo{tag}", f"cfi{tag}"
        # RFC 5737: addresses for examples.
        self.network, self.here, self.there = (f"192.0.2.{block + number}" for number in (0, 1, 2))
        self.command = ("ip", "netns", "exec", self.name)

    def make(self):
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.outer, "type", "veth", "peer", "name", self.inner, "netns", self.name)
        run("ip", "address", "add", f"{self.here}/30", "dev", self.outer)
        run("ip", "route", "add", "blackhole", f"{self.network}/30", "metric", "1000")
        run("ip", "link", "set", self.outer, "up")
        run("ip", "-n", self.name, "address", "add", f"{self.there}/30", "dev", self.inner)
        for interface in ("lo", self.inner):
            run("ip", "-n", self.name, "link", "set", interface, "up")

    def link(self, state):
        run("ip", "link", "set", self.outer, state)

    def remove(self):
        for command in (("route", "delete", "blackhole", f"{self.network}/30", "metric", "1000"), ("link", "delete", self.outer),
                        ("netns", "delete", self.name)):
            run("ip", *command, check=False)


@pytest.fixture
def namespace():
    made = Namespace()
    try:
        made.make()
        yield made
    finally:
        made.remove()


def test_a_partition_longer_than_the_keep_alive_loses_nothing_and_sends_results_once(tmp_path, namespace):
    mqtt = Broker(tmp_path / "mosquitto", "")
    mqtt.settings = f"allow_anonymous true\nlog_type all\nlistener {mqtt.port} {namespace.here}\n"
    with running(mqtt), manager(tmp_path, mqtt.address, "--insecure-open", "--alive-timeout", "3s") as api, \
            worker(mqtt, tmp_path / "worker", under=namespace.command, MQTT_ADDRESS=f"tcp://{namespace.here}:{mqtt.port}",
                   MQTT_KEEP_ALIVE="5s") as far:
        ear = MqttPeer(mqtt.address, [f"{BASE}/control/proplet/results"])
        known(api)
        ends_meanwhile, outlasts = spin(api, 3), spin(api, 20)
        wait_until(lambda: far.log_text().count("worker.start ") >= 2 or far.log_text().count(outlasts) > 0, "both starts")
        namespace.link("down")
        known(api, 0)
        waiting = add(api, on_unavailable="wait")
        assert api.task(waiting)["state"] == SCHEDULED
        wait_until(lambda: f"Client {far.id} has exceeded timeout" in mqtt.log, "the broker's giving up", 40)
        wait_until(lambda: "worker.disconnected" in far.log_text(), "the worker's giving up", 40)
        assert api.task(ends_meanwhile)["state"] == RUNNING
        namespace.link("up")
        wait_until(lambda: api.ok("GET", "/proplets?status=active")["total"] == 1, "the worker's return", 90)
        assert api.wait(ends_meanwhile, FAILED, 30)["code"] == "wasm.timeout"
        assert api.wait(waiting, COMPLETED, 30)["results"] == "5"
        assert api.wait(outlasts, FAILED, 60)["code"] == "wasm.timeout"
        assert sorted(results_heard(ear)) == sorted([ends_meanwhile, waiting, outlasts])
        ear.close()


def test_connections_that_are_cut_over_and_over_lose_no_task(tmp_path, mqtt_broker):
    with manager(tmp_path, mqtt_broker.address) as api, relay(mqtt_broker.address) as network, \
            worker(mqtt_broker, tmp_path / "worker", MQTT_ADDRESS=f"tcp://{network.address}") as cut:
        known(api)
        tasks = []
        for _ in range(5):
            tasks += [add(api, retries=10, on_unavailable="wait") for _ in range(12)]
            before = figure(cut, "proplet_mqtt_reconnects_total")
            network.cut()
            wait_until(lambda before=before: figure(cut, "proplet_mqtt_reconnects_total") > before, "the next connection", 30)
        for task in tasks:
            assert api.wait(task, COMPLETED, 60)["results"] == "5"


def test_a_slow_network_makes_nobody_flap(tmp_path, mqtt_broker):
    with manager(tmp_path, mqtt_broker.address, "--insecure-open", "--alive-timeout", "4s") as api, \
            relay(mqtt_broker.address) as network:
        network.latency, network.rate = 0.4, 40_000
        with worker(mqtt_broker, tmp_path / "worker", MQTT_ADDRESS=f"tcp://{network.address}", MQTT_KEEP_ALIVE="5s") as slow:
            known(api)
            tasks = [add(api) for _ in range(10)]
            # 100,000 bytes take three seconds each way, and what comes after them waits as long.
            padded = api.start(name="add", image_url="", file=padded_module(75_000), inputs=[2, 3])
            deadline = time.monotonic() + 60
            while any(api.task(task)["state"] != COMPLETED for task in [*tasks, padded]):
                assert api.ok("GET", "/proplets?status=active")["total"] == 1
                assert time.monotonic() < deadline
            assert figure(slow, "proplet_mqtt_reconnects_total") == 0 and network.connections == 1


def padded_module(size):
    """The module with a custom section of so many bytes behind it."""
    content, length = b"\x01x" + bytes(size), b""
    left = len(content)
    while True:
        length += bytes([left & 0x7F | (0x80 if left > 0x7F else 0)])
        left >>= 7
        if not left:
            break
    return base64.b64encode(base64.b64decode(MODULE) + b"\0" + length + content).decode()


CHATTY = '#include <stdio.h>\nint main(void) { for (int i = 0; i < 60000; ++i) puts("x"); }'


def test_a_result_over_the_brokers_packet_size_becomes_one_that_says_so(tmp_path, compile_guest):
    module = base64.b64encode(compile_guest("chatty-result", CHATTY).read_bytes()).decode()
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\nmax_packet_size 100000\n")) as mqtt, \
            manager(tmp_path, mqtt.address) as api, worker(mqtt, tmp_path / "worker"):
        known(api)
        task = api.start(name="_start", image_url="", file=module)
        failed = api.wait(task, FAILED, 60)
        assert failed["code"] == "worker.result_not_sent", failed
        assert "MAX_OUTPUT" in failed["error"] and "max_packet_size" in failed["error"]
        assert api.wait(add(api, on_unavailable="wait"), COMPLETED, 30)["results"] == "5"


def test_a_start_over_the_brokers_packet_size_fails_and_says_so(tmp_path):
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\nmax_packet_size 50000\n")) as mqtt, \
            manager(tmp_path, mqtt.address) as api, worker(mqtt, tmp_path / "worker"):
        known(api)
        task = api.start(name="add", image_url="", file=padded_module(75_000), inputs=[2, 3])
        failed = api.wait(task, FAILED, 90)
        assert failed["code"] == "net.not_taken" and "max_packet_size" in failed["error"], failed
        wait_until(lambda: api.log.read_text().count("fleet.broker_connected") == 6, "the connection after the five", 60)
        assert api.wait(add(api, on_unavailable="wait"), COMPLETED, 30)["results"] == "5"


def test_a_result_that_the_broker_drops_in_silence_is_missed(tmp_path, compile_guest):
    """mosquitto's message_size_limit: acknowledged, and passed on to nobody."""
    module = base64.b64encode(compile_guest("chatty-result", CHATTY).read_bytes()).decode()
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\nmessage_size_limit 100000\n")) as mqtt, \
            manager(tmp_path, mqtt.address) as api, worker(mqtt, tmp_path / "worker"):
        known(api)
        failed = api.wait(api.start(name="_start", image_url="", file=module), FAILED, 60)
        assert failed["code"] == "manager.result_lost" and "did not arrive" in failed["error"]
        assert api.wait(add(api), COMPLETED)["results"] == "5"


def test_narrow_queues_of_the_broker_lose_no_task(tmp_path):
    limits = "allow_anonymous true\nmax_inflight_messages 1\nmax_queued_messages 12\n"
    with running(Broker(tmp_path / "mosquitto", limits)) as mqtt, manager(tmp_path, mqtt.address) as api, \
            worker(mqtt, tmp_path / "worker", MAX_TASKS="4"):
        known(api)
        for task in [add(api, on_unavailable="wait", retries=10) for _ in range(100)]:
            assert api.wait(task, COMPLETED, 60)["results"] == "5"


def with_clock(offset):
    """The command that starts a program whose wall clock is wrong, and whose monotonic one is not."""
    return ("env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME={offset}", "DONT_FAKE_MONOTONIC=1")


def pushed(kbs, registry, module, name):
    reference = f"{registry}/faults-{uuid.uuid4()}:v1"
    kbs.coffer("image", "push", reference, module, "--encrypt", f"kbs:///default/key/{name}", "--create-key")
    return reference


def test_a_worker_whose_clock_is_a_little_off_does_encrypted_work(tmp_path, mqtt_broker, snp_broker, registry, addition):
    reference = pushed(snp_broker, registry, addition, "little")
    with manager(tmp_path, mqtt_broker.address, env=trust(snp_broker, tmp_path, "simulated:snp")) as api:
        for offset in ("+30s", "-30s"):
            with worker(mqtt_broker, tmp_path / offset, under=with_clock(offset), **tee(snp_broker)) as off:
                task = api.start(name="_start", image_url=reference, encrypted=True, inputs=[2, 3], on_unavailable="wait")
                done = api.wait(task, COMPLETED, 30)
                assert (done["results"], done["proplet_id"]) == ("2 + 3 = 5\n", off.id)


@pytest.mark.parametrize("offset, words", [("+1h", "ahead"), ("-1h", "behind")])
def test_a_worker_whose_clock_is_far_off_gets_no_encrypted_work_and_nothing_is_lost(tmp_path, mqtt_broker, snp_broker, registry,
                                                                                 addition, offset, words):
    reference = pushed(snp_broker, registry, addition, "far")
    with manager(tmp_path, mqtt_broker.address, env=trust(snp_broker, tmp_path, "simulated:snp")) as api:
        with worker(mqtt_broker, tmp_path / "off", under=with_clock(offset), **tee(snp_broker)) as off:
            known(api)
            shown = wait_until(lambda: (coffer := api.ok("GET", f"/proplets/{off.id}")["coffer"])
                               and "fleet.stale_proof" in coffer.get("unverified_because", "") and coffer, "its refusal", 30)
            assert words in shown["unverified_because"] and "clock" in shown["unverified_because"]
            seconds = int(re.search(r"worker\.clock_skew .*seconds_ahead=(-?\d+)", off.log_text()).group(1))
            assert 3500 < abs(seconds) < 3700 and (seconds > 0) == (words == "ahead")
            status, refused = api.send("POST", f"/tasks/{api.create(image_url=reference, encrypted=True)}/start")
            assert status == 500 and refused["code"] == "manager.no_eligible_worker" and "fleet.stale_proof" in refused["error"]
            task = api.start(name="_start", image_url=reference, encrypted=True, inputs=[2, 3], on_unavailable="wait")
            assert api.task(task)["state"] in (PENDING, SCHEDULED) and "fleet.stale_proof" in api.task(task)["reason"]
            # What needs no proof is done as ever.
            assert api.wait(add(api), COMPLETED)["proplet_id"] == off.id
            with worker(mqtt_broker, tmp_path / "right", **tee(snp_broker)) as right:
                done = api.wait(task, COMPLETED, 30)
                assert (done["results"], done["proplet_id"]) == ("2 + 3 = 5\n", right.id)


def test_a_worker_that_is_killed_is_missed_and_its_task_runs_elsewhere_where_asked(tmp_path, mqtt_broker):
    settings = {"MANAGER_ALIVE_TIMEOUT": "2s", "MANAGER_LOST_AFTER": "3s"}
    with manager(tmp_path, mqtt_broker.address, env=settings) as api, contextlib.ExitStack() as stack:
        first = stack.enter_context(worker(mqtt_broker, tmp_path / "first"))
        known(api)
        for_good, again = spin(api, 60), spin(api, 4, retries=1)
        wait_until(lambda: first.log_text().count(f"task={again}") > 0, "their start")
        first.child.send_signal(signal.SIGKILL)
        first.child.wait()
        second = stack.enter_context(worker(mqtt_broker, tmp_path / "second"))
        lost = api.wait(for_good, FAILED, 30)
        assert lost["code"] == "manager.worker_lost" and first.id in lost["error"]
        ended = api.wait(again, FAILED, 60)
        assert (ended["code"], ended["proplet_id"]) == ("wasm.timeout", second.id)


def test_a_worker_that_is_killed_and_comes_back_is_asked_again(tmp_path, mqtt_broker):
    own_id = str(uuid.uuid4())
    with manager(tmp_path, mqtt_broker.address) as api:
        with worker(mqtt_broker, tmp_path / "first", own_id=own_id) as first:
            known(api)
            lost, again = spin(api, 60), spin(api, 2, retries=1)
            wait_until(lambda: first.log_text().count(f"task={again}") > 0, "their start")
            first.child.send_signal(signal.SIGKILL)
            first.child.wait()
        with worker(mqtt_broker, tmp_path / "second", own_id=own_id):
            assert api.wait(lost, FAILED, 60)["code"] == "manager.result_lost"
            assert api.wait(again, FAILED, 60)["code"] == "wasm.timeout"


@pytest.fixture
def confidential(tmp_path, mqtt_broker, snp_broker, registry):
    """A manager, and a worker in a simulated TEE, whose registry and key broker are behind relays."""
    with relay(snp_broker.url) as keys, relay(registry) as images, \
            manager(tmp_path, mqtt_broker.address, env=trust(snp_broker, tmp_path, "simulated:snp")) as api:
        settings = {**tee(snp_broker), "KBS_URI": f"http://{keys.address}", "IMAGE_ROUTE": "registry"}
        with worker(mqtt_broker, tmp_path / "worker", **settings) as started:
            wait_until(lambda: api.send("GET", f"/proplets/{started.id}")[0] == 200
                       and api.ok("GET", f"/proplets/{started.id}")["coffer"]["verified"], "its proof", 30)
            yield api, keys, images


SERVICE_UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def outcome(api, reference, encrypted, **members):
    task = api.start(name="_start", image_url=reference, encrypted=encrypted, inputs=[2, 3], **members)
    return wait_until(lambda: (seen := api.task(task)) and seen["state"] in (COMPLETED, FAILED) and seen, "its end", 90)


@pytest.mark.parametrize("encrypted", (False, True))
def test_a_registry_that_breaks_off_fails_the_task_by_name_or_is_asked_for_the_rest(confidential, snp_broker, registry, addition,
                                                                                    encrypted):
    api, _, images = confidential
    if encrypted:
        reference = pushed(snp_broker, registry, addition, "pull")
    else:
        reference = f"{registry}/faults-{uuid.uuid4()}:v1"
        snp_broker.coffer("image", "push", reference, addition)
    through = reference.replace(registry, images.address)
    images.cut_after = 50  # not even an answer's head
    broken = outcome(api, through, encrypted)
    assert broken["state"] == FAILED and broken["code"].startswith(("net.", "image.")), broken
    images.cut_after, images.instead = None, SERVICE_UNAVAILABLE
    busy = outcome(api, through, encrypted)
    assert busy["state"] == FAILED and busy["code"].startswith("image.") and "503" in busy["error"], busy
    # Slow, and no connection lasts to the layer's end: what is there already is not asked for again.
    images.instead, images.cut_after = None, addition.stat().st_size // 2
    images.rate, images.latency = 60_000, 0.1
    slow = outcome(api, through, encrypted)
    assert (slow["state"], slow["results"]) == (COMPLETED, "2 + 3 = 5\n"), slow


def test_a_key_broker_that_breaks_off_fails_the_task_by_name_and_is_asked_again(confidential, snp_broker, registry, addition):
    api, keys, _ = confidential
    reference = pushed(snp_broker, registry, addition, "faulty")
    keys.instead = SERVICE_UNAVAILABLE
    keys.cut()
    assert outcome(api, reference, True)["code"] == "keyclient.unavailable"
    keys.instead, keys.cut_after = None, 100
    keys.cut()
    broken = outcome(api, reference, True)
    assert broken["code"] in ("keyclient.unreachable", "keyclient.not_a_broker", "keyclient.protocol"), broken
    keys.cut_after, keys.latency = None, 0.3
    keys.cut()
    slow = outcome(api, reference, True)
    assert (slow["state"], slow["results"]) == (COMPLETED, "2 + 3 = 5\n"), slow


def chunk(name, index, total, data, **more):
    return {"app_name": name, "chunk_idx": index, "total_chunks": total, "data": base64.b64encode(data).decode(), **more}


def resident(child):
    with open(f"/proc/{child.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_a_flood_of_hostile_chunks_takes_no_memory_and_hides_no_image(tmp_path, mqtt_broker):
    with manager(tmp_path, mqtt_broker.address) as api, worker(mqtt_broker, tmp_path / "worker") as target:
        known(api)
        peer = MqttPeer(mqtt_broker.address, [f"{BASE}/registry/proplet"])
        name = f"registry.example/{uuid.uuid4()}:v1"
        task = api.start(name="add", image_url=name, inputs=[2, 3])
        peer.wait_for(lambda _, m: m.get("app_name") == name, "the request")
        before, filler = resident(target.child), bytes(300_000)
        for number in range(300):
            peer.publish("registry/server", chunk(f"unasked-{number}", 0, 2, filler), qos=1, wait=False)
        pieces = [base64.b64decode(MODULE)[at:at + 30] for at in range(0, len(base64.b64decode(MODULE)), 30)]
        total = len(pieces)
        hostile = [chunk(name, -1, total, b"x"), chunk(name, total, total, b"x"), chunk(name, 2**40, total, b"x"), chunk(name, 0, 0, b"x"),
                   chunk(name, 0, -3, b"x"),
                   {**chunk(name, 0, total, b""), "data": "A"}, {**chunk(name, 0, total, b""), "data": 7},
                   {**chunk(name, 0, total, b""), "data": "\u00ff" * 50}]
        for each in hostile:
            peer.publish("registry/server", each)
        peer.publish("registry/server", json.dumps(chunk(name, 1, total, pieces[1]))[:-20])
        peer.publish("registry/server", json.dumps(chunk(name, 1, total, pieces[1])).encode() + b"\xff\xfe")
        for index in [*reversed(range(total)), 0, total - 1]:
            peer.publish("registry/server", chunk(name, index, total, pieces[index]))
        assert api.wait(task, COMPLETED, 60)["results"] == "5"
        assert resident(target.child) - before < 60_000, "kilobytes"
        peer.close()


def test_a_chunk_that_contradicts_an_earlier_one_ends_the_fetch_by_name(tmp_path, mqtt_broker):
    with manager(tmp_path, mqtt_broker.address) as api, worker(mqtt_broker, tmp_path / "worker"):
        known(api)
        peer = MqttPeer(mqtt_broker.address, [f"{BASE}/registry/proplet"])
        name = f"registry.example/{uuid.uuid4()}:v1"
        digest = "sha256:" + hashlib.sha256(base64.b64decode(MODULE)).hexdigest()
        task = api.start(name="add", image_url=name, inputs=[2, 3])
        peer.wait_for(lambda _, m: m.get("app_name") == name, "the request")
        peer.publish("registry/server", chunk(name, 0, 2, b"\0asm", digest=digest))
        peer.publish("registry/server", chunk(name, 1, 2, b"another"))
        failed = api.wait(task, FAILED, 60)
        assert failed["code"].startswith(("fleet.", "image.")), failed
        peer.close()
