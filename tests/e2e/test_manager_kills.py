"""coffer-manager and coffer-worker killed where it hurts: between what they have heard and what they have written down.

Nothing in the programs helps: the store is held by another process, the MQTT broker is stopped by a signal, or the kill comes
at a time of its own, many times over.
"""

import contextlib
import random
import re
import signal
import sqlite3
import threading
import uuid

import pytest

from conftest import wait_until
from fleet_peers import CHANNEL, COMPLETED, FAILED, RUNNING, TENANT, UpstreamWorker
from mosquitto import Broker, running
from test_manager import known, manager, postgres
from test_worker import MODULE
from upstream_manager import running_worker

QUICK = {"MANAGER_CLAIM_LIFETIME": "1s", "MANAGER_ALIVE_TIMEOUT": "4s", "MANAGER_LOST_AFTER": "4s"}


@pytest.fixture
def talkative(tmp_path):
    """A broker that says which messages it has passed on."""
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\nlog_type all\nmax_queued_messages 0\n")) as started:
        yield started


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def store_held(directory):
    """Nobody else can write to the manager's SQLite file."""
    with contextlib.closing(sqlite3.connect(directory / "manager.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def passed_on(mqtt, client, topic):
    return len(re.findall(rf"Sending PUBLISH to {client} \(d\d, q\d, r\d, m\d+, '[^']*{topic}'", mqtt.log))


@contextlib.contextmanager
def real_worker(mqtt, directory, name="worker", **variables):
    with running_worker(mqtt, directory / name, TENANT_ID=TENANT, CHANNEL_ID=CHANNEL, **variables) as started:
        yield started


def runs(worker):
    """How often each task was run by a worker."""
    found = {}
    for task in re.findall(r"worker\.start .*?task=([0-9a-f-]{36})", worker.log_text()):
        found[task] = found.get(task, 0) + 1
    return found


def test_results_that_were_delivered_and_not_committed_come_again(tmp_path, talkative):
    worker = UpstreamWorker(talkative.address)
    with manager(tmp_path, talkative.address) as api:
        known(api)
        tasks = [api.start() for _ in range(30)]
        wait_until(lambda: len(worker.starts) == 30, "the starts")
        with store_held(tmp_path):
            for task in tasks:
                worker.result(task, f"result of {task}", wait=True)
            wait_until(lambda: passed_on(talkative, "manager", "/results") >= 8, "their delivery")
            kill(api.process)
    with manager(tmp_path, talkative.address) as api:
        for task in tasks:
            assert api.wait(task, COMPLETED)["results"] == f"result of {task}"
    assert sorted(start["id"] for start in worker.starts) == sorted(tasks)
    worker.close()


def test_a_manager_killed_amid_results_twenty_times_loses_none(tmp_path, talkative):
    """Each kill comes at a random time after the first of thirty results."""
    chance = random.Random(7)
    worker = UpstreamWorker(talkative.address)
    tasks = []
    for _ in range(20):
        with manager(tmp_path, talkative.address) as api:
            known(api)
            for task in tasks:
                assert api.wait(task, COMPLETED)["results"] == f"result of {task}"
            before = len(worker.starts)
            tasks = [api.start() for _ in range(30)]
            wait_until(lambda before=before: len(worker.starts) == before + 30, "the starts")
            answering = threading.Thread(target=lambda tasks=tasks: [worker.result(task, f"result of {task}", wait=True)
                                                                     for task in tasks])
            timer = threading.Timer(chance.uniform(0, 0.06), lambda api=api: api.process.send_signal(signal.SIGKILL))
            answering.start()
            timer.start()
            api.process.wait()
            answering.join()
    with manager(tmp_path, talkative.address) as api:
        for task in tasks:
            api.wait(task, COMPLETED)
    seen = [start["id"] for start in worker.starts]
    assert len(seen) == len(set(seen)) == 600
    worker.close()


def test_a_store_that_is_away_for_longer_than_the_broker_has_patience_loses_no_result(tmp_path, talkative):
    """Nothing is sent while results wait for the store, so the broker ends the connection; on the next one they come again."""
    worker = UpstreamWorker(talkative.address)
    with manager(tmp_path, talkative.address, env={"MANAGER_MQTT_KEEP_ALIVE": "5s"}) as api:
        known(api)
        tasks = [api.start() for _ in range(5)]
        wait_until(lambda: len(worker.starts) == 5, "the starts")
        with store_held(tmp_path):
            for task in tasks:
                worker.result(task, f"result of {task}", wait=True)
            wait_until(lambda: api.log.read_text().count("fleet.broker_connected") >= 2, "the next connection", 60)
        for task in tasks:
            assert api.wait(task, COMPLETED, 30)["results"] == f"result of {task}"
        tasks.append(api.start())
        wait_until(lambda: len(worker.starts) == 6, "one more start")
    assert sorted(start["id"] for start in worker.starts) == sorted(tasks)
    worker.close()


def test_a_manager_killed_before_its_start_reached_the_broker_has_it_published_by_the_next(tmp_path, talkative):
    with real_worker(talkative, tmp_path) as worker, contextlib.ExitStack() as stack:
        with manager(tmp_path, talkative.address, env=QUICK) as api:
            known(api)
            tasks = [api.create(name="add", image_url="", file=MODULE, inputs=[1, 2]) for _ in range(5)]
            talkative.process.send_signal(signal.SIGSTOP)
            stack.callback(talkative.process.send_signal, signal.SIGCONT)
            for task in tasks:
                api.ok("POST", f"/tasks/{task}/start")
                assert api.task(task)["state"] == RUNNING
            kill(api.process)
        stack.close()
        with manager(tmp_path, talkative.address, env=QUICK) as api:
            for task in tasks:
                assert api.wait(task, COMPLETED, 30)["results"] == "3"
        assert runs(worker) == dict.fromkeys(tasks, 1)


def test_a_manager_killed_before_it_wrote_down_that_a_start_arrived_has_it_published_again_and_run_once(tmp_path, talkative):
    with real_worker(talkative, tmp_path) as worker:
        with manager(tmp_path, talkative.address, env=QUICK) as api:
            known(api)
            # What the worker runs spins until it is stopped, so that it is still there when the start comes again.
            task = api.start(name="spin", image_url="", file=MODULE)
            with store_held(tmp_path):
                wait_until(lambda: runs(worker) == {task: 1}, "its start")
                kill(api.process)
        with manager(tmp_path, talkative.address, env=QUICK) as api:
            wait_until(lambda: passed_on(talkative, worker.id, "/start") >= 2, "the second start", 20)
            assert api.task(task)["state"] == RUNNING
            api.ok("POST", f"/tasks/{task}/stop")
            assert api.wait(task, FAILED)["code"] == "manager.stopped"
        assert runs(worker) == {task: 1}


def submit(api, count, made):
    """Makes and starts tasks until the manager is gone."""
    with contextlib.suppress(OSError, AssertionError):
        for number in range(count):
            task = api.create(name="add", image_url="", file=MODULE, inputs=[number, 1], on_unavailable="wait")
            made[task] = str(number + 1)
            api.ok("POST", f"/tasks/{task}/start")


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_manager_killed_at_any_time_of_a_dispatch_loses_nothing_and_runs_nothing_twice(tmp_path, talkative, store):
    chance = random.Random(store)
    made = {}
    with contextlib.ExitStack() as stack:
        settings = QUICK | (stack.enter_context(postgres(tmp_path)) if store == "postgres" else {})
        worker = stack.enter_context(real_worker(talkative, tmp_path, MAX_TASKS="4"))
        for _ in range(8):
            with manager(tmp_path, talkative.address, env=settings) as api:
                known(api)
                threads = [threading.Thread(target=submit, args=(api, 40, made)) for _ in range(3)]
                for thread in threads:
                    thread.start()
                timer = threading.Timer(chance.uniform(0.01, 0.4), lambda api=api: api.process.send_signal(signal.SIGKILL))
                timer.start()
                for thread in threads:
                    thread.join()
                timer.join()
                api.process.wait()
        with manager(tmp_path, talkative.address, env=settings) as api:
            # What was made and not started is its maker's to start again.
            for task in made:
                if api.task(task)["state"] == 0:
                    api.ok("POST", f"/tasks/{task}/start")
            for task, expected in made.items():
                assert api.wait(task, COMPLETED, 60)["results"] == expected
        assert runs(worker) == dict.fromkeys(made, 1)


def test_a_task_whose_worker_is_killed_fails_with_the_reason_or_is_tried_again_as_asked(tmp_path, talkative):
    with manager(tmp_path, talkative.address, env=QUICK) as api, contextlib.ExitStack() as stack:
        first = stack.enter_context(real_worker(talkative, tmp_path, "first", TAGS="doomed"))
        known(api)
        lost = api.start(name="spin", image_url="", file=MODULE)
        again = api.start(name="spin", image_url="", file=MODULE, retries=1)
        wait_until(lambda: len(runs(first)) == 2, "their starts")
        second = stack.enter_context(real_worker(talkative, tmp_path, "second"))
        kill(first.child)
        done = api.wait(lost, FAILED, 30)
        assert done["code"] == "manager.worker_lost" and first.id in done["error"]
        wait_until(lambda: runs(second) == {again: 1}, "the second attempt", 30)
        running_now = api.task(again)
        assert running_now["state"] == RUNNING and running_now["proplet_id"] == second.id and running_now["attempt"] == 2
        assert first.id in running_now["error"]
        api.ok("POST", f"/tasks/{again}/stop")
        assert api.wait(again, FAILED)["code"] == "manager.stopped"


def test_what_a_lost_worker_says_at_last_does_not_end_anothers_run(tmp_path, talkative):
    """A result of a run that was given up does not end the next one of another worker."""
    with manager(tmp_path, talkative.address, env=QUICK) as api:
        first = UpstreamWorker(talkative.address, worker_id=str(uuid.uuid4()))
        known(api)
        task = api.start(retries=1)
        wait_until(lambda: first.starts, "the start")
        first.stopping.set()  # it beats no more
        second = UpstreamWorker(talkative.address, interval=1)
        wait_until(lambda: second.starts, "the second attempt", 30)
        first.result(task, "of the first", wait=True)
        second.result(task, "of the second", wait=True)
        assert api.wait(task, COMPLETED)["results"] == "of the second"
        second.close()
        first.close()
