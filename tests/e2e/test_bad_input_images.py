"""Images that are wrong in one thing: one line with a code, a documented exit code, and nothing half made."""

import base64
import gzip
import io
import json
import tarfile

import pytest

from bad_input import (CANARY, GZIP_LAYER, IMAGE_CONFIG, KEK, MANIFEST, MODULE, PROVIDER, PUBLIC_OPTIONS, TAR_LAYER, WASM_LAYER,
                       Image, SealedImage, assert_coffer_fails, assert_fails, assert_no_plaintext, assert_runs, b64,
                       coffer_run, digest_of, key_folder, special, tar_image, tar_of, wasm_image)
from conftest import BIN, run

BAD_IMAGE, BAD_KEY, REFUSED, TRAP, USAGE = 125, 126, 121, 127, 120
MIB = 1 << 20


# --- Valid to begin with -----------------------------------------------------------------------------------------------

def test_the_images_that_the_faults_are_put_into_run(tmp_path):
    assert_runs(coffer_run(wasm_image().write(tmp_path / "wasm")))
    assert_runs(coffer_run(tar_image(tar_of(("module.wasm", MODULE))).write(tmp_path / "tar")))
    assert_runs(coffer_run(SealedImage().write(tmp_path / "sealed"), "--offline-keys", key_folder(tmp_path)))


# --- Manifests and configurations --------------------------------------------------------------------------------------

def truncated(image):
    return image.seal_manifest()[:-20]


def deeply_nested(image):
    return image.seal_manifest()[:-1] + b', "x": ' + b"[" * 5000 + b"]" * 5000 + b"}"


def oversized(image):
    return image.seal_manifest() + b" " * (5 * MIB)


def not_an_object(image):
    return b"[1, 2]"


def not_utf8(image):
    return image.seal_manifest()[:-1] + b', "x": "\xff\xfe"}'


def duplicate_members(image):
    return image.seal_manifest()[:-1] + b', "layers": []}'


MANIFEST_TEXTS = [(truncated, "image.bad_manifest"), (deeply_nested, "image.bad_manifest"),
                  (oversized, "image.limit_exceeded"), (not_an_object, "image.bad_manifest"),
                  (not_utf8, "image.bad_manifest"), (duplicate_members, "image.bad_manifest")]


@pytest.mark.parametrize("change,code", MANIFEST_TEXTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_manifest_that_does_not_parse(tmp_path, change, code):
    image = wasm_image()
    assert_fails(coffer_run(image.write(tmp_path / "image", change(image))), code, BAD_IMAGE)


def set_member(*path, value):
    """A change of one member of the manifest; None removes it."""
    def change(image):
        holder = image.manifest
        for step in path[:-1]:
            holder = holder[step]
        if value is None:
            del holder[path[-1]]
        else:
            holder[path[-1]] = value
    return change


def extra_layer(image):
    image.manifest["layers"].append(image.add(b"second", WASM_LAYER))


MANIFEST_MEMBERS = {
    "zero layers": (set_member("layers", value=[]), "image.no_layers"),
    "no layers": (set_member("layers", value=None), "image.no_layers"),
    "no config": (set_member("config", value=None), "image.bad_manifest"),
    "schema version 1": (set_member("schemaVersion", value=1), "image.bad_manifest"),
    "unknown type of the manifest": (set_member("mediaType", value="text/plain"), "image.unsupported_media_type"),
    "unknown type of a layer": (set_member("layers", 0, "mediaType", value="application/x-cpio"), "image.unsupported_media_type"),
    "layer without a digest": (set_member("layers", 0, "digest", value=None), "image.bad_manifest"),
    "digest that is none": (set_member("layers", 0, "digest", value="sha256:../../etc/passwd"), "image.bad_manifest"),
    "digest of another algorithm": (set_member("layers", 0, "digest", value="md5:" + "0" * 32), "image.bad_manifest"),
    "negative size": (set_member("layers", 0, "size", value=-1), "image.bad_manifest"),
    "fewer digests in the configuration than layers": (extra_layer, "image.layer_count_mismatch"),
}


@pytest.mark.parametrize("name", MANIFEST_MEMBERS)
def test_a_manifest_that_breaks_its_own_rules(tmp_path, name):
    change, code = MANIFEST_MEMBERS[name]
    image = wasm_image()
    change(image)
    assert_fails(coffer_run(image.write(tmp_path / "image")), code, BAD_IMAGE)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_more_or_fewer_diff_ids_than_layers(tmp_path, count):
    image = tar_image(tar_of(("module.wasm", MODULE)), tar_of(("readme", b"text")))
    image.config["rootfs"]["diff_ids"] = (image.config["rootfs"]["diff_ids"] * 2)[:count]
    result = coffer_run(image.write(tmp_path / "image"))
    assert_fails(result, "image.layer_count_mismatch", BAD_IMAGE, "2 layers", f"{count} diff_ids")


def test_a_configuration_that_does_not_parse(tmp_path):
    image = tar_image(tar_of(("module.wasm", MODULE)))
    image.manifest["config"] = image.add(b'{"rootfs": {"diff_ids": [', IMAGE_CONFIG)
    assert_fails(coffer_run(image.write(tmp_path / "image")), "image.bad_manifest", BAD_IMAGE)


# --- Layouts and digests -----------------------------------------------------------------------------------------------

def test_layouts_that_are_not_whole(tmp_path):
    wasm_image().write(tmp_path / "a")
    (tmp_path / "a/oci-layout").unlink()
    assert_fails(coffer_run(f"oci:{tmp_path}/a:t"), "image.bad_layout", BAD_IMAGE)
    wasm_image().write(tmp_path / "b")
    (tmp_path / "b/index.json").write_text('{"schemaVersion": 2, "manifests": [')
    assert_fails(coffer_run(f"oci:{tmp_path}/b:t"), "image.bad_manifest", BAD_IMAGE)
    wasm_image().write(tmp_path / "c")
    assert_fails(coffer_run(f"oci:{tmp_path}/c:other"), "image.not_found", BAD_IMAGE, "other")
    assert_fails(coffer_run(f"oci:{tmp_path}/nowhere:t"), "image.bad_layout", BAD_IMAGE, "nowhere")


@pytest.mark.parametrize("part", ["manifest", "config", "layer"])
def test_a_wrong_digest(tmp_path, part):
    image = tar_image(tar_of(("module.wasm", MODULE)))
    reference = image.write(tmp_path / "image")
    manifest = json.loads(image.seal_manifest())
    digest = {"manifest": digest_of(image.seal_manifest()), "config": manifest["config"]["digest"],
              "layer": manifest["layers"][0]["digest"]}[part]
    file = image.blob_file(tmp_path / "image", digest)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    work = tmp_path / "work"
    assert_fails(coffer_run(reference, "--work-dir", work), "image.digest_mismatch", BAD_IMAGE)
    assert [entry for entry in work.rglob("*") if entry.is_file() and digest.removeprefix("sha256:") in entry.name] == []


def test_a_layer_whose_digest_holds_and_whose_diff_id_does_not(tmp_path):
    image = tar_image(tar_of(("module.wasm", MODULE)))
    image.config["rootfs"]["diff_ids"] = [digest_of(b"another")]
    assert_fails(coffer_run(image.write(tmp_path / "image")), "image.diff_id_mismatch", BAD_IMAGE)


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_layer_of_another_size_than_the_manifest_says(tmp_path, difference):
    image = wasm_image()
    image.manifest["layers"][0]["size"] += difference
    assert_fails(coffer_run(image.write(tmp_path / "image")), "image.size_mismatch", BAD_IMAGE)


def test_a_layer_that_is_not_there(tmp_path):
    image = wasm_image()
    reference = image.write(tmp_path / "image")
    image.blob_file(tmp_path / "image", digest_of(MODULE)).unlink()
    assert_fails(coffer_run(reference), "image.not_found", BAD_IMAGE, digest_of(MODULE))


# --- Compression and archives ------------------------------------------------------------------------------------------

def gzip_image(stored, plain=b""):
    return Image([stored], GZIP_LAYER, plain=[plain])


def bomb():
    """A file of 64 MiB of zeros in 65 kB: over the thousandfold, which nothing honest of that size reaches."""
    header = special("module.wasm", tarfile.REGTYPE)
    header.size = 64 * MIB
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as out:
        out.write(header.tobuf(format=tarfile.GNU_FORMAT))
        for _ in range(64):
            out.write(bytes(MIB))
    return stream.getvalue()


def test_compressed_layers_that_are_broken(tmp_path):
    whole = gzip.compress(tar_of(("module.wasm", MODULE)), mtime=0)
    cut = coffer_run(gzip_image(whole[:-12]).write(tmp_path / "cut"))
    assert_fails(cut, "image.truncated", BAD_IMAGE)
    noise = coffer_run(gzip_image(b"\x1f\x8b\x08\0" + b"noise" * 100).write(tmp_path / "noise"))
    assert_fails(noise, "image.bad_compression", BAD_IMAGE)
    changed = bytearray(whole)
    changed[-6] ^= 1  # in the checksum
    assert_fails(coffer_run(gzip_image(bytes(changed)).write(tmp_path / "sum")), "image.bad_compression", BAD_IMAGE)


def test_a_gzip_bomb_is_stopped(tmp_path):
    reference = gzip_image(bomb()).write(tmp_path / "image")
    assert_fails(coffer_run(reference), "image.limit_exceeded", BAD_IMAGE, "bomb")
    pull = run(BIN / "coffer", "--home", tmp_path / "home", "image", "pull", reference, tmp_path / "tree", check=False)
    assert_coffer_fails(pull, "image.limit_exceeded", "bomb")
    assert_nothing_beside(tmp_path)


def test_what_holds_no_module_or_several_is_said(tmp_path):
    none = tar_image(tar_of(("readme", b"text")))
    assert_fails(coffer_run(none.write(tmp_path / "none")), "image.no_module", BAD_IMAGE)
    several = tar_image(tar_of(("a.wasm", MODULE), ("b.wasm", MODULE)))
    assert_fails(coffer_run(several.write(tmp_path / "several")), "image.several_modules", BAD_IMAGE, "a.wasm", "b.wasm")
    named = tar_image(tar_of(("a.wasm", MODULE), ("module.wasm", MODULE)))
    assert_runs(coffer_run(named.write(tmp_path / "named")))
    text = tar_image(tar_of(("module.wasm", b"#!/bin/sh\n")))
    assert_fails(coffer_run(text.write(tmp_path / "text")), "image.bad_module", TRAP)


def assert_nothing_beside(directory):
    """Neither the tree nor its quarantine is there."""
    assert not [entry.name for entry in directory.iterdir() if "tree" in entry.name]


def huge_file():
    info = tarfile.TarInfo("huge")
    info.size = 1 << 50
    return info.tobuf(format=tarfile.GNU_FORMAT) + bytes(1024)


ARCHIVES = {
    "dot dot": (tar_of(("../outside", CANARY)), "image.bad_path"),
    "dot dot in the middle": (tar_of(("a/../../outside", CANARY)), "image.bad_path"),
    "an absolute path": (tar_of(("/outside", CANARY)), "image.bad_path"),
    "a newline in a name": (tar_of(("a\nb", b"")), "image.bad_path"),
    "a file through a link out": (tar_of((special("link", tarfile.SYMTYPE, ".."), None), ("link/outside", CANARY)),
                                  "image.link_escape"),
    "a file through an absolute link": (tar_of((special("link", tarfile.SYMTYPE, "/tmp"), None), ("link/outside", CANARY)),
                                        "image.link_escape"),
    "a hard link out": (tar_of((special("link", tarfile.LNKTYPE, "../secret"), None)), "image.link_escape"),
    "an absolute hard link": (tar_of((special("link", tarfile.LNKTYPE, "/etc/passwd"), None)), "image.link_escape"),
    "a character device": (tar_of((special("null", tarfile.CHRTYPE), None)), "image.device_node"),
    "a block device": (tar_of((special("sda", tarfile.BLKTYPE), None)), "image.device_node"),
    "a FIFO": (tar_of((special("pipe", tarfile.FIFOTYPE), None)), "image.device_node"),
    "a cut archive": (tar_of(("file", b"x" * 2000))[:1200], "image.bad_tar"),
    "a wrong checksum": (b"X" + tar_of(("file", b"x"))[1:], "image.bad_tar"),
    "a header that claims a petabyte": (huge_file(), "image.limit_exceeded"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_is_hostile_unpacks_to_nothing(tmp_path, name):
    archive, code = ARCHIVES[name]
    cell = tmp_path / "cell"
    (cell / "home").mkdir(parents=True)
    (cell / "secret").write_text("of the host")
    # A file comes first, so that something is there to be taken back.
    image = tar_image(tar_of(("first", CANARY)), archive)
    reference = image.write(tmp_path / "image")
    result = run(BIN / "coffer", "--home", cell / "home", "image", "pull", reference, cell / "tree", check=False)
    assert_coffer_fails(result, code)
    assert sorted(entry.name for entry in cell.iterdir()) == ["home", "secret"]
    assert_no_plaintext(cell)


# --- Encryption --------------------------------------------------------------------------------------------------------

def run_sealed(image, tmp_path, key=KEK, *arguments):
    """Runs with an offline key and a work directory, which keeps ciphertext alone."""
    reference = image.write(tmp_path / "image")
    result = coffer_run(reference, "--offline-keys", key_folder(tmp_path, key), "--work-dir", tmp_path / "work", *arguments)
    assert_no_plaintext(tmp_path / "work")
    return result


def flip(text):
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    return b64(bytes(raw))


def test_a_wrong_hmac(tmp_path):
    image = SealedImage()
    image.public["hmac"] = flip(image.public["hmac"])
    assert_fails(run_sealed(image, tmp_path), "image.hmac_mismatch", BAD_IMAGE)


def test_a_changed_ciphertext_under_a_fitting_digest(tmp_path):
    image = SealedImage()
    image.ciphertext = image.ciphertext[:40] + bytes([image.ciphertext[40] ^ 1]) + image.ciphertext[41:]
    assert_fails(run_sealed(image, tmp_path), "image.hmac_mismatch", BAD_IMAGE)


def test_a_wrong_kek(tmp_path):
    assert_fails(run_sealed(SealedImage(), tmp_path, bytes(32)), "image.unwrap_failed", BAD_KEY, "default/key/k1")


@pytest.mark.parametrize("text", [b64(KEK) + "\n", b64(KEK) + "\r\n", KEK.hex() + "\n"], ids=["base64", "base64 CRLF", "hex"])
def test_a_kek_as_text_with_a_newline_is_accepted(tmp_path, text):
    assert_runs(run_sealed(SealedImage(), tmp_path, text.encode()))


def test_keks_that_are_none(tmp_path):
    pem = run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256").stdout.encode()
    for name, key, code in (("empty", b"", "keyclient.key_malformed"), ("short", KEK[:31], "image.kek_wrong_size"),
                            ("long", KEK + b"12", "image.kek_wrong_size"), ("newline", b"\n", "image.kek_empty"),
                            ("pem", pem, "image.kek_is_pem")):
        (tmp_path / name).mkdir()
        assert_fails(run_sealed(SealedImage(), tmp_path / name, key), code, BAD_KEY)


def test_a_key_that_nobody_has(tmp_path):
    image = SealedImage(kid="kbs:///default/key/another")
    assert_fails(run_sealed(image, tmp_path), "keyclient.not_found", BAD_KEY, "default/key/another")


ANNOTATIONS = {
    "no wrapped key": ({PUBLIC_OPTIONS: "{public}"}, "image.missing_annotation", BAD_IMAGE),
    "no public options": ({PROVIDER: "{packet}"}, "image.missing_annotation", BAD_IMAGE),
    "none at all": ({}, "image.missing_annotation", BAD_IMAGE),
    "a packet that is not base64": ({PUBLIC_OPTIONS: "{public}", PROVIDER: "*"}, "image.bad_annotation", BAD_IMAGE),
    "a packet that is not JSON": ({PUBLIC_OPTIONS: "{public}", PROVIDER: b64(b"{")}, "image.bad_annotation", BAD_IMAGE),
    "options that are not JSON": ({PUBLIC_OPTIONS: b64(b"[]"), PROVIDER: "{packet}"}, "image.bad_annotation", BAD_IMAGE),
}


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_an_annotation_that_is_missing_or_broken(tmp_path, name):
    annotations, code, status = ANNOTATIONS[name]
    image = SealedImage()
    real = {"{packet}": b64(json.dumps(image.packet).encode()), "{public}": b64(json.dumps(image.public).encode())}
    image.manifest["layers"][0]["annotations"] = {key: real.get(value, value) for key, value in annotations.items()}
    assert_fails(run_sealed(image, tmp_path), code, status)


def test_ciphers_and_wraps_that_are_unknown(tmp_path):
    cipher, wrap, iv = SealedImage(), SealedImage(), SealedImage()
    cipher.public["cipher"] = "ROT13"
    wrap.packet["wrap_type"] = "A128CBC"
    iv.packet["iv"] = b64(bytes(8))
    for name, image, code in (("cipher", cipher, "image.unsupported_cipher"), ("wrap", wrap, "image.unsupported_cipher"),
                              ("iv", iv, "image.bad_annotation")):
        (tmp_path / name).mkdir()
        assert_fails(run_sealed(image, tmp_path / name), code, BAD_IMAGE)


def test_a_plain_image_where_an_encrypted_one_is_expected(tmp_path):
    result = coffer_run(wasm_image().write(tmp_path / "image"), "--require-encrypted")
    assert_fails(result, "guest.not_encrypted", REFUSED)
    named = coffer_run(f"oci:{tmp_path}/image:t", "--kbs-resource-path", "default/key/k1", "--offline-keys", key_folder(tmp_path))
    assert_fails(named, "guest.not_encrypted", REFUSED)


def test_an_encrypted_tree_with_a_wrong_hmac_leaves_no_plaintext(tmp_path):
    content = tmp_path / "content.tar"
    content.write_bytes(tar_of(("first", CANARY * 1000)))
    plain = Image([content.read_bytes()], TAR_LAYER).write(tmp_path / "plain")
    (tmp_path / "kek").write_bytes(KEK)
    coffer = (BIN / "coffer", "--home", tmp_path / "home", "image")
    run(*coffer, "encrypt", plain, f"oci:{tmp_path}/sealed:t", "--key", "kbs:///default/key/k1", "--key-file", tmp_path / "kek")
    cell = tmp_path / "cell"
    cell.mkdir()
    keys = key_folder(tmp_path)
    run(*coffer, "pull", f"oci:{tmp_path}/sealed:t", cell / "good", "--key-directory", keys)
    assert (cell / "good/first").read_bytes() == CANARY * 1000
    break_hmac(tmp_path / "sealed")
    broken = run(*coffer, "pull", f"oci:{tmp_path}/sealed:t", cell / "tree", "--key-directory", keys, check=False)
    assert_coffer_fails(broken, "image.hmac_mismatch")
    assert [entry.name for entry in cell.iterdir()] == ["good"]


def break_hmac(layout):
    """Rewrites the layout's manifest with another HMAC, under its new digest."""
    index = json.loads((layout / "index.json").read_text())
    blobs = layout / "blobs/sha256"
    manifest = json.loads((blobs / index["manifests"][0]["digest"].removeprefix("sha256:")).read_text())
    annotations = manifest["layers"][0]["annotations"]
    public = json.loads(base64.b64decode(annotations[PUBLIC_OPTIONS]))
    public["hmac"] = flip(public["hmac"])
    annotations[PUBLIC_OPTIONS] = b64(json.dumps(public).encode())
    content = json.dumps(manifest).encode()
    (blobs / digest_of(content).removeprefix("sha256:")).write_bytes(content)
    index["manifests"][0].update({"mediaType": MANIFEST, "digest": digest_of(content), "size": len(content)})
    (layout / "index.json").write_text(json.dumps(index))


def test_references_that_are_none(tmp_path):
    for reference in ("", "localhost:5000/UPPER:1", "oci:", "localhost:99999/a:1", "a/b@sha256:12"):
        result = coffer_run(reference)
        assert_fails(result, "image.bad_reference", USAGE)
