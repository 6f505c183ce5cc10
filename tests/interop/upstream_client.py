"""Upstream's guest client (RCAR, passport) and kbs-client, rebuilt from their behaviour on the wire. Nothing of this
project's code is used, so that agreement with it means something: own canonical JSON, own cookie rules, own key derivation,
own JWE opening with the associated data made anew from the parsed header, as upstream's Rust client makes it."""

import base64
import dataclasses
import email.utils
import hashlib
import http.client
import json
import ssl
import struct
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
CURVES = {"P-256": (ec.SECP256R1, 32), "P-521": (ec.SECP521R1, 66)}


def b64(data):
    return base64.b64encode(data).decode()


def b64u(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64u(text):
    """base64url that must come without padding."""
    assert "=" not in text, text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jcs(value):
    """RFC 8785 for what occurs here (no fractions)."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(jcs(name) + ":" + jcs(value[name]) for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(jcs(element) for element in value) + "]"
    assert not isinstance(value, float)
    return json.dumps(value, ensure_ascii=False)


class CookieJar:
    """RFC 6265 sections 5.1.4, 5.3 and 5.4, for one host."""

    def __init__(self):
        self.cookies = {}

    def store(self, request_path, line):
        pair, *attributes = [part.strip() for part in line.split(";")]
        name, _, value = pair.partition("=")
        given = {key.strip().lower(): text.strip() for key, _, text in (each.partition("=") for each in attributes)}
        path = given.get("path", "")
        if not path.startswith("/"):
            path = request_path[:request_path.rfind("/")] or "/"
        expires = None
        if "max-age" in given:
            expires = time.time() + int(given["max-age"])
        elif "expires" in given:
            expires = email.utils.parsedate_to_datetime(given["expires"]).timestamp()
        self.cookies[name, path] = (value, expires)

    def header(self, request_path):
        now = time.time()
        fitting = [f"{name}={value}" for (name, path), (value, expires) in self.cookies.items()
                   if (expires is None or expires > now) and self.matches(request_path, path)]
        return "; ".join(fitting)

    @staticmethod
    def matches(request_path, path):
        return request_path == path or (request_path.startswith(path) and
                                        (path.endswith("/") or request_path[len(path):].startswith("/")))


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    def error(self):
        """Upstream's client parses this strictly: both members must be there and be texts."""
        document = self.json()
        assert isinstance(document["type"], str) and isinstance(document["detail"], str)
        return document


class Web:
    """One HTTP client with its cookie jar; it offers h2 as reqwest does, and keeps its connection."""

    def __init__(self, url, ca_file=None, token=None):
        self.base = urllib.parse.urlsplit(url.rstrip("/"))
        self.jar, self.sent, self.token = CookieJar(), [], token
        if self.base.scheme == "https":
            context = ssl.create_default_context(cafile=ca_file)
            context.set_alpn_protocols(["h2", "http/1.1"])
            self.connection = http.client.HTTPSConnection(self.base.hostname, self.base.port, timeout=60, context=context)
        else:
            self.connection = http.client.HTTPConnection(self.base.hostname, self.base.port, timeout=60)

    def request(self, method, target, body=None, content_type="application/json", headers=None):
        path = target.partition("?")[0]
        fields = {"User-Agent": "attestation-agent-kbs-client/0.1.0", "Accept": "*/*"}
        if body is not None:
            fields["Content-Type"] = content_type
        if cookies := self.jar.header(path):
            fields["Cookie"] = cookies
        if self.token:
            fields["Authorization"] = "Bearer " + self.token
        data = json.dumps(body, separators=(",", ":")).encode() if isinstance(body, dict) else body
        self.sent.append(f"{method} {path}")
        self.connection.request(method, target, data, {**fields, **(headers or {})})
        response = self.connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        for line in response.headers.get_all("Set-Cookie") or []:
            self.jar.store(path, line)
        return answer

    def kbs(self, method, path, *arguments, **options):
        return self.request(method, "/kbs/v0/" + path, *arguments, **options)


class TeeKey:
    """The guest's key pair: its public JWK and the opening of answers sealed to it."""

    def __init__(self, key, rsa_algorithm="RSA-OAEP-256"):
        self.key, self.rsa_algorithm = key, rsa_algorithm

    @classmethod
    def generate(cls, name):
        if name.startswith("RSA"):
            return cls(rsa.generate_private_key(65537, 2048), name)
        return cls(ec.generate_private_key(CURVES[name][0]()))

    @classmethod
    def from_pem(cls, pem):
        return cls(serialization.load_pem_private_key(pem, None))

    def jwk(self):
        numbers = self.key.public_key().public_numbers()
        if isinstance(self.key, rsa.RSAPrivateKey):
            return {"kty": "RSA", "alg": self.rsa_algorithm, "n": b64u(numbers.n.to_bytes(256, "big")),
                    "e": b64u(b"\1\0\1")}
        crv, size = next((name, size) for name, (curve, size) in CURVES.items() if isinstance(self.key.curve, curve))
        return {"kty": "EC", "crv": crv, "alg": "ECDH-ES+A256KW", "x": b64u(numbers.x.to_bytes(size, "big")),
                "y": b64u(numbers.y.to_bytes(size, "big"))}

    def content_key(self, header, encrypted_key):
        if header["alg"] == "RSA-OAEP-256":
            scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
            return self.key.decrypt(encrypted_key, scheme)
        if header["alg"] == "RSA1_5":
            return self.key.decrypt(encrypted_key, padding.PKCS1v15())
        assert header["alg"] == "ECDH-ES+A256KW"
        epk = header["epk"]
        curve, size = CURVES[epk["crv"]]
        x, y = unb64u(epk["x"]), unb64u(epk["y"])
        assert (len(x), len(y)) == (size, size), "upstream's client insists on full coordinates"
        public = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve()).public_key()
        return keywrap.aes_key_unwrap(concat_kdf(self.key.exchange(ec.ECDH(), public)), encrypted_key)

    def open(self, document):
        """RFC 7516 flattened, with the associated data from the re-serialised header: alg, enc, the rest in order."""
        header = json.loads(unb64u(document["protected"]))
        rest = jcs({name: value for name, value in header.items() if name not in ("alg", "enc")})[1:]
        again = f'{{"alg":{jcs(header["alg"])},"enc":{jcs(header["enc"])}' + ("" if rest == "}" else ",") + rest
        cek = self.content_key(header, unb64u(document["encrypted_key"]))
        iv, tag = unb64u(document["iv"]), unb64u(document["tag"])
        assert (len(cek), len(iv), len(tag)) == (32, 12, 16)
        return AESGCM(cek).decrypt(iv, unb64u(document["ciphertext"]) + tag, b64u(again.encode()).encode())


def concat_kdf(shared):
    """RFC 7518 section 4.6.2 for ECDH-ES+A256KW without apu and apv: one round of SHA-256."""
    algorithm = b"ECDH-ES+A256KW"
    info = struct.pack(">I", len(algorithm)) + algorithm + struct.pack(">III", 0, 0, 256)
    return hashlib.sha256(struct.pack(">I", 1) + shared + info).digest()


class KbsError(Exception):
    """What upstream's client ends with; `kind` is its variant."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind = kind


def sample_evidence(digest, svn="1"):
    return {"svn": svn, "report_data": b64(digest)}


class GuestClient:
    """Upstream's kbs_protocol client in background-check mode, in a guest with the sample attester."""

    def __init__(self, url, key=None, ca_file=None, tee="sample", devices=(), init_data=None, extra_jwk=None):
        self.web, self.key = Web(url, ca_file), key or TeeKey.generate("P-256")
        self.tee, self.devices, self.init_data, self.extra_jwk = tee, devices, init_data, extra_jwk or {}
        self.svn, self.version, self.pause, self.token = "1", "0.4.0", 0.0, None

    def auth(self):
        algorithms = ["sha256", "sha384", "sha512", "sm3"]
        return self.web.kbs("POST", "auth", {"version": self.version, "tee": self.tee,
                                             "extra-params": {"supported-hash-algorithms": algorithms}})

    def attestation(self, challenge):
        """The body of /attest. Members of the JWK that upstream's type does not know are sent but not hashed."""
        extra = challenge["extra-params"]
        selected = extra.get("selected-hash-algorithm", "sha384") if isinstance(extra, dict) else "sha384"
        digest = HASHES[selected.lower()]
        runtime = {"nonce": challenge["nonce"], "tee-pubkey": self.key.jwk()}
        device_digest = digest(jcs(runtime).encode()).digest()
        additional = {tee: sample_evidence(device_digest, self.svn) for tee in self.devices}
        text = json.dumps(additional, separators=(",", ":")) if additional else ""
        primary = sample_evidence(digest(jcs({**runtime, "additional-evidence": text}).encode()).digest(), self.svn)
        init_data = None if self.init_data is None else {"format": "toml", "body": self.init_data}
        return {"init-data": init_data, "runtime-data": {**runtime, "tee-pubkey": {**self.key.jwk(), **self.extra_jwk}},
                "tee-evidence": {"primary_evidence": primary, "additional_evidence": text}}

    def rcar(self):
        """One handshake; upstream's errors on anything but 200."""
        answer = self.auth()
        if answer.status != 200:
            raise KbsError("RcarHandshake", answer.error()["detail"])
        answer = self.web.kbs("POST", "attest", self.attestation(answer.json()))
        if answer.status != 200:
            raise KbsError("RcarHandshake", answer.error()["detail"])
        self.token = answer.json()["token"]
        return self.token

    def get_token(self):
        for attempt in range(5):
            try:
                return self.rcar()
            except KbsError as error:
                last = error
                time.sleep(self.pause if attempt < 4 else 0)
        raise last

    def get_resource(self, path):
        return read_resource(self.web, path, self.key, self.rcar)


class PassportClient:
    """Upstream's client with a token: no handshake, `Authorization: Bearer`."""

    def __init__(self, url, token, key, ca_file=None):
        self.web, self.key = Web(url, ca_file, token), key

    def get_resource(self, path):
        return read_resource(self.web, path, self.key, lambda: None)


def read_resource(web, path, key, renew):
    """At most three GETs; a 401 renews the credential, a 404 is final; each error body must parse."""
    for _ in range(3):
        answer = web.kbs("GET", path if path.startswith("resource/") else "resource/" + path)
        if answer.status == 200:
            return key.open(answer.json())
        detail = answer.error()["detail"]
        if answer.status == 404:
            raise KbsError("ResourceNotFound", detail)
        if answer.status != 401:
            raise KbsError("KbsInternalError", detail)
        renew()
    raise KbsError("UnAuthorized", "request unauthorized")


def sign_jwt(key, claims):
    """An EdDSA JWT as upstream's clients and test scripts make it."""
    text = b64u(b'{"alg":"EdDSA","typ":"JWT"}') + "." + b64u(json.dumps(claims).encode())
    return text + "." + b64u(key.sign(text.encode()))


class AdminClient:
    """kbs-client config: each call succeeds with 200 or raises with the body, as the tool prints it."""

    def __init__(self, url, token=None, ca_file=None):
        self.web = Web(url, ca_file, token)

    def call(self, method, path, body=None, content_type="application/json"):
        answer = self.web.kbs(method, path, body, content_type)
        if answer.status != 200:
            raise KbsError("Request Failed", answer.error()["detail"])
        return answer

    def set_resource_policy(self, rego):
        return self.call("POST", "resource-policy", {"policy": b64u(rego.encode())})

    def set_attestation_policy(self, name, rego):
        return self.call("POST", "attestation-policy",
                         {"type": "rego", "policy_id": name, "policy": b64u(rego.encode())})

    def set_resource(self, path, content):
        return self.call("POST", "resource/" + path, content, "application/octet-stream")

    def delete_resource(self, path):
        return self.call("DELETE", "resource/" + path)

    def set_sample_reference_value(self, name, value, single=False):
        payload = b64(json.dumps({name: value if single else [value]}).encode())
        answer = self.call("POST", "reference-value", {"version": "0.1.0", "type": "sample", "payload": payload})
        assert answer.body == b""

    def get_reference_value(self, name):
        return self.call("GET", "reference-value/" + name).json()
