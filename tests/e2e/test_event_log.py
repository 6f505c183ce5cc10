"""Runtime events: what the runner measures is in the evidence, leads to its registers, and can be asked for by a policy."""

import hashlib
import json

import pytest

from conftest import running_broker

TEES = ("tdx", "tpm")
DOMAIN = "github.com/confidential-containers"

# Releases to machines whose event log has this one event of this operation, and no other of it.
POLICY = """package policy
import rego.v1
default allow := false
measured contains event.details.data.content.digest if {{
  some submodule in input.submods
  some claims in submodule["ear.veraison.annotated-evidence"]
  some event in claims.uefi_event_logs
  event.details.data.domain == "{domain}"
  event.details.data.operation == "{operation}"
}}
allow if measured == {{"{digest}"}}
"""


def report_in(result):
    """What --json prints behind the module's own output."""
    return json.loads(result.stdout[result.stdout.index("{"):])


class Guest:
    def __init__(self, broker, tee, directory):
        self.broker, self.tee, self.directory = broker, tee, directory

    def run(self, image, *flags, event_log=True, tee=None, check=True):
        configuration = self.directory / "aa-config.toml"
        configuration.write_text(f"[eventlog_config]\nenable_eventlog = {str(event_log).lower()}\n")
        return self.broker.coffer("--json", "run", image, "--tee", tee or f"simulated:{self.tee}", "--aa-config", configuration,
                                  *flags, "--", "5", "10", check=check)

    def report(self, image, *flags, **how):
        return report_in(self.run(image, *flags, **how))

    def only(self, digest, domain=DOMAIN, operation="PullImage"):
        policy = self.directory / "events.rego"
        policy.write_text(POLICY.format(domain=domain, operation=operation, digest=digest))
        self.broker.coffer("policy", "set", "resource-policy", policy)


@pytest.fixture(scope="module", params=TEES)
def guest(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param)
    with running_broker(directory, "--allow-tee", f"simulated:{request.param}", "--allow-tee", "sample",
                        settings="\n[coffer.collateral]\noffline = true\n") as broker:
        broker.coffer("policy", "allow-all")
        guest = Guest(broker, request.param, directory)
        # The collateral of the simulated platform, as its first evidence makes it.
        broker.coffer("simulate", "evidence", "--tee", guest.tee, "--report-data", "00", "--output", directory / "first.json")
        yield guest


@pytest.fixture(scope="module")
def images(guest, registry, addition):
    tags = ("good", "other")
    names = [f"{registry}/events-{guest.tee}:{tag}" for tag in tags]
    for name, tag in zip(names, tags, strict=True):
        guest.broker.coffer("image", "push", name, addition, "--encrypt", f"kbs:///default/key/{tag}", "--create-key")
    return names


def test_the_key_is_for_the_image_that_the_event_log_names(guest, images):
    good, other = images
    guest.broker.coffer("policy", "allow-all")
    report = guest.report(good)
    assert [text.split()[1] for text in report["runtime_events"]] == ["PullImage", "StartWorkload"]
    assert report["runtime_events"][0] == f'{DOMAIN} PullImage {{"image":"{good}", "digest":"{report["digest"]}"}}'
    guest.only(report["digest"])
    assert guest.run(good).stdout.startswith("5 + 10 = 15\n")
    assert guest.run(other, check=False).returncode == 122
    assert guest.run(good, event_log=False, check=False).returncode == 122


def test_init_data_is_an_event_too(guest, images, tmp_path):
    init_data = tmp_path / "init-data.toml"
    init_data.write_text('version = "0.1.0"\nalgorithm = "sha256"\n[data]\n')
    guest.only(hashlib.sha256(init_data.read_bytes()).hexdigest(), domain="coffer", operation="InitData")
    assert guest.run(images[0], "--init-data", init_data).stdout.startswith("5 + 10 = 15\n")
    assert guest.run(images[0], check=False).returncode == 122


def test_nothing_is_measured_unless_the_configuration_says_so(guest, images):
    guest.broker.coffer("policy", "allow-all")
    assert "runtime_events" not in guest.report(images[0], event_log=False)


def test_a_tee_without_registers_warns_and_goes_on(guest, images):
    guest.broker.coffer("policy", "allow-all")
    result = guest.run(images[0], tee="sample")
    assert "evidence.no_event_log" in result.stderr
    assert "runtime_events" not in report_in(result)


def test_a_plain_image_is_measured_as_well(guest, registry, addition):
    plain = f"{registry}/events-{guest.tee}:plain"
    guest.broker.coffer("image", "push", plain, addition)
    report = guest.report(plain)
    assert [text.split()[1] for text in report["runtime_events"]] == ["PullImage", "StartWorkload"]
