"""The alert rules for Prometheus: promtool takes them, they fire when they should, and all that they read is exported."""

import re
import secrets
import shutil
import subprocess
import time
import urllib.request

import pytest
from conftest import ROOT, wait_until
from fleet_peers import COMPLETED, FAILED, TENANT, CHANNEL
from fleet_rig import exposition, fleet
from upstream_manager import running_worker

DIRECTORY = ROOT / "deploy/prometheus"
RULES = DIRECTORY / "coffer-fleet.rules.yml"
# Which alerts there must be is no matter of what the file happens to hold.
PROMISED = {"CofferWorkerAttestationFailing", "CofferWorkerTokenNearEnd", "CofferWorkerTasksFailing", "CofferWorkerMqttReconnects",
            "CofferEncryptedTasksWithoutAttestedWorker", "CofferManagerQueueGrows", "CofferManagerMqttReconnects", "CofferPayloadsRefused",
            "CofferWorkerSilent", "CofferManagerAcceptsPlain", "CofferWorkerUnsignedModules"}
NAME = re.compile(r'\b((?:coffer_worker|proplet|manager)_[a-z0-9_]+)(?:\{([^}]*)\})?')


def promtool(*arguments, cwd=None):
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, cwd=cwd)


def expressions():
    """What the rules compute, without comments and texts."""
    for rule in re.split(r"- alert: ", RULES.read_text())[1:]:
        yield rule.split()[0], re.search(r"expr: (?:>-)?(.*?)\n        (?:for|labels):", rule, re.S).group(1)


def read_metrics():
    """{name: the labels that the rules read of it}."""
    found = {}
    for _, expression in expressions():
        for name, labels in NAME.findall(expression):
            found.setdefault(name, set()).update(re.findall(r'(\w+)!?=', labels))
    return found


def test_promtool_takes_the_rules():
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    alerts = {name for name, _ in expressions()}
    assert f"SUCCESS: {len(alerts)} rules found" in checked.stdout
    assert PROMISED <= alerts


def test_promtool_refuses_a_broken_rule(tmp_path):
    broken = tmp_path / "broken.yml"
    broken.write_text(RULES.read_text().replace("[10m]", "[10 minutes]"))
    assert promtool("check", "rules", broken).returncode != 0


def test_the_rules_fire_when_they_should_and_are_silent_otherwise():
    tested = promtool("test", "rules", DIRECTORY / "coffer-fleet.test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    cases = (DIRECTORY / "coffer-fleet.test.yml").read_text()
    assert all(f'alertname="{name}"' in cases for name, _ in expressions())


@pytest.mark.parametrize("bound", ("< 15", "> 3", "== 0", "> 100", "0.1 *", "> 5", "> 20", "== 1"))
def test_a_rule_with_another_bound_fails_its_test(tmp_path, bound):
    for file in DIRECTORY.iterdir():
        shutil.copy(file, tmp_path)
    rules = tmp_path / RULES.name
    text = rules.read_text()
    assert bound in text
    rules.write_text(text.replace(bound, {"< 15": "< -9999", "> 3": "> 9999", "== 0": "> 9", "> 100": "> 99999", "0.1 *": "9 *",
                                          "> 5": "> 20", "> 20": "> 9999", "== 1": "== 9"}[bound]))
    assert promtool("test", "rules", tmp_path / "coffer-fleet.test.yml").returncode != 0


def metrics_of(url):
    with urllib.request.urlopen(url + "/metrics", timeout=5) as answer:
        return answer.read().decode()


def test_every_metric_that_the_rules_read_is_exported(tmp_path, registry, monkeypatch, addition):
    with fleet(tmp_path, registry, monkeypatch) as whole:
        api = whole.api
        reference = whole.push(addition, secrets.token_bytes(32), "alerts")
        task = {"name": "add", "image_url": reference, "encrypted": True, "inputs": [1, 2]}
        api.wait(api.start(**task), COMPLETED, 60)
        whole.kbs.coffer("policy", "deny-all")
        assert api.wait(api.start(**task), FAILED, 60)["code"] == "keyclient.policy_denied"
        worker = f"http://{whole.worker.metrics_address()}"
        lost = {"TENANT_ID": TENANT, "CHANNEL_ID": CHANNEL, "TEE": "sample", "KBS_URI": "http://127.0.0.1:1"}
        with running_worker(whole.mqtt, tmp_path / "worker" / "lost", **lost) as other:
            waiting = api.create(**task, on_unavailable="wait", required_tags=["nobody"])
            api.ok("POST", f"/tasks/{waiting}/start")
            tried = f"http://{other.metrics_address()}"
            wait_until(lambda: 'attestations_total{outcome="keyclient.' in metrics_of(tried), "its vain try to attest")
            wait_until(lambda: exposition(metrics_of(api.url)).get("manager_encrypted_tasks_queued") == {"": 1}, "its being counted")
            first = metrics_of(worker)
            exported = {}
            for text in (first, metrics_of(tried), metrics_of(api.url)):
                for name, series in exposition(text).items():
                    exported.setdefault(name, {}).update(series)
    wanted = read_metrics()
    assert len(wanted) >= 10
    for name, labels in wanted.items():
        assert name in exported, name
        assert all(any(f'{label}="' in series for series in exported[name]) for label in labels), (name, labels, exported[name])
    for state in ("alive", "verified"):
        assert f'state="{state}"' in exported["manager_proplets"]
    assert 'figure="reconnects"' in exported["manager_mqtt"]
    told = exposition(first)
    assert told["coffer_worker_key_fetches_total"] == {'outcome="ok"': 1, 'outcome="keyclient.policy_denied"': 1}
    assert told["coffer_worker_key_seconds_count"] == {"": 2}
    assert told["coffer_worker_errors_total"] == {'code="keyclient.policy_denied"': 1}


def test_the_end_of_the_token_is_told(tmp_path, registry, monkeypatch):
    with fleet(tmp_path, registry, monkeypatch) as whole:
        told = exposition(metrics_of(f"http://{whole.worker.metrics_address()}"))
        assert 0 < told["coffer_worker_token_expires_timestamp_seconds"][""] - time.time() <= 3600
