"""Brokers that die, lie or live in another time: the runner says one line, and works again when the broker does."""

import base64
import contextlib
import datetime
import json
import time
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bad_input import KEK, SealedImage, assert_fails, assert_no_plaintext, assert_runs, coffer_run
from conftest import BIN, free_port, http_ok, kbs, process, run, wait_until
from fake_server import Answer, FakeServer, json_answer, serving
from rcar import public_jwk, sign_jwt
from seed_000 import ALLOW_ALL

USAGE, REFUSED, DENIED, UNREACHABLE, BAD_KEY = 120, 121, 122, 123, 126
COOKIE = {"Set-Cookie": "kbs-session-id=" + "0" * 32 + "; Path=/kbs/v0"}
CHALLENGE = json_answer(200, {"nonce": base64.b64encode(bytes(32)).decode(), "extra-params": ""}, **COOKIE)
DIES = Answer(raw=b"")
AUTH, ATTEST, RESOURCE = "/kbs/v0/auth", "/kbs/v0/attest", "/kbs/v0/resource/default/key/k1"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    return SealedImage().write(tmp_path_factory.mktemp("sealed") / "image")


def jwt(**claims):
    return sign_jwt(ec.generate_private_key(ec.SECP256R1()), {"alg": "ES256"}, {"exp": int(time.time()) + 300, **claims})


class FakeBroker(FakeServer):
    """Healthy, it opens a session and gives a token; it releases nothing that opens."""

    def __init__(self):
        super().__init__()
        self.healthy = {AUTH: [CHALLENGE], ATTEST: [json_answer(200, {"token": jwt()})]}

    @property
    def url(self):
        return "http://" + self.host


@pytest.fixture
def broker():
    with serving(FakeBroker()) as fake:
        yield fake


def run_sealed(sealed, url, *arguments):
    return coffer_run(sealed, "--kbs-uri", url, "--tee", "sample", "--mode", "background-check", *arguments)


# --- What a broker answers ---------------------------------------------------------------------------------------------

HTML = Answer(200, b"<html>It works!</html>", {"Content-Type": "text/html"})
REFUSAL = {"type": "https://github.com/confidential-containers/kbs/errors/PolicyDeny", "detail": "no"}

ANSWERS = {
    "dies at auth": (AUTH, DIES, "keyclient.unreachable", UNREACHABLE),
    "dies at attest": (ATTEST, DIES, "keyclient.unreachable", UNREACHABLE),
    "dies at the resource": (RESOURCE, DIES, "keyclient.unreachable", UNREACHABLE),
    "half of a challenge": (AUTH, Answer(200, CHALLENGE.body, COOKIE, cut=9), "keyclient.unreachable", UNREACHABLE),
    "a challenge that does not parse": (AUTH, Answer(200, CHALLENGE.body[:-9], COOKIE), "keyclient.not_a_broker", UNREACHABLE),
    "a challenge without a nonce": (AUTH, json_answer(200, {}, **COOKIE), "keyclient.not_a_broker", UNREACHABLE),
    "a challenge without a cookie": (AUTH, Answer(200, CHALLENGE.body), "keyclient.protocol", UNREACHABLE),
    "a challenge without end": (AUTH, Answer(200, b" " * (80 << 20), COOKIE), "keyclient.protocol", UNREACHABLE),
    "a web page": (AUTH, HTML, "keyclient.not_a_broker", UNREACHABLE),
    "no such page": (AUTH, Answer(404, b"not here"), "keyclient.not_a_broker", UNREACHABLE),
    "500 at auth": (AUTH, Answer(500), "keyclient.unavailable", UNREACHABLE),
    "no HTTP": (AUTH, Answer(raw=b"SSH-2.0-x\r\n\r\n" + b"x" * 100), "keyclient.not_a_broker", UNREACHABLE),
    "a web page at attest": (ATTEST, HTML, "keyclient.protocol", UNREACHABLE),
    "a token that is none": (ATTEST, json_answer(200, {"token": "a.b"}), "keyclient.protocol", UNREACHABLE),
    "no token": (ATTEST, json_answer(200, {}), "keyclient.protocol", UNREACHABLE),
    "a resource that does not open": (RESOURCE, Answer(200, KEK), "keyclient.decryption_failed", BAD_KEY),
    "a resource that is truncated JSON": (RESOURCE, Answer(200, b'{"protected": "'), "keyclient.decryption_failed", BAD_KEY),
    "an upstream denial": (RESOURCE, json_answer(401, REFUSAL), "keyclient.policy_denied", DENIED),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_broker_that(broker, sealed, tmp_path, name):
    path, answer, code, status = ANSWERS[name]
    broker.answers[path] = [answer]
    result = run_sealed(sealed, broker.url, "--work-dir", tmp_path / "work")
    assert_fails(result, code, status, broker.url)
    assert_no_plaintext(tmp_path / "work")


def test_probing_what_is_no_broker(broker, sealed):
    broker.answers = {path: [HTML] for path in ("/kbs/v0/info", AUTH)}
    result = coffer_run(sealed, "--kbs-uri", broker.url, "--tee", "sample")
    assert_fails(result, "keyclient.not_a_broker", UNREACHABLE, broker.url)
    nobody = f"http://127.0.0.1:{free_port()}"
    assert_fails(coffer_run(sealed, "--kbs-uri", nobody, "--tee", "sample"), "keyclient.unreachable", UNREACHABLE, nobody)


def test_words_on_the_command_line_that_mean_nothing(sealed):
    assert_fails(coffer_run(sealed, "--kbs-uri", "not a url", "--tee", "sample", "--mode", "background-check"),
                 "keyclient.bad_uri", USAGE)
    assert_fails(coffer_run(sealed, "--kbs-uri", "http://127.0.0.1:1", "--tee", "marvel", "--mode", "background-check"),
                 "evidence.unknown_tee", USAGE, "marvel")
    assert_fails(coffer_run(sealed, "--mode", "sideways"), "guest.usage", USAGE, "sideways")
    assert_fails(coffer_run(sealed), "guest.usage", USAGE, "--kbs-uri")
    assert_fails(coffer_run(sealed, "--kbs-uri", "http://127.0.0.1:1", "--mode", "background-check"), "guest.no_tee", REFUSED)


# --- A broker killed in the middle of a handshake ----------------------------------------------------------------------

class Proxy(FakeServer):
    """Passes requests on, and kills the broker behind it before the attestation arrives there."""

    def __init__(self, port, kill):
        super().__init__()
        self.port, self.kill = port, kill

    def answer_to(self, path, body):
        if path == ATTEST:
            self.kill()
            return DIES
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return Answer(200, answer.read(), {"Set-Cookie": answer.headers["Set-Cookie"]})


@contextlib.contextmanager
def broker_on(home, port, log):
    with process(BIN / "coffer", "--home", home, "up", "--listen", f"127.0.0.1:{port}", log=log) as child:
        wait_until(lambda: http_ok(f"http://127.0.0.1:{port}/healthz"), "the broker's health")
        yield child


def test_a_broker_killed_mid_handshake_loses_nothing(tmp_path, sealed):
    home, port = tmp_path / "home", free_port()
    coffer = (BIN / "coffer", "--home", home)
    run(*coffer, "init", "--allow-tee", "sample")
    (tmp_path / "kek").write_bytes(KEK)
    with broker_on(home, port, tmp_path / "log") as child:
        run(*coffer, "resource", "set", "default/key/k1", "--file", tmp_path / "kek")
        run(*coffer, "policy", "allow-all")
        with serving(Proxy(port, child.kill)) as proxy:
            assert_fails(run_sealed(sealed, f"http://{proxy.host}"), "keyclient.unreachable", UNREACHABLE)
        assert child.wait(timeout=5) == -9
    # The same home again: the key and the policy are there.
    with broker_on(home, port, tmp_path / "log2"):
        assert_runs(run_sealed(sealed, f"http://127.0.0.1:{port}"))


# --- Clocks ------------------------------------------------------------------------------------------------------------

class Issuer(FakeServer):
    """An issuer broker whose clock is wrong by `skew` seconds. Its certificate is right."""

    def __init__(self, directory, skew):
        super().__init__()
        self.skew, self.key = skew, ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer of the test")])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
                       .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
                       .not_valid_after(now + datetime.timedelta(days=1))
                       .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                       .sign(self.key, hashes.SHA256()))
        self.anchor = directory / "anchor.pem"
        self.anchor.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
        self.header = {"alg": "ES256", "typ": "JWT", "jwk": public_jwk(self.key, alg="ES256", x5c=[der])}
        self.healthy = {AUTH: [CHALLENGE]}

    def answer_to(self, path, body):
        """The token holds the key that the guest sent."""
        if path != ATTEST:
            return super().answer_to(path, body)
        now = int(time.time()) + self.skew
        claims = {"iss": "issuer", "iat": now, "nbf": now, "exp": now + 300,
                  "tee-pubkey": json.loads(body)["runtime-data"]["tee-pubkey"]}
        return json_answer(200, {"token": sign_jwt(self.key, self.header, claims)})


@pytest.mark.parametrize("skew,accepted", [(0, True), (45, True), (-330, True), (3600, False), (-3600, False)])
def test_an_issuer_whose_clock_is_wrong(tmp_path, sealed, skew, accepted):
    (tmp_path / "repository/default/key").mkdir(parents=True)
    (tmp_path / "repository/default/key/k1").write_bytes(KEK)
    (tmp_path / "policy.rego").write_text(ALLOW_ALL)
    issuer = Issuer(tmp_path, skew)
    config = ('[http_server]\nsockets = ["127.0.0.1:{port}"]\ninsecure_http = true\n'
              f'[attestation_token]\ntrusted_certs_paths = ["{issuer.anchor}"]\n[admin]\ntype = "DenyAll"\n'
              f'[policy_engine]\npolicy_path = "{tmp_path}/policy.rego"\n'
              f'[[plugins]]\nname = "resource"\ntype = "LocalFs"\ndir_path = "{tmp_path}/repository"\n')
    with serving(issuer), kbs(tmp_path, config) as url:
        result = coffer_run(sealed, "--mode", "passport", "--issuer-uri", f"http://{issuer.host}", "--kbs-uri", url, "--tee", "sample")
        if accepted:
            assert_runs(result)
        else:
            assert_fails(result, "keyclient.unauthorized", DENIED, "the clocks must agree")
            assert "broker.token_rejected" in (tmp_path / "kbs.log").read_text()
        assert http_ok(url + "/healthz")
