"""Federated rounds averaged inside a TEE: coffer-manager, mosquitto, coffer-kbs, three coffer-workers in simulated TEEs and
coffer-aggregator; a guest computes each update, and nobody on the way sees it."""

import base64
import contextlib
import hashlib
import http.server
import json
import threading
import urllib.request
import uuid

import pytest
from conftest import BIN, ask, http_ok, process, run, running_broker, wait_until
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from federated_rig import DATA, TRAINER, aggregator, in_simulated_tee, scene
from fleet_peers import CHANNEL, COMPLETED, FAILED, TENANT
from mosquitto import Broker as MqttBroker
from mosquitto import running
from test_fleet import tee
from test_manager import known, manager
from upstream_manager import running_worker


@pytest.fixture
def trainer(compile_guest):
    return compile_guest("trainer-of-rounds", TRAINER)


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_under(jws, jwk):
    """The claims of a compact JWS, its ES256 signature checked by this key."""
    header, payload, signature = jws.split(".")
    numbers = ec.EllipticCurvePublicNumbers(*(int.from_bytes(unpadded(jwk[name]), "big") for name in "xy"), ec.SECP256R1())
    raw = unpadded(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    numbers.public_key().verify(der, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(unpadded(header)), json.loads(unpadded(payload))


def digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def mean():
    return sum(move * size for move, size in DATA) / sum(size for _, size in DATA)


def canaries():
    """Every form in which an update's numbers could show."""
    for move, _ in DATA:
        digits = f"{move:.7f}".lstrip("-")
        yield digits.encode()
        for before in ("", "x", "xy"):  # wherever in base64 it begins
            letters = base64.b64encode((before + digits).encode()).rstrip(b"=")
            yield letters[(len(before) * 8 + 5) // 6: (len(before) + len(digits)) * 8 // 6]


def leaks(written):
    return {(where, canary) for where, content in written.items() for canary in canaries() if canary in content}


def test_a_sealed_round_makes_the_weighted_mean_and_nobody_on_the_way_sees_an_update(tmp_path, registry, monkeypatch, trainer):
    with scene(tmp_path, registry, monkeypatch, trainer) as s:
        answer = s.start_round("r1", sealed=True)
        assert answer["status"] == "configured" and answer["k_of_n"] == 3
        done = s.closed("r1")
        assert done["state"] == "completed" and done["num_updates"] == 3 and done["model_version"] == 1, done
        text = urllib.request.urlopen(s.agg.url + "/models/1", timeout=5).read().decode()
        model = json.loads(text)
        assert model["w"][0] == pytest.approx(mean(), abs=1e-9) and model["b"] == pytest.approx(-mean(), abs=1e-9)
        assert model["w"][1:] == [0, 0] and model["version"] == 1
        tasks = s.ended("r1")
        results = {worker: task["results"] for worker, task in tasks.items()}
        assert all(task["state"] == COMPLETED for task in tasks.values()), tasks
        assert all(set(result) == {"task_id", "round_id", "proplet_id", "format", "update_sealed"} for result in results.values())

        token_claims = json.loads(unpadded(done["token"].split(".")[1]))
        key = next(value for value in (token_claims.get("tee-pubkey"),
                                       token_claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"]
                                       .get("runtime_data_claims", {}).get("tee-pubkey")) if value)
        header, statement = claims_under(done["statement"], key)
        assert header["typ"] == "coffer-round+jwt"
        assert statement["round_id"] == "r1" and statement["model_digest"] == done["model_digest"] == digest(text)
        assert statement["token_digest"] == digest(done["token"]) and statement["base_version"] == 0
        assert {each["proplet_id"]: each["update_digest"] for each in statement["participants"]} == {
            worker: digest(result["update_sealed"]["jwe"]) for worker, result in results.items()}
        assert {each["num_samples"] for each in statement["participants"]} == {size for _, size in DATA}

        # The next round begins with what this one made; its updates are differences in binary32.
        s.start_round("r2", model_ref="fl/models/global_model_v1", hyperparams={"binary": 1})
        assert s.closed("r2")["state"] == "completed", s.agg.log.read_text()
        moved = s.agg.ok("GET", "/models/2")["w"][0] - model["w"][0]
        assert moved == pytest.approx(sum(move for move, _ in DATA) / 3, abs=1e-6)
        # A guest that fails says what it wrote to nobody.
        s.start_round("r3", hyperparams={"fail": 1}, timeout_s=600)
        for task in s.ended("r3").values():
            assert task["state"] == FAILED and task["code"] == "worker.exit_code" and "moving" not in task["error"]

        s.api.process.terminate()
        s.api.process.wait(15)
        written = s.written()
        assert any(where.startswith("manager.db") for where in written)
        assert any(s.workers[0].id.encode() in content for content in written.values())
        assert not leaks(written)


def test_an_update_that_is_not_sealed_would_be_found(tmp_path, registry, monkeypatch, trainer):
    """What the search above is worth: the same round by workers that seal nothing. The aggregator counts none of it."""
    with scene(tmp_path, registry, monkeypatch, trainer, sealing=False) as s:
        s.start_round("r1")
        s.ended("r1")
        assert s.agg.round("r1")["num_updates"] == 0 and "aggregator.plain_update" in s.agg.log.read_text()
        s.api.process.terminate()
        s.api.process.wait(15)
        found = {where for where, _ in leaks(s.written())}
        assert "MQTT traffic" in found and any(where.startswith("manager.db") for where in found), found


def test_an_update_never_goes_to_an_aggregator_that_is_not_proven(tmp_path, registry, monkeypatch, trainer):
    """A host that stands in for the aggregator: with its token and no key, with an old proof, with nothing."""
    with scene(tmp_path, registry, monkeypatch, trainer) as s:
        worker = s.workers[0]
        got = []

        class Impostor(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                if self.path.startswith("/attestation"):
                    return self.reply(*self.server.attest(self.path))
                if self.path.startswith("/models") and self.server.poison:
                    return self.reply(200, b'{"w":[1e9,0.0,0.0],"b":0.0,"version":0}')
                return self.reply(*ask(s.agg.url + self.path))

            def do_POST(self):  # pylint: disable=invalid-name
                got.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.reply(self.server.status, b"{}")

            def reply(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        def attestation(nonce):
            return json.loads(ask(f"{s.agg.url}/attestation?nonce={nonce}")[1])

        old = attestation("q83vASNFZ4mrze8BI0VniQ")

        def stale(_path):
            return 200, json.dumps(old).encode()

        def foreign_key(_path):
            header, payload, signature = old["proof"].split(".")
            return 200, json.dumps({**old, "proof": f"{header}.{payload}.{signature[:-4]}AAAA"}).encode()

        def foreign_token(path):
            shown = attestation(path.split("nonce=")[1])
            header, payload, signature = shown["token"].split(".")
            return 200, json.dumps({**shown, "token": f"{header}.{payload}.{signature[:-4]}AAAA"}).encode()

        def silent(_path):
            return 404, b""

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Impostor) as impostor:
            impostor.poison = False
            threading.Thread(target=impostor.serve_forever, daemon=True).start()
            url = f"http://127.0.0.1:{impostor.server_port}"
            for attest, says in ((stale, "fleet.bad_proof"), (foreign_key, "fleet.bad_proof"),
                                 (foreign_token, "fleet.not_attested"), (silent, "HTTP 404")):
                impostor.attest = attest
                task = s.api.start(name="_start", image_url=s.image, encrypted=True, proplet_id=worker.id,
                                   env={"ROUND_ID": "r1", "MODEL_URI": "global_model_v0", "COORDINATOR_URL": url})
                failed = s.api.wait(task, FAILED, 30)
                assert failed["code"] == "worker.aggregator_not_proven" and says in failed["error"], failed
            # The model is changed on its way: a guest that learns from another one may say more of its data.
            impostor.attest, impostor.poison = (lambda path: ask(s.agg.url + path)), True
            task = s.api.start(name="_start", image_url=s.image, encrypted=True, proplet_id=worker.id,
                               env={"ROUND_ID": "r1", "MODEL_URI": "global_model_v0", "MODEL_REGISTRY_URL": url})
            failed = s.api.wait(task, FAILED, 30)
            assert failed["code"] == "worker.aggregator_not_proven" and "aggregator's model 0" in failed["error"], failed
            impostor.poison = False
            assert not got
            # And through an honest go-between, it arrives.
            impostor.attest, impostor.status = (lambda path: ask(s.agg.url + path)), 200
            task = s.api.start(name="_start", image_url=s.image, encrypted=True, proplet_id=worker.id,
                               env={"ROUND_ID": "r1", "MODEL_URI": "global_model_v0", "COORDINATOR_URL": url})
            s.api.wait(task, COMPLETED, 30)
            assert len(got) == 1 and b"update_sealed" in got[0]
            # One that loses it: then it comes by MQTT, and the manager brings it where it belongs.
            impostor.status = 502
            s.agg.ok("POST", "/experiments", {"round_id": "r1", "participants": [each.id for each in s.workers]})
            task = s.api.start(name="_start", image_url=s.image, encrypted=True, proplet_id=worker.id,
                               env={"ROUND_ID": "r1", "MODEL_URI": "global_model_v0", "COORDINATOR_URL": url})
            s.api.wait(task, COMPLETED, 30)
            wait_until(lambda: s.agg.round("r1")["num_updates"] == 1, "the update by MQTT", 30)
            impostor.shutdown()
        assert not leaks(s.written())


def test_updates_that_lie_are_refused_and_a_silent_participant_ends_with_the_deadline(tmp_path, registry, monkeypatch, trainer):
    with scene(tmp_path, registry, monkeypatch, trainer) as s:
        silent = str(uuid.uuid4())
        ids = [worker.id for worker in s.workers]

        def give(body, status, code):
            found, document = s.agg.send("POST", "/update", body)
            assert (found, document["code"]) == (status, code), document

        # Two of three are enough, and the third is not waited for.
        s.start_round("k", participants=[*ids[:2], silent], k_of_n=2)
        assert s.closed("k")["num_updates"] == 2
        sealed = s.update_of("k", ids[0])
        give(sealed, 409, "aggregator.round_closed")

        # All three are asked for, and the third never answers.
        s.start_round("n", participants=[*ids[:2], silent], k_of_n=3, timeout_s=15)
        sealed = s.update_of("n", ids[0])
        give(sealed, 409, "aggregator.duplicate_update")
        give({**sealed, "proplet_id": silent}, 400, "aggregator.wrong_round")
        give({**sealed, "round_id": "k"}, 400, "aggregator.wrong_round")
        give({**sealed, "update_sealed": {**sealed["update_sealed"], "key": "another"}}, 409, "aggregator.unknown_key")
        jwe = json.loads(sealed["update_sealed"]["jwe"])
        jwe["tag"] = "A" * len(jwe["tag"])
        give({**sealed, "update_sealed": {**sealed["update_sealed"], "jwe": json.dumps(jwe)}}, 400, "fleet.bad_seal")
        plain = {"round_id": "n", "proplet_id": silent, "num_samples": 1, "update": {"w": [9, 9, 9], "b": 9}}
        give(plain, 403, "aggregator.plain_update")
        give({"update_sealed": 7}, 400, "fleet.missing_member")
        assert s.agg.send("POST", "/experiments", {})[0] == 400
        s.agg.token = "another"
        assert s.agg.send("POST", "/experiments", {})[1]["code"] == "aggregator.unauthorized"
        ended = s.closed("n", 60)
        assert ended["state"] == "failed" and ended["code"] == "aggregator.too_few_participants" and ended["num_updates"] == 2
        assert s.agg.ok("GET", "/models")["versions"] == [0, 1]

        metrics = urllib.request.urlopen(s.agg.url + "/metrics", timeout=5).read().decode()
        assert 'aggregator_rounds_total{outcome="completed"} 1' in metrics
        assert 'aggregator_rounds_total{outcome="aggregator.too_few_participants"} 1' in metrics
        assert 'aggregator_updates_total{outcome="accepted"} 4' in metrics


def test_a_worker_that_the_aggregator_does_not_believe_does_not_count(tmp_path, registry, monkeypatch, trainer):
    """Its TEE is one that proves nothing, and this aggregator allows none by name."""
    with running_broker(tmp_path, "--allow-tee", "simulated:snp") as kbs:
        kbs.measure_simulated("snp")
        strict = {**in_simulated_tee(kbs, tmp_path), "ALLOW_TEES": ""}
        with running(MqttBroker(tmp_path / "mosquitto", "allow_anonymous true\n")) as mqtt, \
                aggregator(tmp_path / "aggregator", **strict) as agg, manager(tmp_path, mqtt.address) as api:
            monkeypatch.setenv("MANAGER_COORDINATOR_URL", agg.url)
            monkeypatch.setenv("MODEL_REGISTRY_URL", agg.url)
            believing = {"AGGREGATOR_TRUST": tmp_path / "broker.pem", "AGGREGATOR_ALLOW_TEES": "simulated:snp"}
            with running_worker(mqtt, tmp_path / "worker", TENANT_ID=TENANT, CHANNEL_ID=CHANNEL, **tee(kbs), **believing) as worker, \
                    running_worker(mqtt, tmp_path / "plain", TENANT_ID=TENANT, CHANNEL_ID=CHANNEL, **believing) as bare:
                known(api, 2)
                wait_until(lambda: "worker.attested" in worker.log_text(), "its attestation", 30)
                agg.ok("POST", "/experiments", {"round_id": "r1", "participants": [worker.id, bare.id]})
                for one, says in ((worker, "fleet.untrusted_tee"), (bare, "aggregator.unsigned_update")):
                    task = api.start(name="_start", image_url="", file=base64.b64encode(trainer.read_bytes()).decode(),
                                     proplet_id=one.id, env={"ROUND_ID": "r1", "MODEL_URI": "global_model_v0"})
                    failed = api.wait(task, FAILED, 30)
                    assert failed["code"] == "worker.update_refused" and says in failed["error"], failed
                assert agg.round("r1")["num_updates"] == 0


def test_a_worker_may_pin_what_the_aggregator_was_started_with(tmp_path, monkeypatch, trainer):
    """The TEE vouches for the digest of its init-data: another policy, rightly attested, gets nothing."""
    init_data = tmp_path / "init.toml"
    init_data.write_text('version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"policy" = "count only what is sealed"\n')
    pinned = hashlib.sha256(init_data.read_bytes()).hexdigest()
    with running_broker(tmp_path, "--allow-tee", "simulated:snp") as kbs:
        kbs.measure_simulated("snp")
        with running(MqttBroker(tmp_path / "mosquitto", "allow_anonymous true\n")) as mqtt, manager(tmp_path, mqtt.address) as api, \
                aggregator(tmp_path / "aggregator", INIT_DATA=init_data, **in_simulated_tee(kbs, tmp_path)) as agg:
            monkeypatch.setenv("MANAGER_COORDINATOR_URL", agg.url)
            monkeypatch.setenv("MODEL_REGISTRY_URL", agg.url)
            place = "/submods/cpu0/ear.veraison.annotated-evidence/init_data"
            with contextlib.ExitStack() as stack:
                right, wrong = (stack.enter_context(running_worker(
                    mqtt, tmp_path / digits[:4], TENANT_ID=TENANT, CHANNEL_ID=CHANNEL, AGGREGATOR_TRUST=tmp_path / "broker.pem",
                    AGGREGATOR_ALLOW_TEES="simulated:snp", AGGREGATOR_CLAIMS=f"{place}={digits}", **tee(kbs)))
                    for digits in (pinned, "00" * 32))
                known(api, 2)
                wait_until(lambda: "worker.attested" in right.log_text(), "its attestation", 30)
                agg.ok("POST", "/experiments", {"round_id": "r1", "participants": [right.id, wrong.id]})
                for worker, state in ((right, COMPLETED), (wrong, FAILED)):
                    task = api.start(name="_start", image_url="", file=base64.b64encode(trainer.read_bytes()).decode(),
                                     proplet_id=worker.id, env={"ROUND_ID": "r1", "HYPERPARAMS": '{"binary":1}'})
                    ended = api.wait(task, state, 30)
                assert ended["code"] == "worker.aggregator_not_proven" and "fleet.wrong_claim" in ended["error"], ended
                assert pinned in ended["error"] and agg.round("r1")["num_updates"] == 1


def test_a_mixed_fleet_gives_plain_updates_where_that_is_named(tmp_path, monkeypatch, trainer):
    """Outside of a TEE, by upstream's own shapes: a worker without any settings of ours, and a guest that posts nothing."""
    with running(MqttBroker(tmp_path / "mosquitto", "allow_anonymous true\n")) as mqtt, \
            aggregator(tmp_path / "aggregator", "--open", "--accept-plain-updates", MIN_PARTICIPANTS=1) as agg:
        assert "THIS HOST SEES EVERY UPDATE" in agg.log.read_text()
        monkeypatch.setenv("MANAGER_COORDINATOR_URL", agg.url)
        monkeypatch.setenv("MODEL_REGISTRY_URL", agg.url)
        settings = {"MANAGER_COORDINATOR_TOKEN_FILE": str(agg.token_file)}
        with manager(tmp_path, mqtt.address, env=settings) as api, \
                running_worker(mqtt, tmp_path / "worker", TENANT_ID=TENANT, CHANNEL_ID=CHANNEL) as worker:
            known(api)
            api.ok("POST", "/fl/experiments", {"round_id": "r1", "participants": [worker.id], "model_ref": "m_v0"})
            update = {"round_id": "r1", "proplet_id": worker.id, "num_samples": 16, "update": {"w": [1, 2, 3], "b": 4}}
            assert api.ok("POST", "/fl/update", update) == {"status": "accepted"}
            assert agg.round("r1")["state"] == "completed"
            assert agg.ok("GET", "/models/1") == {"w": [1, 2, 3], "b": 4, "version": 1}
            assert api.ok("GET", "/fl/rounds/r1/complete")["model_version"] == 1
            status, body = ask(f"{agg.url}/attestation?nonce=q83vASNFZ4mrze8BI0VniQ")
            assert status == 503 and json.loads(body)["code"] == "aggregator.not_attested"
            # A task that asks for a seal gets none here, and nothing goes out in its place.
            task = api.start(name="_start", image_url="", file=base64.b64encode(trainer.read_bytes()).decode(),
                             env={"ROUND_ID": "r2", "FL_UPDATE_SEALED": "true"})
            assert api.wait(task, FAILED)["code"] == "worker.aggregator_not_proven"


def test_a_large_model_goes_round(tmp_path, monkeypatch, compile_guest):
    """A quarter of a million numbers: the update goes to the aggregator alone, and the result names it."""
    count = 250_000
    guest = compile_guest("large-trainer", f"""
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        int main(void) {{
          static float delta[{count}];
          if (!getenv("MODEL_DATA") || strlen(getenv("MODEL_DATA")) < {count}) return 2;
          for (int i = 0; i < {count}; ++i) delta[i] = i;
          return fwrite(delta, sizeof delta, 1, stdout) == 1 ? 0 : 1;
        }}""")
    (tmp_path / "model.json").write_text(json.dumps({"w": [0.5] * count}))
    with running_broker(tmp_path, "--allow-tee", "simulated:snp") as kbs:
        kbs.measure_simulated("snp")
        with running(MqttBroker(tmp_path / "mosquitto", "allow_anonymous true\nmessage_size_limit 1048576\n")) as mqtt, \
                aggregator(tmp_path / "aggregator", MODEL=tmp_path / "model.json", MIN_PARTICIPANTS=1,
                           **in_simulated_tee(kbs, tmp_path)) as agg, manager(tmp_path, mqtt.address) as api:
            monkeypatch.setenv("MANAGER_COORDINATOR_URL", agg.url)
            monkeypatch.setenv("MODEL_REGISTRY_URL", agg.url)
            with running_worker(mqtt, tmp_path / "worker", TENANT_ID=TENANT, CHANNEL_ID=CHANNEL, MAX_OUTPUT=count * 8, **tee(kbs),
                                AGGREGATOR_TRUST=tmp_path / "broker.pem", AGGREGATOR_ALLOW_TEES="simulated:snp") as worker:
                known(api)
                wait_until(lambda: "worker.attested" in worker.log_text(), "its attestation", 30)
                agg.ok("POST", "/experiments", {"round_id": "r1", "participants": [worker.id]})
                task = api.start(name="_start", image_url="", file=base64.b64encode(guest.read_bytes()).decode(),
                                 env={"ROUND_ID": "r1", "MODEL_URI": "global_model_v0"})
                sealed = api.wait(task, COMPLETED, 60)["results"]["update_sealed"]
                assert set(sealed) == {"key", "digest"}
                done = agg.round("r1")
                assert done["state"] == "completed"
                statement = json.loads(unpadded(done["statement"].split(".")[1]))
                assert statement["participants"][0]["update_digest"] == sealed["digest"]
                weights = agg.ok("GET", "/models/1")["w"]
                assert len(weights) == count and weights[:3] == [0.5, 1.5, 2.5]


def test_without_a_tee_it_does_not_start(tmp_path):
    least = {"AGGREGATOR_KBS_URI": "http://127.0.0.1:1", "AGGREGATOR_INSECURE_OPEN": "true",
             "AGGREGATOR_UNATTESTED_WORKERS": "true", "AGGREGATOR_HTTP_PORT": "0"}
    refused = run(BIN / "coffer-aggregator", check=False, env=least, cwd=tmp_path)
    assert refused.returncode == 1 and "aggregator.no_tee" in refused.stderr and "--open" in refused.stderr
    unreachable = run(BIN / "coffer-aggregator", "--tee", "sample", check=False, env=least, cwd=tmp_path)
    assert unreachable.returncode == 1 and "aggregator.not_attested" in unreachable.stderr
    nothing = run(BIN / "coffer-aggregator", check=False, cwd=tmp_path)
    assert nothing.returncode == 1 and "--insecure-open" in nothing.stderr
    checked = run(BIN / "coffer-aggregator", "--check", env=least, cwd=tmp_path)
    assert "valid" in checked.stdout


def test_it_serves_tls(tmp_path, broker):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
        certificate, "-subj", "/CN=localhost", "-days", "2")
    settings = {"KBS_URI": broker.url, "TEE": "sample", "UNATTESTED_WORKERS": "true", "HTTP_SERVER_CERT": certificate,
                "HTTP_SERVER_KEY": key}
    with aggregator(tmp_path / "aggregator", **settings) as agg:
        assert agg.url.startswith("https://") and not http_ok(agg.url.replace("https", "http") + "/health")
        answer = run("curl", "-s", "--insecure", f"{agg.url}/attestation?nonce=q83vASNFZ4mrze8BI0VniQ")
        assert json.loads(answer.stdout)["tee"] == "sample"
