"""Keys and plaintext of encrypted work stay in the worker's memory: a module and a key that would be recognised are looked
for in all that a fleet says, writes and shows of itself."""

import base64
import secrets

import pytest
from conftest import wait_until
from fleet_peers import COMPLETED, FAILED, RUNNING, MqttPeer
from fleet_rig import fleet
from upstream_manager import file_of

CANARY = b"canary:4e1c0f7b-tweets-from-the-mine"
SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static volatile const char secret[] = "%s";
int main(void) {
  const char *mode = getenv("MODE");
  unsigned sum = 0;
  for (unsigned i = 0; secret[i]; ++i) sum += (unsigned char)secret[i];
  printf("sum %%u\\n", sum);
  if (mode && !strcmp(mode, "fail")) return 3;
  if (mode && !strcmp(mode, "trap")) __builtin_trap();
  if (mode && !strcmp(mode, "spin")) for (;;) __asm__ volatile("");
  return 0;
}
"""


def base64_forms(secret):
    """The letters of a text in base64 that are its own, wherever in a longer one it begins."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            letters = encode(b"\0" * before + secret).rstrip(b"=")
            yield letters[(before * 8 + 5) // 6: (before + len(secret)) * 8 // 6]


def forms(secret):
    return {secret, secret.hex().encode(), secret.hex().upper().encode(), *base64_forms(secret)}


def leaks(written, secrets_by_name):
    """(where, which secret) of each that is found in some form."""
    return {(where, name) for where, content in written.items() for name, secret in secrets_by_name.items()
            if any(form in content for form in forms(secret))}


@pytest.fixture
def module(compile_guest):
    return compile_guest("mine-canary", SOURCE % CANARY.decode())


@pytest.fixture
def key():
    return secrets.token_bytes(32)


@pytest.fixture
def whole(module, tmp_path, registry, monkeypatch):
    assert CANARY in module.read_bytes()
    with fleet(tmp_path, registry, monkeypatch) as started:
        yield started


def run_all_ends(whole, reference):
    """Success twice, failures, a stop, and a denial, of one encrypted image; the tasks' ids."""
    api, task = whole.api, {"name": "_start", "image_url": reference, "encrypted": True}
    total = f"sum {sum(CANARY)}\n"
    ids = []

    def end(state, code=None, **more):
        ids.append(api.start(**task, **more))
        ended = api.wait(ids[-1], state, 60)
        assert ended.get("code") == code, ended
        return ended

    for _ in range(2):
        assert end(COMPLETED)["results"] == total
    end(FAILED, "worker.exit_code", env={"MODE": "fail"})
    end(FAILED, "wasm.trap", env={"MODE": "trap"})
    end(FAILED, "wasm.timeout", env={"MODE": "spin"}, timeout_seconds=1)
    ids.append(api.start(**task, env={"MODE": "spin"}))
    api.wait(ids[-1], RUNNING)
    wait_until(lambda: any(f"task={ids[-1]}" in line and "worker.opened" in line
                           for line in whole.worker.log_text().splitlines()), "its opening", 30)
    api.ok("POST", f"/tasks/{ids[-1]}/stop")
    assert api.wait(ids[-1], FAILED, 60)["code"] == "manager.stopped"
    whole.kbs.coffer("policy", "deny-all")
    end(FAILED, "keyclient.policy_denied")
    return ids


def test_neither_key_nor_plaintext_of_encrypted_tasks_leaves_the_worker(whole, module, key):
    reference = whole.push(module, key, "canary")
    ids = run_all_ends(whole, reference)
    written = whole.written()
    assert leaks(written, {"plaintext": CANARY, "key": key}) == set()
    # It was looked for where the tasks have left their traces.
    for place in ("MQTT traffic", f"worker/{whole.worker.log.name}"):
        assert all(task.encode() in written[place] for task in ids), place
    assert b"fleet.broker_connected" in written["manager/manager.log"]
    store = b"".join(content for place, content in written.items() if place.startswith("manager/manager.db"))
    assert all(task.encode() in store for task in ids)
    assert all(b"RUST_LOG=debug" in written[f"{name}'s environ"] for name in whole.processes())
    assert b"default/key/canary" in written["kbs.log"]
    assert len([place for place in written if place.startswith("worker/layers/")]) >= 2
    assert b"PROPLET_KBS_URI" in written["worker's environ"] and b"coffer-kbs" in written["kbs's cmdline"]


def test_the_search_finds_the_plaintext_of_a_plain_task(whole, module, key):
    """The same module, sent as plain work: what is looked for is there to be found."""
    task = whole.api.start(name="_start", image_url="", file=file_of(module))
    assert whole.api.wait(task, COMPLETED)["results"] == f"sum {sum(CANARY)}\n"
    found = leaks(whole.written(), {"plaintext": CANARY, "key": key})
    assert ("MQTT traffic", "plaintext") in found
    assert any(place.startswith("manager/manager.db") for place, _ in found)
    assert all(name == "plaintext" for _, name in found)


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("encode", (bytes, lambda text: text.hex().encode(), base64.b64encode, base64.urlsafe_b64encode))
def test_the_search_finds_a_key_in_every_form(key, encode, before):
    written = {"here": b"said " + encode(b"x" * before + key + b"y") + b" aloud", "there": encode(secrets.token_bytes(64))}
    assert leaks(written, {"key": key}) == {("here", "key")}


def test_the_search_finds_a_key_that_is_sent_or_in_an_environment(tmp_path, registry, monkeypatch, module, key):
    with fleet(tmp_path, registry, monkeypatch, DESCRIPTION=base64.b64encode(key).decode()) as leaking:
        peer = MqttPeer(leaking.mqtt.address, ["#"])
        peer.publish("control/manager/other", {"key": key.hex()})
        peer.wait_for(lambda suffix, _: suffix == "control/manager/other", "its own message")
        leaking.ear.wait_for(lambda suffix, _: suffix == "control/manager/other", "the message")
        found = leaks(leaking.written(), {"plaintext": CANARY, "key": key})
        assert {("MQTT traffic", "key"), ("worker's environ", "key")} <= found
        peer.close()
    assert module.exists()
