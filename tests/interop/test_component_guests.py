"""The components that unit tests read are what their text says."""

import pytest
from conftest import ROOT
from wasmtime import wat2wasm

GUESTS = sorted(path for path in (ROOT / "src").rglob("testdata/*.wat") if path.with_suffix(".wasm").exists())


@pytest.mark.parametrize("text", GUESTS, ids=lambda path: path.stem)
def test_a_component_is_made_of_its_text(text):
    assert text.with_suffix(".wasm").read_bytes() == bytes(wat2wasm(text.read_text())), f"make {text.stem}.wasm anew"


def test_there_are_some():
    assert GUESTS
