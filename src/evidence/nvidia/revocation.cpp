#include <algorithm>

#include "crypto/crl.h"
#include "evidence/nvidia/chain.h"

namespace coffer::evidence::nvidia {

namespace {

constexpr std::string_view place = "http://crl.ndis.nvidia.com";
constexpr std::string_view folder = "/crl/";
constexpr std::string_view ending = ".crl";
constexpr std::size_t longest_name = 64;

Result<CollateralValidity> inspect_list(const CollateralBlob& blob) {
  const auto crl = crypto::Crl::parse(blob.body);
  if (crl) return CollateralValidity{crl->this_update(), crl->next_update()};
  return fail(CollateralError::malformed, "what came is no revocation list: " + crl.error().message);
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

// "http://crl.ndis.nvidia.com/crl/l2-gh100.crl": "l2-gh100". A certificate chooses among NVIDIA's lists, no more.
std::optional<std::string> list_name(std::string_view uri) {
  for (const auto part : {place, folder}) {
    if (!uri.starts_with(part)) return std::nullopt;
    uri.remove_prefix(part.size());
  }
  if (!uri.ends_with(ending)) return std::nullopt;
  uri.remove_suffix(ending.size());
  if (uri.empty() || uri.size() > longest_name || !std::ranges::all_of(uri, is_plain)) return std::nullopt;
  return std::string{uri};
}

}  // namespace

std::optional<CollateralItem> revocation_list_item(const crypto::Certificate& certificate) {
  for (const auto& uri : certificate.crl_uris()) {
    const auto name = list_name(uri);
    if (!name) continue;
    return CollateralItem{.kind = "nvidia-crl",
                          .key = *name,
                          .service = "nvidia-crl",
                          .path = std::string{folder} + *name + std::string{ending},
                          .chain_header = "",
                          .inspect = inspect_list};
  }
  return std::nullopt;
}

}  // namespace coffer::evidence::nvidia
