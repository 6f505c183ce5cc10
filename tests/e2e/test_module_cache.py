"""Encrypted modules that a worker keeps opened between starts, where its operator allows it."""

import pathlib
import re
import urllib.request
import uuid

import pytest

from conftest import wait_until
from upstream_manager import manager, mqtt_broker, running_worker  # noqa: F401

@pytest.fixture
def sealed(snp_broker, registry, addition):
    """Pushes a module under a key of its own; the reference."""
    def push(key):
        reference = f"{registry}/kept-{uuid.uuid4()}:v1"
        snp_broker.coffer("image", "push", reference, addition, "--encrypt", f"kbs:///default/key/{key}", "--create-key")
        return reference

    return push


@pytest.fixture
def keeping(mqtt_broker, manager, tmp_path, snp_broker):
    """A worker in a TEE that keeps modules for a time; MODULE_CACHE_TIME and others by name."""
    def start(**variables):
        return running_worker(mqtt_broker, tmp_path / "worker", manager, TEE="simulated:snp", KBS_URI=snp_broker.url,
                              TEE_SIMULATOR=str(snp_broker.home / "simulator"), **variables)

    return start


def add(manager, worker, reference, **members):
    result = manager.run(name="add", image_url=reference, encrypted=True, inputs=["10", "20"], proplet_id=worker.id, **members)
    return result["code"] if result["error"] else result["results"]


def metric(worker, name):
    with urllib.request.urlopen(f"http://{worker.metrics_address()}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def released(broker, key):
    """How often the broker's record says that it gave the key away."""
    records = broker.json("audit", "--last", "100")
    return sum(record["decision"] == "released" and record["resource"] == f"default/key/{key}" for record in records)


def locked_bytes(worker):
    """Of the worker's memory, that may not be written to a swap device."""
    status = pathlib.Path(f"/proc/{worker.child.pid}/status").read_text()
    return int(re.search(r"VmLck:\s+(\d+) kB", status).group(1)) * 1024


def test_by_default_each_start_asks_for_its_key(manager, keeping, snp_broker, sealed):
    reference = sealed("each")
    with keeping() as worker:
        assert [add(manager, worker, reference) for _ in range(3)] == ["30"] * 3
        assert metric(worker, "coffer_worker_key_fetches_total") == 3
        assert released(snp_broker, "each") == 3
        assert metric(worker, "coffer_worker_module_cache_total") == 0


def test_where_it_is_allowed_the_second_start_asks_the_broker_nothing(manager, keeping, snp_broker, sealed, addition):
    reference = sealed("kept")
    with keeping(MODULE_CACHE_TIME="1h") as worker:
        assert add(manager, worker, reference) == "30"
        assert released(snp_broker, "kept") == 1
        attested = metric(worker, "coffer_worker_attestations_total")
        assert [add(manager, worker, reference) for _ in range(5)] == ["30"] * 5
        assert released(snp_broker, "kept") == 1
        assert metric(worker, "coffer_worker_attestations_total") == attested
        assert metric(worker, 'coffer_worker_module_cache_total{outcome="hit"}') == 5
        assert metric(worker, 'coffer_worker_module_cache_total{outcome="miss"}') == 1
        assert metric(worker, "coffer_worker_key_fetches_total") == 1
        kept = metric(worker, "coffer_worker_module_cache_bytes")
        assert kept == addition.stat().st_size
        assert locked_bytes(worker) >= kept
        # With fuel it is compiled anew, of what is kept; nobody is asked.
        assert add(manager, worker, reference, fuel=1_000_000) == "30"
        assert released(snp_broker, "kept") == 1


def test_another_key_another_image_and_another_digest_are_others(manager, keeping, snp_broker, sealed):
    one, two = sealed("one"), sealed("two")
    with keeping(MODULE_CACHE_TIME="1h") as worker:
        assert add(manager, worker, one) == "30"
        assert add(manager, worker, one, kbs_resource_path="default/key/two") not in ("30", "")
        assert add(manager, worker, two) == "30"
        assert add(manager, worker, one, module_digest="sha256:" + "0" * 64) == "image.digest_mismatch"
        assert metric(worker, 'coffer_worker_module_cache_total{outcome="miss"}') == 3
        assert released(snp_broker, "one") == 1 and released(snp_broker, "two") == 2


def test_a_changed_policy_holds_when_the_time_is_over(manager, keeping, snp_broker, sealed):
    reference = sealed("revoked")
    with keeping(MODULE_CACHE_TIME="2s") as worker:
        assert add(manager, worker, reference) == "30"
        snp_broker.coffer("policy", "deny-all")
        wait_until(lambda: metric(worker, "coffer_worker_module_cache_bytes") == 0, "the end of what was kept")
        assert add(manager, worker, reference) == "keyclient.policy_denied"


def test_bounded_by_bytes_it_keeps_what_fits(manager, keeping, snp_broker, sealed):
    reference = sealed("large")
    with keeping(MODULE_CACHE_TIME="1h", MODULE_CACHE_BYTES="100") as worker:
        assert [add(manager, worker, reference) for _ in range(2)] == ["30"] * 2
        assert released(snp_broker, "large") == 2
        assert metric(worker, "coffer_worker_module_cache_bytes") == 0
