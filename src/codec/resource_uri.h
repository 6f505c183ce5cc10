// The name of something a key broker gives out: kbs[+plugin]://[host[:port]]/segment[/segment...][?query]
// (guest-components.md 1.5). It is a kid in annotation packets, an argument on command lines and a path on the wire.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace coffer::codec {

enum class ResourceUriError { malformed, wrong_scheme, bad_segment, too_long };
std::string_view code_name(ResourceUriError code);

class ResourceUri {
 public:
  // A full URI. "kbs+resource://" is the same as "kbs://". Segments are 1 or more; each has letters, digits and
  // "-._~@:=+,!" only, and is neither "." nor "..". Percent-encoding is refused, because peers disagree about it.
  static Result<ResourceUri> parse(std::string_view text);
  // The path alone, as users type it: "default/key/k1" or "/default/key/k1", optionally with "?query".
  static Result<ResourceUri> from_path(std::string_view path);
  // A full URI where the text has "://", otherwise a path.
  static Result<ResourceUri> parse_any(std::string_view text);

  const std::string& plugin() const { return plugin_; }  // "resource" where the scheme is plain kbs
  const std::string& host() const { return host_; }      // empty: the broker that the caller is configured for
  const std::vector<std::string>& segments() const { return segments_; }
  const std::string& query() const { return query_; }  // without '?'

  std::string path() const;          // "default/key/k1"
  std::string text() const;          // normal text: "kbs:///default/key/k1"
  std::string request_path() const;  // "/kbs/v0/resource/default/key/k1?query", what a client asks its broker for

  friend bool operator==(const ResourceUri&, const ResourceUri&) = default;

 private:
  ResourceUri() = default;
  std::string plugin_ = "resource";
  std::string host_;
  std::vector<std::string> segments_;
  std::string query_;
};

}  // namespace coffer::codec
