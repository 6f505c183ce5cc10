#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "codec/base64.h"
#include "codec/json_secret.h"
#include "keyclient/detail/secret_file.h"
#include "keyclient/resource_source.h"

namespace coffer::keyclient {
namespace {

namespace json = codec::json;

std::unexpected<Error> bad_file(std::string_view name, const std::string& why) {
  return fail(KeyClientError::source_unreadable,
              std::string{name} + ": " + why + R"(; expected an object like {"default/key/k1": "<base64>"})");
}

}  // namespace

std::vector<std::filesystem::path> OfflineFsKbcSource::default_files() {
  std::vector<std::filesystem::path> files{"/etc/aa-offline_fs_kbc-keys.json", "/etc/aa-offline_fs_kbc-resources.json"};
  const char* extra = std::getenv("OFFLINE_FS_KBC_EXTRA_FILE_PATH");
  std::string_view rest = extra == nullptr ? "" : extra;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    if (comma > 0) files.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return files;
}

Result<std::unique_ptr<OfflineFsKbcSource>> OfflineFsKbcSource::load(const std::vector<std::filesystem::path>& files) {
  auto source = std::make_unique<OfflineFsKbcSource>();
  for (const auto& file : files) {
    const auto text = TRY(detail::read_secret_file(file));
    if (!text) {
      log::warn("keyclient.offline_file_missing", "an offline key file does not exist", {{"file", file.string()}});
      continue;
    }
    TRY(source->add(as_text(text->expose()), file.string()));
  }
  return source;
}

Result<> OfflineFsKbcSource::add(std::string_view json_text, std::string_view name) {
  auto document = json::parse(json_text, {.max_size = max_resource_size, .max_depth = 4});
  if (!document) return bad_file(name, document.error().message);
  auto* object = document->if_object();
  if (object == nullptr) return bad_file(name, "found " + std::string{document->type_name()});
  const auto added = add_entries(*object, name);
  json::wipe(*document);
  if (added) names_.emplace_back(name);
  return added;
}

Result<> OfflineFsKbcSource::add_entries(const json::Object& entries, std::string_view name) {
  for (const auto& [key, value] : entries) {
    const auto uri = codec::ResourceUri::parse_any(key);
    if (!uri) return bad_file(name, "the name \"" + key + "\" is no resource: " + uri.error().message);
    const auto* text = value.if_string();
    if (text == nullptr) return bad_file(name, key + " is " + std::string{value.type_name()});
    auto secret = codec::base64_decode_secret(as_bytes(*text));
    if (!secret) return bad_file(name, key + " is not base64");
    const auto [position, is_new] = entries_.try_emplace(uri->path(), secret->clone());
    if (!is_new && !(position->second == *secret)) {
      return fail(KeyClientError::source_ambiguous,
                  std::string{name} + " gives the key " + key + " another value than a file before it; remove one");
    }
  }
  return {};
}

Result<SecretBytes> OfflineFsKbcSource::fetch(const codec::ResourceUri& uri) {
  const auto entry = entries_.find(uri.path());
  if (entry == entries_.end()) {
    return fail(KeyClientError::not_found, "no key " + uri.path() + " in " + describe());
  }
  if (entry->second.empty()) {
    return fail(KeyClientError::key_malformed, "the key " + uri.path() + " in " + describe() + " is empty");
  }
  return entry->second.clone();
}

std::string OfflineFsKbcSource::describe() const {
  std::string text = "offline file";
  for (const auto& name : names_) text += " " + name;
  return names_.empty() ? "offline files (none was found)" : text;
}

}  // namespace coffer::keyclient
