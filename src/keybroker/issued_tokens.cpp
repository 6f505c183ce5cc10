#include "keybroker/issued_tokens.h"

#include "codec/base64.h"
#include "crypto/hash.h"
#include "keybroker/refusal.h"
#include "keybroker/sweep.h"

namespace coffer::keybroker {
namespace {

namespace json = codec::json;

constexpr std::string_view space = "kbs_issued_token";

Result<IssuedToken> parse(std::string_view text) {
  const auto document = TRY(json::parse(text));
  const auto* object = TRY(document.as_object("issued token"));
  IssuedToken issued {
    .session = std::string {
      TRY(json::string_member(*object, "session", "issued token"))
    }
    , .tee = std::string {
      TRY(json::string_member(*object, "tee", "issued token"))
    }
    , .expires = TRY(parse_rfc3339(TRY(json::string_member(*object, "expires", "issued token"))))
  };
  issued.explanation = *TRY(json::array_member(*object, "explanation", "issued token"));
  return issued;
}

Error storage_trouble(const Error& cause) {
  return because(BrokerError::storage_failed, "the token store failed", cause);
}

}  // namespace

std::string token_id(std::string_view token) {
  return codec::hex_encode(crypto::sha256(as_bytes(token)));
}

Result<> IssuedTokens::remember(std::string_view token, const IssuedToken& issued) {
  const json::Object record{{"session", issued.session},
                            {"tee", issued.tee},
                            {"expires", format_rfc3339(issued.expires)},
                            {"explanation", issued.explanation}};
  const auto put = store_->put(space, token_id(token), as_bytes(json::serialize(record)));
  if (!put) return fail(storage_trouble(put.error()));
  return {};
}

Result<std::optional<IssuedToken>> IssuedTokens::find(std::string_view token) const {
  const auto stored = store_->get(space, token_id(token));
  if (!stored) return fail(storage_trouble(stored.error()));
  const auto& text = *stored;
  if (!text) return std::nullopt;
  auto issued = parse(as_text(*text));
  if (!issued) return fail(storage_trouble(issued.error()));
  return issued;
}

Result<std::size_t> IssuedTokens::sweep(TimePoint now) {
  const auto swept = TRY(sweep_space(*store_, space, [&](std::string_view stored) {
    const auto issued = parse(stored);
    return issued && now < issued->expires;
  }));
  return swept.removed;
}

}  // namespace coffer::keybroker
