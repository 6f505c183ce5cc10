// elastic:hal/attestation: this machine's evidence, bound to the caller's data and to the code that asked.
#include <atomic>

#include "crypto/hash.h"
#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

constexpr std::size_t max_report_data = 64;
constexpr unsigned max_attestations = 64;  // of one task: a TEE's signer serves the whole machine, one at a time

class Attestation final : public Table<Attestation> {
 public:
  static constexpr std::string_view id = "elastic:hal/attestation@0.1.0";
  static std::span<const Function<Attestation>> table();
  explicit Attestation(const Context& context) : context_(context) {}

 private:
  Result<Value> attest(Arguments& arguments) {
    const auto report_data = TRY(arguments.bytes());
    if (report_data.size() > max_report_data) {
      return fail(HalError::bad_value, "report data has at most 64 bytes, not " + std::to_string(report_data.size()));
    }
    const auto& attester = context_.services.attest;
    if (!attester) return fail(HalError::unavailable, "this machine shows no TEE that could attest");
    if (made_.fetch_add(1) >= max_attestations) {
      return fail(HalError::limit, "a task attests at most " + std::to_string(max_attestations) + " times");
    }
    const auto evidence = TRY(attester(bound_report_data(report_data, context_.task.module_digest)));
    context_.events.record(EventType::platform, "attested");
    return Value{to_bytes(codec::json::serialize(evidence))};
  }

  const Context context_;
  std::atomic<unsigned> made_ = 0;
};

std::span<const Function<Attestation>> Attestation::table() {
  static constexpr std::array<Function<Attestation>, 1> functions = {{{"attestation", 1, &Attestation::attest}}};
  return functions;
}

}  // namespace

Bytes bound_report_data(ByteView report_data, std::string_view module_digest) {
  const Bytes zero(1);
  return crypto::hash(crypto::HashAlgorithm::sha512,
                      concat({as_bytes(Attestation::id), zero, as_bytes(module_digest), zero, report_data}));
}

std::unique_ptr<Interface> make_attestation(const Context& context) {
  return std::make_unique<Attestation>(context);
}

}  // namespace coffer::workload::hal
