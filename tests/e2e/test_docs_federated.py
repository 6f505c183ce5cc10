"""docs/federated.md from its first command to its last."""

import json
import re
import shutil
import uuid

from story import Story

LISTENS = {"coffer up": "8080", "coffer-aggregator --kbs-uri http://127.0.0.1:8080 --tee": "8086", "mosquitto -c": "1883",
           "coffer-manager": "7070"}
TRAINER = '#include <stdio.h>\nint main(void) { printf("{\\"num_samples\\":2,\\"update\\":{\\"w\\":[1,2,3],\\"b\\":4}}"); }'


def test_the_whole_story(tmp_path, registry, compile_guest):
    shutil.copy(compile_guest("doc-trainer", TRAINER), tmp_path / "trainer.wasm")
    story = Story("docs/federated.md", LISTENS)
    assert len(story.commands) >= 20
    broker = f"tcp://127.0.0.1:{story.ports['1883']}"
    output = story.run(tmp_path, {"MANAGER_HTTP_PORT": story.ports["7070"], "AGGREGATOR_HTTP_PORT": story.ports["8086"],
                                  "MANAGER_MQTT_ADDRESS": broker, "PROPLET_MQTT_ADDRESS": broker},
                       **{"localhost:5000/trainer": f"{registry}/trainer-{uuid.uuid4()}", "sleep 1;": "sleep 0.1;"})
    model = re.search(r'\{"w":.*"version":1\}', output)
    assert model and json.loads(model.group()) == {"w": [1, 2, 3], "b": 4, "version": 1}, output[-4000:]
    assert '"num_updates": 2' in output and "the configuration is valid" in output
