#include "evidence/cca/collection.h"

#include "evidence/cbor_fields.h"
#include "evidence/cca/token.h"

namespace coffer::evidence::cca {

namespace cbor = codec::cbor;

namespace {

constexpr std::uint64_t plain_tag = 399;
constexpr std::uint64_t cmw_tag = 907;
constexpr std::int64_t label_platform = 44234;
constexpr std::int64_t label_realm = 44241;
constexpr std::string_view collection_type = "__cmwc_t";  // names the kind of a CMW collection, if it is there
constexpr std::uint64_t eat_cwt_format = 263;             // CoAP's number of the media type below
constexpr std::string_view eat_cwt_type = "application/eat+cwt";

constexpr cbor::Limits limits{.max_size = max_token, .max_depth = 6, .max_items = 2048};

std::unexpected<Error> bad(const std::string& message) {
  return fail(CcaError::not_a_token, message);
}

Result<cbor::Value> parse_bounded(ByteView token) {
  if (token.empty() || token.size() > max_token) {
    return bad("a CCA token is expected to have 1 to " + std::to_string(max_token) + " bytes, found " +
               std::to_string(token.size()));
  }
  auto value = cbor::parse(token, limits);
  if (value) return value;
  return bad("the CCA token: " + value.error().message);
}

Result<Wrapping> wrapping_of(const cbor::Value& value) {
  const auto* tagged = value.if_tagged();
  if (tagged != nullptr && tagged->tag == plain_tag) return Wrapping::plain;
  if (tagged != nullptr && tagged->tag == cmw_tag) return Wrapping::cmw;
  return bad("a CCA token is expected to have the CBOR tag 399 or 907, found " +
             (tagged == nullptr ? "none" : std::to_string(tagged->tag)));
}

// "application/eat+cwt", by name or number, with or without a profile: the signed claims name their own.
bool is_eat(const cbor::Value& type) {
  if (type.if_uint64() == eat_cwt_format) return true;
  const auto* text = type.if_text();
  return text != nullptr && (*text == eat_cwt_type || text->starts_with(std::string{eat_cwt_type} + ";"));
}

// A CMW record: [type, value, ? what kinds of message it holds]. Null where it is absent or none.
const cbor::Value* token_of_record(const cbor::Value* record) {
  const auto* fields = record == nullptr ? nullptr : record->if_array();
  if (fields == nullptr || fields->size() < 2 || fields->size() > 3 || !is_eat(fields->front())) return nullptr;
  return &(*fields)[1];
}

std::size_t count_tokens(const cbor::Map& map, Wrapping wrapping) {
  std::size_t out = map.size();
  for (const auto& [key, value] : map) {
    const auto* text = key.if_text();
    if (wrapping == Wrapping::cmw && text != nullptr && *text == collection_type) --out;
  }
  return out;
}

}  // namespace

Result<Collection> parse_collection(ByteView token) {
  const auto value = TRY(parse_bounded(token));
  const auto wrapping = TRY(wrapping_of(value));
  const auto& content = value.if_tagged()->content;
  const auto fields = TRY(CborFields::open(content, CcaError::not_a_token, "the CCA token"));
  if (const auto found = count_tokens(*content.if_map(), wrapping); found != 2) {
    return bad("a CCA token is expected to hold two tokens, found " + std::to_string(found));
  }
  const auto read = [&](std::int64_t label, std::string_view name) -> Result<Bytes> {
    const auto* member = fields.find(label);
    if (wrapping == Wrapping::plain) return fields.bytes(member, name, {1, max_token});
    const auto* bytes = token_of_record(member);
    if (bytes == nullptr) return fields.bad(name, "a CMW record of application/eat+cwt (263)", "another or none");
    return fields.bytes(bytes, name, {1, max_token});
  };
  Collection out;
  out.platform = TRY(read(label_platform, "the platform token (44234)"));
  out.realm = TRY(read(label_realm, "the realm token (44241)"));
  return out;
}

Bytes encode(const Collection& tokens, Wrapping wrapping) {
  const auto entry = [&](const Bytes& token) -> cbor::Value {
    if (wrapping == Wrapping::plain) return token;
    return cbor::Array{eat_cwt_format, token};
  };
  cbor::Map map{{label_platform, entry(tokens.platform)}, {label_realm, entry(tokens.realm)}};
  return cbor::encode(cbor::Value::tagged(wrapping == Wrapping::plain ? plain_tag : cmw_tag, std::move(map)));
}

}  // namespace coffer::evidence::cca
