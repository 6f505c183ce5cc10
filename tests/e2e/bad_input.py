"""What the bad-input tests share: the shape of a clean failure, and images made by hand so that one thing can be wrong."""

import base64
import copy
import gzip
import hashlib
import hmac
import io
import json
import os
import tarfile

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wasmtime import wat2wasm

from conftest import BIN, run

KEK = bytes(range(32))
KID = "kbs:///default/key/k1"

# The text "canary" stands in the module, so that a plaintext left anywhere is found by it.
CANARY = b"the canary of the bad-input tests"
MODULE = bytes(wat2wasm(f"""(module
  (memory (export "memory") 1)
  (data (i32.const 0) "{CANARY.decode()}")
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"""))

WASM_LAYER = "application/wasm"
TAR_LAYER = "application/vnd.oci.image.layer.v1.tar"
GZIP_LAYER = TAR_LAYER + "+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
WASM_CONFIG = "application/vnd.wasm.config.v0+json"

PROVIDER = "org.opencontainers.image.enc.keys.provider.attestation-agent"
PUBLIC_OPTIONS = "org.opencontainers.image.enc.pubopts"


def coffer_run(image, *arguments, **options):
    """coffer-run --invoke add 40 2. Only errors are logged, so a failure is one line."""
    environment = {"RUST_LOG": "error", **options.pop("env", {})}
    return run(BIN / "coffer-run", "--image-reference", image, "--invoke", "add", "--wasm-args", "40", "--wasm-args", "2",
               *arguments, check=False, timeout=30, env=environment, **options)


def assert_runs(result):
    assert result.returncode == 0, result.stderr
    assert result.stdout == "42\n"


def assert_fails(result, code, status, *words):
    """The runner ended by itself with `status`, printed nothing, and said one line that begins with the code."""
    assert result.returncode == status, (result.returncode, result.stderr)
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith(f"coffer-run: {code}: "), lines[0]
    assert len(lines[0]) > len(f"coffer-run: {code}: ") + 10
    for word in words:
        assert word in lines[0]


def assert_coffer_fails(result, code, *words):
    """The same of the coffer command line, which gives the code a line of its own."""
    assert result.returncode == 1, (result.returncode, result.stderr)
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert [line for line in lines if line.startswith("coffer: ")] == lines[:1], result.stderr
    assert [line.strip() for line in lines if line.strip().startswith("code: ")] == [f"code: {code}"], result.stderr
    for word in words:
        assert word in lines[0]


def assert_no_plaintext(directory, canary=CANARY):
    for folder, _, files in os.walk(directory):
        for name in files:
            path = os.path.join(folder, name)
            assert ".partial" not in name, f"{path} was left behind"
            with open(path, "rb") as stream:
                assert canary not in stream.read(), f"{path} holds plaintext"


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Image:
    """A valid image whose parts may be changed before write(): manifest and config are plain JSON documents, blobs maps
    digests to content."""

    def __init__(self, layers, media_type, config_type=IMAGE_CONFIG, plain=None):
        self.blobs = {}
        self.config_type = config_type
        diff_ids = [digest_of(content) for content in (plain or layers)]
        self.config = {"architecture": "wasm", "os": "wasip1", "layerDigests": diff_ids}
        if config_type == IMAGE_CONFIG:
            self.config = {"architecture": "wasm", "os": "wasip1", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        self.manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": None,
                         "layers": [self.add(content, media_type) for content in layers]}

    def add(self, content, media_type):
        self.blobs[digest_of(content)] = content
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    def seal_manifest(self):
        """The manifest's bytes, with the configuration as it is now."""
        manifest = copy.deepcopy(self.manifest)
        if manifest.get("config", "absent") is None:
            manifest["config"] = self.add(json.dumps(self.config).encode(), self.config_type)
        return json.dumps(manifest).encode()

    def write(self, directory, manifest=None):
        """An OCI layout with the tag t; `manifest` replaces the manifest's bytes. Its reference."""
        blobs = directory / "blobs/sha256"
        blobs.mkdir(parents=True)
        manifest = self.seal_manifest() if manifest is None else manifest
        entry = {**self.add(manifest, MANIFEST), "annotations": {"org.opencontainers.image.ref.name": "t"}}
        for digest, content in self.blobs.items():
            (blobs / digest.removeprefix("sha256:")).write_bytes(content)
        (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        return f"oci:{directory}:t"

    def blob_file(self, directory, digest):
        return directory / "blobs/sha256" / digest.removeprefix("sha256:")


def wasm_image():
    """One layer that is the module."""
    return Image([MODULE], WASM_LAYER, WASM_CONFIG)


def tar_image(*tars, compress=True):
    """Standard layers, one a tar."""
    if not compress:
        return Image(list(tars), TAR_LAYER)
    return Image([gzip.compress(tar, mtime=0) for tar in tars], GZIP_LAYER, plain=list(tars))


def tar_of(*entries):
    """A tar of (TarInfo or name, content) pairs, names taken as they are."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry, content in entries:
            info = entry if isinstance(entry, tarfile.TarInfo) else tarfile.TarInfo(entry)
            if content is not None:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content or b""))
    return stream.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def b64(data):
    return base64.b64encode(data).decode()


class SealedImage(Image):
    """The module encrypted as ocicrypt does (AES_256_CTR_HMAC_SHA256), its key wrapped under `kek`. An implementation of
    its own, whose pieces are changed before write()."""

    def __init__(self, kek=KEK, kid=KID):
        key, nonce = os.urandom(32), os.urandom(16)
        cipher = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor()
        self.ciphertext = cipher.update(MODULE) + cipher.finalize()
        self.public = {"cipher": "AES_256_CTR_HMAC_SHA256", "cipheroptions": {},
                       "hmac": b64(hmac.new(key, self.ciphertext, hashlib.sha256).digest())}
        private = {"symkey": b64(key), "digest": digest_of(MODULE), "cipheroptions": {"nonce": b64(nonce)}}
        iv = os.urandom(12)
        self.packet = {"kid": kid, "wrapped_data": b64(AESGCM(kek).encrypt(iv, json.dumps(private).encode(), None)),
                       "iv": b64(iv), "wrap_type": "A256GCM"}
        super().__init__([self.ciphertext], WASM_LAYER + "+encrypted", WASM_CONFIG, plain=[MODULE])

    def write(self, directory, manifest=None):
        layer = self.manifest["layers"][0]
        layer.update(self.add(self.ciphertext, layer["mediaType"]))
        layer.setdefault("annotations", {PROVIDER: b64(json.dumps(self.packet).encode()),
                                         PUBLIC_OPTIONS: b64(json.dumps(self.public).encode())})
        return super().write(directory, manifest)


def key_folder(directory, content=KEK, name="default/key/k1"):
    """A directory for --offline-keys."""
    file = directory / "keys" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return directory / "keys"
