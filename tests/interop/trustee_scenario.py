"""The scenario of upstream's own end-to-end test (its kbs/test): keys, certificates, one LocalFs folder shared by a broker
over HTTPS and a passport broker, and the configuration files in upstream's words. And a verifier of its tokens that
shares no code with the product."""

import base64
import contextlib
import datetime
import ipaddress
import json
import os
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils
from cryptography.x509.oid import NameOID

from conftest import BIN, free_port, process, wait_until
from upstream_client import AdminClient, GuestClient, KbsError, Web, b64, sign_jwt, unb64u

ERROR_TYPE = "https://github.com/confidential-containers/kbs/errors/"

ISSUER_CONFIG = """
[http_server]
sockets = ["127.0.0.1:{port}"]
private_key = "./work/https.key"
certificate = "./work/https.crt"
insecure_http = false

[attestation_token]
trusted_certs_paths = ["./work/ca-cert.pem"]

[attestation_service]
type = "coco_as_builtin"

[attestation_service.attestation_token_broker]
duration_min = 5

[attestation_service.attestation_token_broker.signer]
key_path = "./work/token.key"
cert_path = "./work/token-cert-chain.pem"

[attestation_service.rvps_config]
type = "BuiltIn"

[attestation_service.verifier_config.tpm_verifier]
trusted_ak_keys_dir = "./work/attestation-service/tpm_trusted_keys"
max_trusted_ak_keys = 100

"""

RESOURCE_CONFIG = """
[http_server]
sockets = ["127.0.0.1:{port}"]
insecure_http = true

[attestation_token]
trusted_certs_paths = ["./work/ca-cert.pem"]

"""

# What both servers share. `backend` is a key that upstream's test configuration has and its code ignores.
COMMON_CONFIG = """
[admin]
authorization_mode = "AuthenticatedAuthorization"

[admin.authentication.bearer_jwt]
identity_providers = [{ issuer = "issuer", audience = "kbs", public_key_uri = "./work/kbs.pem" }]

[admin.authorization.regex_acl]
acls = [
  { role = "admin", allowed_endpoints = "^/kbs/.+$" },
  { role = "reader", allowed_endpoints = "^/kbs/v0/resource-policy$" },
]

[storage_backend]
storage_type = "LocalFs"

[storage_backend.backends.local_fs]
dir_path = "./work/storage"

[[plugins]]
name = "resource"
backend = "kvstorage"
storage_backend_type = "kvstorage"
"""

SAMPLE_POLICY = """package policy
default allow = false
allow if {
    evidence := input["submods"]["cpu0"]["ear.veraison.annotated-evidence"]
    evidence.sample
}
"""


def pem(key, form=serialization.PrivateFormat.PKCS8):
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def certificate(subject, key, issuer=None, issuer_key=None, ca=False, address=None):
    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer or subject))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=30))
               .add_extension(x509.BasicConstraints(ca, None), critical=True))
    if address:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address)), x509.DNSName("localhost")])
        builder = builder.add_extension(names, critical=False)
    made = builder.sign(issuer_key or key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


class Scenario:
    """The folder both servers run in, and its clients."""

    def __init__(self, directory):
        self.directory, self.work = directory, directory / "work"
        repository = self.work / "storage/repository"
        repository.mkdir(parents=True)
        self.secret = os.urandom(16)
        (repository / "one\\x2Ftwo\\x2Fthree").write_bytes(self.secret)
        self.admin_key, self.tee_key = ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)
        https, ca, token = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.ca_file, self.https_crt = self.work / "ca-cert.pem", self.work / "https.crt"
        files = {"https.key": pem(https), "https.crt": certificate("kbs", https, address="127.0.0.1", ca=True),
                 "ca-cert.pem": certificate("KBS-test-root", ca, ca=True), "token.key": pem(token),
                 "kbs.key": pem(self.admin_key), "kbs.pem": public_pem(self.admin_key),
                 "tee.key": pem(self.tee_key, serialization.PrivateFormat.TraditionalOpenSSL)}
        files["token-cert-chain.pem"] = certificate("CoCo-AS", token, "KBS-test-root", ca) + files["ca-cert.pem"]
        for file_name, content in files.items():
            (self.work / file_name).write_bytes(content)

    def admin_token(self, **changes):
        now = int(time.time())
        claims = {"iss": "issuer", "role": "admin", "aud": ["kbs"], "iat": now, "exp": now + 7200, **changes}
        return sign_jwt(self.admin_key, {name: value for name, value in claims.items() if value is not None})

    def admin(self, url, **changes):
        return AdminClient(url, self.admin_token(**changes), self.https_crt)

    @contextlib.contextmanager
    def serve(self, name, config, *options, form="toml"):
        """coffer-kbs in the scenario's folder. Yields its URL."""
        port = free_port()
        (self.directory / f"{name}.{form}").write_text(config.replace("{port}", str(port)))
        log = self.directory / f"{name}.log"
        plain = any(text in config for text in ("insecure_http = true", "insecure_http: true", '"insecure_http": true'))
        url = f"{'http' if plain else 'https'}://127.0.0.1:{port}"

        def answers():
            assert child.poll() is None, log.read_text()
            with contextlib.suppress(OSError):
                return Web(url, self.https_crt).request("GET", "/healthz").status == 200

        with process(BIN / "coffer-kbs", "--config-file", f"{name}.{form}", *options, log=log, cwd=self.directory,
                     env={"RUST_LOG": "info"}) as child:
            wait_until(answers, f"{name}'s start")
            yield url

    def issuer(self, *options, extra=""):
        allowed = ("--allow-tee", "sample", "--allow-tee", "sampledevice")
        return self.serve("kbs", extra + ISSUER_CONFIG + COMMON_CONFIG, *allowed, *options)

    def resource_broker(self):
        return self.serve("resource-kbs", RESOURCE_CONFIG + COMMON_CONFIG)


def jwt_part(text):
    return json.loads(unb64u(text))


def verify_ear(token, ca_pem):
    """The claims of a token that is signed as upstream's are: ES256 by the header's jwk, which is the x5c leaf's key, with
    a chain to the CA."""
    header_text, claims_text, signature_text = token.split(".")
    header, signature = jwt_part(header_text), unb64u(signature_text)
    assert set(header) == {"typ", "alg", "jwk"} and (header["typ"], header["alg"]) == ("JWT", "ES256")
    jwk = header["jwk"]
    assert set(jwk) == {"alg", "kty", "crv", "x", "y", "x5c"}
    assert (jwk["alg"], jwk["kty"], jwk["crv"]) == ("ES256", "EC", "P-256")
    x, y = unb64u(jwk["x"]), unb64u(jwk["y"])
    assert (len(x), len(y), len(signature)) == (32, 32, 64)
    key = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()).public_key()
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    key.verify(der, f"{header_text}.{claims_text}".encode(), ec.ECDSA(hashes.SHA256()))
    verify_chain(jwk["x5c"], key, x509.load_pem_x509_certificate(ca_pem))
    return jwt_part(claims_text)


def verify_chain(x5c, key, anchor):
    ders = [base64.b64decode(text, validate=True) for text in x5c]
    assert [b64(der) for der in ders] == x5c, "x5c is standard base64 with padding"
    chain = [x509.load_der_x509_certificate(der) for der in ders]
    assert chain[0].public_key().public_numbers() == key.public_numbers()
    for child, parent in zip(chain, chain[1:] + [anchor]):
        child.verify_directly_issued_by(parent)


def denied_with(text, call, *arguments):
    """Runs a client's call that must fail, and looks for the text upstream's tests grep."""
    try:
        call(*arguments)
    except KbsError as error:
        assert text in str(error), str(error)
        return error
    raise AssertionError(f"expected a refusal with {text!r}")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    return Scenario(tmp_path_factory.mktemp("trustee"))


@pytest.fixture(scope="module")
def issuer(scenario):
    """The broker's URL; it takes sample evidence."""
    with scenario.issuer() as url:
        yield url


@pytest.fixture(scope="module")
def resource_broker(scenario):
    """The passport broker's URL."""
    with scenario.resource_broker() as url:
        yield url


@pytest.fixture
def admin(scenario, issuer):
    """The issuer's administrator, after the resource policy of upstream's test was set."""
    client = scenario.admin(issuer)
    client.set_resource_policy(SAMPLE_POLICY)
    return client


@pytest.fixture
def guest(scenario, issuer, admin):
    """Makes guests of the issuer."""
    def make(**options):
        return GuestClient(issuer, ca_file=scenario.https_crt, **options)
    return make
