// The messages to an external verifier or attester (docs/tees/external.md), without a socket: text in, text out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "evidence/external/error.h"
#include "evidence/tee.h"

namespace coffer::evidence::external {

inline constexpr int protocol_version = 1;
inline constexpr std::size_t max_request = 8U << 20;  // bytes of JSON, without the length before them
inline constexpr std::size_t max_answer = 1U << 20;

// 1 to 32 of [a-z0-9-], beginning with a letter, and no TEE of ours: an external one never speaks for those. bad_type.
Result<std::string> parse_type(std::string_view name);

struct Call {
  std::uint64_t id;
  std::string type;
};
std::string encode_verify(const Call& call, const codec::json::Value& evidence, const Binding& binding, TimePoint now);
std::string encode_attest(const Call& call, ByteView report_data);
std::string encode_bind_init_data(const Call& call, ByteView digest);

// What a verifier answers. bad_answer; refused; report_data_mismatch or init_data_mismatch where it does not state that
// it held what `binding` demands.
Result<codec::json::Object> parse_verify_answer(std::string_view answer, const Call& call, const Binding& binding);
// bad_answer; EvidenceError::device_failed with the attester's own words, not_supported where it says so.
Result<codec::json::Value> parse_attest_answer(std::string_view answer, const Call& call);
Result<> parse_bind_init_data_answer(std::string_view answer, const Call& call);

}  // namespace coffer::evidence::external
