"""coffer-kbs in the place of upstream's resource-kbs: tokens of upstream's attestation service, made here without the
product, and of services with key sets are believed exactly where upstream believes them."""

import base64
import json
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

# Fixtures are used by their names alone.
from trustee_scenario import resource_broker, scenario  # noqa: F401
from trustee_scenario import COMMON_CONFIG, ERROR_TYPE, RESOURCE_CONFIG, Scenario, certificate
from upstream_client import KbsError, PassportClient, TeeKey, Web, b64, b64u

ALLOW_ALL = "package policy\ndefault allow = true\n"


def private_key(scenario, name):
    return serialization.load_pem_private_key((scenario.work / name).read_bytes(), None)


def public_jwk(key):
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        return {"alg": "RS256", "kty": "RSA", "n": b64u(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
    return {"alg": "ES256", "kty": "EC", "crv": "P-256", "x": b64u(numbers.x.to_bytes(32, "big")),
            "y": b64u(numbers.y.to_bytes(32, "big"))}


def chain_of(pem):
    certificates = x509.load_pem_x509_certificates(pem)
    return [b64(each.public_bytes(serialization.Encoding.DER)) for each in certificates]


def signed(key, header, claims):
    """A JWT by an EC P-256 or an RSA key."""
    text = b64u(json.dumps(header).encode()) + "." + b64u(json.dumps(claims).encode())
    if isinstance(key, rsa.RSAPrivateKey):
        return text + "." + b64u(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return text + "." + b64u(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def claims_for(tee_key, left=300, **changes):
    """What a service says about a guest, good for another `left` seconds."""
    now = int(time.time())
    evidence = {"sample": {"svn": "1"}, "runtime_data_claims": {"nonce": "bm9uY2U=", "tee-pubkey": tee_key.jwk()}}
    claims = {"iat": now, "exp": now + left, "iss": "any", "submods": {"cpu0": {
        "ear.status": "affirming", "ear.veraison.annotated-evidence": evidence}}, **changes}
    return {name: value for name, value in claims.items() if value is not None}


@pytest.fixture(scope="module")
def tee_key():
    return TeeKey.generate("P-256")


@pytest.fixture(scope="module")
def broker(scenario, resource_broker):
    scenario.admin(resource_broker).set_resource_policy(ALLOW_ALL)
    return resource_broker


class UpstreamService:
    """Upstream's attestation service with the scenario's token signer."""

    def __init__(self, scenario):
        self.key = private_key(scenario, "token.key")
        self.chain = chain_of((scenario.work / "token-cert-chain.pem").read_bytes())

    def token(self, claims, **jwk_changes):
        jwk = {**public_jwk(self.key), "x5c": self.chain, **jwk_changes}
        jwk = {name: value for name, value in jwk.items() if value is not None}
        return signed(self.key, {"typ": "JWT", "alg": jwk.get("alg", "ES256"), "jwk": jwk}, claims)


@pytest.fixture(scope="module")
def service(scenario):
    return UpstreamService(scenario)


def refusal(broker, token, key):
    answer = PassportClient(broker, token, key).web.kbs("GET", "resource/one/two/three")
    assert answer.status == 401, answer.body
    assert answer.error()["type"] == ERROR_TYPE + "TokenVerifierError"
    assert answer.error()["detail"].startswith("Token Verifier error")
    return answer.error()["detail"]


def test_a_token_of_upstreams_service_opens_the_resource(scenario, broker, service, tee_key):
    token = service.token(claims_for(tee_key))
    assert PassportClient(broker, token, tee_key).get_resource("one/two/three") == scenario.secret


@pytest.mark.parametrize("changes", [{"left": -20}, {"iss": None}, {"aud": "somebody else"}])
def test_neither_issuer_nor_audience_nor_a_minute_of_clock_matter(scenario, broker, service, tee_key, changes):
    token = service.token(claims_for(tee_key, **changes))
    assert PassportClient(broker, token, tee_key).get_resource("one/two/three") == scenario.secret


@pytest.mark.parametrize("changes", [{"exp": None}, {"left": -120}])
def test_an_expired_or_eternal_token_is_refused(broker, service, tee_key, changes):
    refusal(broker, service.token(claims_for(tee_key, **changes)), tee_key)


def test_url_safe_certificates_are_tolerated(scenario, broker, service, tee_key):
    chain = [b64u(base64.b64decode(text)) for text in service.chain]
    token = service.token(claims_for(tee_key), x5c=chain)
    assert PassportClient(broker, token, tee_key).get_resource("one/two/three") == scenario.secret


def test_a_leaf_alone_is_enough_where_its_issuer_is_trusted(scenario, broker, service, tee_key):
    token = service.token(claims_for(tee_key), x5c=service.chain[:1])
    assert PassportClient(broker, token, tee_key).get_resource("one/two/three") == scenario.secret


def test_an_rsa_signer_of_the_same_authority_is_believed(scenario, tmp_path, tee_key):
    # The authority's key is not kept by the scenario, so this one makes its own.
    other = Scenario(tmp_path)
    authority, signer = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    other.ca_file.write_bytes(certificate("root", authority, ca=True))
    chain = chain_of(certificate("signer", signer, "root", authority) + other.ca_file.read_bytes())
    jwk = {**public_jwk(signer), "x5c": chain}
    token = signed(signer, {"typ": "JWT", "alg": "RS256", "jwk": jwk}, claims_for(tee_key))
    with other.resource_broker() as url:
        other.admin(url).set_resource_policy(ALLOW_ALL)
        assert PassportClient(url, token, tee_key).get_resource("one/two/three") == other.secret


class TestForgeries:
    def test_another_signature(self, broker, service, tee_key):
        header, claims, signature = service.token(claims_for(tee_key)).split(".")
        other = service.token(claims_for(tee_key, more=1)).split(".")[1]
        refusal(broker, f"{header}.{other}.{signature}", tee_key)

    def test_a_key_without_certificates(self, broker, service, tee_key):
        refusal(broker, service.token(claims_for(tee_key), x5c=None), tee_key)

    def test_a_key_beside_somebody_elses_certificate(self, broker, service, tee_key):
        stranger = ec.generate_private_key(ec.SECP256R1())
        jwk = {**public_jwk(stranger), "x5c": service.chain}
        refusal(broker, signed(stranger, {"typ": "JWT", "alg": "ES256", "jwk": jwk}, claims_for(tee_key)), tee_key)

    def test_a_chain_to_another_authority_of_the_same_name(self, broker, tee_key):
        root, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        chain = chain_of(certificate("CoCo-AS", signer, "KBS-test-root", root) +
                         certificate("KBS-test-root", root, ca=True))
        jwk = {**public_jwk(signer), "x5c": chain}
        refusal(broker, signed(signer, {"typ": "JWT", "alg": "ES256", "jwk": jwk}, claims_for(tee_key)), tee_key)

    def test_no_algorithm(self, broker, service, tee_key):
        header, claims, _ = service.token(claims_for(tee_key)).split(".")
        none = b64u(json.dumps({"typ": "JWT", "alg": "none"}).encode())
        refusal(broker, f"{none}.{claims}.", tee_key)


class TestKeySets:
    """trusted_jwk_sets and the places where services put the guest's key."""

    @pytest.fixture(scope="class")
    def other_service(self):
        return ec.generate_private_key(ec.SECP256R1())

    @pytest.fixture(scope="class")
    def key_set_broker(self, tmp_path_factory, other_service):
        place = Scenario(tmp_path_factory.mktemp("keyset"))
        (place.work / "jwks.json").write_text(json.dumps({"keys": [{**public_jwk(other_service), "kid": "k1"}]}))
        config = RESOURCE_CONFIG.replace('trusted_certs_paths = ["./work/ca-cert.pem"]',
                                         f'trusted_jwk_sets = ["file://{place.work}/jwks.json"]\n'
                                         'extra_teekey_paths = ["/own/place"]')
        with place.serve("resource-kbs", config + COMMON_CONFIG) as url:
            place.admin(url).set_resource_policy(ALLOW_ALL)
            yield url, place

    @pytest.mark.parametrize("pointer", ["/own/place", "/tdx/attester_runtime_data/tee-pubkey",
                                         "/tdx/attester_user_data/tee-pubkey",
                                         "/customized_claims/runtime_data/tee-pubkey", "/tee-pubkey"])
    def test_the_guests_key_is_found_in_each_known_place(self, key_set_broker, other_service, tee_key, pointer):
        url, place = key_set_broker
        claims = tee_key.jwk()
        for name in reversed(pointer.split("/")[1:]):
            claims = {name: claims}
        token = signed(other_service, {"alg": "ES256", "kid": "k1"}, {"exp": int(time.time()) + 60, **claims})
        assert PassportClient(url, token, tee_key).get_resource("one/two/three") == place.secret

    def test_a_token_without_any_key_of_the_guest_is_refused(self, key_set_broker, other_service, tee_key):
        token = signed(other_service, {"alg": "ES256", "kid": "k1"}, {"exp": int(time.time()) + 60})
        refusal(key_set_broker[0], token, tee_key)

    @pytest.mark.parametrize("header", [{}, {"kid": "k2"}])
    def test_an_unknown_or_absent_key_name_is_refused(self, key_set_broker, other_service, tee_key, header):
        refusal(key_set_broker[0], signed(other_service, {"alg": "ES256", **header}, claims_for(tee_key)), tee_key)

    def test_a_key_in_the_header_switches_the_set_off(self, key_set_broker, other_service, tee_key):
        header = {"alg": "ES256", "kid": "k1", "jwk": public_jwk(other_service)}
        refusal(key_set_broker[0], signed(other_service, header, claims_for(tee_key)), tee_key)


@pytest.mark.parametrize("spelling", ["insecure_header_jwk", "insecure_key"])
def test_any_key_is_believed_only_where_the_owner_said_so(tmp_path, tee_key, spelling):
    place = Scenario(tmp_path)
    stranger = ec.generate_private_key(ec.SECP256R1())
    token = signed(stranger, {"typ": "JWT", "alg": "ES256", "jwk": public_jwk(stranger)}, claims_for(tee_key))
    config = RESOURCE_CONFIG.replace('trusted_certs_paths = ["./work/ca-cert.pem"]', spelling + " = true")
    with place.serve("resource-kbs", config + COMMON_CONFIG) as url:
        place.admin(url).set_resource_policy(ALLOW_ALL)
        assert PassportClient(url, token, tee_key).get_resource("one/two/three") == place.secret


def test_after_three_refusals_the_client_gives_up(broker, tee_key):
    client = PassportClient(broker, "x.y.z", tee_key)
    with pytest.raises(KbsError, match="UnAuthorized: request unauthorized"):
        client.get_resource("one/two/three")
    assert len(client.web.sent) == 3


def test_it_has_no_attestation_endpoints(scenario, broker):
    web = Web(broker, token=scenario.admin_token())
    for path in ("auth", "attest", "attestation-policy", "reference-value"):
        answer = web.kbs("POST", path, {})
        assert answer.status == 404
        assert answer.error()["type"] == ERROR_TYPE + "PluginNotFound"
        assert answer.error()["detail"].startswith(f"Plugin {path} not found")
