#include "fleet/manager/rest/access.h"

#include <algorithm>
#include <array>

#include "codec/base64.h"
#include "codec/jose/jwt.h"
#include "codec/toml.h"
#include "fleet/detail/members.h"

namespace coffer::fleet::manager {
namespace {

namespace jose = codec::jose;
using crypto::SignatureAlgorithm;
using fleet::detail::Members;

constexpr std::array role_names{std::string_view{"viewer"}, std::string_view{"operator"}, std::string_view{"admin"}};
constexpr std::array key_algorithms{SignatureAlgorithm::eddsa, SignatureAlgorithm::es256, SignatureAlgorithm::es384,
                                    SignatureAlgorithm::ps256, SignatureAlgorithm::rs256};
constexpr std::size_t max_token_size = 8192;

std::unexpected<Error> bad_config(std::string text) {
  return fail(ManagerError::bad_config, std::move(text));
}

// The tables [[name]] of a document.
Result<std::vector<const codec::json::Object*>> tables(const codec::json::Value& root, std::string_view name) {
  std::vector<const codec::json::Object*> found;
  const auto* list = root.find(name);
  if (list == nullptr) return found;
  const auto* array = list->if_array();
  if (array == nullptr) return bad_config("[[" + std::string{name} + "]] is expected to be a list of tables");
  for (const auto& entry : *array) found.push_back(TRY(entry.as_object(name)));
  return found;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::optional<std::string_view> bearer_token(const net::Headers& headers) {
  const auto value = headers.get("Authorization");
  constexpr std::string_view scheme = "bearer ";
  if (!value || value->size() <= scheme.size() || !net::equal_ignoring_case(value->substr(0, scheme.size()), scheme)) {
    return std::nullopt;
  }
  return value->substr(scheme.size());
}

}  // namespace

struct Access::Key {
  Role role;
  crypto::PublicKey key;
};

Result<Role> parse_role(std::string_view name) {
  const auto found = std::ranges::find(role_names, name);
  if (found != role_names.end()) return static_cast<Role>(found - role_names.begin());
  return bad_config("a role is expected to be viewer, operator or admin, found \"" + std::string{name.substr(0, 32)} +
                    "\"");
}

Access Access::open() {
  Access access;
  access.open_ = true;
  return access;
}

Result<Access> Access::parse(std::string_view toml, std::string_view file_name) {
  const auto root = TRY(codec::parse_toml(toml, file_name));
  Access access;
  TRY(access.read_tokens(root, file_name));
  TRY(access.read_keys(root, file_name));
  TRY(access.read_certificates(root, file_name));
  if (access.tokens_.empty() && access.keys_.empty() && access.certificates_.empty()) {
    return bad_config(std::string{file_name} +
                      " names neither a [[token]] nor a [[key]] nor a [[certificate]]: nobody could use the API");
  }
  return access;
}

Result<> Access::read_tokens(const codec::json::Value& root, std::string_view file_name) {
  for (const auto* table : TRY(tables(root, "token"))) {
    const Members members{*table, "token"};
    const auto hash = TRY(members.line("sha256"));
    if (!is_sha256(hash)) {
      return bad_config(std::string{file_name} +
                        ": token.sha256 is expected to be 64 hexadecimal digits in lower case");
    }
    const auto role = TRY(parse_role(TRY(members.line("role"))));
    auto name = TRY(members.line("name"));
    tokens_.insert_or_assign(hash, Holder{std::move(name), role});
  }
  return {};
}

Result<> Access::read_keys(const codec::json::Value& root, std::string_view file_name) {
  for (const auto* table : TRY(tables(root, "key"))) {
    const Members members{*table, "key"};
    const auto role = TRY(parse_role(TRY(members.line("role"))));
    auto key = crypto::PublicKey::from_pem(TRY(members.text("public_key")));
    if (!key) return bad_config(std::string{file_name} + ": key.public_key: " + key.error().message);
    keys_.push_back(std::make_shared<const Key>(role, std::move(*key)));
  }
  return {};
}

Result<> Access::read_certificates(const codec::json::Value& root, std::string_view file_name) {
  for (const auto* table : TRY(tables(root, "certificate"))) {
    const Members members{*table, "certificate"};
    const auto role = TRY(parse_role(TRY(members.line("role"))));
    auto name = TRY(members.line("name"));
    auto subject = TRY(members.line("subject"));
    if (name.empty() == subject.empty()) {
      return bad_config(std::string{file_name} + ": a [[certificate]] is expected to have either name or subject");
    }
    certificates_.push_back({std::move(name), std::move(subject), role});
  }
  return {};
}

bool Access::CertificateName::fits(const net::PeerCertificate& certificate) const {
  if (!subject.empty()) return certificate.subject == subject;
  // RFC 6125 section 6.4.4: the common name only where there is no other.
  if (certificate.names.empty()) return certificate.common_name == name;
  return std::ranges::find(certificate.names, name) != certificate.names.end();
}

// Tokens are found by their hash, so that the time says nothing of what they are.
Result<Access::Holder> Access::holder_of(std::string_view token, TimePoint now) const {
  const auto known = tokens_.find(codec::hex_encode(crypto::sha256(as_bytes(token))));
  if (known != tokens_.end()) return known->second;
  for (const auto& key : keys_) {
    const auto jwt = jose::VerifiedJwt::verify(token, key->key, key_algorithms, {.now = now});
    if (!jwt) continue;
    Holder holder{"jwt", key->role};
    if (const auto* subject = jwt->claims().find("sub"); subject != nullptr && subject->if_string() != nullptr) {
      holder.name = *subject->if_string();
    }
    const auto* role = jwt->claims().find("role");
    if (role != nullptr) holder.role = std::min(holder.role, TRY(parse_role(TRY(role->as_string("role")))));
    return holder;
  }
  return fail(ManagerError::unauthenticated, "the bearer token is none that this manager knows");
}

// Its chain was verified by the handshake; a connection may last longer than the certificate.
Result<Access::Holder> Access::holder_of(const net::PeerCertificate& certificate, TimePoint now) const {
  if (certificate.not_after < now) {
    return fail(ManagerError::unauthenticated, "the client certificate has expired since the connection was made");
  }
  const auto found = std::ranges::find_if(certificates_, [&](const auto& known) { return known.fits(certificate); });
  if (found != certificates_.end()) return Holder{found->name.empty() ? found->subject : found->name, found->role};
  return fail(ManagerError::forbidden,
              "the client certificate of " + certificate.subject + " is valid, and no [[certificate]] gives it a role");
}

Result<Access::Holder> Access::caller(const net::ServerRequest& request, TimePoint now) const {
  const auto token = bearer_token(request.headers);
  if (!token && request.certificate && knows_certificates()) return holder_of(*request.certificate, now);
  if (!token) return fail(ManagerError::unauthenticated, "a bearer token is expected in the Authorization header");
  if (token->size() > max_token_size) return fail(ManagerError::unauthenticated, "the bearer token is too long");
  auto holder = holder_of(*token, now);
  if (!holder) return fail(ManagerError::unauthenticated, holder.error().message);
  return holder;
}

Result<std::string> Access::check(const net::ServerRequest& request, Role needed, TimePoint now) const {
  if (open_) return std::string{"anyone"};
  auto holder = TRY(caller(request, now));
  if (holder.role >= needed) return std::move(holder.name);
  return fail(ManagerError::forbidden, "the role " + std::string{role_names.at(static_cast<std::size_t>(needed))} +
                                           " is expected, " + holder.name + " has the role " +
                                           std::string{role_names.at(static_cast<std::size_t>(holder.role))});
}

}  // namespace coffer::fleet::manager
