"""The main job of the product: an encrypted module runs only where it is trusted."""

from conftest import BIN, run


def push(broker, registry, addition, name):
    reference = f"{registry}/{name}:1"
    broker.coffer("image", "push", reference, addition, "--encrypt", f"kbs:///default/key/{name}", "--create-key")
    return reference


def test_an_affirming_guest_gets_the_key_and_the_module_prints_its_result(snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "affirming")
    result = snp_broker.coffer("run", reference, "--tee", "simulated:snp", "--", "5", "10")
    assert result.stdout == "5 + 10 = 15\n"


def test_an_exported_function_is_called_with_typed_arguments(snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "invoke")
    assert snp_broker.coffer("run", reference, "--tee", "simulated:snp", "--invoke", "add", "--", "40", "2").stdout == "42\n"


def test_a_denial_ends_with_122_and_explains_itself_to_the_owner_alone(snp_broker, registry, addition):
    reference = push(snp_broker, registry, addition, "denied")
    snp_broker.coffer("reference", "set", "snp_launch_measurement", "ab" * 48)
    result = snp_broker.coffer("run", reference, "--tee", "simulated:snp", "--", "5", "10", check=False)
    assert result.returncode == 122
    assert result.stdout == ""
    assert "policy_denied" in result.stderr
    assert "measurement" not in result.stderr and "00" * 48 not in result.stderr
    explanation = snp_broker.coffer("explain", "--last").stdout
    assert "input.snp.measurement" in explanation
    assert "ab" * 48 in explanation and "00" * 48 in explanation


def test_without_the_switch_sample_evidence_is_refused_by_name(tmp_path, registry, addition):
    from conftest import running_broker
    with running_broker(tmp_path) as broker:
        reference = push(broker, registry, addition, "nosample")
        result = broker.coffer("run", reference, "--tee", "sample", "--", "1", "2", check=False)
        assert result.returncode == 122
        assert "sample" in result.stderr


def test_without_a_tee_nothing_falls_back_to_sample(broker, registry, addition):
    reference = push(broker, registry, addition, "notee")
    result = broker.coffer("run", reference, "--", "1", "2", check=False)
    assert result.returncode == 121
    assert "--tee sample" in result.stderr


def test_the_key_never_shows_in_logs_or_output(snp_broker, registry, addition, tmp_path):
    reference = push(snp_broker, registry, addition, "canary")
    key_file = tmp_path / "key"
    snp_broker.coffer("resource", "get", "default/key/canary", "--tee", "simulated:snp", "--output", key_file)
    key = key_file.read_bytes()
    assert len(key) == 32
    result = snp_broker.coffer("run", reference, "--tee", "simulated:snp", "--", "5", "10", env={"RUST_LOG": "trace"})
    everything = result.stdout + result.stderr + snp_broker.log.read_text(errors="replace")
    import base64
    for form in (key.hex(), base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode().rstrip("=")):
        assert form not in everything


def test_every_program_says_its_version_and_its_tees():
    for program in ("coffer", "coffer-kbs", "coffer-run"):
        text = run(BIN / program, "--version").stdout
        assert "0.1.0" in text
        assert "TEEs built in:" in text and "sample" in text
        assert "TEE detected:" in text
