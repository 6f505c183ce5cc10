"""cosign with a key of one's own, by its specification (sigstore/cosign, specs/SIGNATURE_SPEC.md): what `cosign
generate-key-pair`, `cosign sign --key` and `cosign verify --key` do, without logs and certificates."""

import base64
import hashlib
import json
import urllib.error
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"


class Key:
    """`kind`: ecdsa (P-256, what cosign makes), rsa or ed25519."""

    def __init__(self, kind="ecdsa"):
        self.private = {"ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
                        "rsa": lambda: rsa.generate_private_key(65537, 2048),
                        "ed25519": ed25519.Ed25519PrivateKey.generate}[kind]()

    def public_pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM,
                                                      serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def private_pem(self):
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()).decode()

    def sign(self, content):
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            made = self.private.sign(content, ec.ECDSA(hashes.SHA256()))
        elif isinstance(self.private, rsa.RSAPrivateKey):
            made = self.private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        else:
            made = self.private.sign(content)
        return base64.b64encode(made).decode()

    def made(self, content, signature):
        public, raw = self.private.public_key(), base64.b64decode(signature)
        try:
            if isinstance(public, ec.EllipticCurvePublicKey):
                public.verify(raw, content, ec.ECDSA(hashes.SHA256()))
            elif isinstance(public, rsa.RSAPublicKey):
                public.verify(raw, content, padding.PKCS1v15(), hashes.SHA256())
            else:
                public.verify(raw, content)
        except InvalidSignature:
            return False
        return True


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Repository:
    """One repository of a registry: `reference` is HOST/NAME:TAG."""

    def __init__(self, reference):
        self.host, rest = reference.split("/", 1)
        self.name, self.tag = rest.rsplit(":", 1)

    def ask(self, path, method="GET", data=None, content_type=None):
        url = path if path.startswith("http") else f"http://{self.host}/v2/{self.name}/{path}"
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Accept", f"{MANIFEST}, application/vnd.oci.image.index.v1+json")
        if content_type:
            request.add_header("Content-Type", content_type)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers, answer.read()

    def manifest(self, selector=None):
        return self.ask(f"manifests/{selector or self.tag}")[1]

    def blob(self, digest):
        return self.ask(f"blobs/{digest}")[1]

    def put_blob(self, content):
        location = self.ask("blobs/uploads/", "POST", b"")[0]["Location"]
        self.ask(f"{location}{'&' if '?' in location else '?'}digest={digest_of(content)}", "PUT", content,
                 "application/octet-stream")
        return digest_of(content)

    def put_manifest(self, document, tag):
        self.ask(f"manifests/{tag}", "PUT", json.dumps(document).encode(), MANIFEST)


def payload_for(digest, reference="index.docker.io/library/x", kind="cosign container image signature"):
    return json.dumps({"critical": {"identity": {"docker-reference": reference}, "image": {"docker-manifest-digest": digest},
                                    "type": kind}, "optional": None}, separators=(",", ":")).encode()


def store(reference, payload, annotations):
    """Puts one signature where cosign puts it."""
    repository = Repository(reference)
    tag = digest_of(repository.manifest()).replace(":", "-") + ".sig"
    config = b'{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":["' + digest_of(payload).encode() + b'"]},"config":{}}'
    repository.put_manifest({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": repository.put_blob(config), "size": len(config)},
        "layers": [{"mediaType": PAYLOAD, "digest": repository.put_blob(payload), "size": len(payload),
                    "annotations": annotations}]}, tag)


def sign(reference, key):
    payload = payload_for(digest_of(Repository(reference).manifest()))
    store(reference, payload, {SIGNATURE: key.sign(payload)})


def verify(reference, key):
    """Whether one of the image's signatures is by the key and over it."""
    repository = Repository(reference)
    digest = digest_of(repository.manifest())
    try:
        manifest = json.loads(repository.manifest(digest.replace(":", "-") + ".sig"))
    except urllib.error.HTTPError as error:
        assert error.code == 404
        return False
    for layer in manifest["layers"]:
        payload = repository.blob(layer["digest"])
        named = json.loads(payload)["critical"]["image"]["docker-manifest-digest"]
        if layer["mediaType"] == PAYLOAD and named == digest and key.made(payload, layer["annotations"][SIGNATURE]):
            return True
    return False
