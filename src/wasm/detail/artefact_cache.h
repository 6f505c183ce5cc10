// Compiled modules as files. A file is
//   "coffer-wasm-1\n" | HMAC-SHA-256 (32 bytes) | kind (1 byte, 'm' or 'c') | artefact
// where the HMAC covers the line, the module's digest, the engine's compatibility hash, the kind and the artefact: a
// file under another name, of another engine or changed in one bit is not loaded.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "wasm/runtime.h"

namespace coffer::wasm::detail {

// What an artefact was made of and by.
struct ArtefactKey {
  Bytes wasm_digest;  // SHA-256
  std::uint64_t engine_compatibility = 0;
  bool metered = false;

  std::string file_name() const;
};

struct Artefact {
  bool component = false;
  Bytes code;
};

class ArtefactCache {
 public:
  // bad_arguments where the key is shorter than 32 bytes; cache_io.
  static Result<ArtefactCache> open(DiskCache options);

  // Nothing where there is no file; cache_rejected where it is not authentic; cache_io.
  Result<std::optional<Artefact>> load(const ArtefactKey& key) const;
  // Replaces the file in one step.
  Result<> store(const ArtefactKey& key, const Artefact& artefact) const;

 private:
  explicit ArtefactCache(DiskCache options) : options_(std::move(options)) {}
  Bytes authenticate(const ArtefactKey& key, char kind, ByteView code) const;

  DiskCache options_;
};

}  // namespace coffer::wasm::detail
