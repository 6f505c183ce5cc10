#!/usr/bin/env python3
"""Holds the layers: a file under src/ includes its own layer or a lower one, and third-party headers stay home.

usage: tools/check_layers.py [ROOT]
"""

import pathlib
import re
import sys

# Lowest first. Folders of one row are neighbours and do not include each other.
LAYERS = [
    ["base", "testing"],
    ["crypto"],
    ["codec"],
    ["net", "storage"],
    ["policy", "wasm"],
    ["evidence"],
    ["appraisal", "keyclient"],
    ["image", "vm"],
    ["workload"],
    ["keybroker", "guest", "fleet"],
    ["apps"],
]
# What a folder must not reach although it stands lower: no Rego in what runs in the guest.
FORBIDDEN = {"keyclient": {"policy", "appraisal"}, "image": {"policy", "appraisal", "wasm"}, "guest": {"policy", "appraisal"},
             "workload": {"policy", "appraisal"},
             "evidence": {"policy", "wasm"}}
# Third-party headers and the one folder that wraps each. Tests may use them to compare with.
WRAPPED = {
    r"openssl/": {"crypto", "net"},
    r"boost/(asio|beast|url)": {"net"},
    r"boost/json": {"codec"},
    r"curl/": {"net"},
    r"prometheus/": {"net"},
    r"sqlite3\.h": {"storage"},
    r"libpq-fe\.h": {"storage"},
    r"toml\+\+/": {"codec"},
    r"yaml-cpp/": {"codec"},
    r"cbor\.h": {"codec"},
    r"archive(_entry)?\.h": {"image"},
    r"(isa-l|isal)": {"image"},
    r"zstd\.h": {"image", "vm"},
    r"(grpcpp|google/protobuf)/": {"appraisal", "net"},
    r"(coffer_native|native_buffer)\.h": {"policy", "wasm"},
    r"CLI/": {"apps"},
    r"mosquitto\.h": {"net"},
    r"tss2/": {"evidence"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
RANK = {name: rank for rank, row in enumerate(LAYERS) for name in row}


def is_test(path):
    return bool(re.search(r"_(test|fuzz|benchmark)\.cpp$|_testing\.(h|cpp)$", path.name)) or "testing" in path.parts


def check_own(layer, target, test):
    """The complaint about an include of another folder of ours, or None."""
    if target == layer or target == "testing" and test:
        return None
    if target in FORBIDDEN.get(layer, ()):
        return f"{layer} must not know {target}"
    if RANK[target] < RANK[layer] or test:
        return None
    return f"{layer} is not above {target}"


def check_file(path, root):
    layer = path.relative_to(root).parts[0]
    test = is_test(path.relative_to(root))
    for quote, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        first = name.split("/")[0]
        if quote == '"' and first in RANK:
            complaint = check_own(layer, first, test)
            if complaint:
                yield f'includes "{name}": {complaint}'
            continue
        for pattern, homes in WRAPPED.items():
            if re.match(pattern, name) and layer not in homes and not test:
                yield f"includes {name}, which only {' and '.join(sorted(homes))} may"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "src")
    complaints = 0
    for path in sorted([*root.rglob("*.h"), *root.rglob("*.cpp")]):
        if path.relative_to(root).parts[0] not in RANK:
            print(f"{path}: its folder is not in the list of layers")
            complaints += 1
            continue
        for complaint in check_file(path, root):
            print(f"{path.relative_to(root)}: {complaint}")
            complaints += 1
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
