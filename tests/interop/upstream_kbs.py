"""A key broker that behaves as upstream's (Trustee v0.21), written from its wire behaviour and sharing no code with ours,
so that agreement with it means something. It keeps upstream's sharp edges: one exact protocol version, 401 for nearly
everything, error bodies without content type and `code`, a cookie with nothing but Expires."""

import base64
import contextlib
import datetime
import email.utils
import hashlib
import http.server
import json
import os
import re
import struct
import threading
import time
import uuid

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

ERRORS = "https://github.com/confidential-containers/kbs/errors/"
CURVES = {"P-256": (ec.SECP256R1(), 32), "P-521": (ec.SECP521R1(), 66)}
SEGMENT = "[A-Za-z0-9_-]+[A-Za-z0-9_.-]*"
JWK_MEMBERS = {"EC": ("kty", "alg", "crv", "x", "y"), "RSA": ("kty", "alg", "n", "e")}


def b64(data):
    return base64.b64encode(data).decode()


def b64u(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64u(text):
    """Refuses padding and the other alphabet, as upstream's decoder does."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError(f"not base64url without padding: {text!r}")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(document):
    return json.dumps(document, separators=(",", ":")).encode()


def canonical(document):
    """RFC 8785 for the ASCII texts that runtime data consist of."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


class Refused(Exception):
    """An answer of upstream's: variant of the error's type, its text, status 401 or 404."""

    def __init__(self, variant, detail, status=401):
        super().__init__(detail)
        self.variant, self.detail, self.status = variant, detail, status

    def body(self):
        return compact({"type": ERRORS + self.variant, "detail": self.detail})


class Authority:
    """The certificate authority of the token signers, and the signers it made."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.certify("authority", self.key.public_key(), is_authority=True)

    def certify(self, name, public_key, is_authority=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=2))
                .add_extension(x509.BasicConstraints(is_authority, None), critical=True).sign(self.key, hashes.SHA256()))

    def signer(self):
        return Signer(self)


class Signer:
    """ES256 with the header `{"typ","alg","jwk"}`: no kid, the chain in the key's x5c."""

    def __init__(self, authority):
        self.key = ec.generate_private_key(ec.SECP256R1())
        leaf = authority.certify("signer", self.key.public_key())
        numbers = self.key.public_key().public_numbers()
        self.jwk = {"alg": "ES256", "x5c": [b64(c.public_bytes(Encoding.DER)) for c in (leaf, authority.certificate)],
                    "kty": "EC", "crv": "P-256", "x": b64u(numbers.x.to_bytes(32, "big")),
                    "y": b64u(numbers.y.to_bytes(32, "big"))}

    def sign(self, claims):
        signed = b64u(compact({"typ": "JWT", "alg": "ES256", "jwk": self.jwk})) + "." + b64u(compact(claims))
        r, s = utils.decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return signed + "." + b64u(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def verified_claims(token, authority, now):
    """The claims of a token whose x5c chain ends at `authority`, whose leaf is the jwk, with 60 s of leeway on exp."""
    try:
        head, body, signature = token.split(".")
        jwk = json.loads(unb64u(head))["jwk"]
        leaf = x509.load_der_x509_certificate(base64.b64decode(jwk["x5c"][0]))
        authority.key.public_key().verify(leaf.signature, leaf.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))
        numbers = leaf.public_key().public_numbers()
        if (b64u(numbers.x.to_bytes(32, "big")), b64u(numbers.y.to_bytes(32, "big"))) != (jwk["x"], jwk["y"]):
            raise ValueError("jwk is not the leaf's key")
        raw = unb64u(signature)
        der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        leaf.public_key().verify(der, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
        claims = json.loads(unb64u(body))
    except (ValueError, KeyError, InvalidSignature) as cause:
        raise Refused("TokenVerifierError", "Token Verifier error") from cause
    if claims["exp"] + 60 < now:
        raise Refused("TokenVerifierError", "Token Verifier error")
    return claims


def concat_kdf(shared, algorithm):
    """RFC 7518 section 4.6.2 for 256 bits, with empty party names."""
    name = algorithm.encode()
    return hashlib.sha256(struct.pack(">I", 1) + shared + struct.pack(">I", len(name)) + name +
                          struct.pack(">III", 0, 0, 256)).digest()


def wrap_cek(cek, jwk):
    """The protected header and the wrapped key for a guest's public key."""
    if jwk["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(int.from_bytes(unb64u(jwk["e"]), "big"), int.from_bytes(unb64u(jwk["n"]), "big"))
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        return {"alg": jwk["alg"], "enc": "A256GCM"}, public.public_key().encrypt(cek, oaep)
    curve, size = CURVES[jwk["crv"]]
    x, y = unb64u(jwk["x"]), unb64u(jwk["y"])
    assert len(x) == len(y) == size
    guest = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve).public_key()
    ephemeral = ec.generate_private_key(curve)
    numbers = ephemeral.public_key().public_numbers()
    epk = {"crv": jwk["crv"], "kty": "EC", "x": b64u(numbers.x.to_bytes(size, "big")),
           "y": b64u(numbers.y.to_bytes(size, "big"))}
    kek = concat_kdf(ephemeral.exchange(ec.ECDH(), guest), jwk["alg"])
    return {"alg": jwk["alg"], "enc": "A256GCM", "epk": epk}, aes_key_wrap(kek, cek)


def jwe(plaintext, jwk):
    """RFC 7516's flattened form with upstream's members in upstream's order."""
    cek, iv = os.urandom(32), os.urandom(12)
    header, encrypted_key = wrap_cek(cek, jwk)
    protected = b64u(compact(header))
    sealed = AESGCM(cek).encrypt(iv, plaintext, protected.encode())
    return compact({"protected": protected, "encrypted_key": b64u(encrypted_key), "iv": b64u(iv),
                    "ciphertext": b64u(sealed[:-16]), "tag": b64u(sealed[-16:])})


def exact(document, members, what):
    """serde's view of a struct: an object with these members. Others are an upstream client's fault alone, and ours has
    none either."""
    if not isinstance(document, dict) or set(document) != set(members):
        raise Refused("SerdeError", f"Serialize/Deserialize failed ({what})")
    return document


class UpstreamKbs:
    """One broker. `attests` is False in a build without attestation service (passport's resource broker). A test may move
    its clock by `offset`, take its sessions away, and have `before_resource` called with the number of each read."""

    def __init__(self, authority, resources=None, attests=True, version="0.4.0", allow=lambda claims, path: True,
                 session_minutes=5, token_minutes=5):
        self.authority, self.signer, self.resources = authority, authority.signer(), dict(resources or {})
        self.attests, self.version, self.allow = attests, version, allow
        self.session_minutes, self.token_minutes = session_minutes, token_minutes
        self.sessions, self.requests, self.claims, self.offset, self.url = {}, [], [], 0.0, ""
        self.before_resource, self.drops_connections = lambda number: None, False

    def count(self, method, path):
        return sum(1 for verb, asked in self.requests if (verb, asked) == (method, "/kbs/v0/" + path))

    @property
    def handshakes(self):
        return self.count("POST", "attest")

    def resource_reads(self):
        return [asked.removeprefix("/kbs/v0/resource/") for verb, asked in self.requests
                if verb == "GET" and asked.startswith("/kbs/v0/resource/") and not asked.endswith("/default/probe/none")]

    def now(self):
        return time.time() + self.offset

    def answer(self, method, path, headers, body):
        """(body, headers) of a 200, or Refused."""
        self.requests.append((method, path))
        if not path.startswith("/kbs/v0/"):
            raise Refused("InvalidRequestPath", f"Request path {path} is invalid", 404)
        name, _, rest = path.removeprefix("/kbs/v0/").partition("?")[0].partition("/")
        if self.attests and method == "POST" and name in ("auth", "attest"):
            return getattr(self, name)(headers, body)
        if name == "resource" and method == "GET":
            return self.resource(headers, rest)
        raise Refused("PluginNotFound", f"Plugin {name} not found", 404)

    def set_cookie(self, session):
        expires = email.utils.formatdate(session["until"], usegmt=True)
        return {"Content-Type": "application/json", "Set-Cookie": f"kbs-session-id={session['id']}; Expires={expires}"}

    def session_of(self, headers):
        cookies = dict(pair.strip().split("=", 1) for pair in headers.get("Cookie", "").split(";") if "=" in pair)
        session = self.sessions.get(cookies.get("kbs-session-id"))
        return session if session and session["until"] > self.now() else None

    def auth(self, headers, body):
        request = exact(json.loads(body), ("version", "tee", "extra-params"), "Request")
        if request["version"] != self.version:
            raise Refused("AttestationError",
                          "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version Mismatch: expect "
                          f"={self.version} while the request is {request['version']}")
        if headers.get("Content-Type", "").partition(";")[0] != "application/json":
            raise Refused("SerdeError", "Serialize/Deserialize failed")
        session = {"id": uuid.uuid4().hex, "until": self.now() + 60 * self.session_minutes, "tee": request["tee"],
                   "nonce": b64(os.urandom(32))}
        self.sessions[session["id"]] = session
        return compact({"nonce": session["nonce"], "extra-params": ""}), self.set_cookie(session)

    def attest(self, headers, body):
        session = self.session_of(headers)
        failed = Refused("AttestationError", "Attestation error: RCAR handshake Attest failed")
        if session is None:
            raise failed
        if "token" not in session:
            try:
                session["token"] = self.token_for(session, json.loads(body))
            except (ValueError, KeyError, TypeError, AssertionError, Refused) as cause:
                raise failed from cause
        return compact({"token": session["token"]}), self.set_cookie(session)

    def token_for(self, session, attestation):
        exact(attestation, ("init-data", "runtime-data", "tee-evidence"), "Attestation")
        runtime = exact(attestation["runtime-data"], ("nonce", "tee-pubkey"), "RuntimeData")
        evidence = exact(attestation["tee-evidence"], ("primary_evidence", "additional_evidence"), "CompositeEvidence")
        assert runtime["nonce"] == session["nonce"], "nonce"
        assert isinstance(evidence["additional_evidence"], str), "additional_evidence is a string"
        assert session["tee"] == "sample", "no other verifier is in this build"
        jwk = {member: runtime["tee-pubkey"][member] for member in JWK_MEMBERS[runtime["tee-pubkey"]["kty"]]}
        bound = {"additional-evidence": evidence["additional_evidence"], "nonce": runtime["nonce"], "tee-pubkey": jwk}
        digest = hashlib.sha384(canonical(bound)).digest()
        primary = evidence["primary_evidence"]
        assert base64.b64decode(primary["report_data"], validate=True) == digest, "report_data"
        return self.signer.sign(self.ear(primary, bound, digest, attestation["init-data"]))

    def ear(self, evidence, bound, digest, init_data):
        now = int(self.now())
        annotated = {"sample": {"svn": evidence["svn"], "launch_digest": "abcde", "debug": False,
                                "platform_version": {"major": 1, "minor": 4}},
                     "report_data": digest.hex(), "runtime_data_claims": bound}
        if init_data is not None:
            assert exact(init_data, ("format", "body"), "InitData")["format"] == "toml"
            annotated["init_data"] = hashlib.sha384(init_data["body"].encode()).hexdigest()
        cpu = {"ear.status": "affirming", "ear.appraisal-policy-id": "default",
               "ear.trustworthiness-vector": {"executables": 3, "hardware": 2, "configuration": 2},
               "ear.veraison.annotated-evidence": annotated, "ear.trustee.identifiers": {"validated": {}}}
        return {"eat_profile": "tag:github.com,2024:confidential-containers/Trustee", "iat": now,
                "ear.verifier-id": {"developer": "https://confidentialcontainers.org", "build": "attestation-service 0.1.0"},
                "submods": {"cpu0": cpu}, "exp": now + 60 * self.token_minutes, "iss": "CoCo-Attestation-Service"}

    def token_of(self, headers):
        session = self.session_of(headers)
        if session and "token" in session:
            return session["token"]
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and token:
            return token
        raise Refused("TokenNotFound", "Attestation Token not found")

    def resource(self, headers, path):
        self.before_resource(len(self.resource_reads()))
        claims = verified_claims(self.token_of(headers), self.authority, self.now())
        self.claims.append(claims)
        if not self.allow(claims, path):
            raise Refused("PolicyDeny", "Access denied by policy")
        if path not in self.resources or not re.fullmatch(f"{SEGMENT}/{SEGMENT}/{SEGMENT}", path):
            raise Refused("PluginInternalError", "Plugin internal error")
        jwk = claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"]["runtime_data_claims"]["tee-pubkey"]
        return jwe(self.resources[path], jwk), {"Content-Type": "application/json"}


def handler_for(broker):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        lock = threading.Lock()

        def handle_request(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                with self.lock:
                    status, (content, headers) = 200, broker.answer(self.command, self.path, self.headers, body)
            except Refused as refused:
                status, content, headers = refused.status, refused.body(), {}
            except ValueError:
                status, content, headers = 401, Refused("SerdeError", "Serialize/Deserialize failed").body(), {}
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            # As a server does whose keep-alive time is over: nothing announces it.
            self.close_connection = self.close_connection or broker.drops_connections

        do_GET = do_POST = do_PUT = do_DELETE = handle_request

        def log_message(self, *arguments):
            pass

    return Handler


@contextlib.contextmanager
def serving(broker):
    """The broker on a free port, which it learns as its url."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_for(broker))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        broker.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield broker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
