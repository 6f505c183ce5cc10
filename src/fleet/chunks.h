// Putting together what the proxy sends. Chunks are broadcast to every worker of a channel, so only those that
// somebody here waits for are kept, within bounds.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "fleet/error.h"
#include "fleet/registry_messages.h"

namespace coffer::fleet {

struct ChunkLimits {
  std::uint64_t max_chunks = 65'536;              // of one image
  std::size_t max_image_size = 100U << 20;        // as upstream's for http(s)
  std::size_t max_total_size = 256U << 20;        // of all assemblies under way
  std::size_t max_assemblies = 16;                // at once
  Duration max_age = std::chrono::seconds{300};   // of one assembly, however fast it grows
  Duration ask_again = std::chrono::seconds{10};  // without a new chunk: the request is sent once more
};

struct FetchedImage {
  Bytes data;
  std::string digest{};              // checked where the proxy gave one; empty otherwise
  std::string manifest{}, config{};  // as in Chunk: nothing of them is checked here
  std::map<std::string, std::string> annotations{};
  std::vector<ImageSignature> signatures{};
};

// Safe to use from several threads.
class ChunkAssembler {
 public:
  explicit ChunkAssembler(ChunkLimits limits = {});
  ~ChunkAssembler();

  // Asks for an image and waits. The first waiter for a name calls `request` (and again where no chunk comes for
  // `ask_again`); others that ask for the same name meanwhile share its assembly and its outcome.
  // FleetError::fetch_busy, fetch_timeout, fetch_failed, bad_chunk, digest_mismatch, cancelled; or what `request` gave.
  using Request = std::function<Result<>(const FetchRequest&)>;
  Result<std::shared_ptr<const FetchedImage>> fetch(const std::string& app_name, const Request& request,
                                                    Duration timeout, const std::stop_token& stop = {});

  // A chunk from the wire; returns at once. FleetError::unknown_assembly for a name nobody waits for (of no
  // consequence), bad_chunk for one outside the bounds. A chunk that is there already is passed over.
  Result<> accept(Chunk chunk);
  // Wakes everybody with FleetError::cancelled, now and later.
  void close();

  struct Usage {
    std::size_t assemblies = 0, bytes = 0, waiters = 0;
  };
  Usage usage() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::fleet
