"""The commands of docs/manager.md, in their order, at a real manager with a worker."""

import contextlib
import os
import re
import shlex
import subprocess

from conftest import BIN, ROOT, free_port, http_ok, process, wait_until
from fleet_peers import CHANNEL, TENANT, Api, UpstreamWorker
from mosquitto import broker  # noqa: F401  pylint: disable=unused-import

TEXT = (ROOT / "docs/manager.md").read_text()


def commands():
    return [line[4:] for line in TEXT.splitlines() if re.match(r"^    (curl|printf|coffer-manager) ", line)]


def test_commands(tmp_path, broker):  # noqa: F811
    (tmp_path / "users.toml").write_text(re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL).group(1))
    port = free_port()
    environment = {"MANAGER_TENANT_ID": TENANT, "MANAGER_CHANNEL_ID": CHANNEL, "MANAGER_ENTITY_ID": "m",
                   "MANAGER_API_KEY": "k", "MANAGER_HTTP_PORT": str(port)}
    answers = {}
    with contextlib.ExitStack() as stack:
        for command in commands():
            if command.startswith("coffer-manager"):
                command = command.replace("tcp://localhost:1883", broker.address).removesuffix(" &")
                program, *arguments = shlex.split(command)
                stack.enter_context(process(BIN / program, *arguments, log=tmp_path / "log", env=environment, cwd=tmp_path))
                wait_until(lambda: http_ok(f"http://127.0.0.1:{port}/health"), "the manager's start")
                worker = UpstreamWorker(broker.address, lambda start: "30")
                stack.callback(worker.close)
                api = Api(f"http://127.0.0.1:{port}", "my-secret-token")
                wait_until(lambda: api.ok("GET", "/proplets?status=active")["total"] == 1, "the worker")
                continue
            shell = command.replace("localhost:7070", f"127.0.0.1:{port}").replace("curl -s", "curl -sS --fail-with-body")
            result = subprocess.run(["bash", "-c", shell], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                                    check=False, env=dict(os.environ))
            assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
            answers[command] = result.stdout
    first, *_ = answers.values()
    assert re.search(r'sha256 = "(\w+)"', TEXT).group(1) == first.split()[0]
    assert any('"started":true' in answer for answer in answers.values())


def test_the_document_has_commands():
    assert len(commands()) >= 9
