"""Images as upstream's tools of each generation write them (upstream_images.py) run and unpack with ours."""

import base64
import functools
import hmac
import json
import os
import pathlib
import struct

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wasmtime import wat2wasm

from conftest import BIN, ROOT, run
from upstream_images import (DOCKER_CONFIG, DOCKER_GZIP, DOCKER_LIST, DOCKER_MANIFEST, ENC, FORK_WASM, OCI_INDEX, OCI_MANIFEST,
                             OCI_TAR, Layer, Layout, b64, ctr, gzipped, packet_ctr, packet_v1, packet_v2, tar_of, upload,
                             write_image)

KEK, OTHER = bytes(range(32)), bytes(range(32, 64))
KID = "kbs:///default/key/k1"
# Hard-coded in upstream's keyprovider for its sample mode.
PUBLISHED = bytes.fromhex("d99b7705b0ba7a168295b3a3367270b0dd9b371bf514ca8b9ba7f0a33711daea")
VECTORS = pathlib.Path(os.environ.get("COFFER_VECTORS", ROOT.parent / "shared/vectors")) / "ocicrypt"
needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason="no recorded vectors (COFFER_VECTORS, ../shared/vectors)")


def module_of(number):
    """A module whose run() gives the number."""
    return bytes(wat2wasm(f'(module (func (export "run") (result i32) (i32.const {number})))'))


MODULE = module_of(42)


@pytest.fixture
def keys(tmp_path):
    """--offline-keys with the keys k1 and k2."""
    folder = tmp_path / "keys/default/key"
    folder.mkdir(parents=True)
    (folder / "k1").write_bytes(KEK)
    (folder / "k2").write_bytes(OTHER)
    return tmp_path / "keys"


def coffer_run(image, *arguments, **options):
    environment = {"RUST_LOG": "error", **options.pop("env", {})}
    command = (BIN / "coffer-run", "-i", image, "--invoke", "run", *arguments)
    return run(*command, check=False, timeout=30, env=environment, **options)


def assert_runs(result, number=42):
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{number}\n"


def assert_fails(result, code, status, *words):
    assert result.returncode == status, (result.returncode, result.stderr)
    assert result.stdout == ""
    assert f"coffer-run: {code}: " in result.stderr, result.stderr
    for word in words:
        assert word in result.stderr


def wrapped(packet=packet_v1, kid=KID, kek=KEK):
    return functools.partial(packet, kek, kid)


def sealed_module(*packets, **options):
    return Layer(MODULE, FORK_WASM).encrypted(*packets, **options)


# Annotation packets.

@pytest.mark.parametrize("packet", [packet_v1, packet_v2])
@pytest.mark.parametrize("kid", [KID, "kbs://127.0.0.1:8080/default/key/k1", "/default/key/k1", "default/key/k1",
                                 "kbs+resource:///default/key/k1"])
def test_packets_of_each_generation_open_under_each_spelling_of_the_key_s_name(tmp_path, keys, packet, kid):
    image = write_image(tmp_path / "image", sealed_module(wrapped(packet, kid)))
    assert_runs(coffer_run(image, "--offline-keys", keys))


def test_a_packet_without_authentication_is_refused_by_its_cipher(tmp_path, keys):
    # Upstream reads A256CTR, though its keyprovider never writes it. Nothing protects such a packet from being changed.
    image = write_image(tmp_path / "image", sealed_module(wrapped(packet_ctr)))
    assert_fails(coffer_run(image, "--offline-keys", keys), "image.unsupported_cipher", 125, "A256CTR")


def test_a_malformed_key_name_is_named_in_the_failure_and_may_be_replaced(tmp_path, keys):
    kid = "kbs:///kbs:///default/key/k1"
    image = write_image(tmp_path / "image", sealed_module(wrapped(kid=kid)))
    assert_fails(coffer_run(image, "--offline-keys", keys), "keyclient.not_found", 126, kid, "default/key/encryption-key")
    assert_runs(coffer_run(image, "--offline-keys", keys, "--kbs-resource-path", "default/key/k1"))
    assert_fails(coffer_run(image, "--offline-keys", keys, "--kbs-resource-path", "default/key/k2"), "image.unwrap_failed", 126)


def test_any_of_several_wraps_in_one_annotation_opens(tmp_path, keys):
    missing, mine, foreign = wrapped(kid="kbs:///default/key/none"), wrapped(), wrapped(kid="kbs:///default/key/k2")
    for name, packets in (("first", (mine, missing)), ("last", (missing, mine)), ("wrong", (foreign, wrapped(packet_v2)))):
        image = write_image(tmp_path / name, sealed_module(*packets))
        assert_runs(coffer_run(image, "--offline-keys", keys))
    image = write_image(tmp_path / "none", sealed_module(missing, foreign))
    assert_fails(coffer_run(image, "--offline-keys", keys), "image.unwrap_failed", 126)


@pytest.mark.parametrize("provider", ["my-provider", "coco_keyprovider", "grpc"])
def test_the_provider_s_name_does_not_matter(tmp_path, keys, provider):
    image = write_image(tmp_path / "image", sealed_module(wrapped(), provider=provider))
    assert_runs(coffer_run(image, "--offline-keys", keys))


def test_a_packet_of_a_key_management_service_is_refused_by_its_name(tmp_path, keys):
    packet = json.dumps({"version": "0.1.0", "provider": "aliyun", "kid": "k", "wrapped_data": b64(b"x" * 60),
                         "provider_settings": {}, "annotations": {}}).encode()
    image = write_image(tmp_path / "image", sealed_module(lambda secret: packet))
    assert_fails(coffer_run(image, "--offline-keys", keys), "image.no_key", 126, "aliyun")


@pytest.mark.parametrize("form", [b64(KEK).encode(), b64(KEK).encode() + b"\n", KEK.hex().encode()])
def test_a_key_that_was_stored_as_text_opens_as_in_the_fork(tmp_path, keys, form):
    (keys / "default/key/k1").write_bytes(form)
    image = write_image(tmp_path / "image", sealed_module(wrapped()))
    assert_runs(coffer_run(image, "--offline-keys", keys))


# Layers.

def tar_layer(files, compression="gzip"):
    tar = tar_of(files)
    blob = {"": lambda: tar, "gzip": lambda: gzipped(tar), "zstd": lambda: stored_zstd(tar)}[compression]()
    return Layer(blob, OCI_TAR + ("+" + compression if compression else ""), tar)


def stored_zstd(data, size=65536):
    """A frame of uncompressed blocks (RFC 8878 sections 3.1.1.1 and 3.1.1.2), window of 128 KiB, no checksum."""
    out = struct.pack("<IBB", 0xFD2FB528, 0, 7 << 3)
    pieces = [data[at:at + size] for at in range(0, len(data), size)] or [b""]
    for number, piece in enumerate(pieces):
        last = number + 1 == len(pieces)
        out += struct.pack("<I", int(last) | len(piece) << 3)[:3] + piece
    return out


@pytest.mark.parametrize("encrypt", [False, True])
def test_the_fork_s_media_types_run(tmp_path, keys, encrypt):
    layer = sealed_module(wrapped()) if encrypt else Layer(MODULE, FORK_WASM)
    assert layer.media_type == FORK_WASM + ("+encrypted" if encrypt else "")
    assert_runs(coffer_run(write_image(tmp_path / "image", layer), "--offline-keys", keys))


def test_the_fork_s_image_without_diff_ids_runs_because_its_blob_has_a_digest(tmp_path, keys):
    # The fork fakes missing diff-ids; ours needs none where the layer is the module.
    layer = sealed_module(wrapped())
    assert_runs(coffer_run(write_image(tmp_path / "image", layer, config={}), "--offline-keys", keys))


@pytest.mark.parametrize("encrypt", [False, True])
@pytest.mark.parametrize("compression", ["", "gzip", "zstd"])
def test_a_tar_layer_with_one_module_runs_and_unpacks(tmp_path, keys, compression, encrypt):
    layer = tar_layer({"etc/motd": b"hello\n" * 40000, "app/plugin.wasm": MODULE}, compression)
    layer = layer.encrypted(wrapped()) if encrypt else layer
    image = write_image(tmp_path / "image", layer)
    assert_runs(coffer_run(image, "--offline-keys", keys))
    run(BIN / "coffer", "--home", tmp_path / "home", "image", "pull", image, tmp_path / "tree", "--key-directory", keys)
    assert (tmp_path / "tree/app/plugin.wasm").read_bytes() == MODULE
    assert (tmp_path / "tree/etc/motd").read_bytes() == b"hello\n" * 40000


@pytest.mark.parametrize("encrypt", [False, True])
@pytest.mark.parametrize("layer_type", [DOCKER_GZIP, DOCKER_GZIP.replace(".gzip", "+gzip")])
def test_a_docker_schema_2_image_runs(tmp_path, keys, encrypt, layer_type):
    tar = tar_of({"module.wasm": MODULE})
    layer = Layer(gzipped(tar), layer_type, tar)
    layer = layer.encrypted(wrapped()) if encrypt else layer
    image = write_image(tmp_path / "image", layer, manifest_type=DOCKER_MANIFEST, config_type=DOCKER_CONFIG)
    assert_runs(coffer_run(image, "--offline-keys", keys))


def test_of_several_modules_module_wasm_runs(tmp_path, keys):
    files = {"a.wasm": module_of(1), "module.wasm": MODULE, "lib/z.wasm": module_of(2)}
    assert_runs(coffer_run(write_image(tmp_path / "image", tar_layer(files)), "--offline-keys", keys))
    nested = {"a.wasm": module_of(1), "app/module.wasm": MODULE}
    assert_runs(coffer_run(write_image(tmp_path / "nested", tar_layer(nested))))


def test_several_modules_without_module_wasm_are_named(tmp_path):
    image = write_image(tmp_path / "image", tar_layer({"a.wasm": module_of(1), "b.wasm": module_of(2)}))
    assert_fails(coffer_run(image), "image.several_modules", 125, "a.wasm", "b.wasm")


def test_a_later_layer_replaces_and_removes_modules(tmp_path, keys):
    below = tar_layer({"module.wasm": module_of(1), "old.wasm": module_of(2)}).encrypted(wrapped())
    above = tar_layer({"module.wasm": MODULE, ".wh.old.wasm": b""})
    above = above.encrypted(wrapped(packet_v2, kek=OTHER, kid="/default/key/k2"))
    assert_runs(coffer_run(write_image(tmp_path / "image", below, above), "--offline-keys", keys))


def test_an_encrypted_layer_over_a_plain_one_runs(tmp_path, keys):
    base = tar_layer({"etc/motd": b"base"})
    image = write_image(tmp_path / "image", base, tar_layer({"module.wasm": MODULE}).encrypted(wrapped()))
    assert_runs(coffer_run(image, "--offline-keys", keys))


def test_two_layers_of_the_same_content_are_both_opened(tmp_path, keys):
    # Same plaintext, so the same diff-id twice, under different ciphertexts.
    layers = [tar_layer({"module.wasm": MODULE}).encrypted(wrapped()) for _ in range(2)]
    assert_runs(coffer_run(write_image(tmp_path / "image", *layers), "--offline-keys", keys))


def test_a_layer_that_is_not_its_diff_id_does_not_run(tmp_path, keys):
    layer = Layer(gzipped(tar_of({"module.wasm": MODULE})), OCI_TAR + "+gzip", b"something else").encrypted(wrapped())
    result = coffer_run(write_image(tmp_path / "image", layer), "--offline-keys", keys)
    assert result.returncode == 125 and result.stdout == ""


# Indexes.

def attestation_of(layout, image):
    """What buildkit puts beside an image: a manifest of the platform unknown/unknown that points at it."""
    layer = Layer(b'{"_type":"https://in-toto.io/Statement/v0.1"}', "application/vnd.in-toto+json")
    platform = {"architecture": "unknown", "os": "unknown"}
    found = layout.image(layer, config={**platform, "rootfs": {"type": "layers", "diff_ids": []}})
    return {**found, "platform": platform, "annotations": {"vnd.docker.reference.type": "attestation-manifest",
                                                           "vnd.docker.reference.digest": image["digest"]}}


def on(system, architecture, descriptor):
    return {**descriptor, "platform": {"os": system, "architecture": architecture}}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("system, architecture", [("linux", "amd64"), ("wasip1", "wasm"), ("wasi", "wasm32")])
def test_attestation_manifests_in_an_index_are_passed_over(tmp_path, keys, system, architecture, first):
    layout = Layout(tmp_path / "image")
    image = layout.image(tar_layer({"module.wasm": MODULE}).encrypted(wrapped()))
    entries = [on(system, architecture, image), attestation_of(layout, image)]
    reference = layout.tag(layout.index(*(entries if first else reversed(entries))))
    assert_runs(coffer_run(reference, "--offline-keys", keys))


def test_the_only_image_beside_an_attestation_manifest_runs_whatever_its_platform(tmp_path):
    # Modules run anywhere: one that was built on another machine, or names no platform, is the one that is meant.
    for number, platform in enumerate(({"os": "linux", "architecture": "s390x"}, None)):
        layout = Layout(tmp_path / f"image{number}")
        image = layout.image(tar_layer({"module.wasm": MODULE}))
        entry = {**image, "platform": platform} if platform else image
        assert_runs(coffer_run(layout.tag(layout.index(attestation_of(layout, image), entry))))


def test_a_docker_list_prefers_the_wasm_image(tmp_path, keys):
    layout = Layout(tmp_path / "image")
    entries = []
    for number, platform in ((1, ("linux", "amd64")), (42, ("wasip1", "wasm")), (2, ("linux", "arm64"))):
        tar = tar_of({"module.wasm": module_of(number)})
        layer = Layer(gzipped(tar), DOCKER_GZIP, tar).encrypted(wrapped())
        entries.append(on(*platform, layout.image(layer, manifest_type=DOCKER_MANIFEST, config_type=DOCKER_CONFIG)))
    assert_runs(coffer_run(layout.tag(layout.index(*entries, media_type=DOCKER_LIST)), "--offline-keys", keys))


@pytest.mark.parametrize("list_type", [DOCKER_LIST, OCI_INDEX])
def test_a_docker_image_with_attestation_runs_from_a_registry(tmp_path, keys, registry, list_type):
    layout = Layout(tmp_path / "image")
    tar = tar_of({"module.wasm": MODULE})
    layer = Layer(gzipped(tar), DOCKER_GZIP, tar).encrypted(wrapped())
    image = layout.image(layer, manifest_type=DOCKER_MANIFEST, config_type=DOCKER_CONFIG)
    index = layout.index(on("linux", "amd64", image), attestation_of(layout, image), media_type=list_type)
    assert_runs(coffer_run(upload(layout, index, registry, "upstream/docker"), "--offline-keys", keys))


# Keys of the offline_fs_kbc.

def offline_file(path, **keys):
    path.write_text(json.dumps({f"default/key/{name}": b64(value) for name, value in keys.items()}))
    return path


def test_offline_fs_kbc_reads_the_files_that_the_environment_names(tmp_path):
    image = write_image(tmp_path / "image", tar_layer({"x": b""}).encrypted(wrapped()),
                        tar_layer({"module.wasm": MODULE}).encrypted(wrapped(kid="kbs:///default/key/k2", kek=OTHER)))
    first, second = offline_file(tmp_path / "1.json", k1=KEK), offline_file(tmp_path / "2.json", k2=OTHER)
    environment = {"OFFLINE_FS_KBC_EXTRA_FILE_PATH": f"{first},{tmp_path}/absent.json,{second}"}
    assert_runs(coffer_run(image, "-n", "offline_fs_kbc", env=environment))
    assert_runs(coffer_run(image, env={**environment, "AA_KBC_PARAMS": "offline_fs_kbc::null"}))
    environment["OFFLINE_FS_KBC_EXTRA_FILE_PATH"] = str(first)
    assert_fails(coffer_run(image, "-n", "offline_fs_kbc", env=environment), "keyclient.not_found", 126, "default/key/k2")


def test_an_offline_fs_kbc_file_may_be_given_itself(tmp_path):
    image = write_image(tmp_path / "image", sealed_module(wrapped()))
    assert_runs(coffer_run(image, "--offline-keys", offline_file(tmp_path / "keys.json", k1=KEK, other=OTHER)))


def test_kbc_parameters_that_do_not_parse_are_an_error(tmp_path):
    image = write_image(tmp_path / "image", sealed_module(wrapped()))
    for text in ("cc_kbc", "eaa_kbc::127.0.0.1:1", "cc_kbc::not an address"):
        assert_fails(coffer_run(image, env={"AA_KBC_PARAMS": text}), "keyclient.config_value", 120, "AA_KBC_PARAMS")


# What upstream's repositories recorded.

@needs_vectors
def test_the_recorded_packet_opens_and_binds_the_layer_it_was_written_for(tmp_path):
    text = (VECTORS / "sample_kbc_annotation.json").read_bytes()
    packet = json.loads(text)
    wrapped_data = base64.b64decode(packet["wrapped_data"])
    private = json.loads(AESGCM(PUBLISHED).decrypt(base64.b64decode(packet["iv"]), wrapped_data, None))
    # The layer it belongs to was not recorded. Ours, sealed with the packet's key and nonce, passes the HMAC, and so the
    # packet opened; then it is found not to be the layer whose digest the packet holds.
    layer = recorded_layer(text, base64.b64decode(private["symkey"]), base64.b64decode(private["cipheroptions"]["nonce"]))
    image = write_image(tmp_path / "image", layer)
    key = tmp_path / "keys/default/key/1"
    key.parent.mkdir(parents=True)
    key.write_bytes(PUBLISHED)
    for source in (("--offline-keys", tmp_path / "keys"), ("-n", "sample")):
        assert_fails(coffer_run(image, *source), "image.digest_mismatch", 125, private["digest"])
    key.write_bytes(KEK)
    assert_fails(coffer_run(image, "--offline-keys", tmp_path / "keys"), "image.unwrap_failed", 126, packet["kid"])


def test_the_published_test_key_opens_what_the_keyprovider_s_sample_mode_wrote(tmp_path):
    image = write_image(tmp_path / "image", sealed_module(wrapped(kid="kbs:///default/test-key/1", kek=PUBLISHED)))
    result = coffer_run(image, "-n", "sample", env={"RUST_LOG": "warn"})
    assert_runs(result)
    assert "protects nothing" in result.stderr


def recorded_layer(packet, symkey, nonce):
    sealed = ctr(symkey, nonce, MODULE)
    public = {"cipher": "AES_256_CTR_HMAC_SHA256", "hmac": b64(hmac.digest(symkey, sealed, "sha256")), "cipheroptions": {}}
    return Layer(sealed, FORK_WASM + "+encrypted", MODULE, {ENC + "pubopts": b64(json.dumps(public).encode()),
                                                          ENC + "keys.provider.attestation-agent": b64(packet)})


def test_inspecting_tells_the_wraps_and_the_keys_of_an_upstream_image(tmp_path):
    image = write_image(tmp_path / "image", sealed_module(wrapped(), wrapped(packet_v2, "/default/key/k2"), provider="x"))
    result = run(BIN / "coffer", "--home", tmp_path / "home", "--json", "image", "inspect", image)
    index = json.loads((tmp_path / "image/index.json").read_text())
    for part in ("provider.x", KID, "/default/key/k2", OCI_MANIFEST, index["manifests"][0]["digest"]):
        assert part in result.stdout
