"""Images as upstream's tools write them, made without a line of ours: ocicrypt's layer cipher, the annotation packets of
each generation, and layouts of any shape."""

import base64
import gzip
import hashlib
import hmac
import io
import json
import os
import tarfile
import urllib.request

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_TAR = "application/vnd.oci.image.layer.v1.tar"
DOCKER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"
FORK_WASM = "application/vnd.wasm.content.layer.v1+wasm"
ENC = "org.opencontainers.image.enc."


def b64(data):
    return base64.b64encode(data).decode()


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def ctr(key, nonce, data):
    cipher = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor()
    return cipher.update(data) + cipher.finalize()


def tar_of(files):
    """A tar of the files, in the given order."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def gzipped(data):
    return gzip.compress(data, mtime=0)


def packet_v1(kek, kid, secret):
    """What coco_keyprovider writes, up to today."""
    iv = os.urandom(12)
    return {"kid": kid, "wrapped_data": b64(AESGCM(kek).encrypt(iv, secret, None)), "iv": b64(iv), "wrap_type": "A256GCM"}


def packet_v2(kek, kid, secret):
    """The superset that the hub reads."""
    return {"version": "0.1.0", "provider": "kbs", "provider_settings": {}, "annotations": {}, **packet_v1(kek, kid, secret)}


def packet_ctr(kek, kid, secret):
    iv = os.urandom(16)
    return {"kid": kid, "wrapped_data": b64(ctr(kek, iv, secret)), "iv": b64(iv), "wrap_type": "A256CTR"}


class Layer:
    """A layer's blob, media type and annotations; `content` is what the diff-id is taken of."""

    def __init__(self, blob, media_type, content=None, annotations=None):
        self.blob, self.media_type, self.annotations = blob, media_type, annotations or {}
        self.content = blob if content is None else content

    def descriptor(self):
        out = {"mediaType": self.media_type, "digest": digest_of(self.blob), "size": len(self.blob)}
        return {**out, "annotations": self.annotations} if self.annotations else out

    def encrypted(self, *packets_for, provider="attestation-agent"):
        """ocicrypt's form of this layer. Each of `packets_for` makes, from the private options, a packet or the text of
        one; several stand in one annotation, joined by commas."""
        key, nonce = os.urandom(32), os.urandom(16)
        sealed = ctr(key, nonce, self.blob)
        public = {"cipher": "AES_256_CTR_HMAC_SHA256", "hmac": b64(hmac.digest(key, sealed, "sha256")), "cipheroptions": {}}
        private = {"symkey": b64(key), "digest": digest_of(self.blob), "cipheroptions": {"nonce": b64(nonce)}}
        secret = json.dumps(private).encode()
        packets = [make(secret) for make in packets_for]
        wraps = ",".join(b64(json.dumps(packet).encode() if isinstance(packet, dict) else packet) for packet in packets)
        annotations = {**self.annotations, ENC + "pubopts": b64(json.dumps(public).encode()),
                       ENC + "keys.provider." + provider: wraps}
        return Layer(sealed, self.media_type + "+encrypted", self.content, annotations)


class Layout:
    """An OCI layout that images and indexes are added to."""

    def __init__(self, directory):
        self.directory, self.blobs = directory, directory / "blobs/sha256"
        self.blobs.mkdir(parents=True)
        (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def add(self, content, media_type):
        (self.blobs / digest_of(content).removeprefix("sha256:")).write_bytes(content)
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    def read(self, digest):
        return (self.blobs / digest.removeprefix("sha256:")).read_bytes()

    def image(self, *layers, manifest_type=OCI_MANIFEST, config_type=OCI_CONFIG, config=None):
        """The descriptor of an image with these layers."""
        diff_ids = [digest_of(layer.content) for layer in layers]
        if config is None:
            config = {"architecture": "wasm", "os": "wasip1", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        for layer in layers:
            self.add(layer.blob, layer.media_type)
        manifest = {"schemaVersion": 2, "mediaType": manifest_type,
                    "config": self.add(json.dumps(config).encode(), config_type),
                    "layers": [layer.descriptor() for layer in layers]}
        return self.add(json.dumps(manifest).encode(), manifest_type)

    def index(self, *entries, media_type=OCI_INDEX):
        """The descriptor of an index; entries are descriptors with their platform."""
        document = {"schemaVersion": 2, "mediaType": media_type, "manifests": list(entries)}
        return self.add(json.dumps(document).encode(), media_type)

    def tag(self, descriptor):
        """Makes `descriptor` what the layout's tag t names. Its reference."""
        entry = {**descriptor, "annotations": {"org.opencontainers.image.ref.name": "t"}}
        (self.directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        return f"oci:{self.directory}:t"


def write_image(directory, *layers, **options):
    """A layout with one image. Its reference."""
    layout = Layout(directory)
    return layout.tag(layout.image(*layers, **options))


def upload(layout, top, registry, repository):
    """Puts all of a layout into a registry, its manifests first those that others name. The reference of `top`."""
    base = f"http://{registry}/v2/{repository}"

    def send(method, url, content=None, media_type="application/octet-stream"):
        request = urllib.request.Request(url, content, {"Content-Type": media_type}, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers

    def put_blob(digest):
        address = send("POST", f"{base}/blobs/uploads/", b"")["Location"]
        send("PUT", f"{address}{'&' if '?' in address else '?'}digest={digest}", layout.read(digest))

    def put_manifest(descriptor, name):
        content = layout.read(descriptor["digest"])
        document = json.loads(content)
        for entry in document.get("manifests", []):
            put_manifest(entry, entry["digest"])
        for blob in [document["config"], *document["layers"]] if "layers" in document else []:
            put_blob(blob["digest"])
        send("PUT", f"{base}/manifests/{name}", content, descriptor["mediaType"])

    put_manifest(top, "t")
    return f"{registry}/{repository}:t"
