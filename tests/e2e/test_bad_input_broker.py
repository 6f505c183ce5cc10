"""What a broker is sent that is wrong: a refusal with a code, one line in its log, and it goes on serving."""

import base64
import json
import socket
import time
import urllib.parse

import pytest

from bad_input import KEK, assert_coffer_fails
from conftest import BIN, http_ok, kbs, run, running_broker
from rcar import Guest, admin_headers, b64url, call
from seed_000 import ALLOW_ALL, Admin

RESOURCE = "default/key/k1"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One broker for all of these tests: what one sends must not matter to the next."""
    with running_broker(tmp_path_factory.mktemp("broker"), "--allow-tee", "sample") as broker:
        key = broker.home / "k1"
        key.write_bytes(KEK)
        broker.coffer("resource", "set", RESOURCE, "--file", key)
        broker.coffer("policy", "allow-all")
        yield broker


@pytest.fixture
def broker(running):
    """The running broker, which must still serve when the test is over."""
    yield running
    assert http_ok(running.url + "/healthz")
    guest = Guest(running.url).auth()
    assert guest.attest()[0] == 200
    status, jwe = guest.resource(RESOURCE)
    assert status == 200 and jwe["ciphertext"]


def assert_refused(answer, code, status=401, *words):
    """The protocol's error document with our code, and nothing else."""
    assert answer[0] == status, answer
    assert answer[1]["code"] == code, answer
    assert answer[1]["type"].startswith("https://github.com/confidential-containers/kbs/errors/")
    assert len(answer[1]["detail"]) > 10
    for word in words:
        assert word in answer[1]["detail"]


# --- Messages ----------------------------------------------------------------------------------------------------------

AUTH_BODIES = {
    "empty": (b"", "broker.handshake_malformed"),
    "truncated": (b'{"version": "0.4.0", "tee": "sam', "broker.handshake_malformed"),
    "an array": (b"[]", "broker.handshake_malformed"),
    "nested without end": (b'{"version": "0.4.0", "tee": "sample", "extra-params": ' + b"[" * 5_000, "broker.handshake_malformed"),
    "not UTF-8": (b'{"version": "0.4.0", "tee": "\xff\xfe", "extra-params": ""}', "broker.handshake_malformed"),
    "without a TEE": (b'{"version": "0.4.0", "extra-params": ""}', "broker.handshake_malformed"),
    "a number as TEE": (b'{"version": "0.4.0", "tee": 7, "extra-params": ""}', "broker.handshake_malformed"),
    "an old version": (b'{"version": "0.1.0", "tee": "sample", "extra-params": ""}', "broker.version_mismatch"),
    "an unknown TEE": (b'{"version": "0.4.0", "tee": "marvel", "extra-params": ""}', "broker.unknown_tee"),
    "a TEE's name without end": (b'{"version": "0.4.0", "tee": "' + b"a" * 5_000 + b'", "extra-params": ""}', "broker.unknown_tee"),
    "longer than any client sends": (b'{"version": "0.4.0", "tee": "sample", "extra-params": "' + b"x" * 9_000 + b'"}',
                                     "broker.handshake_malformed"),
}


@pytest.mark.parametrize("name", AUTH_BODIES)
def test_a_request_that_opens_no_session(broker, name):
    body, code = AUTH_BODIES[name]
    answer = call(broker.url, "POST", "auth", body)
    assert_refused(answer, code)
    assert answer[2] == ""
    assert len(answer[1]["detail"]) < 1000


def test_a_body_over_the_limit(broker):
    answer = call(broker.url, "POST", "auth", b" " * (3 << 20))
    assert_refused(answer, "broker.body_too_large", 413, "too large")


def raw(url, text):
    """Sends bytes, closes this side and gives what comes back."""
    address = urllib.parse.urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        out = b""
        while piece := connection.recv(65536):
            out += piece
    return out


def test_connections_that_break_off_or_speak_something_else(broker):
    raw(broker.url, b"POST /kbs/v0/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
    raw(broker.url, b"POST /kbs/v0/auth HTT")
    for text, status in ((b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b" 400 "),
                         (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n", b" 431 ")):
        answer = raw(broker.url, text)
        assert status in answer.splitlines()[0]
        assert b'"broker.bad_request"' in answer


def test_an_attestation_that_does_not_parse(broker):
    guest = Guest(broker.url).auth()
    whole = json.dumps(guest.attestation()).encode()
    assert_refused(guest.attest(whole[:-30]), "broker.handshake_malformed")
    no_key = guest.attestation()
    no_key["runtime-data"]["tee-pubkey"] = {"kty": "EC", "crv": "P-256", "alg": "ECDH-ES+A256KW", "x": "AA", "y": "AA"}
    assert_refused(guest.attest(no_key), "broker.handshake_malformed")
    # Nothing is lost: the session takes the right message afterwards.
    assert guest.attest()[0] == 200


# --- Sessions ----------------------------------------------------------------------------------------------------------

def test_an_attestation_without_its_session(broker):
    guest = Guest(broker.url).auth()
    assert_refused(guest.attest(cookie=""), "broker.session_missing")
    assert_refused(guest.attest(cookie="kbs-session-id=" + "0" * 32), "broker.session_unknown")
    assert_refused(guest.attest(cookie="kbs-session-id=../../etc"), "broker.session_unknown")
    assert guest.attest()[0] == 200


def test_the_cookie_of_another_session(broker):
    one, other = Guest(broker.url).auth(), Guest(broker.url).auth()
    assert_refused(one.attest(cookie=other.cookie), "broker.nonce_mismatch")
    assert one.attest()[0] == 200
    assert other.attest()[0] == 200


def test_a_replayed_attestation(broker):
    first = Guest(broker.url).auth()
    recorded = first.attestation()
    assert first.attest(recorded)[0] == 200
    # In its own session, and in a fresh one whose nonce the thief cannot know.
    assert_refused(first.attest(recorded), "broker.nonce_mismatch")
    thief = Guest(broker.url).auth()
    assert_refused(thief.attest(recorded), "broker.nonce_mismatch")
    # Old evidence under the new nonce does not hold either, because the evidence binds the nonce.
    recorded["runtime-data"]["nonce"] = thief.nonce
    seen = len(broker.log.read_text())
    assert_refused(thief.attest(recorded), "broker.evidence_rejected")
    denied = [line for line in broker.log.read_text()[seen:].splitlines() if "broker.denied" in line]
    assert len(denied) == 1 and "code=broker.evidence_rejected" in denied[0]


def test_a_session_that_has_not_attested_gets_nothing(broker):
    guest = Guest(broker.url).auth()
    assert_refused(guest.resource(RESOURCE), "broker.token_missing")


def test_evidence_that_is_none(broker):
    for evidence in ({}, {"svn": "1"}, {"svn": 1, "report_data": ""}, {"svn": "1", "report_data": "*"}, "text", [], None):
        guest = Guest(broker.url).auth()
        attestation = guest.attestation()
        attestation["tee-evidence"]["primary_evidence"] = evidence
        status, body = guest.attest(attestation)
        assert status == 401 and body["code"] in ("broker.evidence_rejected", "broker.handshake_malformed"), (evidence, body)


# --- Tokens ------------------------------------------------------------------------------------------------------------

def changed_token(token, header=None, claims=None):
    parts = token.split(".")
    for index, change in ((0, header), (1, claims)):
        if change:
            document = json.loads(base64.urlsafe_b64decode(parts[index] + "=="))
            parts[index] = b64url(json.dumps({**document, **change}).encode())
    return ".".join(parts)


def test_tokens_that_are_none_or_were_changed(broker):
    guest = Guest(broker.url).auth()
    guest.attest()
    token = guest.token
    head, body, signature = token.split(".")
    tokens = {"garbage": "garbage", "truncated": token[:-20], "two parts": f"{head}.{body}", "no signature": f"{head}.{body}.",
              "alg none": changed_token(token, header={"alg": "none"}), "HS256": changed_token(token, header={"alg": "HS256"}),
              "longer life": changed_token(token, claims={"exp": int(time.time()) + 10**6}),
              "another signature": f"{head}.{body}.{signature[::-1]}", "three dots": "...",
              "nested": b64url(b"[" * 5000) + f".{body}.{signature}"}
    for name, bad in tokens.items():
        answer = guest.resource(RESOURCE, {"Authorization": "Bearer " + bad})
        assert answer[0] == 401 and answer[1]["code"] == "broker.token_rejected", (name, answer)
    assert guest.resource(RESOURCE, {"Authorization": "Bearer " + token})[0] == 200


def test_a_token_beyond_all_bounds(broker):
    answer = Guest(broker.url).resource(RESOURCE, {"Authorization": "Bearer " + "a" * (2 << 20)})
    assert answer[0] in (401, 431)


def test_paths_that_name_no_resource(broker):
    guest = Guest(broker.url).auth()
    guest.attest()
    for path in ("default/key", "default/key/k1/more", "default/key/..", "../../etc/passwd", "default/key/%2e%2e", "default/key/a%00b",
                 "default//k1", "default/key/" + "a" * 5000):
        status, body = guest.resource(path)
        assert status in (400, 404), (path, status, body)
    assert_refused(guest.resource("default/key/none"), "broker.resource_not_found", 404)


# --- Policies ----------------------------------------------------------------------------------------------------------

def upload(broker, text):
    return call(broker.url, "POST", "resource-policy", {"policy": b64url(text.encode())}, admin_headers(broker.home / "admin.key"))


BROKEN = {
    "no Rego": "allow everybody please",
    "an open brace": "package policy\nallow if {",
    "another package": "package other\ndefault allow := true\n",
    "nothing": "",
    "nested without end": "package policy\nallow if " + "(" * 20_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_rego_that_does_not_parse_changes_nothing(broker, name, tmp_path):
    before = broker.coffer("policy", "show", "resource-policy").stdout
    assert_refused(upload(broker, BROKEN[name]), "broker.policy_invalid")
    file = tmp_path / "broken.rego"
    file.write_text(BROKEN[name])
    refused = broker.coffer("policy", "set", "resource-policy", file, check=False)
    assert refused.returncode == 1
    assert len([line for line in refused.stderr.splitlines() if "code: policy." in line]) == 1
    assert broker.coffer("policy", "show", "resource-policy").stdout == before


def test_an_upload_that_is_no_policy(broker):
    headers = admin_headers(broker.home / "admin.key")
    for body in (b"{", b"[]", b"{}", b'{"policy": 1}', b'{"policy": "***"}'):
        assert_refused(call(broker.url, "POST", "resource-policy", body, headers), "broker.bad_request")
    assert_refused(call(broker.url, "POST", "resource-policy", b"{}"), "broker.admin_denied")


LOOP = """package policy
default allow := false
allow if {
  some a in numbers.range(1, 3000)
  some b in numbers.range(1, 3000)
  some c in numbers.range(1, 3000)
  a * b * c < 0
}
"""


def test_rego_that_loops_is_a_denial_within_its_budget(tmp_path_factory):
    """A broker of its own, because the engine's stuck thread ends with it."""
    with running_broker(tmp_path_factory.mktemp("loop"), "--allow-tee", "sample") as broker:
        broker.coffer("resource", "set", RESOURCE, "--random", "32")
        assert upload(broker, LOOP)[0] == 200
        guest = Guest(broker.url).auth()
        assert guest.attest()[0] == 200
        start = time.monotonic()
        assert_refused(guest.resource(RESOURCE), "broker.policy_failed")
        assert time.monotonic() - start < 5
        # Nothing is released to a policy that gives no answer, and the next policy is asked at once.
        assert http_ok(broker.url + "/healthz")
        broker.coffer("policy", "allow-all")
        assert guest.resource(RESOURCE)[0] == 200
        denied = [line for line in broker.log.read_text().splitlines() if "broker.denied" in line]
        assert len(denied) == 1
        assert "policy.timeout" in denied[0]


def test_rego_that_fails_while_it_runs_denies(broker):
    assert upload(broker, 'package policy\nallow := true if input\nallow := false if input\n')[0] == 200
    try:
        guest = Guest(broker.url).auth()
        assert guest.attest()[0] == 200
        assert_refused(guest.resource(RESOURCE), "broker.policy_failed")
    finally:
        broker.coffer("policy", "allow-all")


# --- The store ---------------------------------------------------------------------------------------------------------

def test_a_store_that_fails_tells_its_owner_why_and_the_guest_nothing(tmp_path):
    for name in ("repository/default/key/k1", "repository/repository/default\\x2Fkey\\x2Fk1"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(KEK)
    admin = Admin(tmp_path)
    config = ('[http_server]\nsockets = ["127.0.0.1:{port}"]\ninsecure_http = true\n'
              f'[admin]\ntype = "Simple"\n[[admin.personas]]\nid = "a"\npublic_key_path = "{admin.public_file}"\n'
              f'[[plugins]]\nname = "resource"\ntype = "LocalFs"\ndir_path = "{tmp_path}/repository"\n'
              '[coffer]\nunattested_reads = true\n')
    with kbs(tmp_path, config) as url:
        answer = call(url, "GET", "resource/" + RESOURCE)
        assert_refused(answer, "broker.storage_failed")
        assert "k1" not in answer[1]["detail"]
        denied = [line for line in (tmp_path / "kbs.log").read_text().splitlines() if "broker.denied" in line]
        assert len(denied) == 1
        for word in ("storage.ambiguous", "default/key/k1", "x2Fk1"):
            assert word in denied[0]
        audit = run(BIN / "coffer", "--kbs", url, "--admin-key", admin.private_file, "--json", "audit", "--last", "5").stdout
        assert "storage.ambiguous" in audit and "x2Fk1" in audit
        assert http_ok(url + "/healthz")


# --- Configurations ----------------------------------------------------------------------------------------------------

LISTEN = '[http_server]\nsockets = ["127.0.0.1:0"]\ninsecure_http = true\n'
CONFIGURATIONS = {
    "truncated TOML": (b"[http_server", "broker.config_syntax", ":1:13"),
    "noise": (bytes(range(128, 256)), "broker.config_syntax", ":1:1"),
    "neither TLS nor plain HTTP": (b'[http_server]\nsockets = ["127.0.0.1:0"]\n', "broker.config_value", "insecure_http"),
    "a port that is none": (LISTEN.replace(":0", ":99999").encode(), "net.bad_configuration", "99999"),
    "a trust anchor that is missing": ((LISTEN + '[attestation_token]\ntrusted_certs_paths = ["/nowhere"]\n').encode(),
                                       "token.bad_anchor", "/nowhere"),
    "a mode that the file contradicts": (('attestation_type = "background_check"\n' + LISTEN).encode(), "broker.config_conflict",
                                       "attestation_service"),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_that_cannot_be_used(tmp_path, name):
    text, code, word = CONFIGURATIONS[name]
    (tmp_path / "kbs.toml").write_bytes(text)
    result = run(BIN / "coffer-kbs", "--config-file", tmp_path / "kbs.toml", check=False, timeout=10, env={"RUST_LOG": "error"})
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert f"code={code}" in result.stderr and word in result.stderr


def test_a_home_whose_store_is_no_database_is_left_as_it_is(tmp_path):
    home = tmp_path / "home"
    run(BIN / "coffer", "--home", home, "init")
    store = home / "store.sqlite"
    noise = b"this is no database" * 1000
    store.write_bytes(noise)
    result = run(BIN / "coffer", "--home", home, "up", "--listen", "127.0.0.1:0", check=False, timeout=10)
    assert_coffer_fails(result, "storage.corrupt", "store.sqlite")
    assert store.read_bytes() == noise
