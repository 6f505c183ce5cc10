"""Every command in the documents is run: a document that no longer works fails here.

An indented line of a Markdown file that begins with a program's name is a command. Commands of one document run in their
order, in one folder, with the addresses and files that the text takes for granted put in place.
"""

import os
import re
import shutil
import subprocess
import uuid

import pytest

import cosign
from conftest import BIN, ROOT, run, running_broker

PROGRAMS = ("coffer", "coffer-run", "coffer-kbs", "coffer-as", "coffer-worker", "coffer-proxy", "coffer-aggregator", "./run", "cmake", "ninja", "make")
# Run by the lanes themselves, or by another test; a command of these kinds in a document needs no run of its own here.
ELSEWHERE = {
    r"\./run (demo|test|build|lint|bench|help|install|setup)\b.*": "the lanes, test_demo.py and the test of install below",
    r"cmake --preset dev": "the build of the lanes, by another preset",
    r"ninja -C build/dev .*": "the build of the lanes, by another preset",
    r"make (background-check-kbs|cli)": "seed_000_solutions.py",
    r"coffer init.*": "the fixture makes the home",
    r"coffer up.*": "the fixture runs the broker",
    r"coffer simulate serve .*": "test_collateral.py runs it for longer than a command",
    r"coffer-worker (?!.*--(check|help)).*": "test_worker.py runs workers",
    r"coffer-proxy (?!.*--(check|help)).*": "test_proxy.py runs proxies",
    r"coffer-aggregator (?!.*--(check|help)).*": "test_docs_federated.py",
    r"coffer fleet (?!provision|group-key).*": "test_fleet_command.py, at a manager with a worker",
    r"coffer vm run machine .*": "test_vm.py boots such a machine",
    r"coffer vm run worker .*": "seed_002_vm.py boots such a machine",
    r"coffer reference set tpm_pcr00 .*": "test_vm.py boots such a machine",
}
# One story each, run as one script by tests of their own.
STORIES = ("fleet.md", "federated.md")
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md",
                    *(path for path in (ROOT / "docs").glob("*.md") if path.name not in STORIES)])


def commands_of(document):
    """Indented lines and shell blocks that begin with one of our programs, without comments; continued lines joined."""
    text = document.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        match = re.match(r"^(?:    |\$ )(.*)$", line)
        command = re.sub(r"\s+#.*$", "", match.group(1)).strip() if match else ""
        if command and command.split()[0] in PROGRAMS:
            yield re.sub(r"\s+&$", "", command)


def elsewhere(command):
    return any(re.fullmatch(pattern, command) for pattern in ELSEWHERE)


@pytest.fixture
def scene(tmp_path, registry, addition):
    """What the documents take for granted: a broker that plays, a registry with an image, app.wasm, a policy file."""
    shutil.copy(addition, tmp_path / "app.wasm")
    (tmp_path / "my.rego").write_text("package policy\ndefault allow := true\n")
    (tmp_path / "config.toml").write_text("".join(
        f'[{section}]\ntenant_id = "t"\nentity_id = "{uuid.uuid4()}"\napi_key = "k"\nchannel_id = "c"\n'
        for section in ("manager", "proplet", "proxy")))
    shutil.copy(ROOT / "config/background-check.toml", tmp_path / "kbs-config.toml")
    (tmp_path / "init-data.toml").write_text('version = "0.1.0"\nalgorithm = "sha256"\n[data]\n')
    signing = cosign.Key()
    (tmp_path / "sign.key").write_text(signing.private_pem())
    (tmp_path / "sign.pub").write_text(signing.public_pem())
    with running_broker(tmp_path, "--allow-tee", "sample") as broker:
        broker.coffer("image", "push", f"{registry}/demo:1", addition, "--encrypt", "kbs:///default/key/scene", "--create-key")
        yield broker, tmp_path, registry


def adapt(command, broker, registry):
    command = command.replace("localhost:5000", registry).replace("http://127.0.0.1:8080", broker.url)
    command = command.replace("http://10.0.2.2:8082", broker.url)
    return re.sub(r"^(coffer\S*)", lambda match: str(BIN / match.group(1)), command)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands(document, scene):
    broker, directory, registry = scene
    commands = [command for command in commands_of(document) if not elsewhere(command)]
    for command in commands:
        result = subprocess.run(["bash", "-c", adapt(command, broker, registry)], cwd=directory, capture_output=True, text=True,
                                timeout=60, env={**os.environ, "COFFER_HOME": str(broker.home)})
        assert result.returncode == 0, f"{document.name}: {command}\n{result.stdout}{result.stderr}"


def test_the_documents_have_commands_at_all():
    assert sum(len(list(commands_of(document))) for document in DOCUMENTS) > 20


def test_install_lays_out_programs_and_upstream_names(tmp_path):
    run(ROOT / "tools/install", tmp_path / "prefix")
    for name in ("kbs", "resource-kbs", "tee-wasm-runner", "proplet"):
        assert "0.1.0" in run(tmp_path / "prefix/libexec/coffer/compat" / name, "--version").stdout
