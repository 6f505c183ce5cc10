#include "image/pull.h"

#include <algorithm>

#include "image/detail/layer_chain.h"
#include "image/detail/quarantine.h"
#include "image/pipeline/secret_sink.h"
#include "image/unpack/module_tar.h"
#include "image/unpack/tree_writer.h"

namespace coffer::image {
namespace {

// Progress of an image: each layer adds to what the layers before it had.
class Bar {
 public:
  Bar(const Manifest& manifest, const Progress& progress) : progress_(progress) {
    for (const auto& layer : manifest.layers) total_ += layer.size;
  }
  // The options for one layer, whose own progress becomes the image's.
  PullOptions for_layer(const PullOptions& options, const Descriptor& layer) {
    auto out = options;
    if (progress_) {
      out.progress = [this, before = done_](std::uint64_t done, std::uint64_t) { progress_(before + done, total_); };
    }
    done_ += layer.size;
    return out;
  }

 private:
  const Progress& progress_;
  std::uint64_t total_ = 0, done_ = 0;
};

Result<> check_layer_kinds(const Manifest& manifest, const PullOptions& options) {
  for (const auto& layer : manifest.layers) {
    const auto kind = TRY(classify_layer(layer.media_type));
    if (options.expect_encrypted && !kind.encrypted) {
      return fail(ImageError::not_encrypted, "the image was expected to be encrypted, and its layer " +
                                                 layer.digest.text() + " is not (" + layer.media_type + ")");
    }
    if (layer.size > options.limits.max_layer_size) {
      return fail(ImageError::limit_exceeded, "the layer " + layer.digest.text() + " has " +
                                                  std::to_string(layer.size) + " bytes, over the limit of " +
                                                  std::to_string(options.limits.max_layer_size));
    }
  }
  return {};
}

// The options of one pull, whose key source asks once for each key.
class OnePull {
 public:
  explicit OnePull(const PullOptions& options) : options_(options) {
    if (options.keys.keys == nullptr) return;
    keys_.emplace(*options.keys.keys);
    options_.keys.keys = &*keys_;
  }
  const PullOptions& options() const { return options_; }

 private:
  std::optional<RememberingKeySource> keys_;
  PullOptions options_;
};

Result<ResolvedImage> resolve_checked(ImageSource& source, const PullOptions& options, bool prefer_wasm) {
  auto image = TRY(resolve_image(source, options.platform, prefer_wasm));
  // Kinds first: a tar without diff_ids and a layer of unknown type are different complaints.
  TRY(check_layer_kinds(image.manifest, options));
  TRY(check_layer_counts(image.manifest, image.config));
  return image;
}

LayerJob job_of(const ResolvedImage& image, std::size_t index) {
  LayerJob job{image.manifest.layers[index]};
  if (index < image.config.diff_ids.size()) {
    job.diff_id = image.config.diff_ids[index];
  } else if (index < image.config.layer_digests.size()) {
    job.diff_id = image.config.layer_digests[index];
  }
  return job;
}

Result<> check_magic(ByteView module) {
  // WebAssembly core specification 5.5.16: "\0asm"; the version field tells modules and components apart.
  if (as_text(module).starts_with(std::string_view{"\0asm", 4})) return {};
  return fail(ImageError::bad_module, "the module does not begin with WASM's magic number");
}

// The index of the layer that is a WASM module itself; nothing where only tars are there.
Result<std::optional<std::size_t>> find_wasm_layer(const Manifest& manifest) {
  std::vector<std::size_t> found, named;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const auto& layer = manifest.layers[i];
    if (TRY(classify_layer(layer.media_type)).content != LayerContent::wasm) continue;
    found.push_back(i);
    const auto title = layer.annotations.find("org.opencontainers.image.title");
    if (title != layer.annotations.end() && title->second == "module.wasm") named.push_back(i);
  }
  if (found.size() > 1 && named.size() == 1) found = named;
  if (found.size() > 1) {
    return fail(ImageError::several_modules, "the image has " + std::to_string(found.size()) +
                                                 " WASM layers, and none alone has the title module.wasm");
  }
  return found.empty() ? std::optional<std::size_t>{} : std::optional{found.front()};
}

Result<PulledModule> pull_wasm_layer(ImageSource& source, const ResolvedImage& image, std::size_t index,
                                     const PullOptions& options) {
  const auto& layer = image.manifest.layers[index];
  if (layer.size > options.limits.max_module_size) {
    return fail(ImageError::limit_exceeded, "the module has " + std::to_string(layer.size) +
                                                " bytes, over the limit of " +
                                                std::to_string(options.limits.max_module_size));
  }
  SecretSink collected{layer.size};  // encryption does not change the length
  TRY(pull_layer(source, job_of(image, index), options, collected));
  return PulledModule{.module = collected.take(),
                      .manifest_digest = image.raw.digest,
                      .layer_digest = layer.digest,
                      .encrypted = has_encrypted_layer(image.manifest),
                      .config = image.config};
}

Result<PulledModule> pull_module_from_tars(ImageSource& source, const ResolvedImage& image,
                                           const PullOptions& options) {
  unpack::ModuleCollector collector{options.limits};
  Bar bar{image.manifest, options.progress};
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    ThreadSink sink{[&](const ChunkSource& chunks) { return collector.add_layer(chunks); }};
    TRY(pull_layer(source, job_of(image, i), bar.for_layer(options, image.manifest.layers[i]), sink));
  }
  auto found = TRY(collector.take());
  return PulledModule{.module = std::move(found.module),
                      .manifest_digest = image.raw.digest,
                      .layer_digest = image.manifest.layers.back().digest,
                      .encrypted = has_encrypted_layer(image.manifest),
                      .name = std::move(found.path),
                      .config = image.config};
}

Result<> unpack_layers(ImageSource& source, const ResolvedImage& image, const PullOptions& options,
                       unpack::TreeWriter& tree, unpack::UntarCount& count) {
  auto limits = options.untar;
  limits.max_entries = std::min(limits.max_entries, options.limits.max_entries);
  limits.max_size = std::min(limits.max_size, options.limits.max_unpacked_size);
  Bar bar{image.manifest, options.progress};
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    ThreadSink sink{[&](const ChunkSource& chunks) { return unpack::untar(chunks, tree, limits, count); }};
    TRY(pull_layer(source, job_of(image, i), bar.for_layer(options, image.manifest.layers[i]), sink));
  }
  return tree.finish();
}

}  // namespace

Result<> pull_layer(ImageSource& source, const LayerJob& job, const PullOptions& options, ByteSink& sink) {
  auto chain = TRY(LayerChain::create(job, options, sink));
  TRY(source.read_blob(job.layer, chain->head()));
  return chain->head().finish();
}

Result<PulledModule> pull_module(ImageSource& source, const PullOptions& caller_options) {
  const OnePull pull{caller_options};
  const auto& options = pull.options();
  const auto image = TRY(resolve_checked(source, options, true));
  const auto layer = TRY(find_wasm_layer(image.manifest));
  auto pulled = layer ? TRY(pull_wasm_layer(source, image, *layer, options))
                      : TRY(pull_module_from_tars(source, image, options));
                      TRY(check_magic(pulled.module.expose()));
                      return pulled;
}

Result<PulledTree> pull_tree(ImageSource& source, const std::filesystem::path& destination,
                             const PullOptions& caller_options) {
  const OnePull pull{caller_options};
  const auto& options = pull.options();
  const auto image = TRY(resolve_checked(source, options, false));
  for (const auto& layer : image.manifest.layers) {
    if (TRY(classify_layer(layer.media_type)).content == LayerContent::tar) continue;
    return fail(ImageError::unsupported_media_type, "the layer " + layer.digest.text() + " is a WASM module (" +
                                                        layer.media_type + "), which runs and does not unpack");
  }
  auto quarantine = TRY(Quarantine::create(destination));
  PulledTree out{
      .manifest_digest = image.raw.digest, .encrypted = has_encrypted_layer(image.manifest), .config = image.config};
  const auto tree = TRY(unpack::TreeWriter::open(quarantine.path(), {.restore_owner = options.untar.restore_owner}));
  TRY(unpack_layers(source, image, options, *tree, out.count));
  TRY(quarantine.publish());
  return out;
}

}  // namespace coffer::image
