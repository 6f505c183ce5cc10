"""The pieces of seed 000 ("KBS Protocol Mismatch") that its tests share: its configuration files as written there, with
this test's addresses and folders in place of the document's."""

import base64
import contextlib
import json
import urllib.error
import urllib.request

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from conftest import BIN, free_port, kbs, process, run, wait_until

SOLUTION_1 = """
[http_server]
sockets = ["0.0.0.0:8080"]
insecure_http = true

[attestation_service]
type = "coco_as_grpc"
as_addr = "http://as:50004"

# Explicitly use background check (not passport/RCAR)
attestation_type = "background_check"

[admin]
type = "Simple"

[[admin.personas]]
id = "admin"
public_key_path = "/opt/confidential-containers/kbs/user-keys/public.pub"

[[plugins]]
name = "resource"
type = "LocalFs"
dir_path = "/opt/confidential-containers/kbs/repository"
"""

SOLUTION_2 = """
[http_server]
sockets = ["0.0.0.0:8083"]
insecure_http = true

[attestation_token]
# For testing with sample attester
trusted_certs_paths = []

[[plugins]]
name = "resource"
type = "LocalFs"
dir_path = "/opt/confidential-containers/kbs/repository"
"""

SOLUTION_4 = """
[attestation]
type = "file"

[key_providers]
# Use filesystem key provider instead of KBS
type = "local"
path = "/path/to/keys"

[resources]
# Resource definitions
"""


KEK = bytes(range(32))
ALLOW_ALL = "package policy\ndefault allow := true\n"


class Admin:
    """A persona: an Ed25519 key pair whose public half the broker's configuration names."""

    def __init__(self, directory):
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.private_file = directory / "private.key"
        self.public_file = directory / "public.pub"
        self.private_file.write_bytes(self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.public_file.write_bytes(self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


def here(config, directory, port_in_document, **replacements):
    """A document's configuration with a free port of this machine and folders of this test. {port} is for conftest.kbs."""
    text = config.replace(f'"0.0.0.0:{port_in_document}"', '"127.0.0.1:{port}"')
    text = text.replace("/opt/confidential-containers/kbs", str(directory))
    for old, new in replacements.items():
        assert old in text, f"the document's configuration does not say {old}"
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def attestation_service(directory):
    """coffer-as, which takes sample evidence. Yields host:port and the file with its certificate."""
    port = free_port()
    anchor = directory / "as-anchor.pem"
    log = directory / "as.log"
    with process(BIN / "coffer-as", "--socket", f"127.0.0.1:{port}", "--anchor", anchor, "--allow-tee", "sample", log=log,
                 env={"RUST_LOG": "info"}):
        wait_until(lambda: "as.ready" in log.read_text(), "the attestation service's start")
        yield f"127.0.0.1:{port}", anchor


@contextlib.contextmanager
def solution_1(directory, extra=""):
    """The broker of solution 1 with its attestation service. Yields its URL and its administrator."""
    (directory / "user-keys").mkdir()
    admin = Admin(directory / "user-keys")
    with attestation_service(directory) as (address, _):
        text = here(SOLUTION_1, directory, 8080).replace("http://as:50004", f"http://{address}")
        with kbs(directory, text + extra) as url:
            yield url, admin


@contextlib.contextmanager
def passport_brokers(directory):
    """Option B: an issuer broker with an attestation service, and a resource broker that trusts its certificate."""
    (directory / "issuer").mkdir()
    (directory / "resource/repository/default/key").mkdir(parents=True)
    (directory / "resource/repository/default/key/wasm-addition").write_bytes(KEK)
    (directory / "resource/policy.rego").write_text(ALLOW_ALL)
    with attestation_service(directory) as (address, anchor):
        issuer_config = ('[http_server]\nsockets = ["127.0.0.1:{port}"]\ninsecure_http = true\n'
                         f'[attestation_service]\ntype = "coco_as_grpc"\nas_addr = "http://{address}"\n'
                         f'[attestation_token]\ntrusted_certs_paths = ["{anchor}"]\n[admin]\ntype = "DenyAll"\n')
        resource_config = ('[http_server]\nsockets = ["127.0.0.1:{port}"]\ninsecure_http = true\n'
                           f'[attestation_token]\ntrusted_certs_paths = ["{anchor}"]\n[admin]\ntype = "DenyAll"\n'
                           f'[policy_engine]\npolicy_path = "{directory}/resource/policy.rego"\n'
                           '[[plugins]]\nname = "resource"\ntype = "LocalFs"\n'
                           f'dir_path = "{directory}/resource/repository"\n')
        with kbs(directory, issuer_config, "issuer-kbs") as issuer, kbs(directory, resource_config, "resource-kbs") as resource:
            yield issuer, resource


def get(url):
    """Status and JSON body of a GET, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        body = error.read()
        with contextlib.suppress(ValueError):
            return error.code, json.loads(body)
        return error.code, body


def runner(*arguments, env=None, check=False):
    return run(BIN / "coffer-run", *arguments, env={"RUST_LOG": "info", **(env or {})}, check=check)


def run_addition(image, directory, *arguments, **options):
    """The document's command line: --invoke add --wasm-args 5 --wasm-args 10."""
    return runner("--image-reference", image, "--work-dir", directory / "tee-wasm-runner", "--invoke", "add",
                  "--wasm-args", "5", "--wasm-args", "10", *arguments, **options)


def sealed_image(directory, addition, kek, kid="kbs:///default/key/wasm-addition"):
    """The module encrypted under `kek` into a layout; the key is given to nobody. Returns the reference."""
    key_file = directory / "kek"
    key_file.write_bytes(kek)
    reference = f"oci:{directory}/sealed:encrypted"
    run(BIN / "coffer", "--home", directory / "nohome", "image", "push", reference, addition, "--encrypt", kid,
        "--key-file", key_file)
    return reference


def one_line(text, *words):
    """True where a single line of `text` holds all words."""
    return any(all(word in line for word in words) for line in text.splitlines())


def b64(data):
    return base64.b64encode(data).decode()
