"""Debian's mosquitto for end-to-end tests: without a password, with one, and over TLS.

Use by importing the fixtures into a test file: `from mosquitto import broker  # noqa: F401`.
"""

import contextlib
import datetime
import ipaddress
import os
import pathlib
import shutil
import socket
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROGRAM = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """One mosquitto on a port of its own; `start()` again after `kill()` keeps port and files."""

    def __init__(self, directory, settings, scheme="tcp"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.scheme = scheme
        self.port = free_port()
        self.process = None

    @property
    def address(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def log(self):
        return (self.directory / "mosquitto.log").read_text(encoding="utf-8", errors="replace")

    def start(self):
        settings = self.settings.replace("$DIR", str(self.directory))
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\nuser root\npersistence false\nlog_dest file {self.directory}/mosquitto.log\n"
            f"{settings}\n",
            encoding="utf-8")
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([PROGRAM, "-c", str(configuration)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"mosquitto ended at once: {self.log}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            time.sleep(0.01)
        raise AssertionError("mosquitto did not start")

    def kill(self):
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        self.kill()
        return self.start()


class PasswordBroker(Broker):
    """Knows exactly the users it was given."""

    def __init__(self, directory, users, settings=""):
        super().__init__(directory, f"allow_anonymous false\npassword_file $DIR/passwords\n{settings}")
        self.users = users
        passwords = self.directory / "passwords"
        passwords.write_text("".join(f"{name}:{password}\n" for name, password in users.items()), encoding="utf-8")
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
        os.chmod(passwords, 0o600)


def _certificate(directory, name, issuer=None, **names):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
               .issuer_name(issuer[0].subject if issuer else subject).serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
               .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True))
    alternatives = [x509.DNSName(each) for each in names.get("dns", [])]
    alternatives += [x509.IPAddress(ipaddress.ip_address(each)) for each in names.get("ip", [])]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    certificate = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    (directory / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / f"{name}.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificate, key


class TlsBroker(Broker):
    """A root (`root.pem`), the broker's certificate under it, and a client's (`client.pem`, `client.key`)."""

    def __init__(self, directory, client_certificates=False):
        settings = "certfile $DIR/broker.pem\nkeyfile $DIR/broker.key\n"
        if client_certificates:
            settings += "cafile $DIR/root.pem\nrequire_certificate true\nuse_identity_as_username true\n"
        else:
            settings += "allow_anonymous true\n"
        super().__init__(directory, settings, scheme="ssl")
        root = _certificate(self.directory, "root")
        _certificate(self.directory, "broker", root, dns=["localhost"], ip=["127.0.0.1"])
        _certificate(self.directory, "client", root)

    @property
    def root(self):
        return self.directory / "root.pem"


@contextlib.contextmanager
def running(broker_to_start):
    try:
        yield broker_to_start.start()
    finally:
        broker_to_start.kill()


@pytest.fixture
def broker(tmp_path):
    """A broker that takes everyone."""
    with running(Broker(tmp_path / "mosquitto", "allow_anonymous true\n")) as started:
        yield started


@pytest.fixture
def password_broker(tmp_path):
    """A broker that takes the users in `users` alone."""
    users = {name: f"{name}-key" for name in ("manager", "proxy", "worker", "peer")}
    with running(PasswordBroker(tmp_path / "mosquitto", users)) as started:
        yield started


@pytest.fixture
def tls_broker(tmp_path):
    with running(TlsBroker(tmp_path / "mosquitto")) as started:
        yield started


@pytest.fixture
def mutual_tls_broker(tmp_path):
    with running(TlsBroker(tmp_path / "mosquitto", client_certificates=True)) as started:
        yield started
