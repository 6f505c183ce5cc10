// Whatever parses is written so that it parses again to the same; references never lead outside http and https.
#include <cstdlib>

#include "net/url.h"

using namespace coffer;
using namespace coffer::net;

namespace {

void require(bool held) {
  if (!held) std::abort();
}

void check_url(std::string_view text, std::string_view reference) {
  const auto url = Url::parse(text);
  if (!url) return;
  const auto again = Url::parse(url->text());
  require(again.has_value() && again->text() == url->text() && again->host == url->host && again->port == url->port);
  require(url->same_origin(*again));
  if (const auto target = url->resolve(reference)) {
    require(target->scheme == "http" || target->scheme == "https");
    require(Url::parse(target->text()).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto split = text.find('\n');
  const auto first = text.substr(0, split);
  check_url(first, split == std::string_view::npos ? first : text.substr(split + 1));
  require(percent_decode(percent_encode(text)) == std::string{text});
  static_cast<void>(percent_decode(text));
  static_cast<void>(parse_query(text));
  return 0;
}
