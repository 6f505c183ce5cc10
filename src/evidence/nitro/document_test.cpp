#include "evidence/nitro/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::evidence::nitro {
namespace {

namespace cbor = codec::cbor;
using testing::HasSubstr;

Payload valid() {
  return {.module_id = "i-1-enc2",
          .timestamp_ms = 1'700'000'000'000,
          .digest = "SHA384",
          .pcrs = {{0, Bytes(48, std::byte{1})}, {31, Bytes(48)}},
          .certificate = Bytes(1024, std::byte{2}),
          .cabundle = {Bytes(1), Bytes(1024)}};
}

Error refusal(const Payload& payload) {
  const auto parsed = parse_payload(encode_payload(payload));
  EXPECT_FALSE(parsed);
  return parsed ? Error{NitroError::stale, "accepted"} : parsed.error();
}

// The valid payload with one member replaced, or removed where `value` is nothing.
cbor::Map with(std::string_view key, std::optional<cbor::Value> value) {
  auto map = *cbor::parse(encode_payload(valid()))->if_map();
  std::erase_if(map, [&](const auto& entry) { return *entry.first.if_text() == key; });
  if (value) map.emplace_back(std::string{key}, *std::move(value));
  return map;
}

Error refusal(std::string_view key, std::optional<cbor::Value> value) {
  const auto parsed = parse_payload(cbor::encode(with(key, std::move(value))));
  EXPECT_FALSE(parsed) << key;
  return parsed ? Error{NitroError::stale, "accepted"} : parsed.error();
}

TEST(NitroPayload, all_fields_are_read_and_absent_ones_are_absent) {
  auto wanted = valid();
  auto payload = parse_payload(encode_payload(wanted));
  ASSERT_TRUE(payload) << to_string(payload.error());
  EXPECT_EQ(payload->module_id, "i-1-enc2");
  EXPECT_EQ(payload->timestamp(), from_unix_seconds(1'700'000'000));
  EXPECT_EQ(payload->pcrs, wanted.pcrs);
  EXPECT_EQ(payload->cabundle, wanted.cabundle);
  EXPECT_FALSE(payload->nonce);
  wanted.nonce = Bytes(512);
  wanted.user_data = Bytes{};
  wanted.public_key = Bytes(1024);
  payload = parse_payload(encode_payload(wanted));
  ASSERT_TRUE(payload) << to_string(payload.error());
  EXPECT_EQ(payload->nonce, wanted.nonce);
  EXPECT_EQ(payload->user_data, Bytes{});
  EXPECT_EQ(payload->public_key, wanted.public_key);
}

TEST(NitroPayload, pcr0_of_zeros_alone_is_debug) {
  auto payload = valid();
  EXPECT_FALSE(payload.debug());
  payload.pcrs[0] = Bytes(48);
  EXPECT_TRUE(payload.debug());
}

TEST(NitroPayload, sizes_outside_the_grammar_are_refused) {
  auto payload = valid();
  payload.nonce = Bytes(513);
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
  EXPECT_THAT(refusal(payload).message, HasSubstr("nonce is expected to be 0 to 512 bytes, found 513 bytes"));
  payload = valid();
  payload.user_data = Bytes(513);
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
  payload = valid();
  payload.public_key = Bytes(1025);
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
  payload.public_key = Bytes{};
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
  payload = valid();
  payload.certificate = Bytes(1025);
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
  payload = valid();
  payload.cabundle = {};
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
  payload.cabundle = std::vector<Bytes>(9, Bytes(10));
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
  payload.cabundle = {Bytes{}};
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
  payload = valid();
  payload.module_id = "";
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
  payload = valid();
  payload.timestamp_ms = UINT64_MAX;
  EXPECT_EQ(refusal(payload).code, NitroError::bad_payload);
}

TEST(NitroPayload, another_digest_is_refused) {
  auto payload = valid();
  payload.digest = "SHA256";
  EXPECT_THAT(refusal(payload).message, HasSubstr("\"SHA384\", found \"SHA256\""));
}

TEST(NitroPayload, registers_of_another_size_or_index_and_a_missing_pcr0_are_refused) {
  auto payload = valid();
  payload.pcrs[1] = Bytes(32);
  EXPECT_EQ(refusal(payload).code, NitroError::bad_pcrs);
  payload = valid();
  payload.pcrs[32] = Bytes(48);
  EXPECT_EQ(refusal(payload).code, NitroError::bad_pcrs);
  payload = valid();
  payload.pcrs.erase(0);
  EXPECT_THAT(refusal(payload).message, HasSubstr("PCR0"));
  payload.pcrs = {};
  EXPECT_EQ(refusal(payload).code, NitroError::bad_pcrs);
  EXPECT_EQ(refusal("pcrs", cbor::Value{cbor::Map{{"0", Bytes(48)}}}).code, NitroError::bad_pcrs);
  EXPECT_EQ(refusal("pcrs", cbor::Value{cbor::Map{{0, "text"}}}).code, NitroError::bad_pcrs);
}

TEST(NitroPayload, members_of_another_type_or_missing_are_refused) {
  for (const auto key : {"module_id", "digest", "timestamp", "certificate", "cabundle"}) {
    EXPECT_EQ(refusal(key, std::nullopt).code, NitroError::bad_payload) << key;
    EXPECT_EQ(refusal(key, cbor::Value{true}).code, NitroError::bad_payload) << key;
    EXPECT_EQ(refusal(key, cbor::Value{}).code, NitroError::bad_payload) << key;
  }
  for (const auto key : {"nonce", "user_data", "public_key"}) {
    EXPECT_EQ(refusal(key, cbor::Value{1}).code, NitroError::bad_payload) << key;
  }
}

TEST(NitroPayload, what_is_no_single_map_is_refused) {
  EXPECT_EQ(parse_payload(Bytes{}).error().code, NitroError::bad_payload);
  EXPECT_EQ(parse_payload(cbor::encode(cbor::Array{})).error().code, NitroError::bad_payload);
  auto longer = encode_payload(valid());
  longer.push_back(std::byte{0});
  EXPECT_EQ(parse_payload(longer).error().code, NitroError::bad_payload);
}

// COSE_Sign1 of a valid payload; its signature is not looked at here.
struct Envelope {
  cbor::Value protected_header = cbor::Map{{1, -35}};
  cbor::Value unprotected_header = cbor::Map{};
  cbor::Value payload = encode_payload(valid());
  Bytes encoded() const {
    return cbor::encode(cbor::Array{cbor::encode(protected_header), unprotected_header, payload, Bytes(96)});
  }
};

TEST(NitroDocument, the_tag_of_cose_is_optional) {
  const auto untagged = Envelope{}.encoded();
  EXPECT_TRUE(parse_document(untagged));
  EXPECT_TRUE(parse_document(cbor::encode(cbor::Value::tagged(18, *cbor::parse(untagged)))));
  EXPECT_EQ(parse_document(cbor::encode(cbor::Value::tagged(17, *cbor::parse(untagged)))).error().code,
            NitroError::not_a_document);
}

TEST(NitroDocument, headers_say_es384_and_nothing_else) {
  EXPECT_EQ(parse_document(Envelope{.protected_header = cbor::Map{{1, -7}}}.encoded()).error().code,
            NitroError::bad_header);
  EXPECT_EQ(parse_document(Envelope{.protected_header = cbor::Map{}}.encoded()).error().code, NitroError::bad_header);
  EXPECT_EQ(parse_document(Envelope{.protected_header = cbor::Map{{1, -35}, {4, "kid"}}}.encoded()).error().code,
            NitroError::bad_header);
  EXPECT_EQ(parse_document(Envelope{.unprotected_header = cbor::Map{{4, "kid"}}}.encoded()).error().code,
            NitroError::bad_header);
  EXPECT_EQ(parse_document(Envelope{.payload = cbor::Value{}}.encoded()).error().code, NitroError::bad_header);
}

TEST(NitroDocument, what_is_no_cose_message_or_too_long_is_no_document) {
  EXPECT_EQ(parse_document({}).error().code, NitroError::not_a_document);
  EXPECT_EQ(parse_document(as_bytes("text")).error().code, NitroError::not_a_document);
  EXPECT_EQ(parse_document(Bytes(max_document + 1)).error().code, NitroError::not_a_document);
  auto longer = Envelope{}.encoded();
  longer.push_back(std::byte{0});
  EXPECT_EQ(parse_document(longer).error().code, NitroError::not_a_document);
}

TEST(NitroError, each_code_has_a_name) {
  EXPECT_EQ(code_name(NitroError::not_a_document), "nitro.not_a_document");
  EXPECT_EQ(code_name(NitroError::debug_mode), "nitro.debug_mode");
}

}  // namespace
}  // namespace coffer::evidence::nitro
