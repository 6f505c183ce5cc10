"""Encrypted pull to a verified, unpacked tree, against Debian's skopeo and umoci."""

import os
import pathlib
import random
import shutil
import subprocess
import tarfile
import tempfile

from measure import Row, Sample, in_turn, median_seconds, once, peak_mib

BIN = pathlib.Path(os.environ["COFFER_BIN"])
LAYER_BYTES = int(os.environ.get("BENCH_LAYER_MB", "300")) << 20


def run(*command, cwd=None):
    subprocess.run([str(part) for part in command], check=True, cwd=cwd, stdout=subprocess.DEVNULL)


def make_files(directory):
    """A tree of LAYER_BYTES that compresses about as program files do: words from a small vocabulary, some noise."""
    source = random.Random(1)
    words = [source.randbytes(source.randint(3, 24)) for _ in range(6000)]
    file_bytes = 3 << 20
    for number in range(LAYER_BYTES // file_bytes):
        target = directory / f"d{number % 16}" / f"file{number}"
        target.parent.mkdir(exist_ok=True)
        pieces, size = [], 0
        while size < file_bytes:
            piece = source.randbytes(64) if source.random() < 0.2 else words[int(source.paretovariate(0.6)) % len(words)]
            pieces.append(piece)
            size += len(piece)
        target.write_bytes(b"".join(pieces))


def make_image(work):
    """oci:work/encrypted:latest, one gzip layer under a JWE wrap for work/key.pem."""
    run("openssl", "genrsa", "-out", work / "key.pem", "2048")
    run("openssl", "rsa", "-in", work / "key.pem", "-pubout", "-out", work / "public.pem")
    (work / "files").mkdir()
    make_files(work / "files")
    with tarfile.open(work / "layer.tar", "w") as archive:
        archive.add(work / "files", arcname="data")
    run("umoci", "init", "--layout", work / "plain")
    run("umoci", "new", "--image", f"{work}/plain:latest")
    run("umoci", "raw", "add-layer", "--image", f"{work}/plain:latest", work / "layer.tar")
    run("skopeo", "copy", "--insecure-policy", "--encryption-key", f"jwe:{work}/public.pem",
        f"oci:{work}/plain:latest", f"oci:{work}/encrypted:latest")
    shutil.rmtree(work / "files")
    (work / "layer.tar").unlink()


def bench():
    work = pathlib.Path(tempfile.mkdtemp(prefix="coffer-bench-"))
    try:
        make_image(work)

        def clean():
            for name in ("tree", "decrypted", "bundle"):
                shutil.rmtree(work / name, ignore_errors=True)

        def ours():
            return once([BIN / "coffer", "image", "pull", f"oci:{work}/encrypted:latest", work / "tree",
                         "--private-key", work / "key.pem"])

        def opponent():
            first = once(["skopeo", "copy", "--insecure-policy", "--decryption-key", work / "key.pem",
                          f"oci:{work}/encrypted:latest", f"oci:{work}/decrypted:latest"])
            second = once(["umoci", "unpack", "--rootless", "--image", f"{work}/decrypted:latest", work / "bundle"])
            return Sample(first.seconds + second.seconds, max(first.peak_kib, second.peak_kib))

        mine, theirs = in_turn(ours, opponent, 3, clean)
        yield Row(f"encrypted pull, {LAYER_BYTES >> 20} MB tar, one gzip layer", f"{median_seconds(mine):.2f} s",
                  f"{median_seconds(theirs):.2f} s (skopeo + umoci)", median_seconds(theirs) / median_seconds(mine),
                  f"{peak_mib(mine):.0f} MiB (theirs {peak_mib(theirs):.0f})", "5x, 64 MiB")
    finally:
        shutil.rmtree(work, ignore_errors=True)
