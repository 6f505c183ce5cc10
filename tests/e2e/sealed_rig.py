"""A fleet whose MQTT payloads are sealed, somebody who hears them all, and members and strangers who speak."""

import contextlib
import json
import threading
import uuid

from conftest import wait_until
from fleet_peers import BASE, CHANNEL, TENANT, MqttPeer, UpstreamWorker
from fleet_rig import exposition, key_broker
from mosquitto import Broker as MqttBroker
from mosquitto import running
from sealed_peer import is_sealed, seal, unseal
from test_fleet import tee, trust
from test_fleet_alerts import metrics_of
from test_manager import manager
from upstream_manager import running_worker

RESOURCE = "default/fleet/group-key"
START, STOP, RESULTS = "control/manager/start", "control/manager/stop", "control/proplet/results"
ALIVE, CREATE = "control/proplet/alive", "control/proplet/create"


class SealedFleet:
    def __init__(self, directory, mqtt, kbs, key_file):
        self.directory, self.mqtt, self.kbs, self.key_file = directory, mqtt, kbs, key_file
        self.ear = MqttPeer(mqtt.address, ["#"])
        self.names = 0

    # --- keys

    def group_key(self, *arguments):
        return self.kbs.coffer("fleet", "group-key", *arguments, "--file", self.key_file)

    def keys(self):
        return json.loads(self.key_file.read_text())["keys"]

    # --- members

    @contextlib.contextmanager
    def manager(self, name="manager", **settings):
        (self.directory / name).mkdir(exist_ok=True)
        environment = {**trust(self.kbs, self.directory, "simulated:snp"), "MANAGER_GROUP_KEY_FILE": str(self.key_file),
                       "MANAGER_LOG_LEVEL": "debug", **settings}
        with manager(self.directory / name, self.mqtt.address, name=name, env=environment) as api:
            yield api

    @contextlib.contextmanager
    def worker(self, **variables):
        settings = {"TENANT_ID": TENANT, "CHANNEL_ID": CHANNEL, "LOG_LEVEL": "debug", "GROUP_KEY": f"kbs:///{RESOURCE}",
                    **tee(self.kbs), **variables}
        self.names += 1
        with running_worker(self.mqtt, self.directory / f"worker-{self.names}", **settings) as started:
            yield started

    # --- what is on the wire

    def heard(self, suffix=""):
        """(topic, payload) of what passed on topics that begin so."""
        with self.ear.changed:
            return [(topic, payload) for topic, payload in self.ear.heard if topic.startswith(f"{BASE}/{suffix}")]

    def inside(self, suffix=""):
        """The same, opened by another implementation."""
        return [unseal(self.keys(), payload) for _, payload in self.heard(suffix) if is_sealed(payload)]

    def publish(self, suffix, payload):
        self.ear.publish(suffix, payload)

    def sealed(self, suffix, document, sender="member", **more):
        return seal(self.keys()[0], sender, f"{BASE}/{suffix}", document, **more)


@contextlib.contextmanager
def sealed_fleet(directory):
    """mosquitto and coffer-kbs with a group key; workers of the simulator's good machine get it."""
    with contextlib.ExitStack() as stack:
        mqtt = stack.enter_context(running(MqttBroker(directory / "mosquitto", "allow_anonymous true\n")))
        kbs = stack.enter_context(key_broker(directory))
        fleet = SealedFleet(directory, mqtt, kbs, directory / "group-key.json")
        stack.callback(fleet.ear.close)
        fleet.group_key("create", "--upload")
        yield fleet


def refused(url):
    """{code: how many payloads}, of a worker's or a manager's metrics; without those that are none."""
    found = exposition(metrics_of(url))
    series = {**found.get("manager_payloads_refused_total", {}), **found.get("coffer_worker_payloads_refused_total", {})}
    return {labels.removeprefix('code="').removesuffix('"'): int(count) for labels, count in series.items() if count}


def of_worker(worker):
    return f"http://{worker.metrics_address()}"


def known(api, worker):
    """Waits until the manager has heard of it, and that it proves itself."""
    wait_until(lambda: api.send("GET", f"/proplets/{worker.id}")[0] == 200
               and api.ok("GET", f"/proplets/{worker.id}")["coffer"].get("verified"), "the worker's proof", 30)


class SealedPeer(UpstreamWorker):
    """A worker by another implementation that has the group key."""

    def __init__(self, fleet, run_start, **options):
        self.fleet, self.epochs, self.lock = fleet, {}, threading.Lock()
        super().__init__(fleet.mqtt.address, run_start, **options)

    def publish(self, suffix, payload, qos=2, wait=True):
        with self.lock:
            epoch, sequence = self.epochs.get(suffix, (uuid.uuid4().bytes, 0))
            self.epochs[suffix] = (epoch, sequence + 1)
        super().publish(suffix, self.fleet.sealed(suffix, payload, self.id, epoch=epoch, sequence=sequence), qos, wait)

    def on_message(self, client, data, message):
        if is_sealed(message.payload):
            message.payload = json.dumps(unseal(self.fleet.keys(), message.payload)).encode()
            super().on_message(client, data, message)
