"""Compiled code of plain modules is kept between runs, authenticated; that of encrypted ones never is."""

import os
import pathlib

from conftest import BIN, run


def artefacts():
    return sorted(pathlib.Path(os.environ["XDG_CACHE_HOME"]).rglob("coffer-run/modules/*"))


def run_plain(tmp_path, addition, *arguments):
    image = f"oci:{tmp_path}/image:1"
    run(BIN / "coffer", "--home", tmp_path / "home", "image", "push", image, addition)
    return run(BIN / "coffer-run", "-i", image, *arguments, "--wasm-args", "5", "--wasm-args", "10", env={"RUST_LOG": "warn"})


def test_a_tampered_artefact_is_refused_and_the_module_still_runs(tmp_path, addition):
    assert run_plain(tmp_path, addition).stdout == "5 + 10 = 15\n"
    kept = artefacts()
    assert kept
    for artefact in kept:
        content = bytearray(artefact.read_bytes())
        content[len(content) // 2] ^= 1
        artefact.write_bytes(content)
    result = run_plain(tmp_path, addition)
    assert result.stdout == "5 + 10 = 15\n"
    assert "cache_rejected" in result.stderr
    assert "cache_rejected" not in run_plain(tmp_path, addition).stderr


def test_an_encrypted_module_leaves_nothing(broker, registry, addition):
    before = artefacts()
    reference = f"{registry}/uncached:1"
    broker.coffer("image", "push", reference, addition, "--encrypt", "kbs:///default/key/uncached", "--create-key")
    assert broker.coffer("run", reference, "--tee", "sample", "--", "5", "10").stdout == "5 + 10 = 15\n"
    assert artefacts() == before


def test_the_cache_can_be_left_out(tmp_path, addition):
    before = artefacts()
    os.environ["XDG_CACHE_HOME"], kept = str(tmp_path / "cache"), os.environ["XDG_CACHE_HOME"]
    try:
        assert run_plain(tmp_path, addition, "--no-compile-cache").stdout == "5 + 10 = 15\n"
        assert artefacts() == []
    finally:
        os.environ["XDG_CACHE_HOME"] = kept
    assert artefacts() == before
