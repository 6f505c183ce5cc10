#include "net/detail/curl_error.h"

#include <cerrno>

namespace coffer::net::detail {
namespace {

NetError classify(CURLcode code, long os_error) {
  switch (code) {
    case CURLE_URL_MALFORMAT: return NetError::bad_url;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return NetError::unresolved;
    case CURLE_COULDNT_CONNECT: return os_error == ECONNREFUSED ? NetError::refused : NetError::unreachable;
    case CURLE_OPERATION_TIMEDOUT: return NetError::timeout;
    case CURLE_FILESIZE_EXCEEDED: return NetError::too_large;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_INVALIDCERTSTATUS: return NetError::tls;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return NetError::protocol;
    default: return NetError::unreachable;
  }
}

std::string_view sentence(NetError code) {
  switch (code) {
    case NetError::unresolved: return "the host name has no address: ";
    case NetError::refused: return "nothing listens at ";
    case NetError::timeout: return "no complete answer in time from ";
    case NetError::tls: return "no TLS connection that can be trusted with ";
    case NetError::protocol: return "no valid HTTP answer from ";
    case NetError::too_large: return "too large an answer from ";
    case NetError::bad_url: return "no usable URL for ";
    default: return "the connection broke or could not be made with ";
  }
}

}  // namespace

Error to_error(CURLcode code, long os_error, const Url& url, std::string_view detail) {
  const auto kind = classify(code, os_error);
  const std::string cause{detail.empty() ? std::string_view{curl_easy_strerror(code)} : detail};
  return {kind, std::string{sentence(kind)} + url.origin() + " (" + cause + ")"};
}

}  // namespace coffer::net::detail
