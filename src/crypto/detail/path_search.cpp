#include "crypto/detail/path_search.h"

#include <algorithm>
#include <map>

#include "crypto/detail/x509_impl.h"

namespace coffer::crypto::detail {
namespace {

constexpr int most_checks = 64;  // bounds the time that a stranger's certificates can cost

class Search {
 public:
  Search(std::span<const Certificate> anchors, std::span<const Certificate> intermediates)
      : anchors_(anchors), intermediates_(intermediates) {}

  // Recursion is bounded by the checks: each step down took one.
  bool climb(const Certificate& from) {
    for (const auto& anchor : anchors_) {
      if (!signed_by(from, anchor)) continue;
      anchor_ = &anchor;
      return true;
    }
    for (const auto& next : intermediates_) {
      if (on_path(next) || !signed_by(from, next)) continue;
      path_.push_back(&next);
      if (climb(next)) return true;
      path_.pop_back();
    }
    return false;
  }

  SignedPath result() const {
    SignedPath out{.intermediates = {}, .anchor = *anchor_};
    for (const auto* certificate : path_) out.intermediates.push_back(*certificate);
    return out;
  }

 private:
  bool on_path(const Certificate& certificate) const {
    return std::ranges::any_of(path_, [&](const auto* other) { return equal(other->der(), certificate.der()); });
  }

  bool signed_by(const Certificate& certificate, const Certificate& issuer) {
    if (!equal(certificate.issuer_der(), issuer.subject_der())) return false;
    if (++checks_ > most_checks) return false;
    const QueueCleaner cleaner;
    auto* key = X509_get0_pubkey(issuer.impl().x509.get());
    return key != nullptr && X509_verify(certificate.impl().x509.get(), key) == 1;
  }

  std::span<const Certificate> anchors_;
  std::span<const Certificate> intermediates_;
  std::vector<const Certificate*> path_;
  const Certificate* anchor_ = nullptr;
  int checks_ = 0;
};

}  // namespace

bool share_a_name(std::span<const Certificate> anchors, std::span<const Certificate> intermediates) {
  std::map<Bytes, const Bytes*> by_name;
  for (const auto group : {anchors, intermediates}) {
    for (const auto& certificate : group) {
      const auto [other, is_new] = by_name.emplace(certificate.subject_der(), &certificate.der());
      if (!is_new && *other->second != certificate.der()) return true;
    }
  }
  return false;
}

std::optional<SignedPath> find_signed_path(const Certificate& leaf, std::span<const Certificate> anchors,
                                           std::span<const Certificate> intermediates) {
  Search search(anchors, intermediates);
  if (!search.climb(leaf)) return std::nullopt;
  return search.result();
}

}  // namespace coffer::crypto::detail
