"""Start and run of an unencrypted module, against the wasmtime wheel of the same line."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from measure import Row, in_turn, median_seconds, once, peak_mib

BIN = pathlib.Path(os.environ["COFFER_BIN"])
ROOT = pathlib.Path(__file__).resolve().parent.parent

# The opponent: the same module by the wheel's own API, its compiled code cached as ours is.
WHEEL = """
import sys, wasmtime
config = wasmtime.Config()
config.cache = True
engine = wasmtime.Engine(config)
module = wasmtime.Module.from_file(engine, sys.argv[1])
linker = wasmtime.Linker(engine)
linker.define_wasi()
wasi = wasmtime.WasiConfig()
wasi.argv = sys.argv[1:]
wasi.inherit_stdout()
store = wasmtime.Store(engine)
store.set_wasi(wasi)
instance = linker.instantiate(store, module)
try:
    instance.exports(store)["_start"](store)
except wasmtime.ExitTrap as end:
    sys.exit(end.code)
"""

SPIN = """
#include <stdint.h>
#include <stdio.h>
int main(void) {
  uint32_t x = 1, sum = 0;
  for (uint32_t i = 0; i < 400000000u; ++i) { x ^= x << 13; x ^= x >> 17; x ^= x << 5; sum += x; }
  printf("%u\\n", sum);
  return 0;
}
"""


def bench():
    work = pathlib.Path(tempfile.mkdtemp(prefix="coffer-bench-"))
    try:
        (work / "spin.c").write_text(SPIN)
        (work / "wheel.py").write_text(WHEEL)
        for name, source in (("spin", work / "spin.c"), ("addition", ROOT / "examples/addition.c")):
            subprocess.run(["clang-19", "--target=wasm32-wasi", "--sysroot=/usr", "-O2", "-o", work / f"{name}.wasm", source],
                           check=True)
            subprocess.run([BIN / "coffer", "image", "push", f"oci:{work}/{name}:1", work / f"{name}.wasm"], check=True,
                           stdout=subprocess.DEVNULL)
        for name, arguments, label in (("spin", [], "unencrypted module, 1 s of work"),
                                       ("addition", ["5", "10"], "unencrypted module, start to end")):
            mine, theirs = in_turn(
                lambda: once([BIN / "coffer-run", "-i", f"oci:{work}/{name}:1", "-w", work / "w",
                              *[part for argument in arguments for part in ("--wasm-args", argument)]]),
                lambda: once([sys.executable, work / "wheel.py", work / f"{name}.wasm", *arguments]), 5)
            yield Row(label, f"{median_seconds(mine) * 1000:.0f} ms", f"{median_seconds(theirs) * 1000:.0f} ms (wasmtime wheel)",
                      median_seconds(theirs) / median_seconds(mine), f"{peak_mib(mine):.0f} MiB", "under 10% more")
    finally:
        shutil.rmtree(work, ignore_errors=True)
