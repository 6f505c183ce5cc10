"""Federated rounds through coffer-manager: updates that a worker could not bring to the coordinator itself."""

import contextlib
import http.server
import json
import subprocess
import threading
import uuid

from conftest import free_port, wait_until
from fleet_peers import CHANNEL, COMPLETED, TENANT, MqttPeer
from mosquitto import Broker, broker, running  # noqa: F401  pylint: disable=unused-import
from test_manager import known, manager
from upstream_manager import file_of, running_worker

DYNAMIC_SECURITY = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"


@contextlib.contextmanager
def coordinator(port=0):
    """An HTTP server that keeps what is posted; yields its address and the list of (path, document)."""
    posted = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", posted
        server.shutdown()


def update_guest(compile_guest):
    return compile_guest("update", '#include <stdio.h>\nint main(void) { printf("{\\"update\\":{\\"w\\":[1]}}"); return 0; }')


def test_an_update_that_its_worker_could_not_bring_goes_to_the_coordinator(tmp_path, broker, compile_guest):  # noqa: F811
    with coordinator() as (url, posted), \
            manager(tmp_path, broker.address, env={"MANAGER_COORDINATOR_URL": url}) as api, \
            running_worker(broker, tmp_path / "worker", TENANT_ID=TENANT, CHANNEL_ID=CHANNEL) as worker:
        known(api)
        task = api.start(name="_start", image_url="", file=file_of(update_guest(compile_guest)),
                         env={"ROUND_ID": "r1", "COORDINATOR_URL": "http://127.0.0.1:1"})
        assert api.wait(task, COMPLETED)["results"]["round_id"] == "r1"
        wait_until(lambda: posted, "the update")
        assert posted == [("/update", {"update": {"w": [1]}, "round_id": "r1", "proplet_id": worker.id})]
        # The topic has no tenant: what others send there is not this fleet's.
        stranger = MqttPeer(broker.address, [])
        for topic, body in ((f"fl/rounds/r2/updates/{stranger.client}", {"update": {}}),
                            (f"fl/rounds/r2/updates/{worker.id}", {"round_id": "r3", "update": {}}),
                            (f"fl/rounds/r2/updates/{worker.id}", {"update": {"w": [2]}})):
            stranger.client.publish(topic, json.dumps(body), 2).wait_for_publish(10)
        wait_until(lambda: len(posted) == 2, "the second update")
        assert posted[1][1]["update"] == {"w": [2]}
        stranger.close()


def test_a_coordinator_that_is_away_gets_the_update_later(tmp_path, broker):  # noqa: F811
    port, proplet = free_port(), str(uuid.uuid4())
    with manager(tmp_path, broker.address, env={"MANAGER_COORDINATOR_URL": f"http://127.0.0.1:{port}"}) as api:
        peer = MqttPeer(broker.address, [])
        peer.publish("control/proplet/create", {"proplet_id": proplet, "namespace": "default"})
        known(api)
        peer.client.publish(f"fl/rounds/r/updates/{proplet}", b'{"update":1}', 2)
        wait_until(lambda: "fleet.message_waits" in api.log.read_text(), "the first attempt")
        with coordinator(port) as (_, posted):
            wait_until(lambda: posted, "the update")
        peer.close()


@contextlib.contextmanager
def locked_broker(directory, *clients):
    """A broker whose clients may do all below m/ and nothing else, and are told so when they subscribe."""
    directory.mkdir()
    security = directory / "security.json"
    subprocess.run(["mosquitto_ctrl", "dynsec", "init", str(security), "admin", "secret"], check=True, capture_output=True)
    with running(Broker(directory / "mosquitto", f"allow_anonymous false\nplugin {DYNAMIC_SECURITY}\n"
                                                 f"plugin_opt_config_file {security}\n")) as started:
        def control(*arguments, **options):
            subprocess.run(["mosquitto_ctrl", "-h", "127.0.0.1", "-p", str(started.port), "-u", "admin", "-P", "secret",
                            "dynsec", *arguments], check=True, capture_output=True, timeout=20, **options)

        control("createRole", "fleet")
        for kind in ("publishClientSend", "publishClientReceive", "subscribePattern"):
            control("addRoleACL", "fleet", kind, "m/#", "allow", "5")
        for access in ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe"):
            control("setDefaultACLAccess", access, "deny")
        for name in clients:
            control("createClient", name, "-p", f"{name}-key")
            control("addClientRole", name, "fleet", "5")
        yield started


def test_a_broker_that_refuses_the_topic_is_a_notice_and_no_error(tmp_path, compile_guest):
    own_id = str(uuid.uuid4())
    with coordinator() as (url, _), locked_broker(tmp_path / "locked", "manager", own_id) as mqtt, \
            manager(tmp_path, mqtt.address, env={"MANAGER_COORDINATOR_URL": url}) as api, \
            running_worker(mqtt, tmp_path / "worker", own_id=own_id, API_KEY=f"{own_id}-key", TENANT_ID=TENANT,
                           CHANNEL_ID=CHANNEL):
        known(api)
        wait_until(lambda: "mqtt.subscription_refused" in api.log.read_text(), "the notice")
        line = next(line for line in api.log.read_text().splitlines() if "mqtt.subscription_refused" in line)
        assert "fl/rounds/+/updates/+" in line and "error" not in line.lower(), line
        task = api.start(name="_start", image_url="", file=file_of(update_guest(compile_guest)))
        assert api.wait(task, COMPLETED)["results"] == '{"update":{"w":[1]}}'
