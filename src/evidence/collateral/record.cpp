#include "evidence/collateral/record.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "crypto/hash.h"

namespace coffer::evidence {

namespace json = codec::json;

namespace {

constexpr std::size_t max_name = 200;

std::unexpected<Error> bad(const std::string& what) {
  return fail(CollateralError::bad_bundle, "an item of collateral " + what);
}

bool is_name(std::string_view text) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= max_name && text.find_first_not_of(allowed) == std::string_view::npos &&
         text != "." && text != "..";
}

Result<std::string> text_member(const json::Value& value, std::string_view name) {
  const auto* member = value.find(name);
  if (member != nullptr && member->is_string()) return *member->if_string();
  return bad("is expected to have the text " + std::string{name});
}

Result<std::optional<TimePoint>> time_member(const json::Value& value, std::string_view name) {
  if (value.find(name) == nullptr) return std::nullopt;
  const auto time = parse_rfc3339(TRY(text_member(value, name)));
  // Years that RFC 3339 cannot write come about by offsets.
  if (!time || !parse_rfc3339(format_rfc3339(*time))) return bad("has no time in " + std::string{name});
  return *time;
}

}  // namespace

Result<> check_item_name(std::string_view kind, std::string_view key) {
  if (is_name(kind) && is_name(key)) return {};
  return fail(CollateralError::malformed, "\"" + std::string{kind.substr(0, max_name)} + "/" +
                                              std::string{key.substr(0, max_name)} + "\" cannot name an item");
}

bool CollateralRecord::holds_at(TimePoint at) const {
  return (!validity.from || *validity.from <= at) && (!validity.until || at < *validity.until);
}

std::string CollateralRecord::digest() const {
  ByteWriter all;
  all.u64_le(blob->issuer_chain.size()).bytes(as_bytes(blob->issuer_chain)).bytes(blob->body);
  return codec::hex_encode(crypto::sha256(all.view()));
}

std::string CollateralRecord::store_key() const {
  return kind + "/" + key + "/" + digest().substr(0, 16);
}

json::Object CollateralRecord::to_json() const {
  json::Object out{{"kind", kind}, {"key", key}, {"retrieved_at", format_rfc3339(retrieved_at)}};
  if (validity.from) out.append("from", format_rfc3339(*validity.from));
  if (validity.until) out.append("until", format_rfc3339(*validity.until));
  out.append("body", codec::base64_encode(blob->body));
  if (!blob->issuer_chain.empty()) out.append("issuer_chain", blob->issuer_chain);
  out.append("sha256", digest());
  return out;
}

Result<CollateralRecord> CollateralRecord::from_json(const json::Value& value) {
  CollateralRecord out {
    TRY(text_member(value, "kind"))
    , TRY(text_member(value, "key"))
    , {}, {}, nullptr
  };
  if (!check_item_name(out.kind, out.key)) return bad("has a name that none can have");
  out.retrieved_at = TRY(time_member(value, "retrieved_at"))
  .value_or(TimePoint{});
  out.validity = { TRY(time_member(value, "from")), TRY(time_member(value, "until")) };
  auto body = codec::base64_decode(TRY(text_member(value, "body")));
  if (!body) return bad("has a body that is no base64");
  auto chain = value.find("issuer_chain") == nullptr ? std::string{} : TRY(text_member(value, "issuer_chain"));
  out.blob = std::make_shared<const CollateralBlob>(CollateralBlob{*std::move(body), std::move(chain)});
  const auto stated = TRY(text_member(value, "sha256"));
  if (stated == out.digest()) return out;
  return bad(out.kind + " " + out.key + " is expected to have the digest " + stated.substr(0, 64) + ", found " +
             out.digest());
}

const CollateralRecord* best_at(const std::vector<CollateralRecord>& versions, TimePoint at) {
  const CollateralRecord* best = nullptr;
  for (const auto& version : versions) {
    if (version.holds_at(at) && (best == nullptr || version.retrieved_at > best->retrieved_at)) best = &version;
  }
  return best;
}

}  // namespace coffer::evidence
