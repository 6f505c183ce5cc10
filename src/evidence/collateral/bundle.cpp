#include "evidence/collateral/bundle.h"

#include "codec/base64.h"
#include "crypto/hash.h"

namespace coffer::evidence {

namespace json = codec::json;

namespace {

constexpr std::string_view format_name = "coffer-collateral";
constexpr std::size_t max_size = 64U << 20;

std::unexpected<Error> bad(const std::string& what) {
  return fail(CollateralError::bad_bundle, "the bundle of collateral " + what);
}

Result<std::string> digest_of(const json::Value& items) {
  const auto text = json::canonicalize(items);
  if (!text) return bad("does not have a canonical form: " + text.error().message);
  return codec::hex_encode(crypto::sha256(as_bytes(*text)));
}

Result<const json::Array*> items_of(const json::Value& document) {
  const auto* format = document.find("format");
  const auto* version = document.find("version");
  if (format == nullptr || version == nullptr || *format != json::Value{format_name} || *version != json::Value{1}) {
    return bad("is expected to be of the format coffer-collateral, version 1");
  }
  const auto* items = document.find("items");
  if (items == nullptr || !items->is_array()) return bad("is expected to have an array items");
  const auto* stated = document.find("sha256");
  const auto found = TRY(digest_of(*items));
  if (stated != nullptr && *stated == json::Value{found}) return items->if_array();
  return bad("was altered: its items have the digest " + found + ", which it does not state");
}

}  // namespace

Result<std::string> write_bundle(std::span<const CollateralRecord> records) {
  json::Array items;
  for (const auto& record : records) items.emplace_back(record.to_json());
  json::Value list{std::move(items)};
  auto digest = TRY(digest_of(list));
  return json::serialize_pretty(json::Object{
             {"format", format_name}, {"version", 1}, {"items", std::move(list)}, {"sha256", std::move(digest)}}) +
         "\n";
}

Result<std::vector<CollateralRecord>> read_bundle(std::string_view text) {
  const auto document = json::parse(text, {.max_size = max_size});
  if (!document) return bad("does not parse: " + document.error().message);
  std::vector<CollateralRecord> out;
  for (const auto& item : *TRY(items_of(*document))) out.push_back(TRY(CollateralRecord::from_json(item)));
  return out;
}

}  // namespace coffer::evidence
