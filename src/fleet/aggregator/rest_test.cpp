#include "fleet/aggregator/rest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::fleet::aggregator {
namespace {

using codec::json::Object;
using codec::json::Value;
using ::testing::HasSubstr;

// As upstream's own program sends it (examples/fl-demo/README.md).
constexpr std::string_view experiment =
    R"({"experiment_id":"exp-r-0001","round_id":"r-0001","model_ref":"fl/models/global_model_v0",)"
    R"("participants":["w1","w2","w3"],"hyperparams":{"epochs":1,"lr":0.01,"batch_size":16},"k_of_n":2,)"
    R"("timeout_s":60,"task_wasm_image":"local-registry:5000/fl-client-wasm:latest"})";

std::string update_of(const std::string& worker, double weight) {
  const Object body{{"round_id", "r-0001"},
                    {"proplet_id", worker},
                    {"base_model_uri", "fl/models/global_model_v0"},
                    {"num_samples", 512},
                    {"metrics", Object{{"loss", 0.7}}},
                    {"update", Object{{"b", weight}, {"version", 0}, {"w", codec::json::Array{weight, 0.0, 0.0}}}}};
  return codec::json::serialize(body);
}

class RestTest : public ::testing::Test {
 protected:
  FixedClock clock{from_unix_seconds(1'800'000'000)};
  net::MetricsRegistry metrics;
  Aggregator aggregator{{.closed = [this](const RoundView& view) { rest->count_closed(view); }},
                        Model{.values = {0, 0, 0, 0}, .has_bias = true},
                        clock};
  Intake intake{{.accept_plain = true}, nullptr, clock};
  int woken = 0;
  std::unique_ptr<Rest> rest = *Rest::create({.aggregator = aggregator,
                                              .intake = intake,
                                              .operator_token = SecretBytes::copy_of(std::string_view{"let-me"}),
                                              .configured = [this] { ++woken; }},
                                             metrics);

  net::ServerResponse send(std::string method, std::string path, std::string_view body = "",
                           const std::string& token = "let-me") {
    net::ServerRequest request{.method = std::move(method), .body = to_bytes(body)};
    const auto question = path.find('?');
    request.path = path.substr(0, question);
    if (question != std::string::npos) request.query = path.substr(question + 1);
    if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
    return rest->handle(request);
  }
  static Value document(const net::ServerResponse& response) {
    return codec::json::parse(as_text(response.body)).value_or(Value{});
  }
  static std::string text(const net::ServerResponse& response) { return to_text(response.body); }
  void expect_error(const net::ServerResponse& response, int status, std::string_view code) {
    EXPECT_EQ(response.status, status) << text(response);
    const auto body = document(response);
    const auto* found = body.find("code");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found->if_string(), code);
  }
};

TEST_F(RestTest, upstreams_round_runs_by_its_own_shapes) {
  const auto configured = send("POST", "/experiments", experiment);
  EXPECT_EQ(configured.status, 201);
  EXPECT_THAT(
      text(configured),
      HasSubstr(R"({"experiment_id":"exp-r-0001","round_id":"r-0001","status":"configured","model_version":0)"));
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(text(send("GET", "/task?round_id=r-0001&proplet_id=w1")),
            R"({"task":{"round_id":"r-0001","model_ref":"fl/models/global_model_v0","config":{"proplet_id":"w1"},)"
            R"("hyperparams":{"epochs":1,"lr":0.01,"batch_size":16}}})");
  EXPECT_EQ(text(send("GET", "/models/0")), R"({"w":[0.0,0.0,0.0],"b":0.0,"version":0})");
  EXPECT_THAT(text(send("GET", "/rounds/next")), HasSubstr(R"("next_round_available":false)"));
  EXPECT_EQ(text(send("POST", "/update", update_of("w1", 1))), R"({"status":"accepted"})");
  EXPECT_THAT(text(send("GET", "/rounds/r-0001/complete")),
              HasSubstr(R"({"round_id":"r-0001","completed":false,"num_updates":1,)"));
  EXPECT_EQ(send("POST", "/update", update_of("w2", 3)).status, 200);
  const auto round = document(send("GET", "/rounds/r-0001/complete"));
  EXPECT_EQ(*round.find("completed")->if_bool(), true);
  EXPECT_EQ(round.at_pointer("/status/model_version")->if_int64(), 1);
  EXPECT_EQ(*round.find("model_uri")->if_string(), "fl/models/global_model_v1");
  EXPECT_EQ(text(send("GET", "/models/1")), R"({"w":[2.0,0.0,0.0],"b":2.0,"version":1})");
  EXPECT_EQ(text(send("GET", "/models")), R"({"versions":[0,1]})");
  EXPECT_EQ(text(send("GET", "/rounds/next")),
            R"({"next_round_available":true,"last_completed_round":"r-0001","new_model_version":1,)"
            R"("model_uri":"fl/models/global_model_v1","status":"ready"})");
}

TEST_F(RestTest, a_round_that_failed_says_so) {
  send("POST", "/experiments", experiment);
  clock.advance(std::chrono::seconds{61});
  const auto round = document(send("GET", "/rounds/r-0001/complete"));
  EXPECT_EQ(*round.find("completed")->if_bool(), true);
  EXPECT_EQ(*round.find("state")->if_string(), "failed");
  EXPECT_EQ(*round.find("code")->if_string(), "aggregator.too_few_participants");
  expect_error(send("POST", "/update", update_of("w1", 1)), 409, "aggregator.round_closed");
}

TEST_F(RestTest, only_operators_configure_rounds_and_store_models) {
  for (const auto* token : {"", "let-me-in", "LET-ME"}) {
    const auto refused = send("POST", "/experiments", experiment, token);
    expect_error(refused, 401, "aggregator.unauthorized");
    EXPECT_EQ(refused.headers.get("WWW-Authenticate"), "Bearer");
    expect_error(send("POST", "/models", R"({"version":1,"model":{"w":[1]}})", token), 401, "aggregator.unauthorized");
  }
  EXPECT_EQ(send("GET", "/models/0", "", "").status, 200);
  EXPECT_EQ(text(send("POST", "/models", R"({"version":1,"model":{"w":[1]}})")), R"({"version":1,"status":"stored"})");
}

TEST_F(RestTest, every_refusal_has_its_status_and_code) {
  send("POST", "/experiments", experiment);
  expect_error(send("POST", "/experiments", experiment), 409, "aggregator.round_exists");
  expect_error(send("POST", "/experiments", "{}"), 400, "fleet.missing_member");
  expect_error(send("POST", "/experiments", "{"), 400, "fleet.bad_payload");
  expect_error(send("GET", "/task"), 400, "aggregator.bad_request");
  expect_error(send("GET", "/task?round_id=r9"), 404, "aggregator.unknown_round");
  expect_error(send("GET", "/rounds/r9/complete"), 404, "aggregator.unknown_round");
  expect_error(send("GET", "/models/7"), 404, "aggregator.unknown_model");
  expect_error(send("GET", "/models/new"), 400, "aggregator.bad_request");
  expect_error(send("POST", "/models", R"({"version":0,"model":{"w":[1]}})"), 409, "aggregator.model_exists");
  expect_error(send("POST", "/models", R"({"version":1})"), 400, "aggregator.bad_model");
  expect_error(send("POST", "/models", R"({"version":-1,"model":{"w":[1]}})"), 400, "aggregator.bad_request");
  expect_error(send("POST", "/update", update_of("w9", 1)), 403, "aggregator.unknown_participant");
  expect_error(send("POST", "/update_cbor", "\xA0"), 501, "aggregator.unsupported");
  expect_error(send("GET", "/attestation?nonce=q83vASNFZ4mrze8BI0VniQ"), 503, "aggregator.not_attested");
  expect_error(send("GET", "/nothing"), 404, "aggregator.not_found");
  expect_error(send("DELETE", "/models"), 405, "aggregator.no_such_method");
  expect_error(Rest::refusal(413, "too large"), 413, "aggregator.http_413");
}

TEST_F(RestTest, health_and_metrics_tell_of_rounds) {
  send("POST", "/experiments", experiment);
  EXPECT_THAT(text(send("GET", "/health")), HasSubstr(R"("status":"ok")"));
  send("POST", "/update", update_of("w1", 1));
  send("POST", "/update", update_of("w1", 1));
  send("POST", "/update", update_of("w2", 1));
  const auto exposition = text(send("GET", "/metrics"));
  for (const auto* line :
       {"aggregator_updates_total{outcome=\"accepted\"} 2",
        "aggregator_updates_total{outcome=\"aggregator.duplicate_update\"} 1",
        "aggregator_rounds_total{outcome=\"completed\"} 1", "aggregator_state{figure=\"model_version\"} 1"}) {
    EXPECT_THAT(exposition, HasSubstr(line));
  }
}

}  // namespace
}  // namespace coffer::fleet::aggregator
