"""Seed 002, test case 4, in an emulated machine with a measured boot: coffer-worker finds the TPM by what the machine shows,
is given keys where the boot is the predicted one, and not where it is another."""

import base64
import contextlib
import re
import uuid

import pytest

from conftest import BIN, process, running_broker, wait_until
from fleet_peers import BASE, CHANNEL, COMPLETED, FAILED, TENANT, MqttPeer
from mosquitto import Broker, running
from test_fleet import trust
from test_manager import manager

# A boot takes 10 to 20 s on an idle machine.
LIMIT = 150


def inside(address):
    """An address of this machine's loopback, as the guest sees it."""
    return re.sub(r"127\.0\.0\.1|localhost", "10.0.2.2", address)


class Scene:
    """An owner's broker, a machine's image, its TPM and reference values: all of it before anything was booted."""

    def __init__(self, directory, kbs, mqtt, registry, module):
        self.directory, self.kbs, self.mqtt, self.id = directory, kbs, mqtt, str(uuid.uuid4())
        self.module = module
        self.reference = f"{inside(registry)}/seed-002-vm:1"
        kbs.coffer("policy", "affirming")
        kbs.coffer("image", "push", f"{registry}/seed-002-vm:1", module, "--encrypt", "kbs:///default/key/vm", "--create-key")
        settings = directory / "config.toml"
        settings.write_text(f'[proplet]\ntenant_id = "{TENANT}"\nchannel_id = "{CHANNEL}"\nentity_id = "{self.id}"\napi_key = "k"\n')
        self.init_data = self.write_init_data("init-data.toml", inside(kbs.url))
        kbs.coffer("vm", "build", directory / "machine", "--file", f"{settings}:/config.toml", "--", "coffer-worker",
                   "--mqtt-address", inside(mqtt.address), "--plain-http-registries", inside(registry), "--liveliness-interval", "1s",
                   timeout=LIMIT)
        kbs.coffer("vm", "tpm", directory / "tpm", "--trust")
        kbs.coffer("measure", "vm", directory / "machine", "--init-data", self.init_data, "--set")

    def write_init_data(self, name, kbs):
        """What the host hands over at the start: which broker to ask."""
        file = self.directory / name
        file.write_text(f'version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"aa.toml" = """\n[token_configs.kbs]\nurl = "{kbs}"\n"""\n')
        return file

    @contextlib.contextmanager
    def booted(self, *arguments, init_data=None):
        """The machine while it runs; yields its process, whose `log` is a file."""
        log = self.directory / f"machine-{uuid.uuid4()}.log"
        with process(BIN / "coffer", "vm", "run", self.directory / "machine", "--tpm", self.directory / "tpm", "--console",
                     "--timeout", "0", "--init-data", init_data or self.init_data, *arguments, log=log) as child:
            child.log = log
            yield child

    def manager(self, **variables):
        return manager(self.directory, self.mqtt.address, env={**trust(self.kbs, self.directory), **variables})

    def what_it_shows(self, api, machine, condition):
        """The worker's object `coffer` at the manager, once it is so."""
        def shown():
            assert machine.poll() is None, machine.log.read_text(errors="replace")[-3000:]
            status, view = api.send("GET", f"/proplets/{self.id}")
            return view["coffer"] if status == 200 and condition(view.get("coffer", {})) else None
        return wait_until(shown, "its attestation token", LIMIT)


@pytest.fixture(scope="module")
def scene(tmp_path_factory, registry, addition):
    directory = tmp_path_factory.mktemp("seed-002-vm")
    with running(Broker(directory / "mosquitto", "allow_anonymous true\n")) as mqtt, running_broker(directory) as kbs:
        yield Scene(directory, kbs, mqtt, registry, addition)


@pytest.mark.timeout(2 * LIMIT)
def test_case_4_a_tpm_is_found_by_evidence_and_encrypted_work_runs_in_the_predicted_machine(scene):
    ear = MqttPeer(scene.mqtt.address, [f"{BASE}/control/proplet/create"])
    with scene.manager() as api, scene.booted() as machine:
        shown = scene.what_it_shows(api, machine, lambda coffer: coffer.get("verified"))
        assert shown["tee"] == "tpm"
        said = ear.wait_for(lambda _, m: m["proplet_id"] == scene.id, "discovery")["coffer"]
        assert said["tee"] == {"type": "tpm", "simulated": False} and "tee" in said["runtimes"]
        task = api.start(name="_start", image_url=scene.reference, encrypted=True, inputs=[10, 20], required_tee="tpm")
        done = api.wait(task, COMPLETED, 60)
        assert (done["results"], done["proplet_id"]) == ("10 + 20 = 30\n", scene.id)
        plain = api.start(name="_start", image_url="", file=base64.b64encode(scene.module.read_bytes()).decode(), inputs=[1, 2])
        assert api.wait(plain, COMPLETED, 60)["results"] == "1 + 2 = 3\n"
        # A signal reaches the worker, which ends as it does anywhere.
        machine.terminate()
        assert machine.wait(60) == 0, machine.log.read_text(errors="replace")[-3000:]
        assert "worker.stopping" in machine.log.read_text(errors="replace")
    ear.close()


@pytest.mark.timeout(2 * LIMIT)
def test_case_4_another_kernel_command_line_gets_no_key_and_the_task_says_so(scene):
    with scene.booted("--append", "coffer.other=1") as machine:
        with scene.manager() as api:
            shown = scene.what_it_shows(api, machine, lambda coffer: "fleet." in coffer.get("unverified_because", ""))
            assert not shown["verified"] and "fleet.not_affirming" in shown["unverified_because"]
            status, refused = api.send("POST", f"/tasks/{api.create(image_url=scene.reference, encrypted=True)}/start")
            assert status == 500 and refused["code"] == "manager.no_eligible_worker"
            assert "fleet.not_affirming" in refused["error"]
        # Sent to it all the same, it is refused by the key's owner.
        with scene.manager(MANAGER_UNVERIFIED_ENCRYPTED="true") as api:
            scene.what_it_shows(api, machine, lambda coffer: coffer.get("says"))
            task = api.start(name="_start", image_url=scene.reference, encrypted=True, inputs=[10, 20])
            failed = api.wait(task, FAILED, 60)
            assert failed["code"] == "keyclient.policy_denied" and not failed["results"], failed
            assert "policy" in failed["error"]
    explanation = scene.kbs.coffer("explain", "--last").stdout
    assert "PCR 9, event 0: expected kernel command line" in explanation
    assert "input.tpm.pcr09" in explanation


@pytest.mark.timeout(2 * LIMIT)
def test_case_4_other_init_data_gets_no_key(scene):
    other = scene.write_init_data("other.toml", inside(scene.kbs.url) + "/")
    with scene.booted(init_data=other) as machine, scene.manager() as api:
        shown = scene.what_it_shows(api, machine, lambda coffer: "fleet." in coffer.get("unverified_because", ""))
        assert "fleet.not_affirming" in shown["unverified_because"]
        status, refused = api.send("POST", f"/tasks/{api.create(image_url=scene.reference, encrypted=True)}/start")
        assert status == 500 and "fleet.not_affirming" in refused["error"]
