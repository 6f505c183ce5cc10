// Where keys and other resources come from: a broker, or files where there is none.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "codec/json.h"
#include "codec/resource_uri.h"
#include "keyclient/error.h"

namespace coffer::keyclient {

inline constexpr std::size_t max_resource_size = 4U << 20;  // bytes

class ResourceSource {
 public:
  virtual ~ResourceSource() = default;
  // Never empty: an empty resource is key_malformed here, where it arrives. Safe to call from several threads.
  virtual Result<SecretBytes> fetch(const codec::ResourceUri& uri) = 0;
  // For logs: "broker http://127.0.0.1:8080", "directory /keys".
  virtual std::string describe() const = 0;
};

// A directory in the layouts of upstream's LocalFs: nested `repo/type/tag`, or one file whose name writes '/' as the
// four characters \x2F. Both for one key is source_ambiguous. Links that lead out of the directory are not followed.
class DirectoryResourceSource final : public ResourceSource {
 public:
  static Result<std::unique_ptr<DirectoryResourceSource>> open(const std::filesystem::path& directory);
  Result<SecretBytes> fetch(const codec::ResourceUri& uri) override;
  std::string describe() const override;

 private:
  explicit DirectoryResourceSource(std::filesystem::path directory) : directory_(std::move(directory)) {}
  std::filesystem::path directory_;
};

// upstream's offline_fs_kbc: JSON objects from "repo/type/tag" to base64, in aa-offline_fs_kbc-keys.json,
// aa-offline_fs_kbc-resources.json and more files (guest-components.md 3.2). Missing files only warn; a key that two
// files give different values for is source_ambiguous.
class OfflineFsKbcSource final : public ResourceSource {
 public:
  static Result<std::unique_ptr<OfflineFsKbcSource>> load(const std::vector<std::filesystem::path>& files);
  // /etc/aa-offline_fs_kbc-{keys,resources}.json and the comma-separated OFFLINE_FS_KBC_EXTRA_FILE_PATH.
  static std::vector<std::filesystem::path> default_files();
  // One file's text. `name` stands in errors.
  Result<> add(std::string_view json_text, std::string_view name);

  Result<SecretBytes> fetch(const codec::ResourceUri& uri) override;
  std::string describe() const override;

 private:
  Result<> add_entries(const codec::json::Object& entries, std::string_view name);
  std::map<std::string, SecretBytes> entries_;  // by path
  std::vector<std::string> names_;
};

// [resources] of an aa-config: some URIs are files, everything else asks `fallback` (which may be null).
class MappedSource final : public ResourceSource {
 public:
  // Keys are kbs URIs or bare paths; their host does not count.
  static Result<std::unique_ptr<MappedSource>> create(const std::map<std::string, std::filesystem::path>& files,
                                                      std::shared_ptr<ResourceSource> fallback);
  Result<SecretBytes> fetch(const codec::ResourceUri& uri) override;
  std::string describe() const override;

 private:
  std::map<std::string, std::filesystem::path> files_;  // by path
  std::shared_ptr<ResourceSource> fallback_;
};

// Asks each in turn; not_found goes on to the next, any other error ends the search.
class ChainedSource final : public ResourceSource {
 public:
  explicit ChainedSource(std::vector<std::shared_ptr<ResourceSource>> sources) : sources_(std::move(sources)) {}
  Result<SecretBytes> fetch(const codec::ResourceUri& uri) override;
  std::string describe() const override;

 private:
  std::vector<std::shared_ptr<ResourceSource>> sources_;
};

}  // namespace coffer::keyclient
