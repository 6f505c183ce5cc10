// What a broker's refusal means. Our brokers say it in `code`; upstream's only in `type` and `detail` (trustee.md 1.7),
// and nearly always with status 401.
#pragma once

#include <string_view>

#include "keyclient/error.h"
#include "net/error.h"

namespace coffer::keyclient::detail {

enum class Step { auth, attest, resource };

struct Refusal {
  Step step = Step::auth;
  int status = 0;
  std::string_view body;
  std::string_view broker;   // its URL, for the sentence
  std::string_view subject;  // the TEE's name, or the resource's path
};

// The error for a response that is not a success.
Error explain(const Refusal& refusal);

// The error for an exchange that brought no response.
Error explain(const Error& net_error, std::string_view broker);

}  // namespace coffer::keyclient::detail
