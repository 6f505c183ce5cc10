#include "keyclient/detail/secret_file.h"
#include "keyclient/resource_source.h"

namespace coffer::keyclient {

Result<std::unique_ptr<MappedSource>> MappedSource::create(const std::map<std::string, std::filesystem::path>& files,
                                                           std::shared_ptr<ResourceSource> fallback) {
  auto source = std::make_unique<MappedSource>();
  for (const auto& [name, file] : files) {
    const auto uri = codec::ResourceUri::parse_any(name);
    if (!uri) return fail(KeyClientError::bad_uri, "[resources] \"" + name + "\": " + uri.error().message);
    if (!source->files_.try_emplace(uri->path(), file).second) {
      return fail(KeyClientError::source_ambiguous, "[resources] names " + uri->path() + " twice; remove one");
    }
  }
  source->fallback_ = std::move(fallback);
  return source;
}

Result<SecretBytes> MappedSource::fetch(const codec::ResourceUri& uri) {
  const auto entry = files_.find(uri.path());
  if (entry == files_.end()) {
    if (fallback_) return fallback_->fetch(uri);
    return fail(KeyClientError::not_found,
                "no key " + uri.path() + " in [resources], and no other source is configured");
  }
  auto content = TRY(detail::read_secret_file(entry->second));
  if (!content) {
    return fail(KeyClientError::not_found,
                "the file " + entry->second.string() + " that [resources] names for " + uri.path() + " does not exist");
  }
  if (content->empty()) {
    return fail(KeyClientError::key_malformed,
                "the file " + entry->second.string() + " that [resources] names for " + uri.path() + " is empty");
  }
  return std::move(*content);
}

std::string MappedSource::describe() const {
  const auto own = std::to_string(files_.size()) + " mapped files";
  return fallback_ ? own + ", then " + fallback_->describe() : own;
}

Result<SecretBytes> ChainedSource::fetch(const codec::ResourceUri& uri) {
  std::string tried;
  for (const auto& source : sources_) {
    auto found = source->fetch(uri);
    if (found || found.error().code != KeyClientError::not_found) return found;
    tried += (tried.empty() ? "" : "; ") + found.error().message;
  }
  return fail(KeyClientError::not_found, tried.empty() ? "no source of keys is configured" : tried);
}

std::string ChainedSource::describe() const {
  std::string text;
  for (const auto& source : sources_) text += (text.empty() ? "" : ", then ") + source->describe();
  return text;
}

}  // namespace coffer::keyclient
