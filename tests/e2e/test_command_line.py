"""The owner's command line: what it says when it is used wrongly, and the commands that no document shows."""

import base64
import concurrent.futures
import json

from conftest import BIN, run


def test_an_unknown_command_is_named():
    for arguments, unknown in ((["frobnicate"], "frobnicate"), (["resource", "steal"], "steal")):
        result = run(BIN / "coffer", *arguments, check=False)
        assert result.returncode == 2
        assert f'no command "{unknown}"' in result.stderr


def test_without_a_command_the_help_is_shown():
    result = run(BIN / "coffer", check=False)
    assert result.returncode == 2
    assert "Subcommands:" in result.stderr


def test_an_unknown_option_is_named():
    result = run(BIN / "coffer", "resource", "list", "--colour", check=False)
    assert result.returncode == 2
    assert "--colour" in result.stderr


def test_a_repeatable_option_does_not_swallow_what_follows(tmp_path, broker, addition):
    broker.coffer("image", "push", "--encrypt", "kbs:///default/key/k1", "--create-key", f"oci:{tmp_path}/i:1", addition)
    broker.coffer("image", "push", "--create-key", "--encrypt", "kbs:///default/key/k2", f"oci:{tmp_path}/i:2", addition)
    shown = broker.json("image", "inspect", f"oci:{tmp_path}/i:2")
    assert shown["layers"][0]["key_ids"] == ["kbs:///default/key/k2"]


def test_a_key_that_images_may_depend_on_is_replaced_only_by_name(broker, tmp_path, addition):
    push = ("image", "push", f"oci:{tmp_path}/i:1", addition, "--encrypt", "kbs:///default/key/kept", "--create-key")
    broker.coffer(*push)
    refused = broker.coffer(*push, check=False)
    assert refused.returncode == 1
    assert "cli.key_exists" in refused.stderr and "--replace-key" in refused.stderr
    assert broker.coffer("run", f"oci:{tmp_path}/i:1", "--tee", "sample", "--", "1", "2").stdout == "1 + 2 = 3\n"
    broker.coffer(*push, "--replace-key")
    assert broker.coffer("run", f"oci:{tmp_path}/i:1", "--tee", "sample", "--", "1", "2").stdout == "1 + 2 = 3\n"


def test_errors_are_json_where_asked(tmp_path):
    result = run(BIN / "coffer", "--home", tmp_path / "none", "--json", "resource", "list", check=False)
    assert result.returncode == 1
    assert json.loads(result.stdout)["error"]["code"] == "cli.no_home"


def test_init_does_not_touch_a_home_that_exists(broker):
    before = (broker.home / "admin.key").read_bytes()
    result = broker.coffer("init", check=False)
    assert result.returncode == 1
    assert "cli.home_exists" in result.stderr
    assert (broker.home / "admin.key").read_bytes() == before
    assert (broker.home / "admin.key").stat().st_mode & 0o777 == 0o600


def test_what_guests_chose_cannot_write_to_the_terminal(tmp_path):
    claims = {"iss": "\x1b[2J\u009b31mme\nexpires  never", "submods": {"cpu\x1b0": {"ear.status": "\x07affirming"}}}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "ES256"}, claims))
    (tmp_path / "token.jwt").write_text(".".join(parts) + ".AAAA")
    shown = run(BIN / "coffer", "token", "show", tmp_path / "token.jwt").stdout
    assert "issuer    [2J 31mme expires  never\n" in shown
    assert not any(c in shown for c in "\x1b\x07\u009b")


def test_init_takes_only_tees_that_prove_nothing_as_a_choice(tmp_path):
    result = run(BIN / "coffer", "--home", tmp_path / "home", "init", "--allow-tee", "snp", check=False)
    assert result.returncode == 2
    assert "snp needs no choice" in result.stderr
    assert not (tmp_path / "home").exists()


def test_a_resource_comes_back_as_it_was_set_and_into_a_private_file(broker, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(range(256)))
    broker.coffer("resource", "set", "default/data/s1", "--file", tmp_path / "secret")
    broker.coffer("resource", "get", "default/data/s1", "--tee", "sample", "--output", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == bytes(range(256))
    assert (tmp_path / "back").stat().st_mode & 0o777 == 0o600


def test_every_tee_key_opens_what_is_released_to_it(broker, tmp_path):
    broker.coffer("resource", "set", "default/key/k1", "--random", "32")
    contents = set()
    for name in ("ECDH-ES+A256KW-P256", "ECDH-ES+A256KW-P521", "RSA-OAEP-256"):
        broker.coffer("resource", "get", "default/key/k1", "--tee", "sample", "--tee-key", name, "--output", tmp_path / name)
        contents.add((tmp_path / name).read_bytes())
    assert len(contents) == 1 and len(contents.pop()) == 32


def test_reference_values_are_set_shown_and_listed(broker):
    broker.coffer("reference", "set", "snp_launch_measurement", "aa", "bb")
    assert broker.json("reference", "get", "snp_launch_measurement") == ["aa", "bb"]
    assert "snp_launch_measurement" in broker.coffer("reference", "list").stdout


def test_reference_values_of_one_machine_more_stand_beside_those_there(broker):
    broker.coffer("reference", "set", "tpm_pcr04", "aa")
    broker.coffer("reference", "set", "tpm_pcr04", "bb", "aa", "--add")
    assert broker.json("reference", "get", "tpm_pcr04") == ["aa", "bb"]
    broker.coffer("reference", "set", "tpm_pcr09", "cc", "--add")
    assert broker.json("reference", "get", "tpm_pcr09") == ["cc"]
    broker.coffer("reference", "set", "xfam", "1", "--single")
    single = broker.coffer("reference", "set", "xfam", "2", "--add", check=False)
    assert single.returncode == 2
    assert "single value" in single.stderr


def test_owners_that_add_reference_values_at_one_moment_lose_none(broker):
    adders = 12
    with concurrent.futures.ThreadPoolExecutor(adders) as pool:
        list(pool.map(lambda number: broker.coffer("reference", "set", "tpm_pcr08", f"{number:02x}", "--add"), range(adders)))
    assert sorted(broker.json("reference", "get", "tpm_pcr08")) == [f"{number:02x}" for number in range(adders)]


def test_a_policy_is_set_shown_and_refused_with_its_line(broker, tmp_path):
    policy = tmp_path / "mine.rego"
    policy.write_text("package policy\n\ndefault allow := false\n")
    broker.coffer("policy", "set", "resource-policy", policy)
    assert broker.coffer("policy", "show").stdout == policy.read_text()
    policy.write_text("package policy\n\nallow if {\n")
    result = broker.coffer("policy", "set", "resource-policy", policy, check=False)
    assert result.returncode == 1
    assert "policy.syntax" in result.stderr
    assert broker.coffer("policy", "show").stdout == "package policy\n\ndefault allow := false\n"


def test_explain_takes_a_session_and_audit_lists_it(snp_broker, registry, addition):
    snp_broker.coffer("policy", "deny-all")
    snp_broker.coffer("resource", "set", "default/key/k1", "--random", "32")
    denied = snp_broker.coffer("resource", "get", "default/key/k1", "--tee", "simulated:snp", "--output", "/dev/null", check=False)
    assert denied.returncode == 1
    session = [record["session"] for record in snp_broker.json("audit") if record["decision"] == "denied"][0]
    records = snp_broker.json("explain", session)
    assert [record["action"] for record in records] == ["attest", "resource.get"]


def test_doctor_says_what_the_machine_is_and_why_it_is_not_more():
    result = run(BIN / "coffer", "doctor", "tee", "--json", check=False)
    machine = json.loads(result.stdout)
    taken = [finding["tee"] for finding in machine["findings"] if finding["taken"]]
    assert machine["tee"] == (taken[0] if taken else None)
    assert result.returncode == (0 if taken else 1)
    assert all(finding["device"] for finding in machine["findings"])
    assert all(finding["reason"] for finding in machine["findings"] if not finding["taken"])
    assert run(BIN / "coffer", "doctor", "tee", check=False).stdout.startswith(f"this machine's TEE: {taken[0] if taken else 'none'}")


def test_a_report_for_a_bug_holds_no_secret(broker, tmp_path):
    report = tmp_path / "report.json"
    broker.coffer("doctor", "--report", report)
    bundle = json.loads(report.read_text())
    assert bundle["coffer"] == "0.1.0"
    assert bundle["broker"]["kind"] == "background-check"
    assert set(bundle["machine"]) == {"tee", "findings"}
    assert "PRIVATE" not in report.read_text()
    assert str(broker.home / "admin.pub") not in report.read_text()
