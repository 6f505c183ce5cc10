"""A registry that misbehaves as it is told."""

from bad_input import MANIFEST, digest_of
from fake_server import Answer, FakeServer, json_answer, serving


def error(status, **headers):
    return json_answer(status, {"errors": [{"code": "X", "message": "as the test wants it"}]}, **headers)


class FakeRegistry(FakeServer):
    """Has `image` under the tag 1, until `answers` says otherwise."""

    def __init__(self, image):
        super().__init__()
        self.manifest = image.seal_manifest()
        self.healthy = {"/v2/demo/manifests/1": [Answer(200, self.manifest, {"Content-Type": MANIFEST})]}
        self.healthy[f"/v2/demo/manifests/{digest_of(self.manifest)}"] = self.healthy["/v2/demo/manifests/1"]
        for digest, content in image.blobs.items():
            self.healthy[f"/v2/demo/blobs/{digest}"] = [Answer(200, content, {"Accept-Ranges": "bytes"})]

    def blob_path(self, content):
        return f"/v2/demo/blobs/{digest_of(content)}"

    def manifest_answers(self, *answers):
        self.answers["/v2/demo/manifests/1"] = list(answers)

    @property
    def reference(self):
        return f"{self.host}/demo:1"


def fake_registry(image):
    return serving(FakeRegistry(image))
