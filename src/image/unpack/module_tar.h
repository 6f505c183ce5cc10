// The WASM module inside of tar layers, in memory alone.
#pragma once

#include <map>
#include <string>

#include "base/secret_bytes.h"
#include "image/byte_sink.h"
#include "image/unpack/limits.h"

namespace coffer::image::unpack {

// Candidates by path over all layers of an image: a later layer replaces or whites out.
class ModuleCollector {
 public:
  explicit ModuleCollector(const Limits& limits) : limits_(limits) {}

  // One layer, read to its end. Everything but *.wasm files is passed over.
  Result<> add_layer(const ChunkSource& source);

  struct Found {
    std::string path;
    SecretBytes module;
  };
  // The only candidate; among several the one named module.wasm, at the root before elsewhere. no_module,
  // several_modules.
  Result<Found> take();

 private:
  Result<> white_out(const std::string& path);
  void erase(const std::string& path);

  Limits limits_;
  std::map<std::string, SecretBytes> candidates_;
  std::uint64_t entries_ = 0;
};

}  // namespace coffer::image::unpack
