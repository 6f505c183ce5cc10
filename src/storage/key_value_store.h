// The one key-value interface: memory, Trustee's LocalFs layout, SQLite. A value is a blob under a namespace and a key.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer::storage {

enum class StorageError {
  bad_key,      // outside [A-Za-z0-9._/-], an empty, "." or ".." segment, over 512 characters, or too long for a file
  ambiguous,    // LocalFs: one key stands in two files
  conflict,     // put_if() found another value
  too_large,    // a value over max_value_size
  unavailable,  // the file or database cannot be read or written
  corrupt,      // it can be read and is no store of ours, or of a newer schema
};
std::string_view code_name(StorageError code);

inline constexpr std::size_t max_key_size = 512;
inline constexpr std::size_t max_value_size = 64U << 20;

// Stores are safe to use from any thread; LocalFs and SQLite also from several processes at once.

class KeyValueStore {
 public:
  virtual ~KeyValueStore() = default;

  virtual Result<std::optional<Bytes>> get(std::string_view space, std::string_view key) = 0;
  // Creates or replaces, durable when it returns.
  virtual Result<> put(std::string_view space, std::string_view key, ByteView value) = 0;
  // Atomic: writes only where the present value equals `expected` (nothing: only where the key is absent);
  // StorageError::conflict otherwise.
  virtual Result<> put_if(std::string_view space, std::string_view key, std::optional<ByteView> expected,
                          ByteView value) = 0;
  // True where there was something to erase.
  virtual Result<bool> erase(std::string_view space, std::string_view key) = 0;
  // Erases many at the price of one where the store can; how many there were. Others may meanwhile see some of them
  // gone.
  virtual Result<std::size_t> erase_all(std::string_view space, std::span<const std::string> keys);
  // Keys that begin with `prefix`, sorted, at most `limit`, greater than `after`.
  virtual Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix = {},
                                                std::string_view after = {}, std::size_t limit = 1000) = 0;
};

// Rules above. Namespaces follow the same ones without '/'.
Result<> check_key(std::string_view space, std::string_view key);

std::unique_ptr<KeyValueStore> make_memory_store();
// One SQLite database file in WAL mode, created with mode 0600 where absent; its folder must exist.
Result<std::unique_ptr<KeyValueStore>> open_sqlite_store(const std::filesystem::path& file);

struct LocalFsOptions {
  std::filesystem::path directory;
  // Trustee v0.19 and later: directory/<namespace>/<key with '/' as the four characters \x2F>. Before: the directory is
  // the repository itself, nested: directory/<repo>/<type>/<tag>. Reading finds both; writing follows this switch,
  // unless the key already stands in a file: then that file is replaced.
  bool nested = false;
  // The namespace whose nested files lie directly in `directory` ("repository"), or in directory/<namespace>, for
  // reading hand-placed files.
  std::string nested_space = "repository";
};
// Creates the directory with mode 0700 where absent; files have mode 0600. Symbolic links that lead out of the
// directory are not followed.
Result<std::unique_ptr<KeyValueStore>> open_local_fs_store(const LocalFsOptions& options);

}  // namespace coffer::storage
