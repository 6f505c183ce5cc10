// Rounds, updates and models by REST.
#include <charconv>

#include "fleet/aggregator/rest.h"
#include "fleet/round_update.h"

namespace coffer::fleet::aggregator {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

net::ServerResponse json_response(int status, const Value& value) {
  return net::ServerResponse::text(status, "application/json", codec::json::serialize(value));
}

std::string queried(const std::map<std::string, std::string>& query, const std::string& key) {
  const auto found = query.find(key);
  return found == query.end() ? "" : found->second;
}

Result<std::string> required(const std::map<std::string, std::string>& query, const std::string& key) {
  auto value = queried(query, key);
  if (value.empty()) return fail(AggregatorError::bad_request, "the query's " + key + " is required");
  return value;
}

// JSON carries no larger one exactly.
Result<std::uint64_t> version_of(std::string_view text) {
  constexpr std::uint64_t largest = 1ULL << 53;
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error == std::errc{} && end == text.data() + text.size() && version <= largest) return version;
  return fail(AggregatorError::bad_request, "a model's version is expected to be a number");
}

std::string_view name_of(Round::State state) {
  switch (state) {
    case Round::State::open: return "open";
    case Round::State::completed: return "completed";
    case Round::State::failed: return "failed";
  }
  return "";
}

// What upstream's coordinator says, and what its manager reads in "status". It calls a round completed when it takes no
// more updates, whatever came of it.
Object round_json(const RoundView& round) {
  const bool closed = round.state != Round::State::open;
  Object document{{"round_id", round.round_id}, {"completed", closed}, {"num_updates", round.updates}};
  document.append("k_of_n", round.k);
  if (round.state == Round::State::completed) document.append("model_version", round.model_version);
  const Value status{document};
  document.append("status", status);
  document.append("state", name_of(round.state));
  document.append("deadline", format_rfc3339(round.deadline));
  if (round.state == Round::State::completed) {
    document.append("model_uri", uri_of(round.model_version));
    document.append("model_digest", round.model_digest);
  }
  if (round.failure) {
    document.append("error", round.failure->message);
    document.append("code", round.failure->code.name());
  }
  if (!round.statement.empty()) {
    document.append("statement", round.statement);
    document.append("token", round.token);
  }
  return document;
}

}  // namespace

Rest::Answer Rest::configure(const Call& call) {
  const auto body = TRY(parse_update_object(as_text(call.request.body)));
  auto plan = TRY(read_plan(body, parts_.aggregator.options().rounds));
  const auto round = TRY(parts_.aggregator.configure(std::move(plan)));
  if (parts_.configured) parts_.configured();
  return json_response(201, Object{{"experiment_id", round.experiment_id},
                                   {"round_id", round.round_id},
                                   {"status", "configured"},
                                   {"model_version", round.base_version},
                                   {"k_of_n", round.k},
                                   {"deadline", format_rfc3339(round.deadline)}});
}

Rest::Answer Rest::task(const Call& call) {
  const auto round = TRY(parts_.aggregator.round(TRY(required(call.query, "round_id"))));
  const Object task{{"round_id", round.round_id},
                    {"model_ref", uri_of(round.base_version)},
                    {"config", Object{{"proplet_id", queried(call.query, "proplet_id")}}},
                    {"hyperparams", round.hyperparams}};
  return json_response(200, Object{{"task", task}});
}

Rest::Answer Rest::update(const Call& call) {
  const auto taken = [&]() -> Result<> {
    const auto received = TRY(parts_.intake.read(as_text(call.request.body)));
    return parts_.aggregator.take(received);
  }();
  updates_.increment({taken ? std::string_view{"accepted"} : taken.error().code.name()});
  TRY(taken);
  return json_response(200, Object{{"status", "accepted"}});
}

Rest::Answer Rest::update_cbor(const Call& /*call*/) {
  return fail(AggregatorError::unsupported, "updates in CBOR are not taken, nor does upstream's coordinator take them");
}

Rest::Answer Rest::round(const Call& call) {
  return json_response(200, round_json(TRY(parts_.aggregator.round(call.segments.at(1)))));
}

Rest::Answer Rest::next_round(const Call& /*call*/) {
  const auto last = parts_.aggregator.last_completed();
  if (!last) {
    return json_response(200, Object{{"next_round_available", false}, {"message", "No completed rounds found"}});
  }
  return json_response(200, Object{{"next_round_available", true},
                                   {"last_completed_round", last->round_id},
                                   {"new_model_version", last->model_version},
                                   {"model_uri", uri_of(last->model_version)},
                                   {"status", "ready"}});
}

Rest::Answer Rest::list_models(const Call& /*call*/) {
  const auto versions = parts_.aggregator.versions();
  return json_response(200, Object{{"versions", Array(versions.begin(), versions.end())}});
}

Rest::Answer Rest::get_model(const Call& call) {
  const auto version = TRY(version_of(call.segments.at(1)));
  const auto model = TRY(parts_.aggregator.model(version));
  return net::ServerResponse::text(200, "application/json", model->text);
}

Rest::Answer Rest::store_model(const Call& call) {
  const auto body = TRY(parse_update_object(as_text(call.request.body)));
  const auto* number = body.find("version");
  const auto version = TRY(version_of(number == nullptr ? "" : codec::json::serialize(*number)));
  const auto* model = body.find("model");
  const auto* document = model == nullptr ? nullptr : model->if_object();
  if (document == nullptr) return fail(AggregatorError::bad_model, "{\"version\":n,\"model\":{...}} is expected");
  TRY(parts_.aggregator.store(TRY(Model::read(*document, version, parts_.aggregator.options().max_parameters))));
  return json_response(201, Object{{"version", version}, {"status", "stored"}});
}

Rest::Answer Rest::attestation(const Call& call) {
  if (parts_.prover == nullptr) {
    return fail(AggregatorError::not_attested, "this aggregator runs outside of a TEE (--open) and proves nothing");
  }
  const auto nonce = TRY(required(call.query, "nonce"));
  std::optional<ModelName> name;
  if (const auto asked = queried(call.query, "model"); !asked.empty()) {
    const auto version = TRY(version_of(asked));
    const auto model = TRY(parts_.aggregator.model(version));
    name = ModelName{.version = version, .digest = model->digest};
  }
  const auto shown = TRY(parts_.prover->prove(nonce, name));
  return net::ServerResponse::text(200, "application/json", to_json(shown));
}

}  // namespace coffer::fleet::aggregator
