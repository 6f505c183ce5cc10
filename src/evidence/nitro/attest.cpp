#include <algorithm>

#include "codec/base64.h"
#include "crypto/hash.h"
#include "evidence/nitro/document.h"
#include "evidence/nitro/nitro.h"
#include "evidence/nitro/nsm_message.h"

namespace coffer::evidence::nitro {

namespace json = codec::json;

namespace {

class NitroAttester final : public Attester {
 public:
  explicit NitroAttester(std::unique_ptr<NsmDevice> device) : device_(std::move(device)) {}
  TeeKind kind() const override { return TeeKind::nitro; }

  Result<json::Value> attest(ByteView report_data) const override {
    const auto response = TRY(device_->exchange(encode_attestation_request({.nonce = to_bytes(report_data)})));
    const auto document = TRY(parse_attestation_response(response));
    return json::Value{json::Object{{"document", codec::base64_encode(document)}}};
  }

  // Documents state locked registers alone, so this one is extended once and then locked; a second start finds it so.
  Result<> bind_init_data(ByteView digest) const override {
    auto state = TRY(describe());
    if (!state.locked && is_zero(state.value)) {
      TRY(parse_extend_pcr_response(TRY(device_->exchange(encode_extend_pcr(init_data_pcr, digest)))));
      TRY(parse_lock_pcr_response(TRY(device_->exchange(encode_lock_pcr(init_data_pcr)))));
      state = TRY(describe());
    }
    const auto expected = init_data_pcr_value(digest);
    if (state.locked && state.value == expected) return {};
    return fail(EvidenceError::init_data_mismatch,
                "PCR16 is expected to be locked with the init-data's extension " + codec::hex_encode(expected) +
                    ", found " + (state.locked ? "locked " : "unlocked ") + codec::hex_encode(state.value));
  }

 private:
  static bool is_zero(ByteView value) {
    return std::ranges::all_of(value, [](std::byte b) { return b == std::byte{0}; });
  }
  Result<PcrState> describe() const {
    return parse_describe_pcr_response(TRY(device_->exchange(encode_describe_pcr(init_data_pcr))));
  }
  std::unique_ptr<NsmDevice> device_;
};

}  // namespace

Bytes init_data_pcr_value(ByteView init_data_digest) {
  const Bytes zero(pcr_size);
  return crypto::sha384(concat({zero, init_data_digest}));
}

std::unique_ptr<Attester> make_attester_over(std::unique_ptr<NsmDevice> device) {
  return std::make_unique<NitroAttester>(std::move(device));
}

Result<std::unique_ptr<Attester>> make_attester(TeeKind, const AttesterOptions& options) {
  return make_attester_over(system_nsm_device(options.root));
}

}  // namespace coffer::evidence::nitro
