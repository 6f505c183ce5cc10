"""Seed 000: its solutions 1 to 4 and options A to C work as written there."""

import os
import shutil

import pytest

from conftest import BIN, ROOT, kbs, run
from seed_000 import KEK, SOLUTION_2, SOLUTION_4, Admin, b64, get, here, one_line, passport_brokers, run_addition, sealed_image, solution_1

# The document's ports are fixed, so these tests get a network of their own. Root needs no user namespace for that,
# which containers and changed roots do not grant.
OWN_NETWORK = ("unshare", "-n") if os.geteuid() == 0 else ("unshare", "-rn")


def set_resource(url, admin, path, content, directory):
    file = directory / "resource"
    file.write_bytes(content)
    run(BIN / "coffer", "--kbs", url, "--admin-key", admin.private_file, "resource", "set", path, "--file", file)


def allow_all(url, admin):
    run(BIN / "coffer", "--kbs", url, "--admin-key", admin.private_file, "policy", "allow-all")


def test_solution_1_background_check_with_a_grpc_attestation_service(tmp_path, addition):
    image = sealed_image(tmp_path, addition, KEK)
    with solution_1(tmp_path) as (url, admin):
        set_resource(url, admin, "default/key/wasm-addition", KEK, tmp_path)
        allow_all(url, admin)
        result = run_addition(image, tmp_path, "--kbs-uri", url, "--tee", "sample")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "15\n"
    assert "Using background check client" in result.stderr


def test_option_a_is_solution_1_and_the_log_names_the_mode(tmp_path):
    with solution_1(tmp_path):
        log = (tmp_path / "kbs.log").read_text().lower()
    assert one_line(log, "mode", "background")


def test_solution_2_starts_with_admin_denied_and_each_get_names_the_missing_anchor(tmp_path, addition):
    keys = tmp_path / "repository/default/key"
    keys.mkdir(parents=True)
    (keys / "wasm-addition").write_bytes(KEK)
    with kbs(tmp_path, here(SOLUTION_2, tmp_path, 8083)) as url:
        status, body = get(url + "/kbs/v0/resource/default/key/wasm-addition")
        assert status == 401
        assert body["code"] == "broker.no_trust_anchor"
        assert "trusted_certs_paths" in body["detail"]
        refused = run(BIN / "coffer", "--kbs", url, "--admin-key", admin_key(tmp_path), "resource", "list", check=False)
        assert refused.returncode == 1
        assert "DenyAll" in refused.stderr or "admin" in refused.stderr


def admin_key(directory):
    run(BIN / "coffer", "--home", directory / "other", "init")
    return directory / "other/admin.key"


def test_solution_2_with_the_named_flag_serves_hand_placed_files_and_says_so_loudly(tmp_path, addition):
    keys = tmp_path / "repository/default/key"
    keys.mkdir(parents=True)
    (keys / "wasm-addition").write_bytes(KEK)
    image = sealed_image(tmp_path, addition, KEK)
    aa_config = tmp_path / "aa-config.toml"
    with kbs(tmp_path, here(SOLUTION_2, tmp_path, 8083) + "\n[coffer]\nunattested_reads = true\n") as url:
        status, body = get(url + "/kbs/v0/resource/default/key/wasm-addition")
        assert (status, body) == (200, KEK)
        assert one_line((tmp_path / "kbs.log").read_text(), "unattested_reads")
        # The document's aa-config, which names the broker under a key that no upstream version knows.
        aa_config.write_text(f'[token_configs]\n[token_configs.coco_kbs]\nurl = "{url}"\n')
        result = run_addition(image, tmp_path, "--aa-config", aa_config, "--allow-unattested")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "15\n"


def test_two_files_for_one_key_are_an_error(tmp_path):
    keys = tmp_path / "repository/default/key"
    keys.mkdir(parents=True)
    (keys / "k1").write_bytes(KEK)
    (tmp_path / "repository/repository").mkdir()
    (tmp_path / "repository/repository" / "default\\x2Fkey\\x2Fk1").write_bytes(KEK)
    with kbs(tmp_path, here(SOLUTION_2, tmp_path, 8083) + "\n[coffer]\nunattested_reads = true\n") as url:
        status, body = get(url + "/kbs/v0/resource/default/key/k1")
    assert status == 401
    assert body["code"] == "broker.storage_failed"
    assert one_line((tmp_path / "kbs.log").read_text(), "storage.ambiguous", "k1")


def test_solution_3_is_two_make_targets():
    makefile = (ROOT / "Makefile").read_text()
    assert len(makefile.strip().splitlines()) == 3
    for target in ("background-check-kbs", "cli"):
        printed = run("make", "-n", target, cwd=ROOT).stdout
        assert "./run build" in printed
    assert "coffer-kbs" in run("make", "-n", "background-check-kbs", cwd=ROOT).stdout


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_solution_3_serves_on_port_8080_of_this_machine(tmp_path):
    """The configuration has a fixed port, so it runs in a network of its own."""
    script = ("ip link set lo up; "
              f"{BIN}/coffer-kbs --config-file {ROOT}/config/background-check.toml >{tmp_path}/log 2>&1 & "
              "for i in $(seq 100); do curl -fs http://127.0.0.1:8080/healthz && break; sleep 0.1; done; "
              "curl -s http://127.0.0.1:8080/kbs/v0/info; kill $!; wait")
    answer = run(*OWN_NETWORK, "bash", "-c", script).stdout
    assert "background" in answer


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_the_historic_start_line_works_and_says_what_it_assumed(tmp_path):
    admin = Admin(tmp_path)
    script = ("ip link set lo up; "
              f"cd {tmp_path}; {BIN}/coffer-kbs --insecure-http --auth-public-key {admin.public_file} >log 2>&1 & "
              "for i in $(seq 100); do curl -fs http://127.0.0.1:8080/healthz && break; sleep 0.1; done; "
              f"{BIN}/coffer --kbs http://127.0.0.1:8080 --admin-key {admin.private_file} resource set default/key/k1 --random 32; "
              f"{BIN}/coffer --kbs http://127.0.0.1:8080 resource get default/key/k1 --tee sample --output out; kill $!; wait")
    result = run(*OWN_NETWORK, "bash", "-c", script, check=False)
    assert "set kbs:///default/key/k1" in result.stdout
    assert "sample" in result.stderr
    assert not (tmp_path / "out").exists()
    log = (tmp_path / "log").read_text()
    assert "127.0.0.1:8080" in log
    assert "--allow-tee" in log or "allow_tees" in log


def test_solution_4_reads_keys_from_a_folder_without_any_broker(tmp_path, addition):
    keys = tmp_path / "keys/default/key"
    keys.mkdir(parents=True)
    (keys / "wasm-addition").write_text(b64(KEK) + "\n")
    image = sealed_image(tmp_path, addition, KEK)
    config = tmp_path / "aa-config.toml"
    config.write_text(SOLUTION_4.replace("/path/to/keys", str(tmp_path / "keys")))
    result = run_addition(image, tmp_path, "--aa-config", config)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "15\n"


def test_option_b_issuer_and_resource_broker(tmp_path, addition):
    image = sealed_image(tmp_path, addition, KEK)
    with passport_brokers(tmp_path) as (issuer, resource):
        result = run_addition(image, tmp_path, "--issuer-uri", issuer, "--kbs-uri", resource, "--tee", "sample")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "15\n"
    assert "Using RCAR client" in result.stderr


def test_option_c_resources_are_managed_from_the_command_line(broker, tmp_path):
    broker.coffer("resource", "set", "default/key/k1", "--random", "32")
    assert "kbs:///default/key/k1" in broker.coffer("resource", "list").stdout
    broker.coffer("resource", "delete", "default/key/k1")
    assert "kbs:///default/key/k1" not in broker.coffer("resource", "list").stdout
