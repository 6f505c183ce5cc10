# Sourced by ./run and the scripts in tools/. The working directory is the project's root.
export COFFER_CACHE=${COFFER_CACHE:-$HOME/.cache/coffer}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$COFFER_CACHE/cargo}
export CCACHE_DIR=${CCACHE_DIR:-$COFFER_CACHE/ccache}
# Paths are taken relative to the checkout, so that a fresh clone elsewhere finds what another one compiled.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
# Units with a precompiled header are cached only so.
export CCACHE_SLOPPINESS=pch_defines,time_macros
export COFFER_BIN=${COFFER_BIN:-$PWD/build/release/bin}
jobs=$(nproc)

say() { printf '\n== %s\n' "$*"; }

setup() { [ -n "${COFFER_NO_SETUP:-}" ] || tools/setup "$@"; }

# configure_preset NAME: configures once; CMake itself notices later changes.
configure_preset() {
  [ -f "build/$1/build.ninja" ] || cmake --preset "$1" >"build-$1.log" 2>&1 || {
    cat "build-$1.log" >&2
    rm -f "build-$1.log"
    return 1
  }
  rm -f "build-$1.log"
}

# build_targets PRESET TARGET...
build_targets() {
  local preset=$1
  shift
  configure_preset "$preset"
  # On a terminal ninja shows how far it is; in a log only what went wrong is worth a line.
  if [ -t 1 ]; then
    ninja -C "build/$preset" -j "$jobs" "$@"
    return
  fi
  ninja -C "build/$preset" -j "$jobs" "$@" | grep -v '^\[[0-9]*/[0-9]*\] ' || [ "${PIPESTATUS[0]}" -eq 0 ]
}

build_programs() {
  say "building the programs (the first time takes a while: Wasmtime and regorus are compiled once)"
  build_targets release coffer_programs
}
