"""Fixtures of the end-to-end tests: real programs of this build, real servers on free ports, own directories."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("COFFER_BIN", ROOT / "build/release/bin"))
CACHE = pathlib.Path(os.environ.get("COFFER_CACHE", pathlib.Path.home() / ".cache/coffer"))


@pytest.fixture(scope="session", autouse=True)
def own_user_folders(tmp_path_factory):
    """The programs' caches and state go where the tests' other files are, not into the user's folders."""
    for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        os.environ[variable] = str(tmp_path_factory.mktemp(variable.lower()))


def run(*command, check=True, timeout=60, env=None, cwd=None, stdin=None):
    """Runs a program to its end and returns it with text output; a failure shows both streams."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout, cwd=cwd,
                            env={**os.environ, **(env or {})}, input=stdin)
    if check and result.returncode != 0:
        raise AssertionError(f"{command} ended with {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result


def wait_until(condition, what, seconds=15):
    """Polls until condition() is true; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def http_ok(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def process(*command, log, env=None, cwd=None):
    """A server that runs while the block does; its output goes to the file `log`."""
    with open(log, "wb") as output:
        child = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT,
                                 env={**os.environ, **(env or {})}, cwd=cwd)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


class Broker:
    """A running `coffer up` with its home."""

    def __init__(self, home, url, log):
        self.home, self.url, self.log = home, url, log

    def coffer(self, *arguments, **options):
        return run(BIN / "coffer", "--home", self.home, *arguments, **options)

    def json(self, *arguments, **options):
        return json.loads(self.coffer("--json", *arguments, **options).stdout)

    def measure_simulated(self, tee, simulator=None):
        """Reference values of the simulated machine as it is now, as an owner sets them who measured a good one."""
        evidence = self.home / f"{tee}-evidence.json"
        simulator = simulator or self.home / "simulator"
        self.coffer("simulate", "evidence", "--tee", tee, "--report-data", "00" * 48, "--output", evidence)
        collateral = ["--collateral", simulator / "dcap-collateral.json"] if "tdx" in tee or tee == "sgx" else []
        self.coffer("reference", "from-evidence", "--tee", f"simulated:{tee}", evidence, "--set", "--simulator-root",
                    simulator / "root.pem", *collateral)


@contextlib.contextmanager
def running_broker(directory, *init_arguments, settings=""):
    """`settings`: TOML behind what `coffer init` writes, or a function that makes one text of the other."""
    home = directory / "home"
    run(BIN / "coffer", "--home", home, "init", *init_arguments)
    configuration = home / "broker.toml"
    written = configuration.read_text()
    configuration.write_text(settings(written) if callable(settings) else written + settings)
    log = directory / "broker.log"
    with process(BIN / "coffer", "--home", home, "up", "--listen", "127.0.0.1:0", log=log):
        url_file = home / "broker.url"
        wait_until(url_file.exists, "the broker's start")
        url = url_file.read_text().strip()
        wait_until(lambda: http_ok(url + "/healthz"), "the broker's health")
        yield Broker(home, url, log)


@contextlib.contextmanager
def kbs(directory, config_text, name="kbs"):
    """coffer-kbs with a configuration in which {port} stands for a free port. Yields its URL."""
    port = free_port()
    config = directory / f"{name}.toml"
    config.write_text(config_text.replace("{port}", str(port)).replace("{dir}", str(directory)))
    with process(BIN / "coffer-kbs", "--config-file", config, log=directory / f"{name}.log",
                 env={"RUST_LOG": "info"}) as child:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: http_ok(url + "/healthz") or child.poll() is not None, f"{name}'s start")
        if child.poll() is not None:
            raise AssertionError((directory / f"{name}.log").read_text())
        yield url


@pytest.fixture
def broker(tmp_path):
    """A broker that takes sample evidence, with upstream's default policies."""
    with running_broker(tmp_path, "--allow-tee", "sample") as running:
        yield running


@pytest.fixture
def snp_broker(tmp_path):
    """A broker that takes simulated SNP machines and knows what the good one measures; only an affirming verdict gets keys."""
    with running_broker(tmp_path, "--allow-tee", "simulated:snp") as running:
        running.measure_simulated("snp")
        running.coffer("policy", "affirming")
        yield running


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    """docker-registry on a free port, HOST:PORT."""
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed")
    directory = tmp_path_factory.mktemp("registry")
    config = directory / "config.yml"
    (directory / "data").mkdir()
    port = free_port()
    config.write_text("version: 0.1\nlog: {level: warn}\n"
                      f"storage: {{filesystem: {{rootdir: {directory}/data}}, delete: {{enabled: true}}}}\n"
                      f'http: {{addr: "127.0.0.1:{port}"}}\n')
    with process("docker-registry", "serve", config, log=directory / "log"):
        wait_until(lambda: http_ok(f"http://127.0.0.1:{port}/v2/"), "the registry's start")
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def compile_guest(tmp_path_factory):
    """Compiles C to a WASI command: compile_guest(name, source) -> path."""
    directory = tmp_path_factory.mktemp("guests")

    def compile_source(name, source):
        target = directory / f"{name}.wasm"
        if not target.exists():
            text = directory / f"{name}.c"
            text.write_text(source)
            run("clang-19", "--target=wasm32-wasi", "--sysroot=/usr", "-O2", "-o", target, text)
        return target

    return compile_source


@pytest.fixture(scope="session")
def addition(compile_guest):
    """The demonstration's module."""
    return compile_guest("addition", (ROOT / "examples/addition.c").read_text())


def component_of_jco(work, source, wit, world):
    """A component made of C by another tool than ours; skips where that is not there."""
    jco = CACHE / "jco/node_modules/@bytecodealliance/jco/dist/api.js"
    if not jco.exists():
        pytest.skip("jco was not installed (npm is missing)")
    run("clang-19", "--target=wasm32-unknown-unknown", "-O2", "-nostdlib", "-Wl,--no-entry", "-Wall", "-Werror",
        "-I", ROOT / "tests/interop/component", "-o", work / "core.wasm", source)
    run("node", ROOT / "tests/interop/component/componentize.mjs", jco, work / "core.wasm", wit, work / "component.wasm", world,
        timeout=120)
    return work / "component.wasm"


@pytest.fixture(scope="session")
def http_handler(tmp_path_factory):
    """A component that handles HTTP requests; see handler.c for what it answers."""
    here = ROOT / "tests/interop/http_handler"
    return component_of_jco(tmp_path_factory.mktemp("handler"), here / "handler.c", here / "handler.wit", "handler")


def ask(url, data=None):
    """Status and body of a GET, or of a POST with data, whatever the status."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def strip_ansi(text):
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
