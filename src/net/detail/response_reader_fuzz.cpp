#include <cstdlib>

#include "net/detail/redirect.h"
#include "net/detail/response_reader.h"

using namespace coffer;
using namespace coffer::net;
using namespace coffer::net::detail;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  ResponseReader reader;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n') + 1);
    if (line.empty() || !reader.line(line)) break;
    text.remove_prefix(line.size());
  }
  for (const auto& [name, value] : reader.response().headers) {
    if (!is_token(name) || !is_field_value(value)) std::abort();
  }
  const Hop from{.url = *Url::parse("https://h/a/b?c"), .method = "POST", .headers = {{"Authorization", "t"}}};
  if (!is_redirect(reader.response())) return 0;
  const auto next = follow(from, reader.response());
  // What left the origin left its credentials there.
  if (next && (!next->url.is_https() || (!next->url.same_origin(from.url) && next->headers.get("Authorization"))))
    std::abort();
  return 0;
}
