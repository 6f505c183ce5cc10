#include <algorithm>

#include "keyclient/detail/secret_file.h"
#include "keyclient/resource_source.h"

namespace coffer::keyclient {
namespace {

// LocalFs of Trustee since v0.19 keeps one file a key and writes '/' as these four characters (trustee.md 5.3).
std::string flat_name(const codec::ResourceUri& uri) {
  std::string name;
  for (const auto& segment : uri.segments()) name += (name.empty() ? "" : "\\x2F") + segment;
  return name;
}

std::filesystem::path nested_name(const codec::ResourceUri& uri) {
  std::filesystem::path name;
  for (const auto& segment : uri.segments()) name /= segment;
  return name;
}

}  // namespace

Result<std::unique_ptr<DirectoryResourceSource>> DirectoryResourceSource::open(const std::filesystem::path& directory) {
  std::error_code failure;
  if (!std::filesystem::is_directory(directory, failure)) {
    return fail(
        KeyClientError::source_unreadable,
        "key directory " + directory.string() + " is no directory; expected files named repository/type/tag in it");
  }
  return std::unique_ptr<DirectoryResourceSource>{new DirectoryResourceSource(directory)};
}

Result<SecretBytes> DirectoryResourceSource::fetch(const codec::ResourceUri& uri) {
  const auto nested = nested_name(uri);
  const auto flat = flat_name(uri);
  auto found = TRY(detail::read_secret_beneath(directory_, nested));
  if (uri.segments().size() > 1) {
    auto second = TRY(detail::read_secret_beneath(directory_, flat));
    if (found && second) {
      return fail(KeyClientError::source_ambiguous, "two files in " + directory_.string() + " are the key " +
                                                        uri.path() + ": " + nested.string() + " and " + flat +
                                                        "; remove one");
    }
    if (second) found = std::move(second);
  }
  if (!found) {
    return fail(KeyClientError::not_found, "no key " + uri.path() + " in directory " + directory_.string() +
                                               "; expected the file " + (directory_ / nested).string());
  }
  if (found->empty()) {
    return fail(KeyClientError::key_malformed,
                "the file of key " + uri.path() + " in " + directory_.string() + " is empty");
  }
  return std::move(*found);
}

std::string DirectoryResourceSource::describe() const {
  return "directory " + directory_.string();
}

}  // namespace coffer::keyclient
