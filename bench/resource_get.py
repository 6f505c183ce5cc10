"""Resource GETs over HTTP under load, with nginx's static files as the floor of what HTTP costs here."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

from measure import Row

BIN = pathlib.Path(os.environ["COFFER_BIN"])
SECONDS = 5


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url):
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer")


def load(url, header=None, connections=16):
    """Requests a second and the 99th percentile in milliseconds, from so many connections for SECONDS."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", url]
    if header:
        command[1:1] = ["-H", header]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text:
        raise RuntimeError(f"{url} answered with errors under load:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return rate, float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def coffer(home, *arguments):
    return subprocess.run([BIN / "coffer", "--home", home, *arguments], check=True, capture_output=True, text=True).stdout


def start_nginx(work, children):
    port = free_port()
    (work / "www").mkdir()
    (work / "www/file").write_bytes(b"x" * 480)
    (work / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; pid {work}/nginx.pid; error_log /dev/null;\nevents {{}}\n"
        f"http {{ access_log off; client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;"
        f" uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;"
        f" server {{ listen 127.0.0.1:{port}; root {work}/www; }} }}\n")
    children.append(subprocess.Popen(["nginx", "-c", work / "nginx.conf"], stderr=subprocess.DEVNULL))
    url = f"http://127.0.0.1:{port}/file"
    wait_for(url)
    return url


def start_broker(work, children):
    home = work / "home"
    coffer(home, "init", "--allow-tee", "sample")
    children.append(subprocess.Popen([BIN / "coffer", "--home", home, "up", "--listen", "127.0.0.1:0"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "RUST_LOG": "error"}))
    url_file = home / "broker.url"
    for _ in range(100):
        if url_file.exists():
            break
        time.sleep(0.05)
    url = url_file.read_text().strip()
    wait_for(url + "/healthz")
    coffer(home, "policy", "allow-all")
    coffer(home, "resource", "set", "default/key/k1", "--random", "32")
    token = coffer(home, "attest", "--tee", "sample").strip()
    return f"{url}/kbs/v0/resource/default/key/k1", f"Authorization: Bearer {token}", children[-1].pid


def peak_kib(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


def bench():
    work = pathlib.Path(tempfile.mkdtemp(prefix="coffer-bench-"))
    work.chmod(0o755)
    children = []
    try:
        floor_url = start_nginx(work, children)
        url, header, pid = start_broker(work, children)
        load(url, header)
        floor, _ = load(floor_url)
        # As many as the machine can serve at once, and twice that: then each waits for another, and the tail is the queue.
        for connections in (8, 16):
            rate, p99 = load(url, header, connections)
            yield Row(f"resource GET over HTTP, {connections} connections", f"{rate:.0f}/s, p99 {p99:.1f} ms",
                      f"{floor:.0f}/s (nginx, static file)", rate / floor, f"{peak_kib(pid) / 1024:.0f} MiB",
                      "3000/s a core, p99 5 ms")
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()
        shutil.rmtree(work, ignore_errors=True)
