#include "image/unpack/module_tar.h"

#include <algorithm>

#include "image/unpack/entry_path.h"
#include "image/unpack/tar_reader.h"

namespace coffer::image::unpack {
namespace {

constexpr std::string_view preferred_name = "module.wasm";
constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::size_t max_candidates = 64;

Result<SecretBytes> read_module(TarReader& reader, const TarEntry& entry, std::uint64_t max_size) {
  if (entry.size > max_size) {
    return fail(ImageError::limit_exceeded, "the module " + entry.path.substr(0, 200) + " has " +
                                                std::to_string(entry.size) + " bytes, over the limit of " +
                                                std::to_string(max_size));
  }
  SecretBytes module(entry.size);
  TRY(reader.read_data([&](std::uint64_t offset, ByteView data) -> Result<> {
    if (offset > module.size() || data.size() > module.size() - offset) {
      return fail(ImageError::bad_tar, "the file " + entry.path.substr(0, 200) + " is larger than its header says");
    }
    std::ranges::copy(data, module.mutable_expose().subspan(offset).begin());
    return {};
  }));
  return module;
}

std::string names_of(const std::map<std::string, SecretBytes>& candidates) {
  std::string out;
  for (const auto& [path, module] : candidates) out += (out.empty() ? "" : ", ") + path;
  return out.substr(0, 500);
}

}  // namespace

Result<> ModuleCollector::add_layer(const ChunkSource& source) {
  const auto reader = TRY(TarReader::open(source));
  while (const auto entry = TRY(reader->next())) {
    if (++entries_ > limits_.max_entries) {
      return fail(ImageError::limit_exceeded, "the image has over " + std::to_string(limits_.max_entries) + " entries");
    }
    const auto path = TRY(clean_entry_path(entry->path));
    if (name_of(path).starts_with(whiteout_prefix)) {
      TRY(white_out(path));
      continue;
    }
    if (entry->type != EntryType::directory) erase(path);
    if (entry->type != EntryType::file || !path.ends_with(".wasm")) continue;
    if (candidates_.size() == max_candidates)
      return fail(ImageError::several_modules, "the image holds over 64 WASM modules");
    std::uint64_t held = 0;
    for (const auto& [name, module] : candidates_) held += module.size();
    candidates_[path] =
        TRY(read_module(*reader, *entry, limits_.max_module_size - std::min(held, limits_.max_module_size)));
  }
  return {};
}

Result<> ModuleCollector::white_out(const std::string& path) {
  const std::string parent{parent_of(path)};
  const std::string hidden{name_of(path).substr(whiteout_prefix.size())};
  const auto full = parent.empty() ? hidden : parent + "/" + hidden;
  if (hidden == ".wh..opq") {
    if (parent.empty()) {
      candidates_.clear();
    } else {
      erase(parent);
    }
    return {};
  }
  erase(full);
  return {};
}

void ModuleCollector::erase(const std::string& path) {
  const auto below = path + "/";
  std::erase_if(candidates_, [&](const auto& item) { return item.first == path || item.first.starts_with(below); });
}

Result<ModuleCollector::Found> ModuleCollector::take() {
  if (candidates_.empty()) {
    return fail(ImageError::no_module, "no layer of the image holds a *.wasm file or is a WASM module itself");
  }
  auto chosen = candidates_.size() == 1 ? candidates_.begin() : candidates_.find(std::string{preferred_name});
  if (chosen == candidates_.end()) {
    const auto named = [](const auto& item) { return name_of(item.first) == preferred_name; };
    chosen = std::ranges::find_if(candidates_, named);
    if (chosen == candidates_.end() || std::ranges::count_if(candidates_, named) != 1) {
      return fail(ImageError::several_modules, "the image holds several WASM modules (" + names_of(candidates_) +
                                                   ") and none is named module.wasm alone");
    }
  }
  return Found{chosen->first, std::move(chosen->second)};
}

}  // namespace coffer::image::unpack
