// The head of a response out of its lines. Without I/O.
#pragma once

#include <cstddef>
#include <string_view>

#include "net/http_client.h"

namespace coffer::net::detail {

inline constexpr std::size_t max_response_head = 256U << 10;

class ResponseReader {
 public:
  // One line with its line end; true when it completed the head of the final response. Interim responses (1xx) are
  // passed over. NetError::protocol, and NetError::too_large once all heads together pass max_response_head.
  Result<bool> line(std::string_view text);
  bool complete() const { return complete_; }
  HttpResponse& response() { return response_; }

 private:
  Result<> status_line(std::string_view text);
  Result<> field(std::string_view text);

  HttpResponse response_;
  std::size_t size_ = 0;
  bool complete_ = false;
};

}  // namespace coffer::net::detail
