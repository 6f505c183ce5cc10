// Pulling: download, digest, MAC, decrypt, inflate, diff-id and unpack in one pass over bounded buffers, several
// threads wide. Nothing is given out before every one of them held.
#pragma once

#include <filesystem>

#include "image/ocicrypt/key_wrap.h"
#include "image/store.h"
#include "image/unpack/untar.h"

namespace coffer::image {

struct PullOptions {
  bool expect_encrypted = false;  // not_encrypted where any layer is plain
  ocicrypt::OpenKeys keys{};
  Platform platform = Platform::host();
  Limits limits{};
  unpack::UntarOptions untar{};  // for pull_tree
  Progress progress{};           // bytes of layers, as downloaded
};

struct PulledModule {
  SecretBytes module;  // in memory only, encrypted or not
  Digest manifest_digest;
  Digest layer_digest;  // of the layer as stored
  bool encrypted = false;
  std::string name{};  // path inside a tar layer, empty for a single blob
  ImageConfig config{};
};

// The WASM module of an image: a WASM layer, or a tar layer that holds one *.wasm (or module.wasm among several).
Result<PulledModule> pull_module(ImageSource& source, const PullOptions& options);

struct PulledTree {
  Digest manifest_digest;
  bool encrypted = false;
  unpack::UntarCount count{};
  ImageConfig config{};
};

// All layers applied in order into `destination`, which must not exist: it appears by rename when everything held. The
// quarantine is a directory beside it and is removed on failure.
Result<PulledTree> pull_tree(ImageSource& source, const std::filesystem::path& destination, const PullOptions& options);

// One layer through the pipeline into `sink`, uncompressed: what both of the above, and services, are made of.
// `diff_id`: checked where known.
struct LayerJob {
  Descriptor layer;
  std::optional<Digest> diff_id{};
};
Result<> pull_layer(ImageSource& source, const LayerJob& job, const PullOptions& options, ByteSink& sink);

// What `image inspect` shows.
struct LayerSummary {
  Descriptor descriptor;
  bool encrypted = false;
  std::vector<std::string> schemes{};  // "jwe", "provider.attestation-agent"
  std::vector<std::string> key_ids{};  // kids of provider packets
};
struct ImageSummary {
  Digest manifest_digest;
  std::string media_type, config_media_type;
  ImageConfig config{};
  bool encrypted = false, wasm = false;
  std::vector<LayerSummary> layers{};
};
Result<ImageSummary> inspect_image(ImageSource& source, const Platform& platform = Platform::host());

}  // namespace coffer::image
