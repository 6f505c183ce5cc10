// libcurl's handles, kept between calls because each holds its open connections.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/error.h"

namespace coffer::net::detail {

struct FreeCurl {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, FreeCurl>;
using CurlList = std::unique_ptr<curl_slist, FreeList>;

class CurlPool {
 public:
  CurlPool();  // initialises libcurl once a process
  // A handle that last talked to `origin` where one is idle, so that its connection is used again.
  Result<CurlHandle> take(const std::string& origin);
  void give_back(const std::string& origin, CurlHandle handle);

 private:
  struct Idle {
    std::string origin;
    CurlHandle handle;
  };
  std::mutex mutex_;
  std::vector<Idle> idle_;
};

}  // namespace coffer::net::detail
