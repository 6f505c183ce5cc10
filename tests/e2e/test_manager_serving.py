"""Tasks that go on after their result, through coffer-manager: a component that serves HTTP, without `daemon`."""

import contextlib

import pytest

from conftest import ask, free_port, wait_until
from fleet_peers import CHANNEL, COMPLETED, TENANT, UpstreamWorker
from mosquitto import broker  # noqa: F401  pylint: disable=unused-import
from test_manager import known, manager
from upstream_manager import file_of, running_worker


def test_a_task_that_serves_is_completed_and_can_be_stopped_once(tmp_path, broker, http_handler):  # noqa: F811
    with manager(tmp_path, broker.address) as api, \
            running_worker(broker, tmp_path / "worker", TENANT_ID=TENANT, CHANNEL_ID=CHANNEL, HTTP_ENABLED="true",
                           HTTP_PROXY_PORT=free_port()) as worker:
        known(api)
        task = api.start(name="handler", image_url="", file=file_of(http_handler))
        done = api.wait(task, COMPLETED)
        url = f"http://127.0.0.1:{done['results'].split()[-1]}"
        assert done["lasting"] is True and ask(f"{url}/hello") == (200, b"path: /hello\n")
        assert api.ok("POST", f"/tasks/{task}/stop") == {"stopped": True}
        wait_until(lambda: f'worker.end "the task was stopped" task={task}' in worker.log_text(), "the end of the service")
        with pytest.raises(OSError):
            ask(f"{url}/hello")
        status, document = api.send("POST", f"/tasks/{task}/stop")
        assert status >= 400 and document["code"] == "manager.not_running"
        assert "lasting" not in api.task(task)


def test_a_task_that_has_ended_has_nothing_to_stop(tmp_path, broker):  # noqa: F811
    with manager(tmp_path, broker.address) as api, contextlib.closing(UpstreamWorker(broker.address, lambda start: "1")):
        known(api)
        task = api.start()
        api.wait(task, COMPLETED)
        assert api.send("POST", f"/tasks/{task}/stop")[1]["code"] == "manager.not_running"
