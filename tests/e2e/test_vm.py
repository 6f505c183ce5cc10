"""A measured machine without special hardware: predicted before its first boot, given the key, refused after any change."""

import json

import pytest

from conftest import BIN, run, running_broker

# A boot takes 10 to 20 s on an idle machine.
LIMIT = 150


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    """A broker that demands an affirming verdict and takes no evidence but real one."""
    directory = tmp_path_factory.mktemp("vm")
    with running_broker(directory) as broker:
        broker.coffer("policy", "affirming")
        yield broker, directory


@pytest.fixture(scope="module")
def machine(owner, registry, addition):
    """An image whose only command is the runner, a TPM, and reference values: all of it before anything was booted."""
    broker, directory = owner
    broker.coffer("image", "push", f"{registry}/vm:1", addition, "--encrypt", "kbs:///default/key/vm", "--create-key")
    inside = [address.replace("127.0.0.1", "10.0.2.2") for address in (registry, broker.url)]
    broker.coffer("vm", "build", directory / "machine", "--", "coffer-run", "-i", f"{inside[0]}/vm:1", "-k", inside[1],
                  "--plain-http", "--wasm-args", "5", "--wasm-args", "10", timeout=LIMIT)
    broker.coffer("vm", "tpm", directory / "tpm", "--trust")
    broker.coffer("measure", "vm", directory / "machine", "--set")
    return directory / "machine", directory / "tpm"


def boot(broker, machine, *arguments):
    image, tpm = machine
    return broker.coffer("vm", "run", image, "--tpm", tpm, "--console", "--timeout", LIMIT - 10, *arguments, check=False,
                         timeout=LIMIT)


def assert_refused(broker, result, *reasons):
    assert result.returncode == 122, result.stderr
    assert result.stdout == ""
    explanation = broker.coffer("explain", "--last").stdout
    for reason in reasons:
        assert reason in explanation, explanation


def changed_initrd(image, directory):
    """One byte of a comment-like setting, in the part of the initrd that is not compressed."""
    content = bytearray((image / "initrd").read_bytes())
    place = content.index(b"10.0.2.2 host\n") + len(b"10.0.2.2 ")
    content[place] = ord("H")
    (directory / "initrd").write_bytes(content)
    return directory / "initrd"


def test_the_predicted_machine_gets_the_key_at_its_first_boot(owner, machine):
    broker, _ = owner
    result = boot(broker, machine)
    assert result.returncode == 0, result.stderr + broker.coffer("explain", "--last").stdout
    assert result.stdout == "5 + 10 = 15\n"


def test_one_more_kernel_argument_is_refused_and_named(owner, machine):
    broker, _ = owner
    result = boot(broker, machine, "--append", "coffer.other=1")
    assert_refused(broker, result, "PCR 9, event 0: expected kernel command line", "input.tpm.pcr09")


def test_one_changed_byte_of_the_initrd_is_refused_and_named(owner, machine, tmp_path):
    broker, _ = owner
    result = boot(broker, machine, "--initrd", changed_initrd(machine[0], tmp_path))
    assert_refused(broker, result, "PCR 9, event 1: expected initrd", "input.tpm.pcr09")


def test_another_tpm_is_refused_though_it_measures_the_same(owner, machine, tmp_path):
    broker, _ = owner
    run(BIN / "coffer", "vm", "tpm", tmp_path / "tpm")
    result = boot(broker, (machine[0], tmp_path / "tpm"))
    assert_refused(broker, result, "input.tpm.ak_public")


REGISTERS = (2, 3, 4, 5, 6, 7, 9)
PROBE = "for i in " + " ".join(map(str, REGISTERS)) + "; do cat /sys/class/tpm/tpm0/pcr-sha256/$i; done; exit 7"


def test_every_predicted_register_is_what_the_boot_leaves(tmp_path):
    run(BIN / "coffer", "vm", "build", tmp_path / "probe", "--bare", "--memory", "512", "--", "sh", "-c", PROBE, timeout=LIMIT)
    predicted = json.loads(run(BIN / "coffer", "measure", "vm", tmp_path / "probe", "--append", "one=1").stdout)
    result = run(BIN / "coffer", "vm", "run", tmp_path / "probe", "--append", "one=1", check=False, timeout=LIMIT)
    assert result.returncode == 7
    assert result.stdout.lower().split() == [predicted[f"tpm_pcr{index:02}"][0] for index in REGISTERS]


def test_the_same_inputs_give_the_same_image(tmp_path):
    for name in ("one", "two"):
        run(BIN / "coffer", "vm", "build", tmp_path / name, "--", "coffer-run", "--version", timeout=LIMIT)
    for name in ("vmlinuz", "initrd", "vm.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_guest_that_does_not_end_is_stopped_in_time(tmp_path):
    run(BIN / "coffer", "vm", "build", tmp_path / "image", "--bare", "--", "sleep", "1000", timeout=LIMIT)
    result = run(BIN / "coffer", "vm", "run", tmp_path / "image", "--timeout", "5", check=False, timeout=60)
    assert result.returncode == 1
    assert "vm.timed_out" in result.stderr


def test_a_changed_image_is_not_started(tmp_path):
    run(BIN / "coffer", "vm", "build", tmp_path / "image", "--bare", "--", "true", timeout=LIMIT)
    with open(tmp_path / "image/initrd", "ab") as initrd:
        initrd.write(b"\0")
    result = run(BIN / "coffer", "vm", "run", tmp_path / "image", check=False)
    assert result.returncode == 1
    assert "vm.bad_image" in result.stderr
