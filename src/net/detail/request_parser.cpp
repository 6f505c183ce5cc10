#include "net/detail/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "net/detail/request_target.h"

namespace coffer::net::detail {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::size_t max_fields = 256;
constexpr std::size_t max_initial_reserve = 64U << 10;
// "0\r\n\r\n": no unfinished chunked body has less than this to come. Beast 1.81 asserts when it is shown fewer bytes
// of a last chunk twice.
constexpr std::size_t shortest_chunk_rest = 5;

std::string_view view(string_view text) {
  return {text.data(), text.size()};
}

Refusal refusal_for(const error_code& ec) {
  if (ec == http::error::header_limit) return {431, "the request head is too large"};
  if (ec == http::error::body_limit) return {413, "the request body is too large"};
  if (ec == http::error::bad_version) return {505, "expected HTTP/1.1 or HTTP/1.0"};
  return {400, "malformed request: " + ec.message()};
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

struct RequestParser::Impl final : http::basic_parser<true> {
  explicit Impl(const RequestLimits& chosen) : limits(chosen) {
    const auto most = std::numeric_limits<std::uint32_t>::max();
    header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(limits.max_head_size, most)));
    body_limit(limits.max_body_size);
  }

  std::size_t consume(std::string_view data);
  void check_unused(std::size_t unused);
  void check_framing();
  void check_head();
  void refuse(int status, std::string text) {
    if (!refusal) refusal = Refusal{status, std::move(text)};
  }

  void on_request_impl(http::verb, string_view method, string_view target, int version, error_code& ec) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(http::field, string_view name, string_view value, error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& size, error_code&) override {
    // What the peer announces is not what it sends: only a little is set aside before it arrives.
    if (size) request.body.reserve(std::min<std::size_t>(*size, max_initial_reserve));
  }
  std::size_t on_body_impl(string_view body, error_code&) override {
    const auto bytes = as_bytes(view(body));
    request.body.insert(request.body.end(), bytes.begin(), bytes.end());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code& ec) override {
    return on_body_impl(body, ec);
  }
  void on_finish_impl(error_code&) override {}

  RequestLimits limits;
  ServerRequest request;
  std::optional<Refusal> refusal;
  std::size_t head_size = 0;
  std::size_t fields = 0;
  int version = 11;
  bool any = false;
  bool continue_expected = false;
};

void RequestParser::Impl::on_request_impl(http::verb, string_view method, string_view target, int http_version,
                                          error_code&) {
  request.method = view(method);
  request.target = view(target);
  version = http_version;
}

void RequestParser::Impl::on_field_impl(http::field, string_view name, string_view value, error_code& ec) {
  // RFC 9110 section 6.5.1: trailers must not be merged into headers that were acted upon.
  if (is_header_done()) return;
  if (++fields > max_fields) {
    refuse(431, "more than " + std::to_string(max_fields) + " header fields");
    ec = http::error::header_limit;
    return;
  }
  if (!is_field_value(view(value))) {
    ec = http::error::bad_value;
    return;
  }
  request.headers.add(view(name), std::string{view(value)});
}

void RequestParser::Impl::on_header_impl(error_code& ec) {
  check_framing();
  check_head();
  if (refusal) ec = http::error::bad_value;
}

// RFC 9112 section 6.1 to 6.3. Beast takes equal lengths twice, lists of them, and codings it does not know.
void RequestParser::Impl::check_framing() {
  const auto lengths = request.headers.get_all("Content-Length");
  const auto codings = request.headers.get_all("Transfer-Encoding");
  if (lengths.size() > 1 || (lengths.size() == 1 && !all_digits(lengths[0]))) {
    refuse(400, "expected one Content-Length with one number");
  }
  if (codings.empty()) return;
  if (!lengths.empty()) refuse(400, "both Content-Length and Transfer-Encoding");
  if (version < 11) refuse(400, "Transfer-Encoding in HTTP/1.0");
  if (codings.size() > 1 || !equal_ignoring_case(codings[0], "chunked")) {
    refuse(501, "the only transfer coding here is chunked");
  }
}

void RequestParser::Impl::check_head() {
  const auto hosts = request.headers.get_all("Host").size();
  // RFC 9112 section 3.2.
  if (hosts > 1 || (hosts == 0 && version >= 11)) refuse(400, "expected one Host header");
  auto target = detail::parse_target(request.method, request.target);
  if (!target) {
    refuse(400, target.error().message);
    return;
  }
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  const auto expect = request.headers.get("Expect");
  if (!expect || version < 11) return;
  if (!equal_ignoring_case(*expect, "100-continue")) refuse(417, "the only expectation here is 100-continue");
  continue_expected = !is_done() && !refusal;
}

// Bytes that Beast wants to see again with more behind them: parts of a head, of a chunk's header, or of trailers.
void RequestParser::Impl::check_unused(std::size_t unused) {
  if (!is_header_done()) {
    // Beast measures each step on its own, so that many short fields would pass its limit.
    if (head_size + unused >= limits.max_head_size) refuse(431, "the request head is too large");
  } else if (unused >= limits.max_head_size) {
    refuse(400, "a chunk header or trailer is too large");
  }
}

std::size_t RequestParser::Impl::consume(std::string_view data) {
  std::size_t used = 0;
  while (used < data.size() && !is_done() && !refusal) {
    const bool in_head = !is_header_done();
    if (!in_head && chunked() && data.size() - used < shortest_chunk_rest) break;
    error_code ec;
    const auto step = put(boost::asio::const_buffer{data.data() + used, data.size() - used}, ec);
    used += step;
    if (in_head) head_size += step;
    if (in_head && head_size > limits.max_head_size) refuse(431, "the request head is too large");
    if (ec == http::error::need_more) {
      check_unused(data.size() - used);
      break;
    }
    if (ec && !refusal) refusal = refusal_for(ec);
  }
  return used;
}

RequestParser::RequestParser(const RequestLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::put(std::string_view data) {
  std::size_t skipped = 0;
  // RFC 9112 section 2.2: an empty line before the request line is ignored.
  while (!impl_->any && data.substr(skipped).starts_with("\r\n")) skipped += 2;
  data.remove_prefix(skipped);
  if (data.empty() || (!impl_->any && data == "\r")) return skipped;
  impl_->any = true;
  return skipped + impl_->consume(data);
}

bool RequestParser::started() const {
  return impl_->any;
}
bool RequestParser::head_done() const {
  return impl_->is_header_done();
}
bool RequestParser::done() const {
  return impl_->is_done() && !impl_->refusal;
}
const std::optional<Refusal>& RequestParser::refusal() const {
  return impl_->refusal;
}
bool RequestParser::keep_alive() const {
  return impl_->keep_alive();
}
bool RequestParser::expects_continue() const {
  return impl_->continue_expected;
}
ServerRequest RequestParser::take() {
  return std::move(impl_->request);
}

}  // namespace coffer::net::detail
