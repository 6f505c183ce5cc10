#include "net/detail/response_head.h"

#include <algorithm>
#include <array>

namespace coffer::net::detail {
namespace {

bool is_framing(std::string_view name) {
  constexpr std::array ours{"Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Date"};
  return std::ranges::any_of(ours, [&](std::string_view own) { return equal_ignoring_case(own, name); });
}

void append(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

// RFC 9110 section 15; 425 RFC 8470, 429 and 431 RFC 6585.
std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 425: return "Too Early";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

bool allows_body(int status) {
  return status != 204 && status != 304;
}

bool is_sendable(const ServerResponse& response) {
  return response.status >= 200 && response.status <= 599 &&
         std::ranges::all_of(response.headers, [](const Headers::Field& field) {
           return is_token(field.first) && is_field_value(field.second);
         });
}

std::string response_head(const ServerResponse& response, const ResponseFraming& framing) {
  std::string out;
  out.reserve(256);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason_phrase(response.status)).append("\r\n");
  append(out, "Date", framing.date);
  for (const auto& [name, value] : response.headers) {
    if (!is_framing(name)) append(out, name, value);
  }
  if (allows_body(response.status)) append(out, "Content-Length", std::to_string(response.body.size()));
  append(out, "Connection", framing.keep_alive ? "keep-alive" : "close");
  return out.append("\r\n");
}

ServerResponse plain_answer(int status, std::string_view text) {
  return ServerResponse::text(status, "text/plain; charset=utf-8", std::string{text} + "\n");
}

ServerResponse overloaded_answer() {
  auto response = plain_answer(503, "the server is busy");
  response.headers.set("Retry-After", "1");
  return response;
}

}  // namespace coffer::net::detail

namespace coffer::net {

ServerResponse ServerResponse::text(int status, std::string_view content_type, std::string_view body) {
  return {.status = status, .headers = {{"Content-Type", std::string{content_type}}}, .body = to_bytes(body)};
}

}  // namespace coffer::net
