#pragma once

#include <curl/curl.h>

#include <string_view>

#include "net/error.h"
#include "net/url.h"

namespace coffer::net::detail {

// libcurl's verdict as ours. `os_error`: the errno behind a failed connection. `detail`: libcurl's own sentence.
Error to_error(CURLcode code, long os_error, const Url& url, std::string_view detail);

}  // namespace coffer::net::detail
