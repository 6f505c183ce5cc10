"""The guest's side of the RCAR handshake by hand, with sample evidence, so that each message can be wrong in one thing."""

import base64
import hashlib
import http.client
import json
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def call(url, method, path, body=None, headers=None):
    """Status, JSON document (or bytes where it is none) and the session cookie of one request."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        connection.request(method, "/kbs/v0/" + path, data, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    finally:
        connection.close()
    try:
        return answer.status, json.loads(content), cookie
    except ValueError:
        return answer.status, content, cookie


def public_jwk(key, **members):
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64url(numbers.x.to_bytes(32, "big")),
            "y": b64url(numbers.y.to_bytes(32, "big")), **members}


class Guest:
    """One handshake: auth() opens a session, attestation() makes the evidence for its nonce, attest() sends it."""

    def __init__(self, url, tee="sample"):
        self.url, self.tee = url, tee
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cookie, self.nonce, self.token = "", "", ""

    def auth(self):
        status, body, self.cookie = call(self.url, "POST", "auth", {"version": "0.4.0", "tee": self.tee, "extra-params": ""})
        assert status == 200, body
        self.nonce = body["nonce"]
        return self

    def attestation(self, nonce=None):
        runtime = {"nonce": nonce or self.nonce, "tee-pubkey": public_jwk(self.key, alg="ECDH-ES+A256KW")}
        bound = json.dumps({**runtime, "additional-evidence": ""}, sort_keys=True, separators=(",", ":")).encode()
        evidence = {"svn": "1", "report_data": base64.b64encode(hashlib.sha384(bound).digest()).decode()}
        return {"init-data": None, "runtime-data": runtime,
                "tee-evidence": {"primary_evidence": evidence, "additional_evidence": ""}}

    def attest(self, attestation=None, cookie=None):
        headers = {"Cookie": self.cookie if cookie is None else cookie}
        status, body, _ = call(self.url, "POST", "attest", attestation or self.attestation(), headers)
        if status == 200:
            self.token = body["token"]
        return status, body

    def resource(self, path, headers=None):
        return call(self.url, "GET", "resource/" + path, headers=headers or {"Cookie": self.cookie})[:2]


def sign_jwt(key, header, claims):
    """A JWT by an EC P-256 or an Ed25519 key."""
    text = b64url(json.dumps(header).encode()) + "." + b64url(json.dumps(claims).encode())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return text + "." + b64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return text + "." + b64url(key.sign(text.encode()))


def admin_headers(key_file):
    """What an administrator sends with each request."""
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    now = int(time.time())
    algorithm = "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "EdDSA"
    claims = {"iss": "coffer", "role": "admin", "aud": "kbs", "iat": now - 5, "exp": now + 300}
    return {"Authorization": "Bearer " + sign_jwt(key, {"alg": algorithm, "typ": "JWT"}, claims)}
