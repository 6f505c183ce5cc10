"""Clients of the manager's API by certificate: who is let in, as what, and what the command line shows it."""

import datetime
import hashlib
import ipaddress
import json
import ssl
import urllib.error
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conftest import BIN, process, run, wait_until
from fleet_peers import CHANNEL, TENANT
from mosquitto import broker  # noqa: F401  pylint: disable=unused-import


class Authority:
    """A root, and what it issues, as NAME.pem and NAME.key in a folder."""

    def __init__(self, directory, name):
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self.sign(self.subject, self.key.public_key(), 0, 1, True, []).public_bytes(
            serialization.Encoding.PEM))

    def sign(self, subject, key, begin, end, authority, names):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.subject).public_key(key)
                   .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=begin - 1))
                   .not_valid_after(now + datetime.timedelta(days=end))
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name, names=(), end=1):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self.sign(subject, key.public_key(), -2, end, False, list(names))
        pem = self.directory / f"{name}.pem"
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pem.with_suffix(".key").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return pem


class Setup:
    def __init__(self, directory):
        self.directory = directory
        self.servers, self.clients, self.strangers = (Authority(directory, name) for name in ("servers", "clients", "strangers"))
        self.server = self.servers.issue("server", [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        self.users = directory / "users.toml"
        self.users.write_text(
            '[[certificate]]\nrole = "operator"\nname = "ci.example.org"\n\n'
            '[[certificate]]\nrole = "viewer"\nsubject = "CN=dashboard"\n\n'
            f'[[token]]\nname = "t"\nrole = "viewer"\nsha256 = "{hashlib.sha256(b"secret").hexdigest()}"\n', encoding="utf-8")
        self.url = ""

    def arguments(self, *more):
        return ["--http-server-cert", self.server, "--http-server-key", self.server.with_suffix(".key"), "--auth-file", self.users,
                "--http-client-ca-certs", self.clients.file, *more]

    def ask(self, certificate=None, path="/tasks", token=None, body=None, version=None):
        """The status; or 0 where the handshake did not come about."""
        context = ssl.create_default_context(cafile=self.servers.file)
        if version:
            context.minimum_version = context.maximum_version = version
        if certificate:
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        request = urllib.request.Request(self.url + path, data=body, headers={"Content-Type": "application/json"})
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, context=context, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code
        except (ssl.SSLError, urllib.error.URLError, ConnectionError):
            return 0


@pytest.fixture(name="start")
def start_fixture(tmp_path, broker):  # noqa: F811
    """Starts a manager with these further options."""
    started = []

    def start(*more):
        setup = Setup(tmp_path)
        url_file, log = tmp_path / "url", tmp_path / "manager.log"
        child = process(BIN / "coffer-manager", "--mqtt-address", broker.address, "--http-port", "0", "--url-file", url_file,
                        "--tenant-id", TENANT, "--channel-id", CHANNEL, "--entity-id", "manager", "--sqlite-path",
                        tmp_path / "manager.db", *setup.arguments(*more), log=log, env={"MANAGER_API_KEY": "k"}, cwd=tmp_path)
        started.append(child)
        running = child.__enter__()
        wait_until(lambda: url_file.exists() and url_file.read_text().strip() or running.poll() is not None, "the manager's start")
        assert running.poll() is None, log.read_text()
        setup.url, setup.log = url_file.read_text().strip(), log
        return setup

    yield start
    for child in started:
        child.__exit__(None, None, None)


TASK = json.dumps({"name": "add", "image_url": "docker.io/x/add:v1"}).encode()


def test_a_certificate_gives_the_role_of_its_name(start):
    setup = start()
    ci = setup.clients.issue("ci", [x509.DNSName("ci.example.org")])
    dashboard = setup.clients.issue("dashboard")
    nobody = setup.clients.issue("nobody")
    assert setup.url.startswith("https://")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert setup.ask(ci, version=version) == 200
    assert setup.ask(ci, body=TASK) == 201
    assert setup.ask(dashboard) == 200
    assert setup.ask(dashboard, body=TASK) == 403  # the role is too low
    assert setup.ask(nobody) == 403  # valid, and without a role
    assert setup.ask(nobody, path="/health") == 200
    assert setup.ask(nobody, token="secret") == 200  # a token counts all the same


def test_who_has_no_good_certificate_gets_no_connection(start):
    setup = start()
    assert setup.ask(None) == 0
    assert setup.ask(None, token="secret") == 0
    assert setup.ask(setup.strangers.issue("ci", [x509.DNSName("ci.example.org")])) == 0
    assert setup.ask(setup.servers.issue("wrong", [x509.DNSName("ci.example.org")])) == 0
    assert setup.ask(setup.clients.issue("expired", [x509.DNSName("ci.example.org")], end=-1)) == 0
    log = wait_until(lambda: (text := setup.log.read_text()) and "certificate has expired" in text and text, "the reason")
    assert "net.client_certificate_refused" in log
    good = setup.clients.issue("good", [x509.DNSName("ci.example.org")])
    assert setup.ask(good) == 200


def test_certificates_may_be_optional(start):
    setup = start("--http-client-auth", "optional")
    assert setup.ask(None) == 401
    assert setup.ask(None, token="secret") == 200
    assert setup.ask(setup.clients.issue("ci", [x509.DNSName("ci.example.org")])) == 200
    assert setup.ask(setup.strangers.issue("ci", [x509.DNSName("ci.example.org")])) == 0


def test_the_command_line_shows_its_certificate(start):
    setup = start()
    ci = setup.clients.issue("ci", [x509.DNSName("ci.example.org")])
    command = [BIN / "coffer", "fleet", "-m", setup.url, "--ca-cert", setup.servers.file]
    shown = ["--cert", ci, "--key", ci.with_suffix(".key")]
    assert "no tasks" in run(*command, *shown, "tasks", "list").stdout
    assert "0 alive" in run(*command, *shown, "watch", "--once").stdout
    refused = run(*command, "tasks", "list", check=False)
    assert refused.returncode == 1
    assert run(*command, "--cert", ci, "tasks", "list", check=False).returncode == 2
    by_variable = {"COFFER_MANAGER_CERT": str(ci), "COFFER_MANAGER_KEY": str(ci.with_suffix(".key")),
                   "COFFER_MANAGER_CA": str(setup.servers.file), "COFFER_MANAGER_URL": setup.url}
    assert "no tasks" in run(BIN / "coffer", "fleet", "tasks", "list", env=by_variable).stdout


def test_names_in_the_file_without_roots_for_them_are_a_start_error(tmp_path, broker):  # noqa: F811
    setup = Setup(tmp_path)
    result = run(BIN / "coffer-manager", "--mqtt-address", broker.address, "--tenant-id", TENANT, "--channel-id", CHANNEL,
                 "--entity-id", "manager", "--http-port", "0", "--storage-type", "memory", "--auth-file", setup.users,
                 env={"MANAGER_API_KEY": "k"}, check=False, cwd=tmp_path)
    assert result.returncode == 1 and "MANAGER_HTTP_CLIENT_CA_CERTS" in result.stderr
