"""A fleet whole, as tests look at it from outside: mosquitto, coffer-kbs, coffer-manager with SQLite, coffer-worker in a
simulated TEE, and everything that they say and write."""

import contextlib
import pathlib
import re
import secrets
import uuid

from conftest import BIN, Broker, free_port, http_ok, process, run, wait_until
from fleet_peers import CHANNEL, TENANT, MqttPeer
from mosquitto import Broker as MqttBroker
from mosquitto import running
from test_fleet import tee, trust
from test_manager import manager
from upstream_manager import running_worker


@contextlib.contextmanager
def key_broker(directory):
    """coffer-kbs with the configuration that `coffer init` writes; it gives keys to the simulator's good machine."""
    home = directory / "home"
    run(BIN / "coffer", "--home", home, "init", "--allow-tee", "simulated:snp")
    configuration, port, log = home / "broker.toml", free_port(), directory / "kbs.log"
    configuration.write_text(configuration.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
    with process(BIN / "coffer-kbs", "--config-file", configuration, log=log) as child:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: http_ok(url + "/healthz") or child.poll() is not None, "the key broker's start")
        assert child.poll() is None, log.read_text()
        (home / "broker.url").write_text(url + "\n")
        kbs = Broker(home, url, log)
        kbs.process = child
        kbs.measure_simulated("snp")
        kbs.coffer("policy", "affirming")
        yield kbs


class Fleet:
    """What runs, and what a test asks of it."""

    def __init__(self, directory, registry, mqtt, kbs, api, worker, ear):
        self.directory, self.registry = directory, registry
        self.mqtt, self.kbs, self.api, self.worker, self.ear = mqtt, kbs, api, worker, ear

    def push(self, module, key, key_name):
        """The module as an image, encrypted with this key, which the broker then has."""
        reference = f"{self.registry}/rig-{uuid.uuid4()}:v1"
        file = self.directory / f"{key_name}-{secrets.token_hex(4)}.key"
        file.write_bytes(key)
        self.kbs.coffer("resource", "set", f"default/key/{key_name}", "--file", file)
        self.kbs.coffer("image", "push", reference, module, "--encrypt", f"kbs:///default/key/{key_name}", "--key-file", file)
        file.unlink()
        return reference

    def traffic(self):
        with self.ear.changed:
            return b"\n".join(topic.encode() + b" " + payload for topic, payload in self.ear.heard)

    def processes(self):
        return {"worker": self.worker.child.pid, "manager": self.api.process.pid, "kbs": self.kbs.process.pid,
                "mosquitto": self.mqtt.process.pid}

    def written(self):
        """Everything that left the programs' memory, but the key broker's own store: {where: bytes}."""
        found = {"MQTT traffic": self.traffic()}
        for folder in ("manager", "worker", "mosquitto", "temporary", "cache", "state"):
            for file in (self.directory / folder).rglob("*"):
                if file.is_file():
                    found[str(file.relative_to(self.directory))] = file.read_bytes()
        found["kbs.log"] = self.kbs.log.read_bytes()
        for name, pid in self.processes().items():
            for what in ("cmdline", "environ"):
                found[f"{name}'s {what}"] = pathlib.Path(f"/proc/{pid}/{what}").read_bytes()
        return found


@contextlib.contextmanager
def fleet(directory, registry, monkeypatch, **worker_variables):
    """All of them, at the most talkative, with folders for temporary files, caches and state that the test can search."""
    monkeypatch.setenv("RUST_LOG", "debug")
    for variable, folder in (("TMPDIR", "temporary"), ("XDG_CACHE_HOME", "cache"), ("XDG_STATE_HOME", "state")):
        (directory / folder).mkdir()
        monkeypatch.setenv(variable, str(directory / folder))
    (directory / "manager").mkdir()
    with contextlib.ExitStack() as stack:
        mqtt = stack.enter_context(running(MqttBroker(directory / "mosquitto", "allow_anonymous true\nlog_type all\n")))
        ear = MqttPeer(mqtt.address, ["#"])
        stack.callback(ear.close)
        kbs = stack.enter_context(key_broker(directory))
        settings = {**trust(kbs, directory, "simulated:snp"), "MANAGER_LOG_LEVEL": "debug"}
        api = stack.enter_context(manager(directory / "manager", mqtt.address, env=settings))
        worker = stack.enter_context(running_worker(
            mqtt, directory / "worker", TENANT_ID=TENANT, CHANNEL_ID=CHANNEL, LOG_LEVEL="debug", **tee(kbs),
            **worker_variables))
        wait_until(lambda: api.send("GET", f"/proplets/{worker.id}")[0] == 200
                   and api.ok("GET", f"/proplets/{worker.id}")["coffer"].get("verified"), "the worker's proof", 30)
        yield Fleet(directory, registry, mqtt, kbs, api, worker, ear)


def exposition(text):
    """What a program's /metrics says: {name: {labels as text: value}}."""
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)", line)
        if match:
            found.setdefault(match.group(1), {})[match.group(2) or ""] = float(match.group(3))
    return found
