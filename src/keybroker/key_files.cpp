#include "keybroker/key_files.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "keybroker/refusal.h"
#include "net/http_client.h"

namespace coffer::keybroker {
namespace {

Result<std::string> download(const std::string& url, std::string_view what) {
  auto client = TRY(net::HttpClient::create());
  net::HttpRequest request;
  request.url = url;
  request.timeout = std::chrono::seconds{20};
  request.max_response_size = max_key_file_size;
  const auto response = client->send(request);
  const auto text = std::string{what} + ": " + url + " cannot be read";
  if (!response)
    return fail(because(BrokerError::config_file, text + ": " + response.error().message, response.error()));
  if (response->status != 200) {
    return fail(BrokerError::config_file, text + ": expected status 200, found " + std::to_string(response->status));
  }
  return to_text(response->body);
}

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& file, std::string_view what) {
  std::ifstream stream{file, std::ios::binary};
  std::string text;
  if (stream) {
    text.resize(max_key_file_size + 1);
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.is_open() || stream.bad()) {
    return fail(BrokerError::config_file,
                std::string{what} + ": " + file.string() + " cannot be read: " + std::strerror(errno));
  }
  if (text.size() > max_key_file_size) {
    return fail(BrokerError::config_file,
                std::string{what} + ": " + file.string() + " is over " + std::to_string(max_key_file_size) + " bytes");
  }
  return text;
}

Result<std::string> read_uri(const std::string& uri, std::string_view what) {
  constexpr std::string_view file_scheme = "file://";
  if (uri.starts_with(file_scheme)) return read_text_file(uri.substr(file_scheme.size()), what);
  if (uri.starts_with("https://")) return download(uri, what);
  if (uri.find("://") != std::string::npos) {
    return fail(BrokerError::config_value, std::string{what} + ": expected a path, file:// or https://, found " + uri);
  }
  return read_text_file(uri, what);
}

}  // namespace coffer::keybroker
