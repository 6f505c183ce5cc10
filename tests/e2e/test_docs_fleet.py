"""docs/fleet.md from its first command to its last, in one shell, with the servers that it starts."""

import re
import shutil
import subprocess
import uuid

from conftest import BIN, ROOT, free_port

TEXT = (ROOT / "docs/fleet.md").read_text()
# A command behind which the next one needs a server that listens.
LISTENS = {"mosquitto -c": "1883", "coffer-manager": "7070", "coffer up": "8080"}


def commands():
    return [line[4:] for line in TEXT.splitlines() if line.startswith("    ")]


def script(ports, registry):
    lines = ["set -eu", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT", "trap 'exit 1' TERM"]
    for command in commands():
        waits = next((port for start, port in LISTENS.items() if command.startswith(start)), None)
        # The one before it has to be gone, for it listens on the same port.
        lines.append(command.replace("kill $manager $worker", "kill $manager $worker; wait $manager $worker"))
        if waits:
            lines.append(f"for i in $(seq 300); do (echo >/dev/tcp/127.0.0.1/{waits}) 2>/dev/null && break; sleep 0.05; done")
    text = "\n".join(lines).replace("listener 1883 127.0.0.1", "listener 1883 127.0.0.1\\nuser root")
    text = text.replace("coffer-worker ", "coffer-worker --metrics-port 0 ").replace("localhost:5000", registry)
    for port, free in ports.items():
        text = text.replace(port, free)
    return text


def test_the_whole_story(tmp_path, registry, addition):
    shutil.copy(addition, tmp_path / "app.wasm")
    ports = {port: str(free_port()) for port in LISTENS.values()}
    name = f"{registry}/story-{uuid.uuid4()}"
    text = script(ports, registry).replace(f"{registry}/add", name)
    environment = {"PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "MANAGER_HTTP_PORT": ports["7070"],
                   "COFFER_MANAGER_URL": f"http://127.0.0.1:{ports['7070']}", "MANAGER_MQTT_ADDRESS": f"tcp://127.0.0.1:{ports['1883']}",
                   "PROPLET_MQTT_ADDRESS": f"tcp://127.0.0.1:{ports['1883']}", "XDG_STATE_HOME": str(tmp_path / "state")}
    (tmp_path / "script").write_text(text)
    # `timeout` asks the shell to end, whose trap then ends what it has started.
    with open(tmp_path / "said", "wb") as said:
        result = subprocess.run(["timeout", "90", "bash", "script"], cwd=tmp_path, stdout=said, stderr=subprocess.STDOUT, timeout=120,
                                check=False, env=environment)
    output = (tmp_path / "said").read_text(errors="replace")
    assert result.returncode == 0, output[-4000:]
    assert len(re.findall(r"Completed .*results=15", output)) == 2, output[-4000:]


def test_the_document_has_commands():
    assert len(commands()) >= 20
