#include "workload/published_key.h"

#include "base/log.h"
#include "codec/base64.h"

namespace coffer::workload {
namespace {

constexpr std::string_view published_test_key = "d99b7705b0ba7a168295b3a3367270b0dd9b371bf514ca8b9ba7f0a33711daea";

}  // namespace

Result<SecretBytes> PublishedKeySource::fetch(const codec::ResourceUri& uri) {
  log::warn("runner.published_key", "using upstream's published test key, which protects nothing",
            {{"kid", uri.text()}});
  return codec::hex_decode_secret(as_bytes(published_test_key));
}

std::string PublishedKeySource::describe() const {
  return "the published test key";
}

}  // namespace coffer::workload
