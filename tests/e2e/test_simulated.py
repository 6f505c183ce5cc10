"""Simulated hardware end to end: a key is released to a guest that the owner measured, and to none with a fault."""

import json

import pytest

from conftest import running_broker

# What the owner reads when the fault is dialled: a code of the verifier, or the claim that the policy did not like.
FAULTS = {
    "snp": {"old-tcb": "snp.wrong_tcb", "debug": "policy_debug_allowed", "wrong-measurement": "input.snp.measurement",
            "wrong-nonce": "evidence.report_data_mismatch", "other-chip": "snp.wrong_chip", "lower-privilege": "snp.wrong_vmpl",
            "bad-signature": "snp.bad_signature", "no-certificates": "evidence.collateral_missing", "revoked": "snp.revoked",
            "expired": "snp.not_valid_at_time"},
    "tdx": {"old-tcb": "tcb_status", "old-module": "tcb_status", "revoked": "dcap.pck_revoked", "expired": "collateral_expiration_status",
            "debug": "td_attributes.debug", "wrong-measurement": "mr_td", "wrong-event": "eventlog.replay_mismatch",
            "wrong-nonce": "evidence.report_data_mismatch", "bad-signature": "dcap.bad_quote_signature"},
    "sgx": {"wrong-nonce": "evidence.report_data_mismatch", "wrong-measurement": "mr_enclave", "debug": "attributes.flags"},
    "nitro": {"debug": "nitro.debug_mode", "wrong-pcr": "pcr0", "wrong-nonce": "evidence.report_data_mismatch",
              "expired": "nitro.certificate_expired", "wrong-root": "nitro.unknown_root", "clock-skew": "nitro.from_the_future",
              "bad-signature": "nitro.bad_signature"},
    "az-snp-vtpm": {"wrong-nonce": "evidence.report_data_mismatch", "wrong-pcr": "tpm.pcr_digest_mismatch", "wrong-kernel": "pcr11",
                    "wrong-runtime-data": "az_vtpm.runtime_data_mismatch", "old-report": "az_vtpm.user_data_mismatch",
                    "bad-signature": "tpm.bad_signature", "wrong-measurement": "measurement", "debug": "policy_debug_allowed",
                    "old-tcb": "snp.wrong_tcb", "expired": "snp.not_valid_at_time"},
    "az-tdx-vtpm": {"wrong-nonce": "evidence.report_data_mismatch", "wrong-pcr": "tpm.pcr_digest_mismatch", "wrong-kernel": "pcr11",
                    "wrong-runtime-data": "az_vtpm.runtime_data_mismatch", "old-report": "az_vtpm.user_data_mismatch",
                    "bad-signature": "tpm.bad_signature", "wrong-measurement": "mr_td", "debug": "td_attributes.debug",
                    "old-tcb": "tcb_status", "expired": "collateral_expiration_status"},
    "tpm": {"wrong-measurement": "pcr04", "wrong-nonce": "evidence.report_data_mismatch", "unknown-ak": "tpm.",
            "expired": "tpm.", "altered-event": "tpm.", "bad-signature": "tpm.bad_signature"},
    "keystone": {"wrong-measurement": "enclave.hash", "wrong-monitor": "security_monitor.hash",
                 "wrong-nonce": "evidence.report_data_mismatch", "bad-signature": "keystone.enclave_signature",
                 "bad-monitor-signature": "keystone.monitor_signature", "expired": "keystone.untrusted_chain",
                 "wrong-root": "keystone.untrusted_chain"},
}


class Owner:
    """A broker that trusts the simulator for one TEE, whose reference values come from one good piece of evidence."""

    def __init__(self, broker, tee, directory):
        self.broker, self.tee, self.directory = broker, tee, directory
        self.simulator = broker.home / "simulator"

    def simulate(self, *arguments):
        return self.broker.coffer("simulate", *arguments)


@pytest.fixture(scope="module", params=FAULTS)
def owner(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param)
    with running_broker(directory, "--allow-tee", f"simulated:{request.param}",
                        settings="\n[coffer.collateral]\noffline = true\n") as broker:
        broker.coffer("policy", "affirming")
        owner = Owner(broker, request.param, directory)
        broker.measure_simulated(request.param)
        yield owner


@pytest.fixture(scope="module")
def image(owner, registry, addition):
    reference = f"{registry}/simulated-{owner.tee}:1"
    owner.broker.coffer("image", "push", reference, addition, "--encrypt", f"kbs:///default/key/{owner.tee}", "--create-key")
    return reference


def attempt(owner, image):
    return owner.broker.coffer("run", image, "--tee", f"simulated:{owner.tee}", "--", "5", "10", check=False)


def test_the_measured_guest_gets_the_key(owner, image):
    owner.simulate("set", "--tee", owner.tee, "--reset")
    result = attempt(owner, image)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "5 + 10 = 15\n"
    assert "SIMULATED" in owner.broker.log.read_text()


def test_the_token_says_that_it_was_simulated(owner):
    owner.simulate("set", "--tee", owner.tee, "--reset")
    token = owner.directory / "token.jwt"
    owner.broker.coffer("attest", "--tee", f"simulated:{owner.tee}", "--output", token)
    claims = json.loads(owner.broker.coffer("token", "show", "--claims", token).stdout)
    token.unlink()
    assert "SIMULATED, NOT SECURE" in claims["coffer.simulated"][0]


def test_each_fault_is_refused_and_named(owner, image):
    for fault, reason in FAULTS[owner.tee].items():
        owner.simulate("set", "--tee", owner.tee, "--reset", "--fault", fault)
        result = attempt(owner, image)
        assert result.returncode == 122, f"{fault}: {result.stdout}{result.stderr}"
        assert result.stdout == "", fault
        explanation = owner.broker.coffer("explain", "--last").stdout
        assert reason in explanation, f"{fault}: {explanation}"
    owner.simulate("set", "--tee", owner.tee, "--reset")


def test_a_broker_that_did_not_choose_the_simulator_refuses_it_by_name(owner, image, tmp_path):
    with running_broker(tmp_path, "--allow-tee", "sample") as stranger:
        result = stranger.coffer("run", image, "--tee", f"simulated:{owner.tee}", "--", "5", "10", check=False,
                                 env={"COFFER_SIMULATOR": str(owner.simulator)})
        assert result.returncode == 122, result.stderr
        assert "evidence.simulated_refused" in stranger.coffer("explain", "--last").stdout


def test_a_dial_that_does_not_exist_is_an_error(owner):
    owner.simulate("set", "--tee", owner.tee, "--reset", "--fault", "no-such-fault")
    result = owner.broker.coffer("simulate", "evidence", "--tee", owner.tee, "--report-data", "00", check=False)
    owner.simulate("set", "--tee", owner.tee, "--reset")
    assert result.returncode == 1
    assert "evidence.bad_config" in result.stderr
