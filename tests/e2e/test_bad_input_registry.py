"""Registries that refuse, fail, lie or break off: one line with a code, and a second try against a healed one works."""

import time

import pytest

from bad_input import (MODULE, WASM_CONFIG, WASM_LAYER, Image, assert_coffer_fails, assert_fails, assert_runs,
                       coffer_run, digest_of)
from conftest import BIN, free_port, run
from fake_registry import error, fake_registry
from fake_server import Answer, json_answer

DENIED, UNREACHABLE, BAD_IMAGE = 122, 123, 125
MIB = 1 << 20


def custom_section(size):
    """Padding that a WASM module may carry (WebAssembly core 5.5.3): `size` bytes under the name "pad"."""
    length, out = size + 4, b""
    while length > 0x7f:
        out, length = out + bytes([length & 0x7f | 0x80]), length >> 7
    return b"\0" + out + bytes([length]) + b"\x03pad" + bytes(i * 7 % 256 for i in range(256)) * (size // 256)


PADDED = MODULE + custom_section(2 * MIB)


@pytest.fixture
def registry():
    """Healthy, with one image whose layer is PADDED."""
    with fake_registry(Image([PADDED], WASM_LAYER, WASM_CONFIG)) as fake:
        yield fake


@pytest.fixture(autouse=True)
def no_docker_credentials(monkeypatch, tmp_path):
    (tmp_path / "docker").mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def fails_and_recovers(registry, tmp_path, code, status, *words):
    """The failure leaves no file behind; a healed registry serves into the same work directory. Seconds until it failed."""
    work = tmp_path / "work"
    start = time.monotonic()
    result = coffer_run(registry.reference, "--work-dir", work)
    took = time.monotonic() - start
    assert_fails(result, code, status, *words)
    layer = digest_of(PADDED).removeprefix("sha256:")
    assert not [path for path in work.rglob("*") if path.is_file() and (layer in path.name or "partial" in path.name)]
    registry.heal()
    assert_runs(coffer_run(registry.reference, "--work-dir", work))
    return took


def test_the_healthy_registry_serves(registry):
    assert_runs(coffer_run(registry.reference))


# --- Statuses ----------------------------------------------------------------------------------------------------------

CHALLENGES = {
    "none": {},
    "an unknown scheme": {"WWW-Authenticate": 'Negotiate abc'},
    "basic, and nobody has credentials": {"WWW-Authenticate": 'Basic realm="x"'},
}


@pytest.mark.parametrize("name", CHALLENGES)
def test_401_without_a_challenge_that_can_be_answered(registry, tmp_path, name):
    registry.manifest_answers(error(401, **CHALLENGES[name]))
    fails_and_recovers(registry, tmp_path, "image.unauthorized", DENIED)


@pytest.mark.parametrize("answer,code,status", [
    (error(401), "image.unauthorized", DENIED),
    (error(403), "image.forbidden", DENIED),
    (Answer(200, b'{"token": '), "image.registry_protocol", UNREACHABLE),
    (json_answer(200, {"hello": 1}), "image.registry_protocol", UNREACHABLE),
], ids=["401", "403", "truncated JSON", "no token"])
def test_a_token_service_that_gives_no_token(registry, tmp_path, answer, code, status):
    challenge = f'Bearer realm="http://{registry.host}/token",service="s"'
    registry.manifest_answers(error(401, **{"WWW-Authenticate": challenge}))
    registry.answers["/token"] = [answer]
    fails_and_recovers(registry, tmp_path, code, status)


def test_a_challenge_that_leads_nowhere(registry, tmp_path):
    registry.manifest_answers(error(401, **{"WWW-Authenticate": 'Bearer realm="file:///etc/passwd"'}))
    fails_and_recovers(registry, tmp_path, "image.registry_protocol", UNREACHABLE)


def test_a_token_that_the_registry_itself_does_not_take(registry, tmp_path):
    challenge = f'Bearer realm="http://{registry.host}/token",service="s"'
    registry.manifest_answers(error(401, **{"WWW-Authenticate": challenge}))
    registry.answers["/token"] = [json_answer(200, {"token": "abc"})]
    fails_and_recovers(registry, tmp_path, "image.unauthorized", DENIED)


@pytest.mark.parametrize("status,code,exit_code", [(403, "image.forbidden", DENIED), (404, "image.not_found", BAD_IMAGE),
                                                   (418, "image.registry_protocol", UNREACHABLE)])
def test_a_refusal_is_final(registry, tmp_path, status, code, exit_code):
    registry.manifest_answers(error(status), Answer(200, registry.manifest))
    took = fails_and_recovers(registry, tmp_path, code, exit_code, str(status), "as the test wants it")
    assert took < 1


def test_a_blob_that_is_not_found(registry, tmp_path):
    registry.answers[registry.blob_path(PADDED)] = [error(404)]
    fails_and_recovers(registry, tmp_path, "image.not_found", BAD_IMAGE, digest_of(PADDED))


def test_429_with_a_short_pause_is_waited_for(registry):
    registry.manifest_answers(error(429, **{"Retry-After": "1"}), *registry.healthy["/v2/demo/manifests/1"])
    start = time.monotonic()
    assert_runs(coffer_run(registry.reference))
    assert time.monotonic() - start >= 1


def test_429_with_a_long_pause_is_given_up_at_once(registry, tmp_path):
    registry.manifest_answers(error(429, **{"Retry-After": "3600"}))
    assert fails_and_recovers(registry, tmp_path, "image.rate_limited", UNREACHABLE, "429") < 1


def test_500_for_ever_is_tried_four_times(registry, tmp_path):
    registry.manifest_answers(error(500))
    result = coffer_run(registry.reference)
    assert_fails(result, "image.registry_unavailable", UNREACHABLE, "500")
    assert len(registry.asked("/v2/demo/manifests/1")) == 4


def test_500_once_is_got_over_for_manifest_and_blob(registry):
    registry.manifest_answers(error(500), *registry.healthy["/v2/demo/manifests/1"])
    path = registry.blob_path(PADDED)
    registry.answers[path] = [error(500), *registry.healthy[path]]
    assert_runs(coffer_run(registry.reference))
    assert len(registry.asked(path)) == 2


# --- Connections that break off ----------------------------------------------------------------------------------------

def test_a_blob_that_breaks_off_is_resumed_where_it_broke(registry):
    path = registry.blob_path(PADDED)
    ranges = {"Accept-Ranges": "bytes"}
    registry.answers[path] = [Answer(200, PADDED, ranges, cut=700_000), Answer(200, PADDED, ranges, cut=500_000),
                              Answer(200, PADDED, ranges)]
    assert_runs(coffer_run(registry.reference))
    assert [headers.get("Range") for headers in registry.asked(path)] == [None, "bytes=700000-", "bytes=1200000-"]


def test_a_registry_without_ranges_begins_anew_and_nothing_is_doubled(registry):
    path = registry.blob_path(PADDED)
    registry.answers[path] = [Answer(200, PADDED, cut=700_000), Answer(200, PADDED)]
    assert_runs(coffer_run(registry.reference))


def test_a_blob_that_always_breaks_off(registry, tmp_path):
    registry.answers[registry.blob_path(PADDED)] = [Answer(200, PADDED, {"Accept-Ranges": "bytes"}, cut=0)]
    registry.answers[registry.blob_path(PADDED)].insert(0, Answer(200, PADDED, cut=700_000))
    fails_and_recovers(registry, tmp_path, "image.incomplete", UNREACHABLE, "700000", str(len(PADDED)))


def test_another_range_than_was_asked_for(registry, tmp_path):
    path = registry.blob_path(PADDED)
    wrong = {"Accept-Ranges": "bytes", "Content-Range": f"bytes 5-{len(PADDED) - 1}/{len(PADDED)}"}
    registry.answers[path] = [Answer(200, PADDED, cut=700_000), Answer(200, PADDED, wrong)]
    fails_and_recovers(registry, tmp_path, "image.registry_protocol", UNREACHABLE)


def test_a_manifest_that_breaks_off(registry, tmp_path):
    registry.manifest_answers(Answer(200, registry.manifest, cut=20))
    fails_and_recovers(registry, tmp_path, "net.unreachable", UNREACHABLE)


def test_what_does_not_speak_http(registry, tmp_path):
    registry.manifest_answers(Answer(raw=b"SSH-2.0-OpenSSH_9.2\r\n" + b"x" * 200 + b"\r\n\r\n"))
    fails_and_recovers(registry, tmp_path, "net.protocol", UNREACHABLE)


def test_redirects_in_a_circle(registry, tmp_path):
    registry.manifest_answers(Answer(307, b"", {"Location": "/v2/demo/manifests/1"}))
    fails_and_recovers(registry, tmp_path, "net.redirect", UNREACHABLE)


def test_nobody_listens():
    assert_fails(coffer_run(f"127.0.0.1:{free_port()}/demo:1"), "net.refused", UNREACHABLE)


# --- Content that lies -------------------------------------------------------------------------------------------------

def test_a_blob_of_another_digest(registry, tmp_path):
    lie = PADDED[:-1] + bytes([PADDED[-1] ^ 1])
    registry.answers[registry.blob_path(PADDED)] = [Answer(200, lie)]
    fails_and_recovers(registry, tmp_path, "image.digest_mismatch", BAD_IMAGE, digest_of(PADDED))


def test_a_blob_longer_than_the_manifest_says_is_not_read_to_its_end(registry, tmp_path):
    registry.answers[registry.blob_path(PADDED)] = [Answer(200, PADDED + bytes(64 * MIB))]
    fails_and_recovers(registry, tmp_path, "image.size_mismatch", BAD_IMAGE)


def test_a_manifest_of_another_digest_than_was_asked_for(registry):
    asked = f"/v2/demo/manifests/{digest_of(registry.manifest)}"
    registry.answers[asked] = [Answer(200, registry.manifest + b" ")]
    result = coffer_run(f"{registry.host}/demo@{digest_of(registry.manifest)}")
    assert_fails(result, "image.digest_mismatch", BAD_IMAGE)


def test_a_manifest_beyond_all_bounds(registry, tmp_path):
    registry.manifest_answers(Answer(200, registry.manifest + b" " * (5 * MIB)))
    fails_and_recovers(registry, tmp_path, "image.limit_exceeded", BAD_IMAGE)


def test_a_web_page_in_place_of_a_manifest(registry, tmp_path):
    registry.manifest_answers(Answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}))
    fails_and_recovers(registry, tmp_path, "image.bad_manifest", BAD_IMAGE)


# --- Pushing -----------------------------------------------------------------------------------------------------------

def push(registry, tmp_path):
    module = tmp_path / "module.wasm"
    module.write_bytes(MODULE)
    return run(BIN / "coffer", "--home", tmp_path / "home", "image", "push", f"{registry.host}/pushed:1", module, check=False)


def uploads(registry):
    """Blob uploads that are taken, and a manifest that is."""
    registry.answers["/v2/pushed/blobs/uploads/"] = [Answer(202, b"", {"Location": "/v2/pushed/blobs/uploads/u"})]
    registry.answers["/v2/pushed/blobs/uploads/u"] = [Answer(201, b"", {"Location": "/v2/pushed/blobs/uploads/u"})]
    registry.answers["/v2/pushed/manifests/1"] = [Answer(201)]


def test_a_push_whose_blob_fails_never_stores_the_manifest(registry, tmp_path):
    uploads(registry)
    registry.answers["/v2/pushed/blobs/uploads/u"] = [error(403)]
    assert_coffer_fails(push(registry, tmp_path), "image.forbidden", "403")
    assert registry.asked("/v2/pushed/manifests/1", "PUT") == []


def test_a_push_whose_manifest_fails_is_an_error(registry, tmp_path):
    uploads(registry)
    registry.answers["/v2/pushed/manifests/1"] = [error(400)]
    assert_coffer_fails(push(registry, tmp_path), "image.registry_protocol", "400")
