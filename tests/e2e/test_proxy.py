"""coffer-proxy between a real broker and a real registry, with paho-mqtt in the place of upstream's worker."""

import base64
import collections
import hashlib
import json
import os
import signal
import threading
import time
import urllib.request

import paho.mqtt.client as mqtt
import pytest

from conftest import BIN, process, run, wait_until
from mosquitto import Broker, PasswordBroker, TlsBroker, running

BASE = "m/tenant/c/channel"
LIMIT = 1 << 20  # what upstream's broker takes as one message


def module_of(size):
    """A WASM module whose one custom section makes it `size` bytes long, not compressible."""
    content = os.urandom(size)
    body = b"\x01x" + content

    def leb(number):
        out = bytearray()
        while True:
            byte, number = number & 0x7F, number >> 7
            out.append(byte | (0x80 if number else 0))
            if not number:
                return bytes(out)

    return b"\0asm\x01\0\0\0\0" + leb(len(body)) + body


class Worker:
    """Asks as upstream's worker does, and assembles what comes: every chunk, by name, whoever asked."""

    def __init__(self, broker, username=None, password=None, tls=None, certificate=None):
        self.chunks = collections.defaultdict(dict)
        self.first = {}
        self.errors = {}
        self.sizes = []
        self.wills = []
        self.changed = threading.Condition()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="upstream-worker")
        if username:
            self.client.username_pw_set(username, password)
        if tls:
            self.client.tls_set(str(tls), *(str(certificate.with_suffix(suffix)) for suffix in (".pem", ".key") if certificate))
        self.client.on_message = self.on_message
        subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.on_connect = lambda client, *_: client.subscribe(
            [(f"{BASE}/registry/server", 2), (f"{BASE}/control/proplet/alive", 2)])
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert subscribed.wait(10)

    def on_message(self, _client, _data, message):
        document = json.loads(message.payload)
        with self.changed:
            if message.topic.endswith("/alive"):
                self.wills.append(document)
            elif "error" in document:
                assert set(document) == {"app_name", "error", "code"}, "upstream's decoder must refuse it"
                self.errors[document["app_name"]] = document
            else:
                self.sizes.append(len(message.payload))
                name = document["app_name"]
                if document["chunk_idx"] == 0:
                    self.first[name] = document
                self.chunks[name][document["chunk_idx"]] = (document["total_chunks"], base64.b64decode(document["data"], validate=True))
            self.changed.notify_all()

    def ask(self, name):
        payload = name if isinstance(name, bytes) else json.dumps({"app_name": name})
        self.client.publish(f"{BASE}/registry/proplet", payload, 2).wait_for_publish(10)

    def complete(self, name):
        parts = self.chunks.get(name)
        return bool(parts) and len(parts) == next(iter(parts.values()))[0]

    def wait(self, condition, what, seconds=30):
        with self.changed:
            assert self.changed.wait_for(condition, seconds), f"{what}; errors: {len(self.errors)}"

    def fetch(self, name, seconds=30):
        self.chunks.pop(name, None)
        self.ask(name)
        self.wait(lambda: self.complete(name) or name in self.errors, f"no answer for {name}", seconds)
        assert name not in self.errors, self.errors[name]
        return b"".join(data for _, (_, data) in sorted(self.chunks[name].items()))

    def refusal(self, name):
        self.ask(name)
        self.wait(lambda: name in self.errors, f"no error for {name}")
        return self.errors.pop(name)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class Proxy:
    def __init__(self, child, log):
        self.child, self.log_file = child, log
        self.http = wait_until(self.find_http, "the proxy's start")
        wait_until(lambda: self.get("/health")[1].find('"pass"') > 0, "the proxy's connection")

    def find_http(self):
        lines = [line for line in self.log.splitlines() if "proxy.listening" in line]
        assert self.child.poll() is None, self.log
        return lines and lines[0].split("http=")[1].split()[0].strip('"')

    @property
    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.http}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()

    def memory(self):
        """The most it ever held, in bytes."""
        status = open(f"/proc/{self.child.pid}/status", encoding="ascii").read()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024


def start_proxy(directory, broker, **more):
    log = directory / "proxy.log"
    environment = {"PROXY_TENANT_ID": "tenant", "PROXY_CHANNEL_ID": "channel", "PROXY_ENTITY_ID": "proxy",
                   "PROXY_API_KEY": "proxy-key", "PROXY_MQTT_ADDRESS": broker.address, "PROXY_HTTP_PORT": "0",
                   "PROXY_REGISTRY_URL": "registry.example", **more}
    return process(BIN / "coffer-proxy", log=log, env=environment, cwd=directory), log


@pytest.fixture(name="scene")
def scene_fixture(tmp_path):
    """Broker (with upstream's limit of 1 MiB a message), proxy, worker."""
    broker = Broker(tmp_path / "mosquitto", f"allow_anonymous true\nmessage_size_limit {LIMIT}\nmax_queued_messages 0\n")
    with running(broker):
        context, log = start_proxy(tmp_path, broker)
        with context as child:
            worker = Worker(broker)
            yield broker, Proxy(child, log), worker
            worker.close()


@pytest.fixture(name="push", scope="module")
def push_fixture(registry, tmp_path_factory):
    """push(tag, size) -> the image's reference and its module's bytes."""
    directory = tmp_path_factory.mktemp("modules")

    def push(name, size, *more):
        file = directory / f"{name.replace(':', '-')}.wasm"
        file.write_bytes(module_of(size))
        reference = f"{registry}/proxied/{name}"
        run(BIN / "coffer", "--home", directory, "image", "push", reference, file, *more)
        return reference, file.read_bytes()

    return push


def test_brings_what_tag_and_digest_name(scene, push):
    _, _, worker = scene
    first, first_module = push("two:v1", 1_300_000)
    latest, latest_module = push("two:latest", 5_000)
    assert worker.fetch(first) == first_module, "upstream's own proxy would have brought the latest"
    assert worker.fetch(latest) == latest_module
    assert worker.fetch(latest.removesuffix(":latest")) == latest_module
    manifest = worker.first[first]["manifest"]
    by_digest = f"{first.removesuffix(':v1')}@sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    assert worker.fetch(by_digest) == first_module
    assert worker.first[by_digest]["digest"] == f"sha256:{hashlib.sha256(first_module).hexdigest()}"
    assert worker.first[by_digest]["total_chunks"] == 3
    assert max(worker.sizes) < LIMIT


def test_brings_an_encrypted_image_as_ciphertext_with_what_opens_it(scene, push, tmp_path):
    _, _, worker = scene
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    reference, module = push("sealed:v1", 700_000, "--encrypt", "kbs:///default/key/proxied", "--key-file", key)
    ciphertext = worker.fetch(reference)
    assert module[1000:1064] not in ciphertext
    first = worker.first[reference]
    assert json.loads(first["manifest"])["layers"][0]["annotations"] == first["annotations"]
    assert any(name.startswith("org.opencontainers.image.enc.keys") for name in first["annotations"])
    assert isinstance(json.loads(first["config"]), dict)
    assert first["digest"] == f"sha256:{hashlib.sha256(ciphertext).hexdigest()}"


def test_answers_with_an_error_at_once(scene, push, registry):
    _, proxy, worker = scene
    began = time.monotonic()
    assert worker.refusal(f"{registry}/proxied/none:v1")["code"] == "image.not_found"
    assert worker.refusal("127.0.0.1:1/x:v1")["code"] == "net.refused"
    assert time.monotonic() - began < 10, "upstream's worker would wait for 60 s"
    reference, module = push("after:v1", 100)
    assert worker.fetch(reference) == module
    assert 'proxy_fetches_total{outcome="image.not_found"} 1' in proxy.get("/metrics")[1]


@pytest.mark.parametrize("name", [
    "../../etc/passwd", "oci:/etc", "http://169.254.169.254/latest/meta-data", "docker://", "a" * 3000, "A B", "-rf",
    "x@sha256:zz", "registry/\N{SNOWMAN}", "$(reboot)", "x:" + "t" * 200,
])
def test_survives_hostile_names(scene, name):
    _, proxy, worker = scene
    assert worker.refusal(name)["app_name"] == name
    assert proxy.child.poll() is None


def test_survives_payloads_that_are_no_request(scene, push):
    _, proxy, worker = scene
    for payload in (b"", b"null", b"{", b'{"app_name":null}', b'{"app_name":["x"]}', b"\xff\xfe\x00", b"[" * 5000,
                    b'{"app_name":"' + b"x" * 500_000 + b'"}'):
        worker.ask(payload)
    reference, module = push("robust:v1", 100)
    assert worker.fetch(reference) == module
    assert proxy.child.poll() is None
    assert 'admission="malformed"' in proxy.get("/metrics")[1]


def test_answers_a_flood_and_serves_on(scene, push):
    _, proxy, worker = scene
    reference, module = push("flooded:v1", 20 << 20)
    names = [f"127.0.0.1:1/flood/{number}:v1" for number in range(2000)]
    for name in names:
        worker.ask(name)
    worker.wait(lambda: len(worker.errors) == len(names), "some requests were dropped without a word", 60)
    assert {error["code"] for error in worker.errors.values()} <= {"proxy.busy", "net.refused"}
    for _ in range(200):
        worker.ask(reference)
    assert worker.fetch(reference) == module
    assert proxy.memory() < 200 << 20
    fetches = [line for line in proxy.get("/metrics")[1].splitlines() if line.startswith('proxy_fetches_total{outcome="ok"}')]
    assert int(fetches[0].split()[1]) < 50, "the same image was not fetched once for all who asked"


def test_holds_no_layer_in_memory(scene, push):
    _, proxy, worker = scene
    reference, module = push("large:v1", 60 << 20)
    before = proxy.memory()
    assert worker.fetch(reference, 120) == module
    assert proxy.memory() - before < 40 << 20


def test_comes_back_after_its_broker_does(scene, push):
    broker, proxy, worker = scene
    reference, module = push("again:v1", 100)
    broker.restart()
    wait_until(worker.client.is_connected, "the worker's return")
    wait_until(lambda: "pass" in proxy.get("/health")[1], "the proxy's return")
    time.sleep(0.2)  # the worker's subscription, which paho does not report here
    assert worker.fetch(reference) == module


def test_ends_orderly_on_a_signal_and_leaves_a_will_otherwise(tmp_path):
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\n")) as broker:
        worker = Worker(broker)
        context, log = start_proxy(tmp_path, broker)
        with context as child:
            Proxy(child, log)
            child.send_signal(signal.SIGTERM)
            assert child.wait(10) == 0
        context, log = start_proxy(tmp_path, broker)
        with context as child:
            Proxy(child, log)
            assert worker.wills == []
            child.kill()
            worker.wait(lambda: worker.wills, "the last will")
        assert worker.wills == [{"status": "offline", "proplet_id": "proxy"}]
        worker.close()


def test_takes_upstreams_file_over_tls_with_a_password(tmp_path, push):
    """The older generation of names in config.toml, and a broker behind TLS; the key stays out of the log."""
    reference, module = push("tls:v1", 100)
    (tmp_path / "config.toml").write_text('[proxy]\ndomain_id = "tenant"\nclient_id = "proxy"\nclient_key = "proxy-key"\n'
                                          'channel_id = "channel"\n')
    with running(TlsBroker(tmp_path / "mosquitto")) as broker:
        names = {f"PROXY_{name}": "" for name in ("TENANT_ID", "CHANNEL_ID", "ENTITY_ID", "API_KEY")}
        context, log = start_proxy(tmp_path, broker, PROXY_MQTT_TLS_CA_CERT=str(broker.root), **names)
        with context as child:
            proxy = Proxy(child, log)
            worker = Worker(broker, tls=broker.root)
            assert worker.fetch(reference) == module
            assert "proxy-key" not in proxy.log
            worker.close()


def test_shows_its_certificate_to_a_broker_that_asks_for_one(tmp_path, push):
    reference, module = push("mutual:v1", 100)
    with running(TlsBroker(tmp_path / "mosquitto", client_certificates=True)) as broker:
        client = broker.directory / "client"
        context, log = start_proxy(tmp_path, broker, PROXY_MQTT_TLS_CA_CERT=str(broker.root),
                                   PROXY_MQTT_TLS_CLIENT_CERT=f"{client}.pem", PROXY_MQTT_TLS_CLIENT_KEY=f"{client}.key")
        with context as child:
            Proxy(child, log)
            worker = Worker(broker, tls=broker.root, certificate=client)
            assert worker.fetch(reference) == module
            worker.close()
        refused = run(BIN / "coffer-proxy", check=False, env={
            "PROXY_TENANT_ID": "t", "PROXY_CHANNEL_ID": "c", "PROXY_ENTITY_ID": "e", "PROXY_API_KEY": "k", "PROXY_REGISTRY_URL": "r.example",
            "PROXY_MQTT_ADDRESS": broker.address, "PROXY_MQTT_TLS_CLIENT_CERT": f"{client}.pem", "PROXY_HTTP_ENABLED": "false"}, cwd=tmp_path)
        assert refused.returncode == 1 and "together with its key" in refused.stderr


def test_says_that_its_password_is_wrong(tmp_path):
    with running(PasswordBroker(tmp_path / "mosquitto", {"proxy": "another-key"})) as broker:
        context, log = start_proxy(tmp_path, broker)
        with context as child:
            wait_until(lambda: "net.not_authorized" in log.read_text(), "the refusal in the log")
            assert child.poll() is None, "it goes on trying: keys are changed on the other side, too"


def test_names_the_setting_that_is_wrong(tmp_path):
    environment = {"PROXY_TENANT_ID": "t", "PROXY_CHANNEL_ID": "c", "PROXY_ENTITY_ID": "e", "PROXY_API_KEY": "k"}
    result = run(BIN / "coffer-proxy", "--check", check=False, env=environment, cwd=tmp_path)
    assert result.returncode == 1 and "PROXY_REGISTRY_URL" in result.stderr
    result = run(BIN / "coffer-proxy", "--check", "--registry-url", "r.example", "--chunk-size", "9000000", check=False,
                 env=environment, cwd=tmp_path)
    assert result.returncode == 1 and "--chunk-size" in result.stderr
    result = run(BIN / "coffer-proxy", "--check", "--registry-url", "r.example", env={**environment, "PROXY_MQTT_TIMEOUT": "30s"},
                 cwd=tmp_path)
    assert "valid" in result.stdout
