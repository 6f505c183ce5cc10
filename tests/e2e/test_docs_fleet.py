"""docs/fleet.md from its first command to its last."""

import re
import shutil
import uuid

from story import Story

LISTENS = {"mosquitto -c": "1883", "coffer-manager": "7070", "coffer up": "8080"}


def test_the_whole_story(tmp_path, registry, addition):
    shutil.copy(addition, tmp_path / "app.wasm")
    story = Story("docs/fleet.md", LISTENS)
    assert len(story.commands) >= 20
    broker, api = f"tcp://127.0.0.1:{story.ports['1883']}", story.ports["7070"]
    output = story.run(tmp_path, {"MANAGER_HTTP_PORT": api, "COFFER_MANAGER_URL": f"http://127.0.0.1:{api}",
                                  "MANAGER_MQTT_ADDRESS": broker, "PROPLET_MQTT_ADDRESS": broker},
                       **{"localhost:5000/add": f"{registry}/story-{uuid.uuid4()}"})
    assert len(re.findall(r"Completed .*results=15", output)) == 2, output[-4000:]
