#include "keybroker/acl.h"

#include <re2/re2.h>

#include <string>
#include <utility>

namespace coffer::keybroker {

struct Acl::Impl {
  std::vector<std::pair<std::string, std::unique_ptr<re2::RE2>>> rules;
};

Acl::Acl(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Acl::Acl(Acl&&) noexcept = default;
Acl& Acl::operator=(Acl&&) noexcept = default;
Acl::~Acl() = default;

Result<Acl> Acl::create(const std::vector<AclRule>& rules) {
  auto impl = std::make_unique<Impl>();
  for (const auto& rule : rules) {
    const auto& text = rule.allowed_endpoints;
    if (!text.starts_with("^/kbs") || !text.ends_with("$")) {
      return fail(BrokerError::config_value, "allowed_endpoints of role " + rule.role +
                                                 ": expected a regular expression from ^/kbs to $, found " + text);
    }
    auto expression = std::make_unique<re2::RE2>(text, re2::RE2::Quiet);
    if (!expression->ok()) {
      return fail(BrokerError::config_value,
                  "allowed_endpoints of role " + rule.role + ": " + expression->error() + " in " + text);
    }
    impl->rules.emplace_back(rule.role, std::move(expression));
  }
  return Acl{std::move(impl)};
}

bool Acl::empty() const {
  return impl_->rules.empty();
}

bool Acl::allows(std::string_view role, std::string_view path_and_query) const {
  const re2::StringPiece text{path_and_query.data(), path_and_query.size()};
  for (const auto& [name, expression] : impl_->rules) {
    // FullMatch, so that an inner alternative such as ^/kbs/a$|x$ cannot match somewhere inside a path.
    if (name == role && re2::RE2::FullMatch(text, *expression)) return true;
  }
  return false;
}

}  // namespace coffer::keybroker
