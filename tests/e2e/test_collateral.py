"""Vendors in trouble, end to end: simulated guests whose endorsements the broker fetches from `coffer simulate serve`."""

import concurrent.futures
import contextlib
import json
import re
import time
import urllib.error
import urllib.request

import pytest

from conftest import BIN, free_port, kbs, process, run, running_broker, wait_until

SERVICES = ("amd-kds", "intel-pcs", "intel-certificates")
# By fault of a service: the code for a SNP guest without certificates, and for a TDX guest.
FAULTS = {
    "rate-limited": ("collateral.rate_limited", "collateral.rate_limited"),
    "broken": ("collateral.unreachable", "collateral.unreachable"),
    "gone": ("collateral.not_found", "collateral.not_found"),
    "garbage": ("collateral.malformed", "collateral.malformed"),
    "slow": ("collateral.unreachable", "collateral.unreachable"),
    "stale-crl": ("collateral.expired", "collateral.expired"),
    "revoked": ("snp.revoked", "dcap.ca_revoked"),
    "wrong-chain": ("snp.untrusted_chain", "dcap.untrusted_root"),
    "nobody-there": ("collateral.unreachable", "collateral.unreachable"),
}


class Vendors:
    """The simulated vendors of a home, while they run."""

    def __init__(self, home, url):
        self.home, self.url = home, url

    def turn(self, *faults, services=SERVICES, **values):
        for service in services:
            run(BIN / "coffer", "--home", self.home, "simulate", "set", "--service", service, "--reset",
                *(part for fault in faults for part in ("--fault", fault)),
                *(part for name, value in values.items() for part in ("--value", f"{name}={value}")))

    def requests(self):
        with urllib.request.urlopen(self.url + "/requests", timeout=5) as response:
            return json.load(response)

    def asked(self):
        return sum(self.requests()["services"].values())


@contextlib.contextmanager
def running_vendors(home, directory):
    with process(BIN / "coffer", "--home", home, "simulate", "serve", "--listen", "127.0.0.1:0", log=directory / "vendors.log"):
        address = home / "simulator/vendors.url"
        wait_until(lambda: address.exists() and address.read_text().endswith("\n"), "the vendors' start")
        yield Vendors(home, address.read_text().strip())


@contextlib.contextmanager
def fetching_broker(directory, url, home, timeout=5):
    """A broker with an empty store that asks the vendors at `url`, over the simulator of `home`."""

    def settings(written):
        # `coffer init` points simulated Intel machines at a file.
        written = re.sub(r"\[attestation_service\.verifier_config\.dcap_verifier\]\ncollateral_service = .*\n", "", written)
        services = "".join(f'{service} = "{url}/{service}"\n' for service in SERVICES)
        return (written + "\n[attestation_service.verifier_config.snp_verifier]\nrevocation_checks = \"required\"\n"
                f"[coffer.collateral]\ntimeout_seconds = {timeout}\n{services}")

    directory.mkdir()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COFFER_SIMULATOR", str(home / "simulator"))
        with running_broker(directory, "--allow-tee", "simulated:snp", "--allow-tee", "simulated:tdx", settings=settings) as broker:
            yield broker


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A simulator whose SNP machine gives its guests no certificates."""
    home = tmp_path_factory.mktemp("vendors")
    run(BIN / "coffer", "--home", home, "simulate", "init")
    return home


@pytest.fixture
def vendors(home, tmp_path):
    run(BIN / "coffer", "--home", home, "simulate", "set", "--tee", "snp", "--reset", "--fault", "no-certificates")
    with running_vendors(home, tmp_path) as running:
        running.turn()
        yield running


def attest(broker, tee):
    return broker.coffer("attest", "--tee", f"simulated:{tee}", "--output", broker.home / "token.jwt", check=False)


def measure(broker, home, tee):
    """Reference values of the good machine, as its owner would set them."""
    run(BIN / "coffer", "--home", home, "simulate", "set", "--tee", "snp", "--reset")
    broker.measure_simulated(tee, home / "simulator")
    run(BIN / "coffer", "--home", home, "simulate", "set", "--tee", "snp", "--reset", "--fault", "no-certificates")


def test_keys_are_released_by_fetched_endorsements_and_go_on_without_the_vendor(home, tmp_path, registry, addition):
    with contextlib.ExitStack() as stack:
        with running_vendors(home, tmp_path) as vendors:
            vendors.turn()
            broker = stack.enter_context(fetching_broker(tmp_path / "broker", vendors.url, home))
            broker.coffer("policy", "affirming")
            image = f"{registry}/collateral:1"
            broker.coffer("image", "push", image, addition, "--encrypt", "kbs:///default/key/collateral", "--create-key")
            for tee in ("snp", "tdx"):
                measure(broker, home, tee)
                assert broker.coffer("run", image, "--tee", f"simulated:{tee}", "--", "5", "10").stdout == "5 + 10 = 15\n"
            asked = vendors.requests()
            assert asked["services"] == {"amd-kds": 3, "intel-pcs": 3, "intel-certificates": 1}
            assert set(asked["targets"].values()) == {1}
        # Now nobody is there, and what is stored holds.
        for tee in ("snp", "tdx"):
            assert broker.coffer("run", image, "--tee", f"simulated:{tee}", "--", "5", "10").stdout == "5 + 10 = 15\n"


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_code(fault, vendors, home, tmp_path):
    url = "http://127.0.0.1:1" if fault == "nobody-there" else vendors.url
    if url == vendors.url:
        vendors.turn(fault)
    with fetching_broker(tmp_path / "broker", url, home, timeout=1 if fault == "slow" else 5) as broker:
        for tee, code in zip(("snp", "tdx"), FAULTS[fault]):
            begin = time.monotonic()
            refused = attest(broker, tee)
            assert refused.returncode == 1, f"{tee}: {refused.stdout}"
            assert time.monotonic() - begin < 20
            # What is wrong with the vendor the guest is told; what is wrong with its evidence only the owner.
            broker_code = code if code.startswith("collateral.") else "broker.evidence_rejected"
            assert f"broker_code: {broker_code}" in refused.stderr, refused.stderr
            assert code in broker.coffer("explain", "--last").stdout


def test_an_expired_certificate_is_refused_as_such(vendors, home, tmp_path):
    vendors.turn("expired")
    with fetching_broker(tmp_path / "broker", vendors.url, home) as broker:
        for tee, code in (("snp", "snp.not_valid_at_time"), ("tdx", "collateral.expired")):
            assert attest(broker, tee).returncode == 1
            assert code in broker.coffer("explain", "--last").stdout


def test_a_vendor_that_limits_is_left_alone_and_asked_again_later(vendors, home, tmp_path):
    vendors.turn("rate-limited", services=["amd-kds"], retry_after=4, only_first=1)
    with fetching_broker(tmp_path / "broker", vendors.url, home) as broker:
        begin = time.monotonic()
        assert attest(broker, "snp").returncode == 1
        assert vendors.requests()["services"]["amd-kds"] == 1
        while time.monotonic() - begin < 2:
            assert "collateral.rate_limited" in attest(broker, "snp").stderr
        assert vendors.requests()["services"]["amd-kds"] == 1
        wait_until(lambda: attest(broker, "snp").returncode == 0, "the vendor's next answer")
        assert vendors.requests()["services"]["amd-kds"] == 4


def test_a_passing_failure_is_not_seen(vendors, home, tmp_path):
    vendors.turn("broken", services=["intel-pcs"], only_first=1)
    with fetching_broker(tmp_path / "broker", vendors.url, home) as broker:
        assert attest(broker, "tdx").returncode == 0
        assert vendors.requests()["services"]["intel-pcs"] == 4


def test_eight_handshakes_at_once_ask_one_question_each_item(vendors, home, tmp_path):
    vendors.turn("slow", delay_ms=600)
    with fetching_broker(tmp_path / "broker", vendors.url, home) as broker:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda number: broker.coffer("attest", "--tee", "simulated:snp", "--output",
                                                                 broker.home / f"{number}.jwt", check=False), range(8)))
        assert [result.returncode for result in results] == [0] * 8, [result.stderr for result in results]
        targets = vendors.requests()["targets"]
        assert len(targets) == 3 and set(targets.values()) == {1}, targets


def test_a_slow_vendor_holds_no_worker_of_the_broker(vendors, home, tmp_path):
    """More guests than workers wait for a vendor that never answers; others are served meanwhile and afterwards."""
    vendors.turn("slow", services=["amd-kds"])
    with fetching_broker(tmp_path / "broker", vendors.url, home, timeout=2) as broker:
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            refused = list(pool.map(lambda _: attest(broker, "snp").returncode, range(20)))
        assert set(refused) == {1}
        assert time.monotonic() - begin < 30
        assert attest(broker, "tdx").returncode == 0


def test_flags_turn_the_same_dials_and_wrong_names_are_errors(home, tmp_path):
    run(BIN / "coffer", "--home", home, "simulate", "set", "--service", "amd-kds", "--reset")
    with process(BIN / "coffer", "--home", home, "simulate", "serve", "--listen", "127.0.0.1:0", "--fault", "amd-kds=gone",
                 log=tmp_path / "log"):
        wait_until(lambda: "intel-pcs" in (tmp_path / "log").read_text(), "the vendors' start")
        url = (home / "simulator/vendors.url").read_text().strip()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url + "/amd-kds/vcek/v1/Milan/crl", timeout=5)
    assert not (home / "simulator/vendors.url").exists()
    for arguments in (["serve", "--fault", "amd-kds=bad"], ["serve", "--fault", "arm=gone"], ["serve", "--fault", "gone"],
                      ["set", "--service", "arm", "--fault", "gone"], ["set", "--service", "amd-kds", "--fault", "bad"], ["set"]):
        assert run(BIN / "coffer", "--home", home, "simulate", *arguments, check=False).returncode in (1, 2), arguments


def test_an_attestation_service_of_its_own_fetches_counts_and_passes_the_codes_on(vendors, home, tmp_path):
    port, metrics = free_port(), free_port()
    services = [part for service in SERVICES for part in ("--collateral-service", f"{service}={vendors.url}/{service}")]
    log, anchor = tmp_path / "as.log", tmp_path / "as.pem"
    with process(BIN / "coffer-as", "--socket", f"127.0.0.1:{port}", "--anchor", anchor, "--metrics", f"127.0.0.1:{metrics}",
                 "--allow-tee", "simulated:snp", "--simulator-root", home / "simulator/root.pem", "--collateral-timeout", "2",
                 *services, log=log, env={"RUST_LOG": "info"}):
        wait_until(lambda: "as.ready" in log.read_text(), "the attestation service's start")
        config = ('[http_server]\nsockets = ["127.0.0.1:{port}"]\ninsecure_http = true\n[attestation_service]\n'
                  f'type = "coco_as_grpc"\nas_addr = "http://127.0.0.1:{port}"\n[attestation_token]\n'
                  f'trusted_certs_paths = ["{anchor}"]\n[admin]\ntype = "DenyAll"\n')
        with kbs(tmp_path, config) as url:
            coffer = [BIN / "coffer", "--home", home, "--kbs", url, "attest", "--tee", "simulated:snp", "--output", tmp_path / "token"]
            vendors.turn("gone", services=["amd-kds"], only_first=1)
            assert "broker_code: collateral.not_found" in run(*coffer, check=False).stderr
            other = run(*coffer, check=False)  # asked a moment ago
            assert other.returncode == 1
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=5) as response:
            counted = response.read().decode()
        assert 'coffer_collateral_total{kind="amd-vcek",outcome="not_found"} 2' in counted
