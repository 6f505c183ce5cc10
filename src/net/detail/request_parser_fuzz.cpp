// The same bytes give the same requests whether they arrive at once or in pieces, and limits hold for each.
#include <algorithm>
#include <cstdlib>

#include "net/detail/request_parser.h"

using namespace coffer;
using namespace coffer::net;
using namespace coffer::net::detail;

namespace {

constexpr RequestLimits limits{.max_head_size = 512, .max_body_size = 64};

void require(bool held) {
  if (!held) std::abort();
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

void check(const ServerRequest& request) {
  require(request.body.size() <= limits.max_body_size);
  require(is_token(request.method) && !has_control(request.target) && !has_control(request.path));
  std::size_t size = 0;
  for (const auto& [name, value] : request.headers) {
    require(is_token(name) && is_field_value(value));
    size += name.size() + value.size();
  }
  require(size <= limits.max_head_size);
  require(!(request.headers.get("Content-Length") && request.headers.get("Transfer-Encoding")));
}

// The requests in `text`, one after the other, as a text that shows all of their parts.
std::string read_all(std::string_view text, std::size_t step) {
  std::string out;
  std::string pending;
  for (int count = 0; count < 8; ++count) {
    RequestParser parser(limits);
    for (;;) {
      pending.erase(0, parser.put(pending));
      if (parser.done() || parser.refusal() || text.empty()) break;
      pending += text.substr(0, step);
      text.remove_prefix(std::min(step, text.size()));
    }
    // Beast looks at pieces of a head only once its end has come, so a broken and incomplete head may be either.
    if (!parser.done()) return out;
    const bool keeps = parser.keep_alive();
    const auto request = parser.take();
    check(request);
    out +=
        request.method + " " + request.path + "?" + request.query + " " + to_text(request.body) + (keeps ? "+" : "-");
    for (const auto& [name, value] : request.headers) out.append(name).append(":").append(value).append("\n");
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] % 32 + 1;
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  require(read_all(text, text.size() + 1) == read_all(text, step));
  return 0;
}
