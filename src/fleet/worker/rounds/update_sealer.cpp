#include "fleet/worker/rounds/update_sealer.h"

#include "base/log.h"
#include "base/printable.h"
#include "codec/base64.h"
#include "crypto/random.h"
#include "fleet/attested_key.h"
#include "fleet/round_update.h"
#include "fleet/worker/rounds/round_exchange.h"
#include "fleet/worker/rounds/round_update.h"

namespace coffer::fleet::worker {
namespace {

constexpr Duration timeout = std::chrono::seconds{30};
constexpr std::size_t nonce_size = 32;
constexpr std::size_t max_attestation = 1U << 20;
// MQTT brokers of upstream's composition take messages of 1 MiB, and a result is read by nobody but people.
constexpr std::size_t longest_in_result = 512U << 10;

std::string value_of(const std::map<std::string, std::string>& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::unexpected<Error> not_proven(const std::string& address, const Error& why) {
  return fail(WorkerError::aggregator_not_proven, "the update is not sent: the aggregator at \"" + address +
                                                      "\" has not proven itself: " + std::string{why.code.name()} +
                                                      ": " + why.message);
}

// What an aggregator says of an error, as {"error","code"}.
std::string words_of(const net::HttpResponse& answer) {
  const auto document = codec::json::parse(as_text(answer.body), {.max_size = 64U << 10, .max_depth = 8});
  const auto* code = document ? document->find("code") : nullptr;
  const auto* text = document ? document->find("error") : nullptr;
  std::string words = "HTTP " + std::to_string(answer.status);
  if (code != nullptr && code->if_string() != nullptr) words += " " + printable(*code->if_string(), 64);
  if (text != nullptr && text->if_string() != nullptr) words += ": " + printable(*text->if_string(), 512);
  return words;
}

// A guest of a federated round may have written numbers of its update anywhere.
void silence(RunReport& report) {
  report.results.clear();
  report.details.stdout_text.clear();
  report.details.stderr_text.clear();
  if (!report.error || report.error->code != WorkerError::exit_code) return;
  report.error->message = "the module ended with exit code " + std::to_string(report.details.exit_code.value_or(0)) +
                          "; what it wrote is not told, for its updates are sealed";
}

}  // namespace

UpdateSealer::UpdateSealer(std::optional<AggregatorTrust> trust, Parts parts)
    : trust_(std::move(trust)), parts_(std::move(parts)) {}

Result<std::unique_ptr<UpdateSealer>> UpdateSealer::create(std::optional<TokenTrustOptions> trust, Parts parts) {
  std::optional<AggregatorTrust> believed;
  if (trust) believed = TRY(AggregatorTrust::create(std::move(*trust)));
  return std::unique_ptr<UpdateSealer>(new UpdateSealer(std::move(believed), std::move(parts)));
}

bool UpdateSealer::applies_to(const StartCommand& task) const {
  if (!task.env.contains("ROUND_ID")) return false;
  const auto asked = value_of(task.env, "FL_UPDATE_SEALED");
  return always() || (!asked.empty() && asked != "0" && asked != "false");
}

Result<> UpdateSealer::check(const StartCommand& task, bool serves) const {
  if (!task.daemon && !task.latent && !serves) return {};
  return fail(WorkerError::unsupported,
              "an update is sealed when its task ends: daemons, latent tasks and modules that serve give none");
}

Result<> UpdateSealer::check_model(const Environment& environment) const {
  const auto uri = value_of(environment, "MODEL_URI");
  const auto model = value_of(environment, "MODEL_DATA");
  if (uri.empty() && model.empty()) return {};
  const auto address = parts_.aggregator(environment);
  if (uri.empty() || model.empty()) {
    return not_proven(address, {FleetError::missing_member, "the model \"" + uri + "\" cannot be had from it"});
  }
  TRY(prove(address, ModelName{.version = model_version(uri), .digest = digest_of_text(model)}));
  return {};
}

Result<codec::jose::Jwk> UpdateSealer::prove(const std::string& address, const std::optional<ModelName>& model) const {
  if (!trust_) {
    return not_proven(address, {FleetError::not_attested,
                                "this worker's PROPLET_AGGREGATOR_TRUST names no broker to believe tokens of"});
  }
  if (address.empty()) return not_proven(address, {FleetError::missing_member, "no COORDINATOR_URL is set"});
  const auto nonce = codec::base64url_encode(crypto::system_random().bytes(nonce_size));
  auto url = address + "/attestation?nonce=" + nonce;
  if (model) url += "&model=" + std::to_string(model->version);
  const auto answer = parts_.http->send({.url = url, .timeout = timeout, .max_response_size = max_attestation});
  if (!answer) return not_proven(address, answer.error());
  if (answer->status != 200) return not_proven(address, {FleetError::not_attested, words_of(*answer)});
  const auto shown = parse_aggregator_attestation(as_text(answer->body));
  if (!shown) return not_proven(address, shown.error());
  const auto standing = trust_->verify(*shown, nonce, parts_.clock.now(), model);
  if (!standing) return not_proven(address, standing.error());
  log::info("worker.aggregator_proven", "the aggregator has proven itself",
            {{"url", address}, {"tee", standing->tee}, {"token", standing->token_digest}});
  return standing->token->response_key();
}

Result<SignedUpdate> UpdateSealer::signed_update(std::string document, const UpdateOrigin& origin) const {
  SignedUpdate update{.document = std::move(document)};
  const auto now = parts_.clock.now();
  const auto own = parts_.token(now);
  if (!own) return update;
  update.token = own->token;
  update.signature = TRY(sign_update(update.document, origin, now, *own->tee_key));
  return update;
}

Result<SealedUpdate> UpdateSealer::sealed(const StartCommand& task, const Environment& environment,
                                          const RunReport& report) const {
  auto update = own_update(task.id, parts_.own_id, environment, report.results);
  update.module_digest = report.details.module_digest;
  const auto key = TRY(prove(parts_.aggregator(environment)));
  const UpdateOrigin origin{.proplet_id = update.proplet_id, .round_id = update.round_id};
  const auto content = TRY(signed_update(codec::json::serialize(write_round_update(update)), origin));
  return seal_update({.task_id = update.task_id, .round_id = update.round_id, .proplet_id = update.proplet_id}, content,
                     key);
}

Result<bool> UpdateSealer::deliver(const Environment& environment, const SealedUpdate& update) const {
  const auto text = codec::json::serialize(write_sealed_update(update));
  const auto url = parts_.aggregator(environment) + "/update";
  const auto answer = parts_.http->send({.method = "POST",
                                         .url = url,
                                         .headers = {{"Content-Type", "application/json"}},
                                         .body = to_bytes(text),
                                         .timeout = timeout});
  if (answer && answer->status >= 200 && answer->status < 300) return true;
  if (answer && answer->status >= 400 && answer->status < 500) {
    return fail(WorkerError::update_refused, "the aggregator does not count the update: " + words_of(*answer));
  }
  log::warn("worker.round", "the sealed update goes by MQTT, for want of an aggregator that answers",
            {{"url", url}, {"cause", answer ? words_of(*answer) : answer.error().message}});
  parts_.fall_back(environment, text);
  return false;
}

void UpdateSealer::seal(const StartCommand& task, const Environment& environment, RunReport& report) const {
  if (report.error) return silence(report);
  auto update = sealed(task, environment, report);
  silence(report);
  const auto delivered = update ? deliver(environment, *update) : Result<bool>{std::unexpected(update.error())};
  if (!delivered) {
    report.error = delivered.error();
    return;
  }
  if (*delivered && update->jwe.size() > longest_in_result) {
    update->digest = digest_of(*update);
    update->jwe.clear();
  }
  // Also what is signed as the result: the update as it goes out.
  report.results = codec::json::serialize(write_sealed_update(*update));
  report.sealed = std::move(*update);
}

}  // namespace coffer::fleet::worker
