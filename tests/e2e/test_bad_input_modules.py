"""Modules that spin, take memory without end, trap or are none: the runner ends them with one line and its own code."""

import time

import pytest
from wasmtime import wat2wasm

from bad_input import MODULE, WASM_CONFIG, WASM_LAYER, Image, assert_fails
from conftest import BIN, run

LIMIT, TRAP = 124, 127


def run_module(directory, module, *arguments):
    reference = Image([module], WASM_LAYER, WASM_CONFIG).write(directory / "image")
    return run(BIN / "coffer-run", "-i", reference, *arguments, check=False, timeout=30, env={"RUST_LOG": "error"})


def wat(text):
    return bytes(wat2wasm(text))


SPIN = wat('(module (func (export "_start") (loop (br 0))))')
GROW_FOR_EVER = wat('(module (memory (export "memory") 1) (func (export "_start") (loop (drop (memory.grow (i32.const 16))) (br 0))))')
GROW_TABLE = wat('(module (table 1 funcref) (func (export "_start") '
                 '(loop (drop (table.grow (ref.null func) (i32.const 100000))) (br 0))))')
LARGE_AT_BIRTH = wat('(module (memory (export "memory") 4096) (func (export "_start")))')
SLEEP = """
#include <unistd.h>
int main(void) { sleep(60); return 0; }
"""


def test_a_module_that_spins_is_stopped_by_the_clock(tmp_path):
    start = time.monotonic()
    result = run_module(tmp_path, SPIN, "--timeout", "0.5")
    assert_fails(result, "wasm.timeout", LIMIT)
    assert time.monotonic() - start < 5


def test_a_module_that_spins_is_stopped_by_fuel(tmp_path):
    assert_fails(run_module(tmp_path, SPIN, "--fuel", "1000000"), "wasm.out_of_fuel", LIMIT)


def test_a_module_that_sleeps_is_stopped_by_the_clock(tmp_path, compile_guest):
    start = time.monotonic()
    result = run_module(tmp_path, compile_guest("sleep", SLEEP).read_bytes(), "--timeout", "0.5")
    assert_fails(result, "wasm.timeout", LIMIT)
    assert time.monotonic() - start < 5


ALLOCATE = """
#include <stdlib.h>
int main(void) {
  for (;;) {
    volatile char* block = malloc(1 << 20);
    block[0] = 1;
  }
}
"""


def test_a_module_that_allocates_without_end_is_stopped(tmp_path, compile_guest):
    result = run_module(tmp_path, compile_guest("allocate", ALLOCATE).read_bytes(), "--memory", "16M", "--timeout", "10")
    assert_fails(result, "wasm.out_of_memory", LIMIT)


def test_a_module_that_grows_without_end_is_stopped(tmp_path):
    result = run_module(tmp_path, GROW_FOR_EVER, "--memory", "16M", "--timeout", "10")
    assert_fails(result, "wasm.out_of_memory", LIMIT, str(16 << 20))


def test_a_module_that_is_born_too_large_is_refused(tmp_path):
    assert_fails(run_module(tmp_path, LARGE_AT_BIRTH, "--memory", "16M"), "wasm.out_of_memory", LIMIT)


def test_tables_have_an_end_too(tmp_path):
    assert_fails(run_module(tmp_path, GROW_TABLE, "--memory", "16M", "--timeout", "0.5"), "wasm.timeout", LIMIT)


TRAPS = {
    "unreachable": "unreachable",
    "division by zero": "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
    "memory out of bounds": "(drop (i32.load (i32.const 0x7fffffff)))",
    "recursion without end": "(call 0)",
}


@pytest.mark.parametrize("name", TRAPS)
def test_a_module_that_traps(tmp_path, name):
    module = wat(f'(module (memory (export "memory") 1) (func $start (export "_start") {TRAPS[name]}))')
    assert_fails(run_module(tmp_path, module), "wasm.trap", TRAP)


def test_a_module_without_the_export(tmp_path):
    assert_fails(run_module(tmp_path, MODULE, "--invoke", "subtract"), "wasm.missing_export", TRAP, "subtract", "add")
    again = run(BIN / "coffer-run", "-i", f"oci:{tmp_path}/image:t", check=False, env={"RUST_LOG": "error"})
    assert_fails(again, "wasm.missing_export", TRAP, "_start")


def test_an_export_that_is_no_function(tmp_path):
    assert_fails(run_module(tmp_path, MODULE, "--invoke", "memory"), "wasm.missing_export", TRAP, "memory")


@pytest.mark.parametrize("arguments", [[], ["1"], ["1", "2", "3"], ["one", "2"], ["99999999999", "2"], ["", "2"]],
                         ids=["none", "one", "three", "a word", "too large", "empty"])
def test_arguments_that_do_not_fit_the_function(tmp_path, arguments):
    words = [part for argument in arguments for part in ("--wasm-args", argument)]
    assert_fails(run_module(tmp_path, MODULE, "--invoke", "add", *words), "wasm.bad_arguments", TRAP)


def test_modules_that_do_not_load(tmp_path):
    unknown = wat('(module (import "env" "launch" (func)) (func (export "_start")))')
    cases = {"cut": (MODULE[:-10], "wasm.bad_module"), "text": (b"(module)", "image.bad_module"),
             "empty": (b"", "image.bad_module"), "magic alone": (MODULE[:4], "wasm.bad_module"),
             "noise": (MODULE[:8] + bytes(range(200)), "wasm.bad_module"), "import": (unknown, "wasm.unsupported_import")}
    for name, (module, code) in cases.items():
        assert_fails(run_module(tmp_path / name, module), code, TRAP)


def test_a_module_s_own_code_and_output_pass_through(tmp_path, compile_guest):
    module = compile_guest("three", '#include <stdio.h>\nint main(void) { puts("out"); return 3; }').read_bytes()
    result = run_module(tmp_path, module)
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "")


def test_an_external_runtime_that_is_missing_or_killed(tmp_path):
    missing = run_module(tmp_path / "a", MODULE, "--runtime", tmp_path / "nowhere")
    assert_fails(missing, "guest.runtime_missing", 120, "nowhere")
    killer = tmp_path / "killer"
    killer.write_text("#!/bin/sh\nkill -9 $$\n")
    killer.chmod(0o755)
    killed = run_module(tmp_path / "b", MODULE, "--runtime", killer)
    assert killed.returncode == 128 + 9
