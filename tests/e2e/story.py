"""A document that is one story: all its commands as one script in one shell, with the servers that they start."""

import re
import subprocess

from conftest import BIN, ROOT, free_port


class Story:
    """`listens`: how a command begins behind which the next one needs a server that listens, and the port in the text."""

    def __init__(self, document, listens):
        self.commands = [line[4:] for line in (ROOT / document).read_text().splitlines() if line.startswith("    ")]
        self.listens = listens
        self.ports = {port: str(free_port()) for port in listens.values()}

    def script(self, **replacements):
        lines = ["set -eu", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT", "trap 'exit 1' TERM"]
        for command in self.commands:
            # Those before have to be gone, for others listen on the same ports.
            lines.append(re.sub(r"^kill (.*)$", r"kill \1; wait \1", command))
            waits = next((port for start, port in self.listens.items() if command.startswith(start)), None)
            if waits:
                lines.append(f"for i in $(seq 300); do (echo >/dev/tcp/127.0.0.1/{waits}) 2>/dev/null && break; sleep 0.05; done")
        text = "\n".join(lines).replace("listener 1883 127.0.0.1", "listener 1883 127.0.0.1\\nuser root")
        text = text.replace("coffer-worker ", "coffer-worker --metrics-port 0 ")
        for word, other in {**replacements, **self.ports}.items():
            text = text.replace(word, other)
        return text

    def run(self, directory, environment, **replacements):
        """What it printed; all commands have to succeed."""
        (directory / "script").write_text(self.script(**replacements))
        everywhere = {"PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(directory),
                      "XDG_STATE_HOME": str(directory / "state"), "PROPLET_LAYER_STORE_PATH": str(directory / "layers")}
        # `timeout` asks the shell to end, whose trap then ends what it has started.
        with open(directory / "said", "wb") as said:
            result = subprocess.run(["timeout", "90", "bash", "script"], cwd=directory, stdout=said, stderr=subprocess.STDOUT,
                                    timeout=120, check=False, env={**everywhere, **environment})
        output = (directory / "said").read_text(errors="replace")
        assert result.returncode == 0, output[-4000:]
        return output
