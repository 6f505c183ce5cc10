#include "codec/jose/detail/jwe_message.h"

#include "codec/jose/detail/header.h"
#include "crypto/aead.h"

namespace coffer::codec::jose::detail {
namespace {

// Each costs a private key operation, so that a message may not bring any number of them.
constexpr std::size_t max_recipients = 64;

// AES-GCM alone (RFC 7518 section 5.3): none of our peers uses the CBC family.
Result<std::size_t> content_key_size(const json::Object& header) {
  const auto enc = TRY(relabel(json::string_member(header, "enc", "header"), JoseError::malformed));
  if (enc == "A256GCM") return 32;
  if (enc == "A192GCM") return 24;
  if (enc == "A128GCM") return 16;
  return fail(JoseError::algorithm_not_allowed,
              "the content encryption " + std::string{enc.substr(0, 40)} + " is not allowed here");
}

Result<JweRecipient> make_recipient(json::Object header, Bytes encrypted_key) {
  TRY(refuse_critical(header));
  // Compression before encryption leaks through the length, and inflates without a bound.
  if (header.contains("zip"))
    return fail(JoseError::algorithm_not_allowed, "a compressed JWE (zip) is not allowed here");
  std::string alg {
    TRY(relabel(json::string_member(header, "alg", "header"), JoseError::malformed))
  };
  const auto size = TRY(content_key_size(header));
  return JweRecipient{std::move(header), std::move(alg), std::move(encrypted_key), size};
}

// RFC 7518 section 5.3: 96 bits of IV, 128 bits of tag.
Result<> check_sizes(const JweMessage& message) {
  if (message.iv.size() != crypto::gcm_iv_size) {
    return fail(JoseError::malformed, "the iv must have 12 bytes, and has " + std::to_string(message.iv.size()));
  }
  if (message.tag.size() != crypto::gcm_tag_size) {
    return fail(JoseError::malformed, "the tag must have 16 bytes, and has " + std::to_string(message.tag.size()));
  }
  return {};
}

Result<JweMessage> parse_compact(std::string_view text) {
  const auto parts = TRY(split_compact(text, 5, "JWE"));
  JweMessage message;
  message.aad = parts[0];
  message.recipients.push_back(
      TRY(make_recipient(TRY(decode_header(parts[0])), TRY(decode_part(parts[1], "encrypted key")))));
  message.iv = TRY(decode_part(parts[2], "iv"));
  message.ciphertext = TRY(decode_part(parts[3], "ciphertext"));
  message.tag = TRY(decode_part(parts[4], "tag"));
  return message;
}

// Nothing where absent.
Result<std::string_view> text_or_empty(const json::Object& object, std::string_view key) {
  if (!object.contains(key)) return std::string_view{};
  return relabel(json::string_member(object, key, "jwe"), JoseError::malformed);
}

Result<> merge_member(json::Object& header, const json::Object& object, std::string_view key) {
  const auto* member = object.find(key);
  if (member == nullptr) return {};
  return merge_header(header, *TRY(relabel(member->as_object(key), JoseError::malformed)));
}

// `object`: an element of "recipients", or the whole of a flattened JWE.
Result<JweRecipient> parse_recipient(json::Object header, const json::Object& object) {
  TRY(merge_member(header, object, "header"));
  return make_recipient(std::move(header),
                        TRY(decode_part(TRY(text_or_empty(object, "encrypted_key")), "encrypted_key")));
}

Result<std::vector<JweRecipient>> parse_recipients(const json::Object& shared_header, const json::Object& object) {
  std::vector<JweRecipient> out;
  if (!object.contains("recipients")) {
    out.push_back(TRY(parse_recipient(shared_header, object)));
    return out;
  }
  const auto& recipients = *TRY(relabel(json::array_member(object, "recipients", "jwe"), JoseError::malformed));
  if (recipients.empty() || recipients.size() > max_recipients || object.contains("encrypted_key") ||
      object.contains("header")) {
    return fail(JoseError::malformed, "a general JWE must have 1 to " + std::to_string(max_recipients) +
                                          " recipients, and no header or encrypted_key beside them");
  }
  for (const auto& recipient : recipients) {
    out.push_back(TRY(
        parse_recipient(shared_header, *TRY(relabel(recipient.as_object("jwe.recipients[]"), JoseError::malformed)))));
  }
  return out;
}

Result<JweMessage> parse_json(std::string_view text) {
  const auto value = TRY(relabel(json::parse(text, message_limits), JoseError::malformed));
  const auto& object = *TRY(relabel(value.as_object("jwe"), JoseError::malformed));
  const auto protected_text = TRY(text_or_empty(object, "protected"));
  json::Object header;
  if (!protected_text.empty()) header = TRY(decode_header(protected_text));
  TRY(merge_member(header, object, "unprotected"));
  JweMessage message;
  message.aad = protected_text;
  // RFC 7516 section 5.1 step 14.
  if (object.contains("aad")) message.aad += "." + std::string {
      TRY(text_or_empty(object, "aad"))
    };
  message.recipients = TRY(parse_recipients(header, object));
  message.iv = TRY(decode_member(object, "iv", "jwe"));
  message.ciphertext = TRY(decode_member(object, "ciphertext", "jwe"));
  message.tag = TRY(decode_member(object, "tag", "jwe"));
  return message;
}

}  // namespace

Result<JweMessage> JweMessage::parse(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  auto message = TRY(first != std::string_view::npos && text[first] == '{' ? parse_json(text) : parse_compact(text));
  TRY(check_sizes(message));
  return message;
}

}  // namespace coffer::codec::jose::detail
