#include <atomic>
#include <cstdlib>

#include "evidence/external/external.h"
#include "evidence/external/message.h"
#include "evidence/external/settings.h"

namespace coffer::evidence::external {

namespace json = codec::json;

namespace {

class ExternalAttester final : public Attester {
 public:
  // A null channel: none is configured, which is an error only for whoever attests.
  ExternalAttester(std::string type, std::unique_ptr<Channel> channel)
      : type_(std::move(type)), channel_(std::move(channel)) {}
  TeeKind kind() const override { return TeeKind::external; }

  Result<json::Value> attest(ByteView report_data) const override {
    const auto call = TRY(new_call());
    const auto answer = TRY(channel_->exchange(encode_attest(call, report_data)));
    return json::Value{json::Object{{"type", type_}, {"evidence", TRY(parse_attest_answer(answer, call))}}};
  }

  Result<> bind_init_data(ByteView digest) const override {
    const auto call = TRY(new_call());
    return parse_bind_init_data_answer(TRY(channel_->exchange(encode_bind_init_data(call, digest))), call);
  }

 private:
  Result<Call> new_call() const {
    if (channel_ != nullptr) return Call{next_id_++, type_};
    return fail(EvidenceError::no_device,
                "no external attester is configured: COFFER_EXTERNAL_ATTESTER is expected to be TYPE=PATH");
  }
  std::string type_;
  std::unique_ptr<Channel> channel_;
  mutable std::atomic<std::uint64_t> next_id_{1};
};

}  // namespace

std::unique_ptr<Attester> make_attester_over(std::string type, std::unique_ptr<Channel> channel) {
  return std::make_unique<ExternalAttester>(std::move(type), std::move(channel));
}

Result<std::unique_ptr<Attester>> make_attester(TeeKind, const AttesterOptions& options) {
  auto configured = TRY(read_attester(options.config, std::getenv("COFFER_EXTERNAL_ATTESTER")));
  if (!configured) return make_attester_over({}, nullptr);
  return make_attester_over(configured->type, connect_by(configured->socket));
}

}  // namespace coffer::evidence::external
