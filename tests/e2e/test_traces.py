"""Traces of the fleet, at a collector: one task is one trace over manager, worker and proxy; and a collector that is slow,
busy or gone costs nothing but spans."""

import base64
import contextlib
import ipaddress
import re
import ssl
import time
import urllib.request
import uuid

import pytest
from cryptography import x509

from collector import collector as running_collector
from conftest import BIN, free_port, process, wait_until
from fleet_peers import CHANNEL, COMPLETED, FAILED, TENANT, UpstreamWorker
from mosquitto import Broker, running
from test_fleet import tee, trust
from test_fleet_mtls import Authority
from test_manager import known, manager
from upstream_manager import running_worker

CANARY = "canary-7f3a"


@pytest.fixture(name="mqtt_broker")
def mqtt_broker_fixture(tmp_path):
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\n")) as started:
        yield started


@pytest.fixture(name="collector")
def collector_fixture():
    with running_collector() as started:
        yield started


def traced(prefix, url, ratio="1.0"):
    return {f"{prefix}OTEL_URL": url, f"{prefix}TRACE_RATIO": ratio}


@contextlib.contextmanager
def worker(mqtt_broker, directory, url, **variables):
    with running_worker(mqtt_broker, directory, TENANT_ID=TENANT, CHANNEL_ID=CHANNEL, **traced("", url), **variables) as started:
        yield started


@contextlib.contextmanager
def proxy(mqtt_broker, directory, url, registry):
    log = directory / "proxy.log"
    environment = {"PROXY_TENANT_ID": TENANT, "PROXY_CHANNEL_ID": CHANNEL, "PROXY_ENTITY_ID": "proxy", "PROXY_API_KEY": "k",
                   "PROXY_MQTT_ADDRESS": mqtt_broker.address, "PROXY_HTTP_PORT": "0",
                   "PROXY_REGISTRY_URL": f"http://{registry}", **traced("PROXY_", url)}
    with process(BIN / "coffer-proxy", log=log, env=environment, cwd=directory):
        wait_until(lambda: "proxy.listening" in log.read_text(), "the proxy's start")
        yield


def by_name(spans, trace):
    return {span.name: span for span in spans if span.trace == trace}


def names(spans, trace):
    return {span.name for span in spans if span.trace == trace}


def test_a_task_is_one_trace_over_three_programs(mqtt_broker, tmp_path, collector, registry, broker, addition):
    """The URL as upstream's composition has it for the manager, and without a path for the others."""
    reference = f"{registry}/traced-{uuid.uuid4()}:v1"
    broker.coffer("image", "push", reference, addition)
    with manager(tmp_path, mqtt_broker.address, env=traced("MANAGER_", collector.url + "/v1/traces")) as api, \
            proxy(mqtt_broker, tmp_path, collector.url, registry), \
            worker(mqtt_broker, tmp_path / "worker", collector.url) as running_one:
        known(api)
        task = api.start(name="_start", image_url=reference, inputs=[10, 20], env={"SECRET": CANARY})
        assert api.wait(task, COMPLETED)["results"] == "10 + 20 = 30\n"
        wanted = {"create-task", "start-task", "task.dispatch", "task.start", "task.execute", "task.prepare", "image.request",
                  "image.fetch", "wasm.execute", "task.result"}
        spans = collector.wait_for(
            lambda spans: any(s.name == "create-task" and wanted <= names(spans, s.trace) for s in spans), "the trace")
        trace = next(s.trace for s in spans if s.name == "create-task")
        found = by_name(spans, trace)
        parents = {"start-task": "create-task", "task.dispatch": "create-task", "task.start": "task.dispatch",
                   "task.execute": "task.start", "task.prepare": "task.execute", "image.request": "task.prepare",
                   "image.fetch": "image.request", "wasm.execute": "task.execute"}
        for name, parent in parents.items():
            assert found[name].parent == found[parent].id, (name, found)
        assert {s.service for s in spans if s.trace == trace} == {"manager", "proplet", "proxy"}
        results = [s for s in spans if s.trace == trace and s.name == "task.result"]
        assert {s.service for s in results} == {"manager", "proplet"}
        assert found["task.execute"].attributes["task_id"] == task
        assert found["image.fetch"].attributes["image"] == reference
        assert collector.resources["proplet"]["service.instance.id"] == running_one.id
        assert collector.resources["manager"]["service.version"]
    assert not any(CANARY.encode() in body for body in collector.bodies)


def test_a_clients_trace_goes_through_to_an_upstream_worker(mqtt_broker, tmp_path, collector):
    client = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with manager(tmp_path, mqtt_broker.address, env=traced("MANAGER_", collector.url)) as api:
        played = UpstreamWorker(mqtt_broker.address, lambda start: "30")
        known(api)
        task = api.create()
        assert api.send("POST", f"/tasks/{task}/start", headers={"traceparent": client})[0] == 200
        api.wait(task, COMPLETED)
        spans = collector.wait_for(lambda spans: any(s.name == "task.result" for s in spans), "its end")
        found = by_name(spans, "4bf92f3577b34da6a3ce929d0e0e4736")
        assert found["start-task"].parent == "00f067aa0ba902b7"
        start = wait_until(lambda: played.starts, "the start")[0]
        assert re.fullmatch("00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01", start["traceparent"])
        played.close()


def test_an_encrypted_task_shows_its_key_and_its_attestation(mqtt_broker, tmp_path, collector, snp_broker, registry, addition):
    reference = f"{registry}/traced-{uuid.uuid4()}:v1"
    snp_broker.coffer("image", "push", reference, addition, "--encrypt", "kbs:///default/key/traced", "--create-key")
    environment = {**trust(snp_broker, tmp_path, "simulated:snp"), **traced("MANAGER_", collector.url)}
    with manager(tmp_path, mqtt_broker.address, env=environment) as api, \
            worker(mqtt_broker, tmp_path / "tee", collector.url, **tee(snp_broker)):
        known(api)
        task = api.start(name="_start", image_url=reference, encrypted=True, inputs=[10, 20], on_unavailable="wait")
        assert api.wait(task, COMPLETED, 60)["results"] == "10 + 20 = 30\n"
        wanted = {"create-task", "task.dispatch", "task.execute", "image.pull_and_decrypt", "key.fetch", "wasm.execute"}
        spans = collector.wait_for(
            lambda spans: any(s.name == "create-task" and wanted <= names(spans, s.trace) for s in spans)
            and any(s.name == "attestation" for s in spans), "the trace", 40)
        attestation = next(s for s in spans if s.name == "attestation")
        assert attestation.attributes["tee"] == "snp" and attestation.status == {}
        refused = api.start(name="_start", image_url=f"{registry}/nothing:v1", encrypted=True)
        code = api.wait(refused, FAILED, 60)["code"]
        spans = collector.wait_for(
            lambda spans: any(s.name == "task.execute" and s.attributes.get("task_id") == refused for s in spans), "the refusal")
        failed = next(s for s in spans if s.name == "task.execute" and s.attributes["task_id"] == refused)
        assert failed.status == {"code": 2, "message": code} and failed.attributes["error.type"] == code


def counted(api):
    text = urllib.request.urlopen(api.url + "/metrics", timeout=10).read().decode()
    return {match.group(1): float(match.group(2))
            for match in re.finditer(r'otlp_spans_total\{outcome="(\w+)"\} (\S+)', text)}


def rounds(api, count=10):
    for _ in range(count):
        api.ok("GET", "/tasks")


def test_a_busy_collector_gets_the_same_again(mqtt_broker, tmp_path, collector):
    collector.answers = [(503, {}), (429, {"Retry-After": "1"})]
    with manager(tmp_path, mqtt_broker.address, env=traced("MANAGER_", collector.url)) as api:
        rounds(api)
        collector.wait_for(lambda spans: len(spans) >= 10, "the spans")
        wait_until(lambda: counted(api).get("sent", 0) >= 10, "their count")
        assert "refused" not in counted(api)


def test_a_collector_that_is_gone_costs_spans_and_one_line_of_the_log(mqtt_broker, tmp_path):
    with manager(tmp_path, mqtt_broker.address, env=traced("MANAGER_", f"http://127.0.0.1:{free_port()}")) as api:
        played = UpstreamWorker(mqtt_broker.address, lambda start: "30")
        known(api)
        rounds(api, 20)
        assert api.wait(api.start(), COMPLETED)["results"] == "30"
        begin = time.monotonic()
        api.process.terminate()
        assert api.process.wait(30) == 0
        assert time.monotonic() - begin < 25  # bounded; the bound itself is 3 s
        assert api.log.read_text().count("otlp.not_sent") == 1
        played.close()


def test_a_collector_that_goes_away_holds_up_nothing(mqtt_broker, tmp_path, collector):
    with manager(tmp_path, mqtt_broker.address, env=traced("MANAGER_", collector.url)) as api:
        rounds(api)
        collector.wait_for(lambda spans: len(spans) >= 10, "the first spans")
        collector.go_away()
        rounds(api)
        assert api.ok("GET", "/health")["status"] == "pass"
        api.process.terminate()
        assert api.process.wait(30) == 0
        assert api.log.read_text().count("otlp.not_sent") == 1


def test_a_slow_collector_holds_up_no_task_and_the_end_only_for_a_while(mqtt_broker, tmp_path, collector, addition):
    collector.delay = 120
    with worker(mqtt_broker, tmp_path / "worker", collector.url) as slow, manager(tmp_path, mqtt_broker.address) as api:
        known(api)
        module = base64.b64encode(addition.read_bytes()).decode()
        for _ in range(3):
            task = api.start(name="_start", image_url="", file=module, inputs=[10, 20])
            assert api.wait(task, COMPLETED)["results"] == "10 + 20 = 30\n"
        wait_until(lambda: collector.requests, "a request")
        slow.child.terminate()
        assert slow.child.wait(60) == 0


def test_spans_that_wait_are_sent_at_the_end(mqtt_broker, tmp_path, collector):
    with manager(tmp_path, mqtt_broker.address, env=traced("MANAGER_", collector.url)) as api:
        rounds(api)
        api.process.terminate()
        assert api.process.wait(30) == 0
    collector.wait_for(lambda spans: len([s for s in spans if s.name == "list-tasks"]) == 10, "the last spans")


def test_upstreams_default_ratio_sends_nothing_and_says_so(mqtt_broker, tmp_path, collector):
    with manager(tmp_path, mqtt_broker.address, env={"MANAGER_OTEL_URL": collector.url}) as api:
        rounds(api)
        assert "MANAGER_TRACE_RATIO is 0" in api.log.read_text()
    assert not collector.requests


def test_a_collector_over_https_is_believed_by_the_root_that_is_named(mqtt_broker, tmp_path, collector):
    authority = Authority(tmp_path, "root")
    certificate = authority.issue("collector", [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    collector.server.socket = context.wrap_socket(collector.server.socket, server_side=True)
    env = traced("MANAGER_", collector.url.replace("http:", "https:"))
    with manager(tmp_path, mqtt_broker.address, env={**env, "OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority.file)}) as api:
        rounds(api)
        collector.wait_for(lambda spans: len(spans) >= 10, "the spans")
    received = len(collector.spans)
    with manager(tmp_path, mqtt_broker.address, env=env) as api:
        rounds(api)
        api.process.terminate()
        assert api.process.wait(30) == 0
        assert "otlp.not_sent" in api.log.read_text()
    assert len(collector.spans) == received


def test_the_collectors_credentials_come_from_the_standard_variable(mqtt_broker, tmp_path, collector):
    env = {**traced("MANAGER_", collector.url), "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20secret-token"}
    with manager(tmp_path, mqtt_broker.address, env=env) as api:
        rounds(api)
        collector.wait_for(lambda spans: len(spans) >= 10, "the spans")
        assert collector.requests[0][0] == "/v1/traces"
        assert collector.requests[0][1]["authorization"] == "Bearer secret-token"
        assert "secret-token" not in api.log.read_text()
