"""`coffer fleet provision --user`: what upstream's wizard does at Atom, without a question asked, and when Atom fails."""

import json
import os
import pty
import signal
import stat
import termios
import tomllib

import pytest

from conftest import BIN, ROOT, run
from fake_atom import atom as running_atom


@pytest.fixture(name="atom")
def atom_fixture():
    with running_atom(tenants=[f"tenant-{number}" for number in range(150)]) as started:
        yield started


def provision(atom, tmp_path, *arguments, password="pass-word", **options):
    return run(BIN / "coffer", "fleet", "-a", atom.url, *arguments, cwd=tmp_path, env={"COFFER_ATOM_PASSWORD": password}, **options)


def init(atom, tmp_path, *more, **options):
    return provision(atom, tmp_path, "provision", "init", "--user", "admin", *more, **options)


def config(tmp_path):
    return tomllib.loads((tmp_path / "config.toml").read_text(encoding="utf-8"))


def check_members(atom, sections):
    """Each section's identity exists at Atom, and may publish and subscribe on the channel, by one block and one policy."""
    actions = {action["name"]: action["id"] for action in atom.actions}
    entities = {entity["id"]: entity for entity in atom.of("createEntity")}
    blocks = {block["id"]: block for block in atom.of("createPermissionBlock")}
    policies = {policy["subjectId"]: policy for policy in atom.of("createDirectPolicy")}
    for name, section in sections.items():
        entity = entities[section["entity_id"]]
        assert entity["tenantId"] == section["tenant_id"]
        assert atom.tokens[entity["id"]] == section["api_key"]
        block = blocks[policies[entity["id"]]["permissionBlockId"]]
        assert block["objectId"] == section["channel_id"] and block["tenantId"] == section["tenant_id"]
        assert block["actionIds"] == [actions["publish"], actions["subscribe"]]
        token = next(token for token in atom.of("createAccessToken") if token["subjectId"] == entity["id"])
        assert token["name"] == token["description"] == f"{name.rstrip('0123456789')}-mqtt"


def test_makes_what_upstreams_wizard_makes(atom, tmp_path):
    made = init(atom, tmp_path, "--tenant-name", "factory", "--proplets", "2", "--manager-name", "boss", "--channel-name", "hall")
    assert "4 identities" in made.stdout
    sections = config(tmp_path)
    assert set(sections) == {"manager", "proplet1", "proplet2", "proxy"}
    assert stat.S_IMODE(os.stat(tmp_path / "config.toml").st_mode) == 0o600
    assert os.listdir(tmp_path) == ["config.toml"]
    check_members(atom, sections)
    tenant = next(tenant for tenant in atom.tenants if tenant["name"] == "factory")
    assert {section["tenant_id"] for section in sections.values()} == {tenant["id"]}
    assert atom.of("createResource")[0]["name"] == "hall" and "boss" in {each["name"] for each in atom.of("createEntity")}
    order = [field for field in atom.asked if field.startswith("create")]
    assert order[:3] == ["createTenant", "createEntity", "createAccessToken"]
    assert order.index("createResource") < order.index("createPermissionBlock") < order.index("createDirectPolicy")


def test_a_tenant_of_that_name_is_used_also_from_a_later_page(atom, tmp_path):
    init(atom, tmp_path, "--tenant-name", "tenant-120")
    assert not atom.of("createTenant")
    assert config(tmp_path)["proplet"]["tenant_id"] == atom.tenants[120]["id"]


def test_adds_workers_and_a_proxy_to_a_fleet_that_is_there(atom, tmp_path):
    init(atom, tmp_path, "--proplets", "1")
    before = config(tmp_path)
    provision(atom, tmp_path, "provision", "add-proplets", "2", "--user", "admin")
    sections = config(tmp_path)
    assert set(sections) - set(before) == {"proplet1", "proplet2"}
    check_members(atom, sections)
    assert len({section["channel_id"] for section in sections.values()}) == 1
    refused = provision(atom, tmp_path, "provision", "add-proxy", "--user", "admin", check=False)
    assert refused.returncode == 1 and "[proxy]" in refused.stderr
    text = (tmp_path / "config.toml").read_text(encoding="utf-8")
    (tmp_path / "config.toml").write_text(text[:text.index("[proxy]")] + "[other]\nentity_id = \"x\"\n", encoding="utf-8")
    provision(atom, tmp_path, "provision", "add-proxy", "--user", "admin", "--proxy-name", "gate")
    check_members(atom, {"proxy": config(tmp_path)["proxy"]})
    assert atom.of("createEntity")[-1]["name"] == "gate"


def test_a_wrong_password_makes_nothing(atom, tmp_path):
    refused = init(atom, tmp_path, password="wrong", check=False)
    assert refused.returncode == 1 and "cli.atom_refused" in refused.stderr and "401: invalid credentials" in refused.stderr
    assert not atom.made and not os.listdir(tmp_path)
    assert "wrong" not in refused.stderr and "wrong" not in refused.stdout


def test_the_password_comes_from_a_file_too_and_without_one_there_is_help(atom, tmp_path):
    (tmp_path / "password").write_text("pass-word\n", encoding="utf-8")
    command = [BIN / "coffer", "fleet", "-a", atom.url, "provision", "init", "--user", "admin"]
    run(*command, "--password-file", tmp_path / "password", cwd=tmp_path)
    assert "manager" in config(tmp_path)
    (tmp_path / "other").mkdir()
    without = run(*command, check=False, cwd=tmp_path / "other", stdin="")
    assert without.returncode == 2 and "COFFER_ATOM_PASSWORD" in without.stderr


def test_an_error_of_graphql_with_status_200_is_an_error(atom, tmp_path):
    atom.answers["tenants"] = [(200, {"data": None, "errors": [{"message": "you may not list tenants"}]})]
    refused = init(atom, tmp_path, check=False)
    assert refused.returncode == 1 and "you may not list tenants" in refused.stderr
    assert not atom.made


@pytest.mark.parametrize("field", ["createTenant", "createEntity", "createAccessToken", "createResource", "actions",
                                   "createPermissionBlock", "createDirectPolicy"])
def test_what_broke_off_goes_on_where_it_was(atom, tmp_path, field):
    """Atom fails at the second call of each kind (the first of those that are made once); the next run makes the rest, and
    nothing twice."""
    once = field in ("createTenant", "createResource")
    failure = (200, {"errors": [{"message": "the database is away"}], "data": None})
    atom.answers[field] = [failure] if once else [None, failure]
    broken = init(atom, tmp_path, "--tenant-name", "factory", "--proplets", "2", check=False)
    assert broken.returncode == 1 and "the database is away" in broken.stderr
    if field != "createTenant":
        progress = tmp_path / "config.toml.atom-init"
        assert stat.S_IMODE(os.stat(progress).st_mode) == 0o600
        tenant = next(tenant for tenant in atom.tenants if tenant["name"] == "factory")
        assert "made so far" in broken.stderr and tenant["id"] in broken.stderr
        for entity in atom.of("createEntity"):
            assert entity["id"] in broken.stderr
        for token in atom.tokens.values():
            assert token not in broken.stderr and token not in broken.stdout
    assert not (tmp_path / "config.toml").exists()
    again = init(atom, tmp_path, "--tenant-name", "factory", "--proplets", "2")
    assert field == "createTenant" or "going on" in again.stderr
    sections = config(tmp_path)
    assert set(sections) == {"manager", "proplet1", "proplet2", "proxy"}
    check_members(atom, sections)
    counts = {name: len(atom.of(name)) for name in ("createTenant", "createEntity", "createAccessToken", "createResource",
                                                     "createPermissionBlock", "createDirectPolicy")}
    assert counts == {"createTenant": 1, "createEntity": 4, "createAccessToken": 4, "createResource": 1,
                      "createPermissionBlock": 4, "createDirectPolicy": 4}
    assert os.listdir(tmp_path) == ["config.toml"]


@pytest.mark.parametrize("answer", [(500, b"oops"), (200, b"no json"), (200, {}), (200, {"data": {}}),
                                    (200, {"data": {"createEntity": None}}), (200, {"data": {"createEntity": {"id": ""}}})])
def test_answers_that_make_no_sense_are_refused(atom, tmp_path, answer):
    atom.answers["createEntity"] = [answer]
    refused = init(atom, tmp_path, check=False)
    assert refused.returncode == 1 and "cli.atom_refused" in refused.stderr


def test_without_a_user_nobody_is_asked(atom, tmp_path):
    document = json.loads(provision(atom, tmp_path, "--json", "provision", "init", "--file-name", "mine.toml").stdout)
    assert document["file"] == "mine.toml" and not atom.asked


def at_a_terminal(atom, work):
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(work)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execve(BIN / "coffer", ["coffer", "fleet", "-a", atom.url, "provision", "-f", "asked.toml"], dict(os.environ))
    return child, terminal


def answer_questions(terminal):
    """All but the last, which is for the password."""
    said = ""
    for question, answer in (("user name", "admin"), ("Tenant", "factory"), ("Channel", ""), ("How many", "2"),
                             ("password", None)):
        while question not in said.rpartition("\n")[2]:
            said += os.read(terminal, 4096).decode()
        if answer is not None:
            os.write(terminal, answer.encode() + b"\n")
            said += "\n"
    return said


def test_an_interrupt_at_the_password_leaves_the_terminal_as_it_was(atom, tmp_path):
    child, terminal = at_a_terminal(atom, tmp_path)
    answer_questions(terminal)
    assert not termios.tcgetattr(terminal)[3] & termios.ECHO
    os.write(terminal, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGINT
    assert termios.tcgetattr(terminal)[3] & termios.ECHO
    assert not (tmp_path / "asked.toml").exists()


def test_provision_alone_is_upstreams(atom, tmp_path):
    """By flags, and asked for at a terminal."""
    provision(atom, tmp_path, "provision", "--user", "admin", "--proplets", "2")
    check_members(atom, config(tmp_path))
    without = provision(atom, tmp_path, "provision", stdin="", check=False)
    assert without.returncode == 2 and "--user" in without.stderr
    child, terminal = at_a_terminal(atom, tmp_path)
    said = answer_questions(terminal)
    os.write(terminal, b"pass-word\n")
    while True:
        try:
            said += os.read(terminal, 4096).decode()
        except OSError:
            break
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, said
    assert "pass-word" not in said
    sections = tomllib.loads((tmp_path / "asked.toml").read_text(encoding="utf-8"))
    assert set(sections) == {"manager", "proplet1", "proplet2", "proxy"}
    check_members(atom, sections)


def test_the_commands_of_the_document(atom, tmp_path):
    text = (ROOT / "docs/fleet-command.md").read_text(encoding="utf-8")
    commands = [line.strip() for line in text.splitlines() if line.startswith("    coffer fleet -a http://localhost:8081 ")]
    assert len(commands) == 2
    for command in commands:
        _, *arguments = command.replace("http://localhost:8081", atom.url).split()
        run(BIN / "coffer", *arguments, cwd=tmp_path, env={"COFFER_ATOM_PASSWORD": "pass-word"})
    check_members(atom, tomllib.loads((tmp_path / "atom.toml").read_text(encoding="utf-8")))
