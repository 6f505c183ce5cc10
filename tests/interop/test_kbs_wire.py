"""coffer-kbs in the place of upstream's kbs, judged by guests that behave as upstream's do: handshake, token, release."""

import base64
import email.utils
import hashlib
import json
import re
import time

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# Fixtures are used by their names alone.
from trustee_scenario import admin, guest, issuer, resource_broker, scenario  # noqa: F401
from trustee_scenario import ERROR_TYPE, SAMPLE_POLICY, Scenario, denied_with, verify_ear
from upstream_client import GuestClient, PassportClient, TeeKey, Web, b64, b64u, jcs, sample_evidence, unb64u

EC_JWK = {"kty": "EC", "crv": "P-256", "alg": "ECDH-ES+A256KW", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
NONCE = base64.b64encode(bytes(range(32))).decode()


class TestTheClientItself:
    """It agrees with published vectors, so that agreement with it means something."""

    def test_it_hashes_runtime_data_as_upstream_does(self):
        runtime = {"tee-pubkey": EC_JWK, "nonce": NONCE}
        primary = jcs({**runtime, "additional-evidence": ""}).encode()
        assert hashlib.sha384(primary).hexdigest().startswith("dfa65d498315212bdaf8857231cf0482172933db271f1585")
        assert hashlib.sha384(jcs(runtime).encode()).hexdigest().startswith("cc12bca78af3e46d9ddb68eb97122047abb52703")

    @pytest.mark.parametrize("order, opens", [("alg enc epk", True), ("enc alg epk", False), ("epk alg enc", False)])
    def test_it_opens_the_known_answer_and_no_header_in_another_order(self, order, opens):
        # The guest is Bob of RFC 7518 appendix C, and the header's key is Alice's.
        secret = int.from_bytes(unb64u("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"), "big")
        alice = {"crv": "P-256", "kty": "EC", "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
                 "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}
        members = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "epk": alice}
        header = json.dumps({name: members[name] for name in order.split()}, separators=(",", ":")).encode()
        cek, iv = bytes(range(32)), bytes(range(12))
        sealed = AESGCM(cek).encrypt(iv, b"test", b64u(header).encode())
        document = {"protected": b64u(header), "iv": b64u(iv), "ciphertext": b64u(sealed[:4]), "tag": b64u(sealed[4:]),
                    "encrypted_key": "T0NVWKoWucQiDmmVc2dmvQ8xVyt-7o5H1C0MnaCf5KFFpsfACs-0RQ"}
        bob = TeeKey(ec.derive_private_key(secret, ec.SECP256R1()))
        if opens:
            assert (document["ciphertext"], document["tag"]) == ("M2elbw", "YvdaaDQjifWv1I67iNV1Wg")
            assert bob.open(document) == b"test"
        else:
            pytest.raises(InvalidTag, bob.open, document)


class TestUpstreamsEndToEndTest:
    def test_background_check_over_https_gets_the_secret_placed_beforehand(self, scenario, guest):
        assert guest().get_resource("one/two/three") == scenario.secret

    def test_passport_with_an_rsa_key_from_a_file(self, scenario, guest, resource_broker):
        key = TeeKey.from_pem((scenario.work / "tee.key").read_bytes())
        token = guest(key=key).get_token()
        scenario.admin(resource_broker).set_resource_policy(SAMPLE_POLICY)
        assert PassportClient(resource_broker, token, key).get_resource("one/two/three") == scenario.secret

    def test_both_servers_use_one_folder(self, scenario, admin, resource_broker):
        admin.set_resource("shared/key/k-1.a", b"\0written by the issuer")
        file = scenario.work / "storage/repository" / r"shared\x2Fkey\x2Fk-1.a"
        assert file.read_bytes() == b"\0written by the issuer"
        scenario.admin(resource_broker).delete_resource("shared/key/k-1.a")
        assert not file.exists()


class TestHandshake:
    def test_the_challenge_has_upstreams_form(self, guest):
        answer = guest().auth()
        assert answer.status == 200 and set(answer.json()) == {"nonce", "extra-params"}
        assert answer.json()["extra-params"] == ""
        nonce = answer.json()["nonce"]
        assert len(nonce) == 44 and b64(base64.b64decode(nonce, validate=True)) == nonce

    def test_the_cookie_follows_rfc_6265_with_one_id_and_one_expiry(self, guest):
        client = guest()
        auth = client.auth()
        attest = client.web.kbs("POST", "attest", client.attestation(auth.json()))
        lines = [answer.headers["Set-Cookie"] for answer in (auth, attest)]
        parts = [re.match(r"kbs-session-id=([0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}); Expires=([^;]+)", line)
                 for line in lines]
        assert all(parts) and parts[0].groups() == parts[1].groups()
        left = email.utils.parsedate_to_datetime(parts[0].group(2)).timestamp() - time.time()
        assert 280 < left < 301
        for path in ("/kbs/v0/attest", "/kbs/v0/resource/a/b/c"):
            assert client.web.jar.header(path) == "kbs-session-id=" + parts[0].group(1)
        assert client.web.jar.header("/healthz") == ""

    def test_the_cookie_alone_identifies_an_attested_guest(self, guest):
        client = guest()
        client.rcar()
        client.web.sent.clear()
        client.get_resource("one/two/three")
        assert client.web.sent == ["GET /kbs/v0/resource/one/two/three"]

    def test_the_cookie_comes_before_a_bearer_token_which_serves_where_it_fails(self, scenario, issuer, guest):
        client = guest()
        token = client.rcar()
        client.web.token = "no.jwt.atall"
        assert client.web.kbs("GET", "resource/one/two/three").status == 200
        web = Web(issuer, scenario.https_crt, token)
        unknown = {"Cookie": "other=1; kbs-session-id=" + "0" * 32}
        answer = web.kbs("GET", "resource/one/two/three", headers=unknown)
        assert answer.status == 200 and client.key.open(answer.json()) == scenario.secret

    def test_what_follows_the_endpoint_s_name_does_not_matter(self, guest):
        client = guest()
        body = {"version": "0.4.0", "tee": "sample", "extra-params": {}}
        challenge = client.web.kbs("POST", "auth/anything", body).json()
        assert client.web.kbs("POST", "attest", client.attestation(challenge)).status == 200

    def test_after_rejected_evidence_a_new_handshake_succeeds(self, guest):
        client = guest()
        body = client.attestation(client.auth().json())
        body["tee-evidence"]["primary_evidence"] = sample_evidence(bytes(48))
        assert client.web.kbs("POST", "attest", body).status == 401
        assert client.get_token()

    @pytest.mark.parametrize("version", ["0.1.1", "0.2.0", "0.3.0", "0.4.1", "1.0.0"])
    def test_clients_of_other_protocols_read_the_known_sentence(self, guest, version):
        client = guest()
        client.version = version
        denied_with("Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version Mismatch: expect =0.4.0 "
                    f"while the request is {version}", client.get_token)
        assert client.web.sent == ["POST /kbs/v0/auth"] * 5

    @pytest.mark.parametrize("old, current", [("azsnpvtpm", "az-snp-vtpm"), ("aztdxvtpm", "az-tdx-vtpm")])
    def test_older_spellings_of_tees_are_the_same_tee(self, guest, old, current):
        answers = [guest(tee=tee).auth() for tee in (old, current)]
        assert answers[0].status == answers[1].status
        assert answers[0].status == 200 or answers[0].error() == answers[1].error()

    def test_members_a_jwk_type_does_not_know_are_not_hashed_and_not_claimed(self, scenario, guest):
        client = guest(extra_jwk={"kid": "k", "use": "enc"})
        claims = verify_ear(client.get_token(), scenario.ca_file.read_bytes())
        runtime = claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"]["runtime_data_claims"]
        assert runtime["tee-pubkey"] == client.key.jwk()
        assert client.get_resource("one/two/three") == scenario.secret

    def test_absent_init_data_is_as_good_as_null(self, guest):
        client = guest()
        attestation = client.attestation(client.auth().json())
        del attestation["init-data"]
        assert client.web.kbs("POST", "attest", attestation).status == 200

    @pytest.mark.parametrize("change", ["nonce", "report_data", "additional_evidence", "device_report_data", "key"])
    def test_whatever_is_not_bound_is_refused(self, guest, change):
        client = guest(devices=("sampledevice",))
        body = client.attestation(client.auth().json())
        evidence = body["tee-evidence"]
        if change == "nonce":
            body["runtime-data"]["nonce"] = NONCE
        elif change == "report_data":
            evidence["primary_evidence"] = sample_evidence(bytes(48))
        elif change == "additional_evidence":
            evidence["additional_evidence"] += " "
        elif change == "device_report_data":
            evidence["additional_evidence"] = json.dumps({"sampledevice": sample_evidence(bytes(48))})
            bound = jcs({**body["runtime-data"], "additional-evidence": evidence["additional_evidence"]})
            evidence["primary_evidence"] = sample_evidence(hashlib.sha384(bound.encode()).digest())
        else:
            body["runtime-data"]["tee-pubkey"] = EC_JWK
        answer = client.web.kbs("POST", "attest", body)
        assert answer.status == 401 and answer.error()["type"] == ERROR_TYPE + "AttestationError"
        assert answer.error()["detail"].startswith("Attestation error: RCAR handshake Attest failed")


class TestSealedAnswers:
    @pytest.mark.parametrize("name", ["P-256", "P-521", "RSA-OAEP-256", "RSA1_5"])
    def test_each_kind_of_key_opens_its_answer(self, scenario, guest, name):
        client = guest(key=TeeKey.generate(name))
        client.rcar()
        answer = client.web.kbs("GET", "resource/one/two/three")
        assert answer.headers["Content-Type"].startswith("application/json")
        assert client.key.open(answer.json()) == scenario.secret
        assert list(answer.json()) == ["protected", "encrypted_key", "iv", "ciphertext", "tag"]
        header = unb64u(answer.json()["protected"]).decode()
        if name.startswith("RSA"):
            assert header == f'{{"alg":"{name}","enc":"A256GCM"}}'
        else:
            coordinate = f'"[A-Za-z0-9_-]{{{43 if name == "P-256" else 88}}}"'
            assert re.fullmatch(r'\{"alg":"ECDH-ES\+A256KW","enc":"A256GCM","epk":\{"crv":"' + name +
                                f'","kty":"EC","x":{coordinate},"y":{coordinate}}}}}', header)

    def test_a_doubled_slash_is_one(self, scenario, guest):
        assert guest().get_resource("resource//one/two/three") == scenario.secret

    def test_binary_and_large_resources_arrive_whole(self, admin, guest):
        content = bytes(range(256)) * 4096
        admin.set_resource("big/one/blob", content)
        assert guest().get_resource("big/one/blob") == content


class TestToken:
    def test_its_claims_have_upstreams_shape(self, scenario, guest):
        client = guest(devices=("sampledevice",))
        claims = verify_ear(client.get_token(), scenario.ca_file.read_bytes())
        assert claims["eat_profile"] == "tag:github.com,2024:confidential-containers/Trustee"
        assert claims["ear.verifier-id"] == {"developer": "https://confidentialcontainers.org",
                                             "build": "attestation-service 0.1.0"}
        assert claims["exp"] - claims["iat"] == 300 and claims["iss"] == "CoCo-Attestation-Service"
        documented = {"eat_profile", "iat", "exp", "iss", "ear.verifier-id", "submods", "coffer.sample"}
        assert set(claims) == documented and set(claims["submods"]) == {"cpu0", "gpu0"}

    def test_its_annotated_evidence_holds_what_policies_read(self, scenario, guest):
        client = guest(devices=("sampledevice",))
        challenge = client.auth().json()
        body = client.attestation(challenge)
        token = client.web.kbs("POST", "attest", body).json()["token"]
        submods = verify_ear(token, scenario.ca_file.read_bytes())["submods"]
        cpu, gpu = (submods[name]["ear.veraison.annotated-evidence"] for name in ("cpu0", "gpu0"))
        assert cpu["sample"] == {"svn": "1", "launch_digest": "abcde", "debug": False,
                                 "platform_version": {"major": 1, "minor": 4}}
        assert cpu["report_data"] == body["tee-evidence"]["primary_evidence"]["report_data"]
        runtime = {"nonce": challenge["nonce"], "tee-pubkey": client.key.jwk()}
        additional = body["tee-evidence"]["additional_evidence"]
        assert cpu["runtime_data_claims"] == {**runtime, "additional-evidence": additional}
        assert gpu["sampledevice"] == {"svn": "1"} and gpu["runtime_data_claims"] == runtime
        assert not {"init_data", "init_data_claims"} & set(cpu)
        assert submods["cpu0"]["ear.appraisal-policy-id"] == "default"
        assert submods["cpu0"]["ear.trustee.identifiers"] == {"validated": {}}

    def test_reference_values_lift_its_status(self, scenario, admin, guest):
        def appraisal():
            cpu = verify_ear(guest().get_token(), scenario.ca_file.read_bytes())["submods"]["cpu0"]
            return cpu["ear.status"], cpu["ear.trustworthiness-vector"]

        others = ("instance-identity", "file-system", "runtime-opaque", "storage-opaque", "sourced-data")
        zeros = dict.fromkeys(others, 0)
        assert appraisal() == ("contraindicated", {**zeros, "executables": 33, "hardware": 97, "configuration": 2})
        admin.set_sample_reference_value("svn", "1")
        admin.set_sample_reference_value("major_version", 1, single=True)
        admin.set_sample_reference_value("minimum_minor_version", 4, single=True)
        assert appraisal() == ("warning", {**zeros, "executables": 33, "hardware": 2, "configuration": 2})
        admin.set_sample_reference_value("launch_digest", "abcde")
        assert appraisal() == ("affirming", {**zeros, "executables": 3, "hardware": 2, "configuration": 2})
        assert admin.get_reference_value("svn") == ["1"] and admin.get_reference_value("major_version") == 1

    def test_an_administrators_policy_decides_under_its_class_name(self, scenario, admin, guest):
        own = ('package policy\ntrust_claims := {"executables": 2, "hardware": 0}\n'
               'extensions := [{"name": "ear.trustee.identifiers", "key": -18, "value": {"validated": {"a": 1}}}]\n')
        before = admin.call("GET", "attestation-policy/default_cpu").body.decode()
        admin.set_attestation_policy("default", own)
        untouched = verify_ear(guest().get_token(), scenario.ca_file.read_bytes())["submods"]["cpu0"]
        assert untouched["ear.trustee.identifiers"] == {"validated": {}}
        admin.set_attestation_policy("default_cpu", own)
        try:
            cpu = verify_ear(guest().get_token(), scenario.ca_file.read_bytes())["submods"]["cpu0"]
        finally:
            admin.set_attestation_policy("default_cpu", before)
        assert cpu["ear.status"] == "affirming" and cpu["ear.trustee.identifiers"] == {"validated": {"a": 1}}
        assert cpu["ear.trustworthiness-vector"] == {"executables": 2, "hardware": 0}

    @pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
    def test_init_data_is_claimed_with_its_digest_and_parsed_members(self, scenario, guest, algorithm):
        text = (f'version = "0.1.0"\nalgorithm = "{algorithm}"\n[data]\n"cdh.toml" = \'\'\'\nsocket = "s"\n[kbc]\n'
                'name = "cc_kbc"\n\'\'\'\n"aa.toml" = "a = 1"\n"note" = "text"\n'
                '"policy.rego" = \'\'\'\npackage agent_policy\npolicy_data := {"containers": []}\n\'\'\'\n')
        claims = verify_ear(guest(init_data=text).get_token(), scenario.ca_file.read_bytes())
        evidence = claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"]
        assert evidence["init_data"] == hashlib.new(algorithm, text.encode()).hexdigest()
        assert evidence["init_data_claims"] == {
            "cdh.toml": {"socket": "s", "kbc": {"name": "cc_kbc"}}, "aa.toml": {"a": 1}, "note": "text",
            "agent_policy_claims": {"containers": []}}

    @pytest.mark.parametrize("value, status", [(1, "none"), (-1, "none"), (2, "affirming"), (-32, "affirming"),
                                               (32, "warning"), (95, "warning"), (96, "contraindicated")])
    def test_its_status_is_the_tier_of_the_worst_claim(self, scenario, admin, guest, value, status):
        before = admin.call("GET", "attestation-policy/default_cpu").body.decode()
        claims = json.dumps({"hardware": value, "configuration": 0})
        admin.set_attestation_policy("default_cpu", "package policy\ntrust_claims := " + claims)
        try:
            cpu = verify_ear(guest().get_token(), scenario.ca_file.read_bytes())["submods"]["cpu0"]
        finally:
            admin.set_attestation_policy("default_cpu", before)
        assert cpu["ear.status"] == status

    def test_an_unknown_spelling_of_the_digest_is_refused(self, guest):
        text = 'version = "0.1.0"\nalgorithm = "sha-256"\n[data]\n'
        denied_with("RCAR handshake Attest failed", guest(init_data=text).rcar)


class TestResourcePolicy:
    def test_the_request_is_in_data_and_the_token_in_input(self, admin, guest, scenario):
        admin.set_resource_policy('package policy\nimport rego.v1\ndefault allow := false\nallow if {\n'
                                  'data.plugin == "resource"\ndata["resource-path"] == ["one", "two", "three"]\n'
                                  'data.query.who == "me"\ninput.iss == "CoCo-Attestation-Service"\n}\n')
        assert guest().get_resource("one/two/three?who=you&who=me") == scenario.secret
        denied_with("request unauthorized", guest().get_resource, "one/two/three")

    def test_a_denial_is_401_so_that_clients_attest_again_three_times(self, admin, guest):
        admin.set_resource_policy("package policy\ndefault allow = false\n")
        client = guest()
        error = denied_with("request unauthorized", client.get_resource, "one/two/three")
        assert error.kind == "UnAuthorized"
        round_trip = ["GET /kbs/v0/resource/one/two/three", "POST /kbs/v0/auth", "POST /kbs/v0/attest"]
        assert client.web.sent == round_trip * 3

    def test_a_missing_resource_is_final(self, guest):
        client = guest()
        client.rcar()
        client.web.sent.clear()
        assert denied_with("not found", client.get_resource, "one/two/none").kind == "ResourceNotFound"
        assert len(client.web.sent) == 1

    def test_or_401_where_upstreams_status_was_chosen(self, tmp_path):
        other = Scenario(tmp_path)
        with other.issuer("--default-policy", "allow_all", extra="[coffer]\nmissing_resource_status = 401\n") as url:
            client = GuestClient(url, ca_file=other.https_crt)
            assert denied_with("request unauthorized", client.get_resource, "one/two/none").kind == "UnAuthorized"
            answer = client.web.kbs("GET", "resource/one/two/none")
            assert answer.status == 401 and answer.error()["type"] == ERROR_TYPE + "PluginInternalError"
            assert answer.error()["detail"].startswith("Plugin internal error")

    def test_the_list_holds_ids(self, admin):
        assert admin.call("GET", "resource-policy").json() == ["resource-policy"]
