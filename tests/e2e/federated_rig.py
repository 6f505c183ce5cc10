"""A fleet that learns: an aggregator in a simulated TEE, workers with data of their own, and all that is between."""

import contextlib
import http.server
import json
import secrets
import threading
import uuid

from conftest import BIN, process, running_broker, wait_until
from fleet_peers import CHANNEL, COMPLETED, FAILED, TENANT, Api, MqttPeer
from mosquitto import Broker as MqttBroker
from mosquitto import running
from test_fleet import tee, trust
from test_manager import known, manager
from upstream_manager import running_worker

# Learns from its data alone: the model it read, moved by what its data say. Digits as these appear nowhere else.
DATA = [(1.2345673, 10), (-0.7654329, 30), (2.3456791, 20)]
TRAINER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static double number(const char *text, const char *name) {
  const char *place = text ? strstr(text, name) : NULL;
  return place ? strtod(place + strlen(name), NULL) : 0;
}
int main(void) {
  const char *model = getenv("MODEL_DATA"), *data = getenv("DATASET_DATA"), *parameters = getenv("HYPERPARAMS");
  const double move = number(data, "\"move\":");
  fprintf(stderr, "moving by %.7f\n", move);
  if (number(parameters, "\"fail\":")) return 3;
  if (number(parameters, "\"binary\":")) {
    const float delta[4] = {(float)move, 0, 0, (float)-move};
    return fwrite(delta, sizeof delta, 1, stdout) == 1 ? 0 : 1;
  }
  printf("{\"num_samples\":%d,\"base_model_uri\":\"%s\",\"metrics\":{\"loss\":0.5},\"update\":{\"w\":[%.7f,0,0],\"b\":%.7f}}",
         (int)number(data, "\"size\":"), getenv("MODEL_URI"), number(model, "\"w\":[") + move, number(model, "\"b\":") - move);
  return 0;
}
"""


class DataStore(http.server.ThreadingHTTPServer):
    """Each worker's own data, as upstream's data store serves them."""

    def __init__(self):
        self.data = {}
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            body = json.dumps(self.server.data.get(self.path.rsplit("/", 1)[1], {}), separators=(",", ":")).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass


class Aggregator(Api):
    def __init__(self, url, log, token):
        super().__init__(url, token)
        self.log = log

    def round(self, round_id):
        return self.ok("GET", f"/rounds/{round_id}/complete")


@contextlib.contextmanager
def aggregator(directory, *arguments, **variables):
    directory.mkdir(parents=True, exist_ok=True)
    url_file, token, log = directory / "aggregator.url", secrets.token_hex(16), directory / "aggregator.log"
    (directory / "operator.token").write_text(token + "\n")
    url_file.unlink(missing_ok=True)
    settings = {f"AGGREGATOR_{name}": str(value) for name, value in {
        "HTTP_PORT": 0, "URL_FILE": url_file, "TOKEN_FILE": directory / "operator.token", **variables}.items()}
    with process(BIN / "coffer-aggregator", *arguments, log=log, env=settings, cwd=directory) as child:
        wait_until(lambda: url_file.exists() and url_file.read_text().strip() or child.poll() is not None, "its address")
        assert child.poll() is None, log.read_text()
        started = Aggregator(url_file.read_text().strip(), log, token)
        started.process, started.token_file = child, directory / "operator.token"
        yield started


def in_simulated_tee(kbs, directory):
    certificate = trust(kbs, directory)["MANAGER_ATTESTATION_CERTS"]
    return {"KBS_URI": kbs.url, "TEE": "simulated:snp", "TEE_SIMULATOR": kbs.home / "simulator",
            "ATTESTATION_CERTS": certificate, "ALLOW_TEES": "simulated:snp"}


class Scene:
    """All of it, and what a test asks of it."""

    def __init__(self, directory, mqtt, kbs, agg, api, workers, ear, image):
        self.directory, self.mqtt, self.kbs, self.agg, self.api = directory, mqtt, kbs, agg, api
        self.workers, self.ear, self.image = workers, ear, image

    def start_round(self, round_id, participants=None, **members):
        body = {"experiment_id": f"e-{round_id}", "round_id": round_id, "model_ref": "fl/models/global_model_v0",
                "participants": participants or [worker.id for worker in self.workers], "hyperparams": {}, "k_of_n": 3,
                "timeout_s": 60, "task_wasm_image": self.image, "encrypted": True, **members}
        return self.api.ok("POST", "/fl/experiments", body)

    def closed(self, round_id, seconds=60):
        return wait_until(lambda: (found := self.agg.round(round_id))["completed"] and found, "the round's end", seconds)

    def tasks_of(self, round_id):
        tasks = [task for task in self.api.ok("GET", "/tasks?limit=100")["tasks"]
                 if task["name"].startswith(f"fl-round-{round_id}-")]
        return {task["proplet_id"]: task for task in tasks}

    def ended(self, round_id, count=3, seconds=60):
        return wait_until(lambda: len(found := self.tasks_of(round_id)) == count
                          and all(task["state"] in (COMPLETED, FAILED) for task in found.values()) and found,
                          "the round's tasks", seconds)

    def update_of(self, round_id, worker_id):
        """As the manager has it in the result of the worker's task."""
        return wait_until(lambda: (task := self.tasks_of(round_id).get(worker_id)) and task["state"] == COMPLETED and task,
                          "an update", 30)["results"]

    def written(self):
        """What is seen outside of workers and aggregator: {where: bytes}."""
        found = {"MQTT traffic": b"\n".join(topic.encode() + b" " + payload for topic, payload in self.ear.heard)}
        for file in self.directory.rglob("*"):
            if file.is_file():
                found[str(file.relative_to(self.directory))] = file.read_bytes()
        return found


@contextlib.contextmanager
def scene(directory, registry, monkeypatch, module, sealing=True):
    store = DataStore()
    with contextlib.ExitStack() as stack:
        stack.callback(store.shutdown)
        kbs = stack.enter_context(running_broker(directory, "--allow-tee", "simulated:snp"))
        kbs.measure_simulated("snp")
        kbs.coffer("policy", "affirming")
        mqtt = stack.enter_context(running(MqttBroker(directory / "mosquitto", "allow_anonymous true\nlog_type all\n")))
        ear = MqttPeer(mqtt.address, ["#"])
        stack.callback(ear.close)
        agg = stack.enter_context(aggregator(directory / "aggregator", LOG_LEVEL="trace", **in_simulated_tee(kbs, directory)))
        for name, value in (("MANAGER_COORDINATOR_URL", agg.url), ("MODEL_REGISTRY_URL", agg.url), ("DATA_STORE_URL", store.url)):
            monkeypatch.setenv(name, value)
        settings = {**trust(kbs, directory, "simulated:snp"), "MANAGER_LOG_LEVEL": "trace",
                    "MANAGER_COORDINATOR_TOKEN_FILE": str(agg.token_file)}
        api = stack.enter_context(manager(directory, mqtt.address, env=settings))
        sealed = {"AGGREGATOR_TRUST": directory / "broker.pem", "AGGREGATOR_ALLOW_TEES": "simulated:snp"} if sealing else {}
        workers = [stack.enter_context(running_worker(mqtt, directory / f"worker-{number}", TENANT_ID=TENANT, CHANNEL_ID=CHANNEL,
                                                      LOG_LEVEL="trace", **tee(kbs), **sealed)) for number in range(len(DATA))]
        for worker, (move, size) in zip(workers, DATA):
            store.data[worker.id] = {"proplet_id": worker.id, "size": size, "move": move, "data": []}
        known(api, len(DATA))
        wait_until(lambda: all(api.ok("GET", f"/proplets/{worker.id}")["coffer"].get("verified") for worker in workers),
                   "the workers' proofs", 30)
        image = f"{registry}/trainer-{uuid.uuid4()}:v1"
        kbs.coffer("image", "push", image, module, "--encrypt", "kbs:///default/key/trainer", "--create-key")
        yield Scene(directory, mqtt, kbs, agg, api, workers, ear, image)
