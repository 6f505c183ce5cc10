"""Seed 000: its broken set-ups are told in one line each, where upstream panicked."""

import base64

import pytest

from conftest import BIN, kbs, run
from seed_000 import KEK, SOLUTION_2, get, here, one_line, passport_brokers, run_addition, runner, sealed_image


def allow(broker):
    broker.coffer("policy", "allow-all")


def test_a_runner_that_wants_attestation_from_a_broker_that_has_none(tmp_path, addition):
    image = sealed_image(tmp_path, addition, KEK)
    with passport_brokers(tmp_path) as (_, resource):
        result = run_addition(image, tmp_path, "--kbs-uri", resource, "--mode", "background-check", "--tee", "sample")
    assert result.returncode == 123 or result.returncode == 122
    assert one_line(result.stderr, "no_attestation_service")
    assert "--issuer-uri" in result.stderr


def test_a_token_for_a_broker_that_does_not_trust_its_issuer(tmp_path, broker, addition):
    """The reverse: passport against a resource broker that believes somebody else."""
    image = sealed_image(tmp_path, addition, KEK)
    with passport_brokers(tmp_path) as (_, resource):
        result = run_addition(image, tmp_path, "--kbs-uri", resource, "--issuer-uri", broker.url, "--mode", "passport",
                              "--tee", "sample")
    assert result.returncode == 122
    assert one_line(result.stderr, "unauthorized") or one_line(result.stderr, "no_trust_anchor")


def test_a_missing_key(broker, tmp_path, addition):
    allow(broker)
    image = sealed_image(tmp_path, addition, KEK)
    result = run_addition(image, tmp_path, "--kbs-uri", broker.url, "--tee", "sample")
    assert result.returncode == 126
    assert one_line(result.stderr, "keyclient.not_found", "default/key/wasm-addition")


@pytest.mark.parametrize("content, code", [
    (b"", "key_malformed"),
    (b"too short", "kek_wrong_size"),
    (b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n", "kek_is_pem"),
    (bytes(32), "unwrap_failed"),
])
def test_a_key_that_cannot_be_one_is_told_where_it_arrives(tmp_path, addition, content, code):
    """Upstream let an empty key through and panicked in the image code."""
    keys = tmp_path / "keys/default/key"
    keys.mkdir(parents=True)
    (keys / "wasm-addition").write_bytes(content)
    image = sealed_image(tmp_path, addition, KEK)
    result = run_addition(image, tmp_path, "--mode", "offline", "--offline-keys", tmp_path / "keys")
    assert result.returncode == 126
    assert one_line(result.stderr, code)
    assert "panicked" not in result.stderr


@pytest.mark.parametrize("encode", [lambda k: k, lambda k: k.hex().encode() + b"\n",
                                    lambda k: base64.b64encode(k) + b"\n"])
def test_a_kek_may_be_raw_or_text_with_a_newline(tmp_path, addition, encode):
    keys = tmp_path / "keys/default/key"
    keys.mkdir(parents=True)
    (keys / "wasm-addition").write_bytes(encode(KEK))
    image = sealed_image(tmp_path, addition, KEK)
    result = run_addition(image, tmp_path, "--mode", "offline", "--offline-keys", tmp_path / "keys")
    assert (result.returncode, result.stdout) == (0, "15\n"), result.stderr


def test_curl_shows_what_the_broker_expects(broker):
    status, body = get(broker.url + "/kbs/v0/resource/default/key/test")
    assert status == 401
    assert body["detail"] == "Attestation Token not found"
    assert body["code"] == "broker.token_missing"


@pytest.mark.parametrize("filter", ["debug", "info"])
def test_the_client_lines_that_the_document_greps_for_are_printed(broker, tmp_path, addition, filter):
    image = sealed_image(tmp_path, addition, KEK)
    result = runner("--image-reference", image, "--kbs-uri", broker.url, "--tee", "sample", "--work-dir", tmp_path / "w",
                    env={"RUST_LOG": filter})
    assert one_line(result.stderr, "Using background check client")


def test_doctor_tells_the_modes_apart(broker, tmp_path):
    assert "background-check" in broker.coffer("doctor", "kbs", broker.url).stdout
    with passport_brokers(tmp_path) as (issuer, resource):
        assert "background-check" in run(BIN / "coffer", "doctor", "kbs", issuer).stdout
        answer = run(BIN / "coffer", "doctor", "kbs", resource).stdout
        assert "passport" in answer
        assert "--issuer-uri" in answer
    unreachable = run(BIN / "coffer", "doctor", "kbs", "http://127.0.0.1:9", check=False)
    assert unreachable.returncode == 1
    assert "unreachable" in unreachable.stdout


def test_doctor_knows_a_server_that_is_no_broker(registry):
    answer = run(BIN / "coffer", "doctor", "kbs", f"http://{registry}", check=False)
    assert answer.returncode == 1
    assert "not-a-broker" in answer.stdout


def test_attestation_type_that_contradicts_the_configuration_is_fatal(tmp_path):
    config = here(SOLUTION_2, tmp_path, 8083) + '\n[attestation_service]\nattestation_type = "background_check"\n'
    with pytest.raises(AssertionError, match="attestation_type"):
        with kbs(tmp_path, config):
            pass


def test_the_mode_is_chosen_and_the_reason_is_said(broker, tmp_path, addition):
    allow(broker)
    image = sealed_image(tmp_path, addition, KEK)
    result = runner("-i", image, "-k", broker.url, "--tee", "sample", "-w", tmp_path / "w", "--json")
    assert "background-check" in result.stdout or "background-check" in result.stderr
