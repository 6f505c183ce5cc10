"""A component that another tool made, with real wasi:cli imports."""

import pytest

from conftest import BIN, CACHE, run

JCO = CACHE / "jco/node_modules/.bin/jco"


@pytest.fixture
def component(tmp_path, addition):
    if not JCO.exists():
        pytest.skip("jco was not installed (npm is missing)")
    target = tmp_path / "addition.component.wasm"
    run(JCO, "new", addition, "--wasi-command", "-o", target, timeout=120)
    return target


def test_a_component_of_jco_runs_as_a_command(tmp_path, component):
    run(BIN / "coffer", "--home", tmp_path / "home", "image", "push", f"oci:{tmp_path}/image:1", component)
    result = run(BIN / "coffer-run", "-i", f"oci:{tmp_path}/image:1", "--wasm-args", "5", "--wasm-args", "10")
    assert result.stdout == "5 + 10 = 15\n"
