// Which certificates signed which. OpenSSL picks an issuer by name and key identifier alone and does not come back to
// the choice, so that of two authorities of one name it may take the one whose key signed nothing here. For chain.cpp.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "crypto/x509.h"

namespace coffer::crypto::detail {

// Whether two of them that differ bear the same subject.
bool share_a_name(std::span<const Certificate> anchors, std::span<const Certificate> intermediates);

struct SignedPath {
  std::vector<Certificate> intermediates;  // the leaf's issuer first
  Certificate anchor;
};
// A path in which each certificate's signature verifies with the key of the next, up to one of `anchors`; nothing where
// there is none within 64 signature checks. It says no more than that: dates, extensions and the rest are to be
// checked.
std::optional<SignedPath> find_signed_path(const Certificate& leaf, std::span<const Certificate> anchors,
                                           std::span<const Certificate> intermediates);

}  // namespace coffer::crypto::detail
