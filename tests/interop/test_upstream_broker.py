"""The guest's programs against a broker that behaves as upstream's (upstream_kbs.py)."""

import functools
import hashlib
import http.client
import json
import urllib.parse

import pytest
from wasmtime import wat2wasm

from conftest import BIN, run
from upstream_images import FORK_WASM, OCI_TAR, Layer, gzipped, packet_v1, tar_of, write_image
from upstream_kbs import Authority, UpstreamKbs, concat_kdf, serving

KEK, OTHER = bytes(range(32)), bytes(range(32, 64))
MODULE = bytes(wat2wasm("""(module (func (export "add") (param i32 i32) (result i32)
  (i32.add (local.get 0) (local.get 1))))"""))
KEYS = {"default/key/k1": KEK, "default/key/k2": OTHER}


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def kbs(authority):
    """Background check: attests and releases."""
    with serving(UpstreamKbs(authority, KEYS)) as broker:
        yield broker


@pytest.fixture
def passport_kbs(authority):
    """A build without attestation service, which believes the authority's tokens."""
    with serving(UpstreamKbs(authority, KEYS, attests=False)) as broker:
        yield broker


def wrapped(kid="kbs:///default/key/k1", kek=KEK):
    return functools.partial(packet_v1, kek, kid)


@pytest.fixture
def sealed(tmp_path):
    """The module as one encrypted layer of the fork's type."""
    return write_image(tmp_path / "sealed", Layer(MODULE, FORK_WASM).encrypted(wrapped()))


def layers_image(directory, *kids):
    """One encrypted layer a key; the module is in the last."""
    layers = []
    for number, (kid, kek) in enumerate(kids):
        name = "module.wasm" if number + 1 == len(kids) else f"file{number}"
        tar = tar_of({name: MODULE})
        layers.append(Layer(gzipped(tar), OCI_TAR + "+gzip", tar).encrypted(wrapped(kid, kek)))
    return write_image(directory, *layers)


def coffer_run(image, *arguments, **options):
    environment = {"RUST_LOG": "info", **options.pop("env", {})}
    return run(BIN / "coffer-run", "-i", image, "--invoke", "add", "--wasm-args", "40", "--wasm-args", "2", "--tee", "sample",
               *arguments, check=False, timeout=30, env=environment, **options)


def assert_runs(result):
    assert result.returncode == 0, result.stderr
    assert result.stdout == "42\n"


def assert_fails(result, code, status, *words):
    assert result.returncode == status, (result.returncode, result.stderr)
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"coffer-run: {code}: "), result.stderr
    for word in words:
        assert word in last


def doctor(tmp_path, url, check=True):
    result = run(BIN / "coffer", "--home", tmp_path / "home", "--json", "doctor", "kbs", url, check=check)
    return json.loads(result.stdout), result.returncode


def ask(broker, method, path, body=None, headers=None):
    address = urllib.parse.urlsplit(broker.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request(method, "/kbs/v0/" + path, None if body is None else json.dumps(body).encode(),
                           {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())
    finally:
        connection.close()


# The stand-in itself is held against what is known of upstream, so that it cannot drift towards ours.

def test_the_stand_in_hashes_runtime_data_as_upstream_s_vector():
    from upstream_kbs import canonical
    key = {"kty": "EC", "crv": "P-256", "alg": "ECDH-ES+A256KW", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
           "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
    text = canonical({"nonce": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "tee-pubkey": key, "additional-evidence": ""})
    assert len(text) == 244
    assert hashlib.sha384(text).hexdigest() == ("dfa65d498315212bdaf8857231cf0482172933db271f15856bf30db447227eb5"
                                                "b1dd9e29fcc1fb9076fb00792c3bb7e7")


def test_the_stand_in_derives_keys_as_upstream_s_vector():
    shared = bytes.fromhex("9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4")
    assert concat_kdf(shared, "ECDH-ES+A256KW").hex() == "89ab838633757805bd678cb164f2427776824e8f784152f23747096449921f46"


def test_the_stand_in_has_upstream_s_sharp_edges(kbs, passport_kbs):
    status, headers, body = ask(kbs, "GET", "auth")
    assert (status, body["type"].rpartition("/")[2]) == (404, "PluginNotFound")
    assert "code" not in body and headers["Content-Type"] is None
    assert ask(kbs, "GET", "info")[0] == 404
    assert ask(passport_kbs, "POST", "auth", {})[0] == 404
    status, headers, body = ask(kbs, "POST", "auth", {"version": "0.4.0", "tee": "sample", "extra-params": ""})
    assert (status, body["extra-params"], len(body["nonce"])) == (200, "", 44)
    name, expires = headers["Set-Cookie"].split("; ")
    assert name.startswith("kbs-session-id=") and expires.startswith("Expires=")
    status, _, body = ask(kbs, "POST", "auth", {"version": "0.3.0", "tee": "sample", "extra-params": ""})
    assert status == 401 and body["detail"].endswith("expect =0.4.0 while the request is 0.3.0")
    status, _, body = ask(kbs, "GET", "resource/default/key/k1")
    assert (status, body["detail"]) == (401, "Attestation Token not found")


# Background check.

@pytest.mark.parametrize("mode", ["auto", "background-check"])
def test_background_check_runs_with_one_handshake(kbs, sealed, mode):
    result = coffer_run(sealed, "-k", kbs.url, "--mode", mode)
    assert_runs(result)
    assert "Using background check client" in result.stderr
    assert kbs.handshakes == 1
    assert kbs.resource_reads() == ["default/key/k1"]


def test_a_base_url_with_a_slash_behind_it_works(kbs, sealed):
    assert_runs(coffer_run(sealed, "-k", kbs.url + "/"))


def test_several_layers_with_one_key_take_one_handshake_and_one_read(kbs, tmp_path):
    image = layers_image(tmp_path / "image", *[("kbs:///default/key/k1", KEK)] * 4)
    assert_runs(coffer_run(image, "-k", kbs.url))
    assert (kbs.handshakes, kbs.resource_reads()) == (1, ["default/key/k1"])


def test_several_layers_with_keys_of_their_own_take_one_handshake(kbs, tmp_path):
    image = layers_image(tmp_path / "image", ("kbs:///default/key/k1", KEK), ("kbs:///default/key/k2", OTHER))
    assert_runs(coffer_run(image, "-k", kbs.url))
    assert (kbs.handshakes, kbs.resource_reads()) == (1, ["default/key/k1", "default/key/k2"])


def test_a_session_that_ends_between_two_keys_is_renewed_once(kbs, tmp_path):
    def late(number):
        kbs.offset = 360 if number == 2 else kbs.offset

    kbs.before_resource = late
    image = layers_image(tmp_path / "image", ("kbs:///default/key/k1", KEK), ("kbs:///default/key/k2", OTHER))
    assert_runs(coffer_run(image, "-k", kbs.url, "--mode", "background-check"))
    assert kbs.handshakes == 2
    assert kbs.resource_reads() == ["default/key/k1", "default/key/k2", "default/key/k2"]


def test_a_token_that_ends_before_its_session_is_renewed_once(kbs, tmp_path):
    kbs.session_minutes = 60

    def late(number):
        kbs.offset = 600 if number == 2 else kbs.offset

    kbs.before_resource = late
    image = layers_image(tmp_path / "image", ("kbs:///default/key/k1", KEK), ("kbs:///default/key/k2", OTHER))
    assert_runs(coffer_run(image, "-k", kbs.url))
    assert kbs.handshakes == 2


def test_a_broker_that_lost_its_sessions_is_attested_to_once_more_and_then_given_up(kbs, sealed):
    kbs.before_resource = lambda number: kbs.sessions.clear()
    assert_fails(coffer_run(sealed, "-k", kbs.url), "keyclient.unauthorized", 122, "Attestation Token not found")
    assert kbs.handshakes == 2


@pytest.mark.parametrize("ahead", [-86400 * 400, 86400 * 400])
def test_a_broker_whose_clock_is_years_away_still_releases(kbs, sealed, ahead):
    kbs.offset = ahead
    assert_runs(coffer_run(sealed, "-k", kbs.url))
    assert kbs.handshakes == 1


@pytest.mark.parametrize("mode", ["auto", "background-check"])
def test_connections_that_end_while_nothing_is_asked_are_made_anew(kbs, tmp_path, mode):
    kbs.drops_connections = True
    image = layers_image(tmp_path / "image", ("kbs:///default/key/k1", KEK), ("kbs:///default/key/k2", OTHER))
    assert_runs(coffer_run(image, "-k", kbs.url, "--mode", mode))
    assert kbs.handshakes == 1


@pytest.mark.parametrize("first", ["default/key/none", "default/key/k2"])
def test_of_several_wraps_one_whose_key_is_missing_or_denied_does_not_stop_the_next(kbs, tmp_path, first):
    kbs.allow = lambda claims, path: path != "default/key/k2"
    wraps = wrapped("kbs:///" + first, OTHER), wrapped()
    image = write_image(tmp_path / "image", Layer(MODULE, FORK_WASM).encrypted(*wraps))
    assert_runs(coffer_run(image, "-k", kbs.url))
    assert (kbs.handshakes, kbs.resource_reads()) == (1, [first, "default/key/k1"])


def test_a_missing_key_costs_one_handshake(kbs, tmp_path):
    image = write_image(tmp_path / "image", Layer(MODULE, FORK_WASM).encrypted(wrapped("kbs:///default/key/none")))
    assert_fails(coffer_run(image, "-k", kbs.url), "keyclient.not_found", 126, "default/key/none", "Plugin internal error")
    # Upstream's own client attests up to fifteen times for this (five tries of each of three handshakes).
    assert kbs.handshakes == 1
    assert kbs.resource_reads() == ["default/key/none"]


def test_a_denial_by_policy_ends_with_122_after_one_handshake(kbs, sealed):
    kbs.allow = lambda claims, path: False
    assert_fails(coffer_run(sealed, "-k", kbs.url), "keyclient.policy_denied", 122, "Access denied by policy")
    assert kbs.handshakes == 1


def test_the_policy_sees_upstream_s_claims_and_init_data(kbs, sealed, tmp_path):
    init_data = tmp_path / "init.toml"
    init_data.write_text('version = "0.1.0"\nalgorithm = "sha384"\n\n[data]\n"a.toml" = "x = 1"\n')
    wanted = hashlib.sha384(init_data.read_bytes()).hexdigest()
    kbs.allow = lambda claims, path: claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"].get("init_data") == wanted
    assert_runs(coffer_run(sealed, "-k", kbs.url, "--init-data", init_data))
    assert_fails(coffer_run(sealed, "-k", kbs.url), "keyclient.policy_denied", 122)


def test_evidence_that_the_broker_rejects_ends_with_122_after_one_handshake(kbs, sealed):
    def refuse(session, attestation):
        raise AssertionError("the verifier says no")

    kbs.token_for = refuse
    assert_fails(coffer_run(sealed, "-k", kbs.url), "keyclient.evidence_rejected", 122)
    assert kbs.handshakes == 1


def test_the_wrong_key_under_the_right_name_is_told_from_a_missing_one(kbs, sealed):
    kbs.resources["default/key/k1"] = OTHER
    assert_fails(coffer_run(sealed, "-k", kbs.url), "image.unwrap_failed", 126, "default/key/k1")


@pytest.mark.parametrize("algorithm, kty, crv", [("ECDH-ES+A256KW-P256", "EC", "P-256"), ("ECDH-ES+A256KW-P521", "EC", "P-521"),
                                                 ("RSA-OAEP-256", "RSA", None)])
def test_each_kind_of_tee_key_opens_upstream_s_answer(kbs, sealed, tmp_path, algorithm, kty, crv):
    config = tmp_path / "aa.toml"
    config.write_text(f'[token_configs.kbs]\nurl = "{kbs.url}"\ntee_key_algorithm = "{algorithm}"\n')
    assert_runs(coffer_run(sealed, "-a", config))
    jwk = kbs.claims[-1]["submods"]["cpu0"]["ear.veraison.annotated-evidence"]["runtime_data_claims"]["tee-pubkey"]
    assert (jwk["kty"], jwk.get("crv")) == (kty, crv)


def test_the_broker_may_be_named_by_the_environment(kbs, sealed):
    assert_runs(coffer_run(sealed, env={"AA_KBC_PARAMS": f"cc_kbc::{kbs.url}"}))


def test_a_broker_of_the_environment_that_contradicts_the_configuration_is_an_error(kbs, sealed, tmp_path):
    config = tmp_path / "aa.toml"
    config.write_text('[token_configs.kbs]\nurl = "http://127.0.0.1:1"\n')
    result = coffer_run(sealed, "-a", config, env={"AA_KBC_PARAMS": f"cc_kbc::{kbs.url}"})
    assert_fails(result, "keyclient.config_conflict", 120, kbs.url, "http://127.0.0.1:1")


def test_the_fork_s_flags_work_against_upstream(kbs, sealed, tmp_path):
    result = coffer_run(sealed, "-w", tmp_path / "work", "-l", tmp_path / "store", "-n", "cc_kbc", "-k", kbs.url,
                        "--kbs-resource-path", "default/key/k1", "-r", "embedded")
    assert_runs(result)
    assert kbs.resource_reads() == ["default/key/k1"]


# Passport.

@pytest.mark.parametrize("mode", ["auto", "passport"])
def test_passport_takes_the_token_of_the_issuer_to_the_resource_broker(kbs, passport_kbs, sealed, mode):
    result = coffer_run(sealed, "-k", passport_kbs.url, "--issuer-uri", kbs.url, "--mode", mode)
    assert_runs(result)
    assert "Using RCAR client" in result.stderr
    assert (kbs.handshakes, kbs.resource_reads()) == (1, [])
    assert (passport_kbs.handshakes, passport_kbs.resource_reads()) == (0, ["default/key/k1"])


def test_passport_with_an_rsa_key_opens_the_answer(kbs, passport_kbs, sealed, tmp_path):
    # Upstream's own passport test uses a client's RSA key.
    config = tmp_path / "aa.toml"
    config.write_text(f'[token_configs.kbs]\nurl = "{passport_kbs.url}"\ntee_key_algorithm = "RSA-OAEP-256"\n'
                      f'[token_configs.coco_as]\nurl = "{kbs.url}"\n')
    assert_runs(coffer_run(sealed, "-a", config))


def test_a_passport_that_expires_between_two_keys_is_renewed_once(kbs, passport_kbs, tmp_path):
    def late(number):
        passport_kbs.offset = kbs.offset = 600 if number == 2 else kbs.offset

    passport_kbs.before_resource = late
    image = layers_image(tmp_path / "image", ("kbs:///default/key/k1", KEK), ("kbs:///default/key/k2", OTHER))
    assert_runs(coffer_run(image, "-k", passport_kbs.url, "--issuer-uri", kbs.url))
    assert kbs.handshakes == 2
    assert passport_kbs.resource_reads() == ["default/key/k1", "default/key/k2", "default/key/k2"]


def test_a_token_of_an_issuer_that_is_not_trusted_ends_with_122_after_two_handshakes(passport_kbs, sealed):
    with serving(UpstreamKbs(Authority(), KEYS)) as stranger:
        result = coffer_run(sealed, "-k", passport_kbs.url, "--issuer-uri", stranger.url)
        assert_fails(result, "keyclient.unauthorized", 122, "Token Verifier error", passport_kbs.url)
        assert stranger.handshakes == 2


def test_a_passport_only_broker_without_issuer_says_what_is_missing(passport_kbs, sealed):
    result = coffer_run(sealed, "-k", passport_kbs.url)
    assert_fails(result, "keyclient.no_attestation_service", 123, "--issuer-uri")
    assert passport_kbs.resource_reads() == []


def test_background_check_with_a_passport_only_broker_says_what_is_missing(passport_kbs, sealed):
    result = coffer_run(sealed, "-k", passport_kbs.url, "--mode", "background-check")
    assert_fails(result, "keyclient.no_attestation_service", 123, "--issuer-uri", "Plugin auth not found")


# Other versions of the protocol.

@pytest.mark.parametrize("version", ["0.1.1", "0.2.0", "0.3.0", "0.5.0"])
@pytest.mark.parametrize("mode", ["auto", "background-check"])
def test_another_protocol_version_is_an_error_that_names_both(authority, sealed, version, mode):
    with serving(UpstreamKbs(authority, KEYS, version=version)) as broker:
        result = coffer_run(sealed, "-k", broker.url, "--mode", mode)
        assert_fails(result, "keyclient.version_mismatch", 123, version, "0.4.0")
        assert broker.handshakes == 0


# The doctor.

def test_the_doctor_knows_a_background_check_broker(kbs, tmp_path):
    verdict, status = doctor(tmp_path, kbs.url)
    assert status == 0
    assert (verdict["kind"], verdict["software"]) == ("background-check", "Trustee KBS")
    assert (verdict["protocol_version"], verdict["version_matches"]) == ("0.4.0", True)
    assert kbs.handshakes == 0 and kbs.sessions == {}


def test_the_doctor_knows_a_passport_only_broker(passport_kbs, tmp_path):
    verdict, status = doctor(tmp_path, passport_kbs.url)
    assert (status, verdict["kind"], verdict["software"]) == (0, "passport", "Trustee KBS")
    assert "--issuer-uri" in verdict["advice"]


def test_the_doctor_names_both_versions_of_an_older_broker(authority, tmp_path):
    with serving(UpstreamKbs(authority, version="0.3.0")) as broker:
        verdict, status = doctor(tmp_path, broker.url, check=False)
    assert status == 1
    assert (verdict["kind"], verdict["protocol_version"], verdict["version_matches"]) == ("background-check", "0.3.0", False)
    assert "0.3.0" in verdict["advice"] and "0.4.0" in verdict["advice"]


# The other commands.

def coffer(tmp_path, url, *arguments, **options):
    return run(BIN / "coffer", "--home", tmp_path / "home", "--kbs", url, *arguments, **options)


def test_coffer_run_works_against_upstream(kbs, sealed, tmp_path):
    result = coffer(tmp_path, kbs.url, "run", sealed, "--tee", "sample", "--invoke", "add", "--", "40", "2")
    assert result.stdout == "42\n"
    assert kbs.handshakes == 1


def test_coffer_image_pull_and_decrypt_work_against_upstream(kbs, tmp_path):
    image = layers_image(tmp_path / "image", ("kbs:///default/key/k1", KEK), ("kbs:///default/key/k2", OTHER))
    coffer(tmp_path, kbs.url, "image", "pull", image, tmp_path / "tree", "--tee", "sample", "--expect-encrypted")
    assert (tmp_path / "tree/module.wasm").read_bytes() == MODULE
    assert kbs.handshakes == 1
    coffer(tmp_path, kbs.url, "image", "decrypt", image, f"oci:{tmp_path}/plain:t", "--tee", "sample")
    assert_runs(coffer_run(f"oci:{tmp_path}/plain:t"))
    assert kbs.handshakes == 2


def test_coffer_image_pull_takes_a_passport(kbs, passport_kbs, tmp_path):
    image = layers_image(tmp_path / "image", ("kbs:///default/key/k1", KEK))
    coffer(tmp_path, passport_kbs.url, "image", "pull", image, tmp_path / "tree", "--tee", "sample", "--issuer-uri", kbs.url,
           "--tee-key", "RSA-OAEP-256")
    assert (tmp_path / "tree/module.wasm").read_bytes() == MODULE


def test_coffer_resource_get_and_attest_work_against_upstream(kbs, tmp_path):
    coffer(tmp_path, kbs.url, "resource", "get", "default/key/k1", "--tee", "sample", "--output", tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == KEK
    assert coffer(tmp_path, kbs.url, "attest", "--tee", "sample").stdout.count(".") == 2
    missing = coffer(tmp_path, kbs.url, "resource", "get", "default/key/none", "--tee", "sample", "--output", tmp_path / "none",
                     check=False)
    assert missing.returncode == 1 and "keyclient.not_found" in missing.stderr
