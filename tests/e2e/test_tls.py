"""TLS: a home with a certificate of its own, from the first command to the released key."""

import ssl
import urllib.request

import pytest

from conftest import BIN, Broker, process, run, wait_until


@pytest.fixture
def tls_broker(tmp_path):
    home = tmp_path / "home"
    run(BIN / "coffer", "--home", home, "init", "--allow-tee", "sample", "--tls", "127.0.0.1", "--tls", "localhost")
    with process(BIN / "coffer", "--home", home, "up", "--listen", "127.0.0.1:0", log=tmp_path / "log"):
        url_file = home / "broker.url"
        wait_until(url_file.exists, "the broker's start")
        yield Broker(home, url_file.read_text().strip(), tmp_path / "log")


def test_the_whole_job_over_https(tls_broker, registry, addition):
    assert tls_broker.url.startswith("https://")
    reference = f"{registry}/tls:1"
    tls_broker.coffer("image", "push", reference, addition, "--encrypt", "kbs:///default/key/tls", "--create-key")
    assert tls_broker.coffer("run", reference, "--tee", "sample", "--", "5", "10").stdout == "5 + 10 = 15\n"


def test_a_stranger_s_roots_do_not_trust_it_and_the_error_says_what_to_do(tls_broker, tmp_path):
    result = run(BIN / "coffer", "--home", tmp_path / "other", "--kbs", tls_broker.url, "--admin-key",
                 tls_broker.home / "admin.key", "resource", "list", check=False)
    assert result.returncode == 1
    assert "net.tls" in result.stderr and "--kbs-cert" in result.stderr


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(tls_broker, version):
    context = ssl.create_default_context(cafile=tls_broker.home / "tls-ca.crt")
    context.minimum_version = context.maximum_version = version
    with urllib.request.urlopen(tls_broker.url + "/healthz", context=context, timeout=10) as response:
        assert response.status == 200


def test_without_a_certificate_the_broker_stays_on_this_machine(tmp_path):
    home = tmp_path / "home"
    run(BIN / "coffer", "--home", home, "init")
    result = run(BIN / "coffer", "--home", home, "up", "--listen", "0.0.0.0:0", check=False)
    assert result.returncode == 2
    assert "--tls" in result.stderr and "--insecure-http" in result.stderr
