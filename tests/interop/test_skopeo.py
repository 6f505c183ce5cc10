"""Images that skopeo's libraries encrypted open with ours, and the other way round."""

import base64
import json
import pathlib
import shutil
import stat
import subprocess
import tarfile

import pytest

from conftest import BIN, CACHE, run

ENGINE = CACHE / "bin/skopeo-engine"
KEK = bytes(range(32))

needs_engine = pytest.mark.skipif(not ENGINE.exists(), reason="skopeo's engine was not built (Go 1.25 is missing)")
needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
needs_umoci = pytest.mark.skipif(shutil.which("umoci") is None, reason="umoci is not installed")

# A keyprovider as ocicrypt runs it ("cmd"): wraps privopts under KEK as coco_keyprovider does, and back. An
# implementation of its own, so that agreement with ours means something.
KEYPROVIDER = '''#!{python}
import base64, json, os, sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
KEK = bytes(range(32))
request = json.load(sys.stdin)
if request["op"] == "keywrap":
    iv = os.urandom(12)
    sealed = AESGCM(KEK).encrypt(iv, base64.b64decode(request["keywrapparams"]["optsdata"]), None)
    packet = json.dumps({{"kid": "kbs:///default/key/k1", "wrapped_data": base64.b64encode(sealed).decode(),
                         "iv": base64.b64encode(iv).decode(), "wrap_type": "A256GCM"}}).encode()
    print(json.dumps({{"keywrapresults": {{"annotation": list(packet)}}}}))
else:
    packet = json.loads(base64.b64decode(request["keyunwrapparams"]["annotation"]))
    opened = AESGCM(KEK).decrypt(base64.b64decode(packet["iv"]), base64.b64decode(packet["wrapped_data"]), None)
    print(json.dumps({{"keyunwrapresults": {{"optsdata": list(opened)}}}}))
'''


@pytest.fixture
def keys(tmp_path):
    """An RSA and a P-256 key pair: (private PEM, public PEM) by name."""
    made = {}
    for name, arguments in (("rsa", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]), ("ec", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])):
        private, public = tmp_path / f"{name}.pem", tmp_path / f"{name}.pub"
        run("openssl", "genpkey", "-algorithm", *arguments, "-out", private)
        run("openssl", "pkey", "-in", private, "-pubout", "-out", public)
        made[name] = (private, public)
    return made


@pytest.fixture
def provider_environment(tmp_path):
    """ocicrypt's configuration with the test keyprovider under upstream's name."""
    import sys
    program = tmp_path / "keyprovider"
    program.write_text(KEYPROVIDER.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    config = tmp_path / "ocicrypt.json"
    config.write_text(json.dumps({"key-providers": {"attestation-agent": {"cmd": {"path": str(program), "args": []}}}}))
    return {"OCICRYPT_KEYPROVIDER_CONFIG": str(config)}


@pytest.fixture
def plain_image(tmp_path):
    """oci:.../plain:latest with one gzip layer that holds etc/motd and a link, made by umoci."""
    if shutil.which("umoci") is None:
        pytest.skip("umoci is not installed")
    content = tmp_path / "content"
    (content / "etc").mkdir(parents=True)
    (content / "etc/motd").write_text("sealed and opened\n" * 5000)
    (content / "etc/link").symlink_to("motd")
    with tarfile.open(tmp_path / "layer.tar", "w") as archive:
        archive.add(content / "etc", arcname="etc")
    run("umoci", "init", "--layout", tmp_path / "plain")
    run("umoci", "new", "--image", f"{tmp_path}/plain:latest")
    run("umoci", "raw", "add-layer", "--image", f"{tmp_path}/plain:latest", tmp_path / "layer.tar")
    return f"oci:{tmp_path}/plain:latest"


def coffer(tmp_path, *arguments, **options):
    return run(BIN / "coffer", "--home", tmp_path / "home", *arguments, **options)


def check_tree(directory):
    assert (directory / "etc/motd").read_text() == "sealed and opened\n" * 5000
    assert (directory / "etc/link").readlink() == pathlib.Path("motd")


def engine(*arguments, env=None):
    return run(ENGINE, "copy", *arguments, env=env, timeout=120)


@needs_engine
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_what_the_engine_encrypted_with_jwe_opens_with_ours(tmp_path, plain_image, keys, kind):
    private, public = keys[kind]
    engine("--encryption-key", f"jwe:{public}", plain_image, f"oci:{tmp_path}/sealed:latest")
    coffer(tmp_path, "image", "pull", f"oci:{tmp_path}/sealed:latest", tmp_path / "tree", "--expect-encrypted",
           "--private-key", private)
    check_tree(tmp_path / "tree")


@needs_engine
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_what_ours_encrypted_with_jwe_opens_with_the_engine(tmp_path, plain_image, keys, kind):
    private, public = keys[kind]
    coffer(tmp_path, "image", "encrypt", plain_image, f"oci:{tmp_path}/sealed:latest", "--jwe", public)
    engine("--decryption-key", str(private), f"oci:{tmp_path}/sealed:latest", f"oci:{tmp_path}/opened:latest")
    coffer(tmp_path, "image", "pull", f"oci:{tmp_path}/opened:latest", tmp_path / "tree")
    check_tree(tmp_path / "tree")


@needs_engine
def test_what_the_engine_encrypted_by_a_keyprovider_opens_with_ours(tmp_path, plain_image, provider_environment):
    engine("--encryption-key", "provider:attestation-agent:keyid=kbs:///default/key/k1", plain_image,
           f"oci:{tmp_path}/sealed:latest", env=provider_environment)
    keys = tmp_path / "keys/default/key"
    keys.mkdir(parents=True)
    (keys / "k1").write_bytes(KEK)
    coffer(tmp_path, "image", "pull", f"oci:{tmp_path}/sealed:latest", tmp_path / "tree", "--expect-encrypted",
           "--key-directory", tmp_path / "keys")
    check_tree(tmp_path / "tree")


@needs_engine
def test_what_ours_encrypted_for_a_kek_opens_with_the_engine_by_a_keyprovider(tmp_path, plain_image, provider_environment):
    (tmp_path / "kek").write_bytes(KEK)
    coffer(tmp_path, "image", "encrypt", plain_image, f"oci:{tmp_path}/sealed:latest", "--key", "kbs:///default/key/k1",
           "--key-file", tmp_path / "kek")
    engine("--decryption-key", "provider:attestation-agent:any", f"oci:{tmp_path}/sealed:latest",
           f"oci:{tmp_path}/opened:latest", env=provider_environment)
    coffer(tmp_path, "image", "pull", f"oci:{tmp_path}/opened:latest", tmp_path / "tree")
    check_tree(tmp_path / "tree")


@needs_skopeo
@needs_umoci
def test_debian_s_skopeo_both_ways_through_a_registry(tmp_path, plain_image, keys, registry):
    private, public = keys["rsa"]
    run("skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", "--encryption-key", f"jwe:{public}", plain_image,
        f"docker://{registry}/skopeo/sealed:1")
    coffer(tmp_path, "image", "pull", f"{registry}/skopeo/sealed:1", tmp_path / "tree", "--private-key", private)
    check_tree(tmp_path / "tree")
    coffer(tmp_path, "image", "encrypt", plain_image, f"{registry}/coffer/sealed:1", "--jwe", public)
    run("skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", "--decryption-key", private,
        f"docker://{registry}/coffer/sealed:1", f"oci:{tmp_path}/opened:latest")
    coffer(tmp_path, "image", "pull", f"oci:{tmp_path}/opened:latest", tmp_path / "tree2")
    check_tree(tmp_path / "tree2")
