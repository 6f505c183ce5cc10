// Requests to one repository: authentication, retries, and the mapping of answers to errors.
#pragma once

#include <mutex>

#include "image/registry.h"
#include "net/retry.h"

namespace coffer::image {

class RegistrySession {
 public:
  static Result<std::shared_ptr<RegistrySession>> open(ImageReference reference, RegistryOptions options);

  const ImageReference& reference() const { return reference_; }
  const RegistryOptions& options() const { return options_; }
  // "https://host/v2/repository/" + path.
  std::string url(std::string_view path) const;
  // A Location or Link header, which may be relative, made absolute.
  Result<std::string> resolve(std::string_view location) const;

  enum class Access { pull, push };
  // Sends with credentials, answers a challenge once, retries as the policy says. Any status is a success.
  Result<net::HttpResponse> send(net::HttpRequest request, Access access);
  // One attempt, with one answer to a challenge; `sink` sees the head of every final answer.
  Result<net::HttpResponse> stream_once(net::HttpRequest request, net::BodySink& sink);
  net::Retry new_retry(bool idempotent) const;

 private:
  RegistrySession(ImageReference reference, RegistryOptions options);
  Result<net::HttpResponse> send_authorized(net::HttpRequest& request, Access access);
  void authorize(net::HttpRequest& request) const;
  Result<> answer_challenge(const net::HttpResponse& refusal, Access access);
  Result<SecretBytes> fetch_token(const Challenge& challenge, Access access);
  net::HttpRequest token_request(const Challenge& challenge, Access access,
                                 const std::optional<Credentials>& credentials) const;
  Result<> check_realm(const std::string& realm) const;

  ImageReference reference_;
  RegistryOptions options_;
  std::string base_;  // "https://host"
  mutable std::mutex mutex_;
  SecretBytes authorization_;  // value of the header, empty for none
};

// Statuses of a final answer. `what` names the thing that was asked for.
Result<> check_status(const net::HttpResponse& response, std::string_view what);
// A failed exchange without an answer keeps its code and says which registry.
Error with_registry(Error error, const RegistrySession& session);

}  // namespace coffer::image
