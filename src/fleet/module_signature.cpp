#include "fleet/module_signature.h"

#include "codec/base64.h"
#include "codec/resource_uri.h"
#include "fleet/detail/members.h"

namespace coffer::fleet {
namespace {

constexpr std::size_t max_public_key = 64U << 10, max_signature = 4096;  // bytes of text

Result<> check_public_key(const detail::Members& members, const std::string& key) {
  const auto refuse = [&](const std::string& expected) {
    return fail(FleetError::bad_member, members.path("public_key") + ": expected " + expected);
  };
  if (key.empty()) return {};
  if (key.size() > max_public_key) return refuse("at most 64 KiB");
  if (!key.starts_with(resource_scheme)) {
    return key.contains("-----BEGIN ") ? Result<>{} : refuse("a public key in PEM, or kbs:///REPOSITORY/TYPE/TAG");
  }
  const auto uri = codec::ResourceUri::parse(key);
  return uri ? Result<>{} : refuse("a key broker's resource: " + uri.error().message);
}

}  // namespace

Result<ModuleSignature> read_module_signature(const codec::json::Value& value, std::string_view what) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    return fail(FleetError::bad_member,
                std::string{what} + ": expected an object, found " + std::string{value.type_name()});
  }
  const detail::Members members{*object, what};
  ModuleSignature out {
    .public_key = TRY(members.text("public_key"))
    , .signature = TRY(members.text("signature"))
  };
  TRY(check_public_key(members, out.public_key));
  const bool fits = out.signature.size() <= max_signature && codec::base64_decode(out.signature).has_value();
  if (!fits) return fail(FleetError::bad_member, members.path("signature") + ": expected a signature in base64");
  if (!out.public_key.empty() || !out.signature.empty()) return out;
  return fail(FleetError::bad_member, std::string{what} + ": expected public_key, signature or both");
}

codec::json::Object write_module_signature(const ModuleSignature& signature) {
  codec::json::Object out;
  detail::append_text(out, "public_key", signature.public_key);
  detail::append_text(out, "signature", signature.signature);
  return out;
}

}  // namespace coffer::fleet
