#include "net/detail/curl_transfer.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>

#include "net/detail/curl_error.h"

namespace coffer::net::detail {
namespace {

// The body of a redirect is read this far, so that its connection can be kept.
constexpr std::size_t max_discarded = 64U << 10;
constexpr long receive_buffer_size = 256L << 10;

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  curl_easy_setopt(handle, option, value);
}

bool show_identity(SSL_CTX* tls, const ClientSettings& settings) {
  if (SSL_CTX_use_certificate(tls, settings.own_chain.front().get()) != 1) return false;
  for (std::size_t i = 1; i < settings.own_chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(tls, settings.own_chain[i].get()) != 1) return false;
  }
  return SSL_CTX_use_PrivateKey(tls, settings.own_key.get()) == 1;
}

long whole_seconds(Duration duration) {
  return static_cast<long>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

}  // namespace

Transfer::Transfer(CURL* handle, const ClientSettings& settings, const TransferInput& input, BodySink& sink)
    : handle_(handle), settings_(settings), input_(input), sink_(sink) {}

Result<HttpResponse> Transfer::perform() {
  TRY(configure());
  const auto code = curl_easy_perform(handle_);
  if (thrown_) std::rethrow_exception(thrown_);
  if (error_) return fail(*std::move(error_));
  if (code != CURLE_OK && !enough_) {
    long os_error = 0;
    curl_easy_getinfo(handle_, CURLINFO_OS_ERRNO, &os_error);
    return fail(to_error(code, os_error, input_.hop.url, detail_.data()));
  }
  if (!reader_.complete()) {
    const bool interim = reader_.response().status < 200;
    return fail(
        interim ? NetError::protocol : NetError::unreachable,
        input_.hop.url.origin() + (interim ? " gave no final answer" : " closed within the head of its answer"));
  }
  reader_.response().final_url = input_.hop.url.text();
  return std::move(reader_.response());
}

Result<> Transfer::configure() {
  configure_connection();
  configure_tls();
  configure_callbacks();
  configure_body();
  return configure_headers();
}

void Transfer::configure_connection() {
  set(handle_, CURLOPT_URL, input_.hop.url.text().c_str());
  set(handle_, CURLOPT_PROTOCOLS_STR, input_.hop.url.scheme.c_str());
  set(handle_, CURLOPT_PATH_AS_IS, 1L);
  set(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle_, CURLOPT_HTTP09_ALLOWED, 0L);
  set(handle_, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle_, CURLOPT_NOSIGNAL, 1L);
  set(handle_, CURLOPT_TCP_NODELAY, 1L);
  set(handle_, CURLOPT_BUFFERSIZE, receive_buffer_size);
  set(handle_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(handle_, CURLOPT_ERRORBUFFER, detail_.data());
  set(handle_, CURLOPT_USERAGENT, settings_.options.user_agent.c_str());
  set(handle_, CURLOPT_TIMEOUT_MS, static_cast<long>(input_.timeout.count()));
  set(handle_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.options.connect_timeout.count()));
  if (input_.stall_timeout > Duration{0}) {
    set(handle_, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(handle_, CURLOPT_LOW_SPEED_TIME, whole_seconds(input_.stall_timeout));
  }
  if (!settings_.options.proxy.empty()) {
    set(handle_, CURLOPT_PROXY, settings_.options.proxy.c_str());
    set(handle_, CURLOPT_NOPROXY, "");
  } else if (settings_.options.direct || input_.hop.url.is_loopback()) {
    set(handle_, CURLOPT_PROXY, "");  // none, whatever the environment says
  }
}

void Transfer::configure_tls() {
  set(handle_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings_.options.use_system_roots) {
    set(handle_, CURLOPT_CAINFO, static_cast<const char*>(nullptr));
    set(handle_, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!settings_.roots.empty() || settings_.own_key) {
    set(handle_, CURLOPT_SSL_CTX_FUNCTION, &Transfer::on_tls_context);
    set(handle_, CURLOPT_SSL_CTX_DATA, this);
  }
}

void Transfer::configure_callbacks() {
  set(handle_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(handle_, CURLOPT_HEADERDATA, this);
  set(handle_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(handle_, CURLOPT_WRITEDATA, this);
  set(handle_, CURLOPT_READFUNCTION, &Transfer::on_read);
  set(handle_, CURLOPT_READDATA, this);
}

void Transfer::configure_body() {
  const auto& hop = input_.hop;
  if (input_.upload != nullptr) {
    set(handle_, CURLOPT_UPLOAD, 1L);
    set(handle_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(input_.upload->size));
  } else if (hop.with_body || hop.method == "POST" || hop.method == "PUT" || hop.method == "PATCH") {
    // RFC 9110 section 8.6: these say how long their body is even where it is empty.
    const auto body = hop.with_body ? input_.body : ByteView{};
    set(handle_, CURLOPT_POST, 1L);
    set(handle_, CURLOPT_POSTFIELDS, body.empty() ? "" : reinterpret_cast<const char*>(body.data()));
    set(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  } else if (hop.method == "HEAD") {
    set(handle_, CURLOPT_NOBODY, 1L);
  }
  set(handle_, CURLOPT_CUSTOMREQUEST, hop.method.c_str());
}

Result<> Transfer::configure_headers() {
  for (const auto& [name, value] : input_.hop.headers) {
    // libcurl frames the message; a second length beside its own would be two answers to one question.
    if (equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding")) continue;
    // An empty value needs libcurl's own spelling; "Name:" would remove the header.
    std::string line = name;
    TRY(add_header(value.empty() ? line.append(";") : line.append(": ").append(value)));
  }
  // libcurl's habits that nobody asked for: waiting for 100 Continue, and calling every body a form.
  TRY(add_header("Expect:"));
  if (!input_.hop.headers.get("Content-Type")) TRY(add_header("Content-Type:"));
  set(handle_, CURLOPT_HTTPHEADER, headers_.get());
  return {};
}

Result<> Transfer::add_header(const std::string& line) {
  auto* list = headers_.release();
  auto* longer = curl_slist_append(list, line.c_str());
  headers_.reset(longer != nullptr ? longer : list);
  if (longer == nullptr) return fail(NetError::bad_message, "out of memory for the request's headers");
  return {};
}

template <class Action>
bool Transfer::guarded(Action&& action) {
  try {
    auto done = action();
    if (done) return true;
    error_ = std::move(done).error();
  } catch (...) {
    thrown_ = std::current_exception();
  }
  return false;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const bool good = transfer.guarded([&] { return transfer.take_line({data, size * count}); });
  return good ? size * count : 0;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const bool good = transfer.guarded([&] { return transfer.take_body(as_bytes({data, size * count})); });
  return good && !transfer.enough_ ? size * count : 0;
}

std::size_t Transfer::on_read(char* out, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  std::size_t given = 0;
  const bool good = transfer.guarded([&]() -> Result<> {
    given = TRY(transfer.give_body({reinterpret_cast<std::byte*>(out), size * count}));
    return {};
  });
  return good ? given : CURL_READFUNC_ABORT;
}

// Adds to the store that libcurl filled with the system's roots, or left empty.
CURLcode Transfer::on_tls_context(CURL*, void* context, void* self) {
  auto* tls = static_cast<SSL_CTX*>(context);
  const auto& settings = static_cast<Transfer*>(self)->settings_;
  for (const auto& root : settings.roots) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), root.get()) != 1) return CURLE_SSL_CERTPROBLEM;
  }
  return settings.own_key && !show_identity(tls, settings) ? CURLE_SSL_CERTPROBLEM : CURLE_OK;
}

Result<> Transfer::take_line(std::string_view line) {
  const bool had_head = reader_.complete();
  const bool has_head = TRY(reader_.line(line));
  if (had_head || !has_head) return {};
  discarding_ = input_.follows_redirects && is_redirect(reader_.response());
  if (discarding_) return {};
  reader_.response().final_url = input_.hop.url.text();
  return sink_.on_head(reader_.response());
}

Result<> Transfer::take_body(ByteView data) {
  if (!discarding_) return sink_.on_data(data);
  discarded_ += data.size();
  enough_ = discarded_ > max_discarded;
  return {};
}

Result<std::size_t> Transfer::give_body(MutableByteView out) {
  const auto& upload = *input_.upload;
  const auto room = std::min<std::uint64_t>(out.size(), upload.size - sent_);
  if (room == 0) return 0;
  const auto given = TRY(upload.read(out.first(room)));
  if (given == 0 || given > room) {
    return fail(NetError::bad_message, "the body ended after " + std::to_string(sent_) + " of " +
                                           std::to_string(upload.size) + " announced bytes");
  }
  sent_ += given;
  return given;
}

}  // namespace coffer::net::detail
