"""`coffer fleet watch` without ids: the whole fleet, on a terminal, in a pipe and as JSON."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from conftest import BIN, run, wait_until
from fleet_peers import COMPLETED, FAILED, UpstreamWorker
from mosquitto import broker  # noqa: F401  pylint: disable=unused-import
from test_manager import known, manager


def answer(start):
    if start["name"] == "broken":
        raise ValueError("no such function")
    return "30" if start["name"] == "add" else None


@pytest.fixture(name="fleet")
def fleet_fixture(tmp_path, broker):  # noqa: F811
    with manager(tmp_path, broker.address) as api:
        worker = UpstreamWorker(broker.address, answer)
        api.worker = worker
        known(api)
        yield api
        worker.close()


def command(api, *arguments):
    return [str(argument) for argument in (BIN / "coffer", "fleet", "-m", api.url, *arguments)]


def work(api):
    api.wait(api.start(), COMPLETED)
    api.wait(api.start(name="broken"), FAILED)


def test_one_look(fleet):
    work(fleet)
    text = run(*command(fleet, "watch", "--once")).stdout
    assert "1 alive, 0 proven" in text and "0 running, 0 queued" in text
    assert "1 completed, 1 failed" in text
    assert fleet.worker.id in text and "no such function" in text
    document = json.loads(run(*command(fleet, "--json", "watch", "--once")).stdout)
    assert document["tasks"]["completed"] == 1 and document["proplets"][0]["id"] == fleet.worker.id
    assert document["failures"][0]["name"] == "broken"


@contextlib.contextmanager
def watching(*arguments, **options):
    def heed_interrupts():  # who runs the tests in the background ignores them, and hands that on
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=heed_interrupts, **options) as child:
        lines = []
        os.set_blocking(child.stdout.fileno(), False)

        def read():
            lines.extend(child.stdout.readlines())
            return lines

        yield child, read
        if child.poll() is None:
            child.kill()


def test_a_line_for_each_change_in_a_pipe_and_status_0_at_its_end(fleet):
    with watching(*command(fleet, "watch", "--interval", "0.05")) as (child, read):
        wait_until(lambda: any(fleet.worker.id in line and "alive" in line for line in read()), "the worker")
        work(fleet)
        wait_until(lambda: any("1 completed, 1 failed" in line for line in read()), "the ends")
        wait_until(lambda: any(line.startswith("failed ") and "no such function" in line for line in read()), "the failure")
        said = len(read())
        fleet.worker.beat("offline")
        wait_until(lambda: any("silent" in line for line in read()), "its silence")
        assert len([line for line in read()[:said] if line.startswith("worker")]) == 1  # nothing is said twice
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 0
        assert "\x1b" not in "".join(read())


def test_json_lines_where_something_changed(fleet):
    with watching(*command(fleet, "--json", "watch", "--interval", "0.05")) as (child, read):
        wait_until(read, "the first line")
        work(fleet)
        last = wait_until(lambda: read() and (document := json.loads(read()[-1]))["tasks"]["failed"] == 1 and document, "the end")
        assert last["tasks"]["completed"] == 1
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0


def test_a_manager_that_goes_away_is_waited_for(fleet):
    with watching(*command(fleet, "watch", "--interval", "0.05")) as (child, read):
        wait_until(lambda: any("alive" in line for line in read()), "the worker")
        fleet.process.terminate()
        fleet.process.wait(20)
        wait_until(lambda: select.select([child.stderr], [], [], 0)[0], "the trouble")
        assert child.poll() is None
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 0
        assert child.stderr.read().count("coffer:") == 1
    away = run(*command(fleet, "watch"), check=False)
    assert away.returncode == 1 and "net.refused" in away.stderr


class Terminal:
    """A command on a terminal of 80 columns and 24 rows."""

    def __init__(self, arguments):
        self.child, self.descriptor = pty.fork()
        if self.child == 0:
            os.execve(arguments[0], arguments, {**os.environ, "TERM": "xterm"})
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.output = ""

    def read(self):
        while select.select([self.descriptor], [], [], 0)[0]:
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:
                break
            if not data:
                break
            self.output += data.decode()
        return self.output

    def page(self):
        """The last page that was drawn whole, as rows."""
        pages = [page for page in self.read().split("\x1b[H")[1:] if "\x1b[J" in page]
        return pages[-1].split("\x1b[J")[0].replace("\x1b[K", "").split("\r\n") if pages else []


def test_a_page_on_a_terminal_fits_and_is_drawn_again(fleet):
    terminal = Terminal(command(fleet, "watch", "--interval", "0.1"))
    wait_until(lambda: any(fleet.worker.id in row for row in terminal.page()), "the worker's row")
    work(fleet)
    wait_until(lambda: any("1 completed" in row and "1 failed" in row for row in terminal.page()), "the ends")
    for number in range(40):
        fleet.start(name="broken", metadata={"n": number})
    wait_until(lambda: any("41 failed" in row for row in terminal.page()), "more failures")
    page = terminal.page()
    assert len(page) <= 24 and max(len(row) for row in page) <= 80, page
    assert page[0].startswith("coffer fleet watch") and any("more" in row for row in page)
    row = next(row for row in page if fleet.worker.id in row)
    assert re.search(r"\byes\b", row) and "LOAD" in page[page.index(row) - 1]
    os.kill(terminal.child, signal.SIGINT)
    deadline = time.monotonic() + 20
    status = None
    while status is None and time.monotonic() < deadline:
        terminal.read()
        done, code = os.waitpid(terminal.child, os.WNOHANG)
        status = os.waitstatus_to_exitcode(code) if done else None
    assert status == 0
    assert terminal.read().rstrip().endswith("\x1b[?25h\x1b[?1049l")  # the terminal is as it was
    os.close(terminal.descriptor)


def test_a_task_that_is_watched_may_be_left_by_ctrl_c(fleet):
    """Status of the signal: what was asked for did not come about."""
    task = fleet.start(name="long")
    with watching(*command(fleet, "watch", task, "--interval", "0.05")) as (child, read):
        wait_until(lambda: any("Running" in line for line in read()), "its state")
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == -signal.SIGINT
