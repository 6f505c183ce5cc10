// Between workers and the proxy: what to fetch, and the pieces of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer::fleet {

struct FetchRequest {
  std::string app_name;       // a task's image_url, verbatim
  std::string traceparent{};  // ours: what the request belongs to
};

// A signature that stands beside an image in its registry: the document, and what its layer is annotated with.
struct ImageSignature {
  std::string payload;
  std::map<std::string, std::string> annotations{};
  friend bool operator==(const ImageSignature&, const ImageSignature&) = default;
};

// One piece of a layer. The proxy repeats `app_name` unchanged. Ours, all optional: the first chunk carries what is
// needed to check and open the layer, and an error takes the place of the data.
struct Chunk {
  std::string app_name;
  std::uint64_t index = 0, total = 1;  // "chunk_idx", "total_chunks"
  Bytes data{};
  std::string digest{};                              // of the whole layer as sent, "sha256:..."
  std::string manifest{};                            // the image's manifest, byte for byte, as text
  std::string config{};                              // the image's configuration, likewise
  std::map<std::string, std::string> annotations{};  // the layer's
  std::vector<ImageSignature> signatures{};          // of the manifest
  std::optional<std::string> error{};                // why there will be no more chunks
  std::string code{};                                // its stable code
};

Result<FetchRequest> parse_fetch_request(std::string_view payload);
Result<Chunk> parse_chunk(std::string_view payload);
std::string to_json(const FetchRequest& request);
std::string to_json(const Chunk& chunk);

}  // namespace coffer::fleet
