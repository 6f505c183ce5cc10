"""coffer-kbs in the place of upstream's kbs, as its owner meets it: errors, administration, configurations of every
generation, and the folder that both keep their state in."""

import json
import time

import pytest

# Fixtures are used by their names alone.
from trustee_scenario import admin, guest, issuer, scenario  # noqa: F401
from trustee_scenario import COMMON_CONFIG, ERROR_TYPE, ISSUER_CONFIG, SAMPLE_POLICY, Scenario, denied_with, verify_ear
from upstream_client import AdminClient, GuestClient, KbsError, Web

ALLOW_ALL = "package policy\ndefault allow = true\n"


class TestErrors:
    """Status, variant and text of trustee.md 1.7; a text ends where upstream's does, or goes on with the cause."""

    @pytest.mark.parametrize("method, path, body, status, variant, detail", [
        ("GET", "resource/one/two/three", None, 401, "TokenNotFound", "Attestation Token not found"),
        ("GET", "auth", None, 404, "PluginNotFound", "Plugin auth not found"),
        ("PUT", "attest", b"", 404, "PluginNotFound", "Plugin attest not found"),
        ("GET", "nebula-ca/credential?name=x", None, 404, "PluginNotFound", "Plugin nebula-ca not found"),
        ("GET", "", None, 404, "InvalidRequestPath", "Request path /kbs/v0/ is invalid"),
        ("POST", "auth", b"{", 401, "AttestationError", "Attestation error: RCAR handshake Auth failed: "),
        ("POST", "auth", {"version": "0.4.0", "extra-params": ""}, 401, "AttestationError",
         "Attestation error: RCAR handshake Auth failed: "),
        ("POST", "auth", {"version": "0.4.0", "tee": "psp", "extra-params": ""}, 401, "AttestationError",
         "Attestation error: RCAR handshake Auth failed: "),
        ("POST", "attest", {}, 401, "AttestationError", "Attestation error: RCAR handshake Attest failed"),
        ("POST", "resource-policy", {"policy": "e30"}, 401, "AdminAuthAccess",
         "admin access denied for endpoint /kbs/v0/resource-policy: "),
        ("POST", "reference-value", {}, 401, "AdminAuthAccess",
         "admin access denied for endpoint /kbs/v0/reference-value: "),
    ])
    def test_without_credentials(self, issuer, scenario, method, path, body, status, variant, detail):
        self.check(Web(issuer, scenario.https_crt).kbs(method, path, body), status, variant, detail)

    @pytest.mark.parametrize("method, path, body, variant, detail", [
        ("POST", "resource-policy", b"no JSON", "SerdeError", "Serialize/Deserialize failed"),
        ("POST", "resource-policy", {"policy": "bm8gcmVnbw"}, "ParsePolicyError", "Failed to parse policy: "),
        ("GET", "reference-value/no-such-value", None, "RvpsError", "RVPS configuration failed: "),
        ("POST", "reference-value", {"version": "0.1.0", "type": "unknown", "payload": "e30="}, "RvpsError",
         "RVPS configuration failed: "),
        ("PUT", "resource/one/two/three", b"x", "PluginInternalError", "Plugin internal error"),
    ])
    def test_with_an_administrators_token(self, issuer, scenario, method, path, body, variant, detail):
        answer = Web(issuer, scenario.https_crt, scenario.admin_token()).kbs(method, path, body)
        self.check(answer, 401, variant, detail)
        assert answer.error()["detail"].count(detail) == 1

    def test_a_denial_by_policy(self, admin, guest):
        admin.set_resource_policy("package policy\ndefault allow = false\n")
        client = guest()
        client.rcar()
        answer = client.web.kbs("GET", "resource/one/two/three")
        self.check(answer, 401, "PolicyDeny", "Access denied by policy")
        assert answer.error()["detail"] == "Access denied by policy"

    def test_a_token_that_is_none(self, issuer, scenario):
        web = Web(issuer, scenario.https_crt, "no.jwt.atall")
        self.check(web.kbs("GET", "resource/one/two/three"), 401, "TokenVerifierError", "Token Verifier error")

    def test_a_token_of_a_hundred_kilobytes_is_read(self, issuer, scenario):
        web = Web(issuer, scenario.https_crt, "a" * 60_000 + "." + "b" * 40_000 + ".c")
        self.check(web.kbs("GET", "resource/one/two/three"), 401, "TokenVerifierError", "Token Verifier error")

    def test_a_body_over_two_mebibytes_is_413(self, issuer, scenario):
        assert Web(issuer, scenario.https_crt).kbs("POST", "auth", bytes((2 << 20) + 1)).status == 413

    @staticmethod
    def check(answer, status, variant, detail):
        assert (answer.status, answer.error()["type"]) == (status, ERROR_TYPE + variant), answer.body
        assert answer.error()["detail"].startswith(detail), answer.body


class TestAdministration:
    @pytest.mark.parametrize("changes, text", [
        ({"iss": "other"}, "Cannot verify token with any of the issuers"),
        ({"aud": "other"}, "Cannot verify token with any of the issuers"),
        ({"exp": None}, "Cannot verify token with any of the issuers"),
        ({"exp": 1_700_000_000}, "Cannot verify token with any of the issuers"),
        ({"role": None}, "Missing required `role` claim in JWT"),
        ({"role": "stranger"}, "Role stranger not allowed for path /kbs/v0/resource-policy"),
    ])
    def test_refusals_have_the_texts_upstreams_tests_look_for(self, scenario, issuer, changes, text):
        denied_with(text, scenario.admin(issuer, **changes).set_resource_policy, ALLOW_ALL)

    @pytest.mark.parametrize("audience", ["kbs", ["other", "kbs"]])
    def test_an_audience_may_be_a_text_or_a_list(self, scenario, issuer, audience):
        scenario.admin(issuer, aud=audience).set_resource_policy(SAMPLE_POLICY)

    def test_a_role_reaches_what_its_expression_matches_path_and_query(self, scenario, issuer):
        reader = scenario.admin(issuer, role="reader")
        assert reader.call("GET", "resource-policy").json() == ["resource-policy"]
        for path in ("resource-policy?x=1", "resource-policy/more", "resource/a/b/c"):
            with pytest.raises(KbsError, match="Role reader not allowed for path /kbs/v0/"):
                reader.call("POST", path, b"")

    def test_deny_all_says_so(self, tmp_path):
        other = Scenario(tmp_path)
        config = ('[http_server]\nsockets = ["127.0.0.1:{port}"]\ninsecure_http = true\n'
                  '[attestation_service]\ntype = "coco_as_builtin"\n[admin]\nauthorization_mode = "DenyAll"\n')
        with other.serve("deny", config) as url:
            denied_with("Admin access denied as DenyAll authorization_mode is enabled",
                        other.admin(url).set_resource, "a/b/c", b"x")

    def test_written_resources_answer_as_upstream_does(self, admin):
        for answer in (admin.set_resource("w/r/t", b"x"), admin.delete_resource("w/r/t")):
            assert answer.body == b"" and answer.headers["Content-Type"].startswith("text/xml")

    def test_a_resource_written_by_an_administrator_is_read_by_a_guest(self, admin, guest):
        admin.set_resource("a-b/c_d/e.f", b"content")
        assert guest().get_resource("a-b/c_d/e.f") == b"content"

    def test_metrics_have_upstreams_names(self, scenario, issuer, guest):
        guest().get_resource("one/two/three")
        web = Web(issuer, scenario.https_crt)
        text = web.request("GET", "/metrics").body.decode()
        for name in ("kbs_http_requests_total", "kbs_http_request_duration_seconds_bucket", "kbs_policy_approvals_total",
                     'kbs_attestation_successes_total{tee_type="sample"}', "kbs_auth_successes_total",
                     'kbs_resource_reads_total{resource_path="one/two/three"}', "kbs_build_info"):
            assert name in text
        assert web.request("POST", "/metrics", b"").status == 405


AS_YAML = """
http_server: {sockets: ["127.0.0.1:{port}"], insecure_http: true}
attestation_token: {trusted_certs_paths: [./work/ca-cert.pem]}
attestation_service:
  type: coco_as_builtin
  attestation_token_broker:
    issuer_name: own
    duration_min: 7
    verbose_token: false
    signer: {key_path: ./work/token.key, cert_path: ./work/token-cert-chain.pem}
admin: {authorization_mode: InsecureAllowAll}
storage_backend: {storage_type: LocalFs, backends: {local_fs: {dir_path: ./work/storage}}}
plugins: [{name: resource, storage_backend_type: kvstorage}]
"""
AS_JSON = json.dumps({
    "http_server": {"sockets": ["127.0.0.1:{port}"], "insecure_http": True},
    "attestation_token": {"trusted_certs_paths": ["./work/ca-cert.pem"]},
    "attestation_service": {"type": "coco_as_builtin", "attestation_token_broker": {
        "issuer_name": "own", "duration_min": 7, "verbose_token": False,
        "signer": {"key_path": "./work/token.key", "cert_path": "./work/token-cert-chain.pem"}}},
    "admin": {"authorization_mode": "InsecureAllowAll"},
    "storage_backend": {"storage_type": "LocalFs", "backends": {"local_fs": {"dir_path": "./work/storage"}}},
    "plugins": [{"name": "resource", "storage_backend_type": "kvstorage"}]})


@pytest.mark.parametrize("form, config", [("yaml", AS_YAML), ("json", AS_JSON)])
def test_other_forms_of_the_file_and_the_options_of_tokens(tmp_path, form, config):
    place = Scenario(tmp_path)
    with place.serve("kbs", config, "--allow-tee", "sample", form=form) as url:
        AdminClient(url).set_resource_policy(SAMPLE_POLICY)
        client = GuestClient(url)
        assert client.get_resource("one/two/three") == place.secret
        claims = verify_ear(client.token, place.ca_file.read_bytes())
        assert (claims["iss"], claims["exp"] - claims["iat"]) == ("own", 420)
        runtime = claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"]["runtime_data_claims"]
        assert set(runtime) == {"nonce", "tee-pubkey"}


def test_a_built_in_service_s_own_certificate_need_not_be_named_as_trusted(tmp_path):
    place = Scenario(tmp_path)
    config = ISSUER_CONFIG.replace('[attestation_token]\ntrusted_certs_paths = ["./work/ca-cert.pem"]\n', "")
    assert config != ISSUER_CONFIG
    with place.serve("kbs", config + COMMON_CONFIG, "--allow-tee", "sample") as url:
        place.admin(url).set_resource_policy(SAMPLE_POLICY)
        assert GuestClient(url, ca_file=place.https_crt).get_resource("one/two/three") == place.secret


# Configurations of earlier releases, each as its documents have it, with the test's own paths.
TOP_LEVEL = """
sockets = ["127.0.0.1:{port}"]
insecure_http = true
auth_public_key = "./work/kbs.pem"

[attestation_token_config]
attestation_token_type = "CoCo"

[repository_config]
type = "LocalFs"
dir_path = "./work/nested"

[as_config]
work_dir = "./work/attestation-service"
policy_engine = "opa"
attestation_token_broker = "Simple"

[as_config.attestation_token_config]
duration_min = 5

[as_config.rvps_config]
store_type = "LocalFs"
remote_addr = ""

[policy_engine_config]
policy_path = "./work/policy.rego"
"""

V0_11 = """
[http_server]
sockets = ["127.0.0.1:{port}"]
insecure_http = true
payload_request_size = 2

[attestation_token]
insecure_key = true

[attestation_service]
type = "coco_as_builtin"
work_dir = "./work/attestation-service"
policy_engine = "opa"

[attestation_service.attestation_token_broker]
type = "Ear"
duration_min = 5

[attestation_service.rvps_config]
type = "BuiltIn"

[policy_engine]
policy_path = "./work/policy.rego"

[[plugins]]
name = "resource"
type = "LocalFs"
dir_path = "./work/nested"

[admin]
"""

V0_16 = V0_11 + """type = "Simple"
[[admin.personas]]
id = "admin"
public_key_path = "./work/kbs.pem"
"""

V0_17 = V0_16 + """[[admin.roles]]
id = "admin"
allowed_endpoints = "^/kbs/v0/(resource|resource-policy)(/.*)?$"
"""

GENERATIONS = {"v0.10": TOP_LEVEL, "v0.11": V0_11 + 'auth_public_key = "./work/kbs.pem"\n',
               "v0.11 open": V0_11 + "insecure_api = true\n", "v0.16": V0_16, "v0.17": V0_17,
               "v0.18 open": V0_11 + 'type = "InsecureAllowAll"\n'}


class TestOlderGenerations:
    @pytest.mark.parametrize("release", GENERATIONS)
    def test_its_configuration_serves_its_administrator_and_its_guests(self, tmp_path, release):
        old = Scenario(tmp_path)
        nested = old.work / "nested/one/two"
        nested.mkdir(parents=True)
        (nested / "three").write_bytes(old.secret)
        (old.work / "policy.rego").write_text(SAMPLE_POLICY)
        with old.serve("old", GENERATIONS[release], "--allow-tee", "sample") as url:
            guest = GuestClient(url)
            assert guest.get_resource("one/two/three") == old.secret
            # The older kbs-client signs with the key alone: no issuer, role or audience.
            admin = AdminClient(url, None if "open" in release else
                                old.admin_token(iss=None, role=None, aud=None, nbf=int(time.time())))
            admin.set_resource("one/two/four", b"4")
            assert (nested / "four").read_bytes() == b"4" and guest.get_resource("one/two/four") == b"4"
            admin.set_resource_policy("package policy\ndefault allow = false\n")
            denied_with("request unauthorized", guest.get_resource, "one/two/four")
            if "open" not in release:
                denied_with("request unauthorized", AdminClient(url).set_resource, "a/b/c", b"")
            if release == "v0.17":
                denied_with("Role admin not allowed for path", admin.set_attestation_policy, "default_cpu", ALLOW_ALL)

    def test_the_one_of_upstreams_own_test_in_v0_19_and_v0_20(self, tmp_path):
        old = Scenario(tmp_path)
        before, after = COMMON_CONFIG.split("[admin]")[0], COMMON_CONFIG[COMMON_CONFIG.index("[storage_backend]"):]
        personas = '[admin]\ntype = "Simple"\n[[admin.personas]]\nid = "admin"\npublic_key_path = "./work/kbs.pem"\n'
        config = ISSUER_CONFIG + before + personas + after.replace('storage_backend_type = "kvstorage"\n', "")
        with old.serve("kbs", config, "--allow-tee", "sample") as url:
            AdminClient(url, old.admin_token(role=None), old.https_crt).set_resource_policy(SAMPLE_POLICY)
            assert GuestClient(url, ca_file=old.https_crt).get_resource("one/two/three") == old.secret


class TestFolder:
    """What upstream's broker left in its LocalFs folder serves ours, and the other way round."""

    def test_upstreams_files_are_read(self, tmp_path):
        old = Scenario(tmp_path)
        rfc3339 = "%Y-%m-%dT%H:%M:%SZ"
        value = {"version": "0.1.0", "name": "svn", "expiration": time.strftime(rfc3339, time.gmtime(time.time() + 9e6)),
                 "value": ["1"]}
        own = 'package policy\ntrust_claims := {"hardware": 2}\n'
        for file, text in {"kbs/resource-policy.rego": SAMPLE_POLICY, "reference_value/svn": json.dumps(value),
                           "attestation_service_policy/default_cpu.rego": own}.items():
            (old.work / "storage" / file).parent.mkdir()
            (old.work / "storage" / file).write_text(text)
        with old.issuer() as url:
            client = GuestClient(url, ca_file=old.https_crt)
            assert client.get_resource("one/two/three") == old.secret
            cpu = verify_ear(client.token, old.ca_file.read_bytes())["submods"]["cpu0"]
            assert (cpu["ear.status"], cpu["ear.trustworthiness-vector"]) == ("affirming", {"hardware": 2})
            assert old.admin(url).get_reference_value("svn") == ["1"]

    def test_ours_have_upstreams_form(self, scenario, admin, guest):
        client = guest()
        nonce = client.auth().json()["nonce"]
        identity = client.web.jar.header("/kbs/v0/attest").partition("=")[2]
        session = scenario.work / "storage/kbs_protocol_session" / identity
        authed = json.loads(session.read_text())["Authed"]
        assert set(authed) == {"request", "challenge", "id", "timeout"}
        assert (authed["id"], authed["request"]["tee"], authed["challenge"]["nonce"]) == (identity, "sample", nonce)
        client.rcar()
        attested = client.web.jar.header("/kbs/v0/attest").partition("=")[2]
        stored = json.loads((session.parent / attested).read_text())["Attested"]
        assert set(stored) == {"token", "id", "timeout"} and stored["token"] == client.token
        admin.set_sample_reference_value("folder_name", "x")
        value = json.loads((scenario.work / "storage/reference_value/folder_name").read_text())
        assert set(value) == {"version", "name", "expiration", "value"} and value["value"] == ["x"]
        assert (scenario.work / "storage/kbs/resource-policy.rego").read_text() == SAMPLE_POLICY
        for name in ("cpu", "gpu", "switch", "ppcie"):
            assert (scenario.work / f"storage/attestation_service_policy/default_{name}.rego").exists()
