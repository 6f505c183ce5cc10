// Reports through the kernel's TSM interface in configfs (Documentation/ABI/testing/configfs-tsm-report): one
// directory a request, made under /sys/kernel/config/tsm/report and removed afterwards.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer::evidence::device {

// The file operations that the interface takes. Configfs makes attributes appear and vanish with their directory,
// which no ordinary file system does, so tests stand in here. Errors carry EvidenceError::no_device where the path
// does not exist, EvidenceError::device_failed otherwise.
class TsmFilesystem {
 public:
  enum class Outcome { done, busy, absent, failed };  // busy: EBUSY, EAGAIN, EINTR or EEXIST, worth another attempt
  struct Answer {
    Outcome outcome = Outcome::done;
    std::string reason{};  // of `failed`, `absent` and `busy`: the system's words
    Bytes content{};       // of a read
  };

  virtual ~TsmFilesystem() = default;
  virtual Answer make_directory(const std::filesystem::path& path) = 0;
  virtual Answer remove_directory(const std::filesystem::path& path) = 0;
  // In one write(2): the kernel takes what one call brings as the whole attribute.
  virtual Answer write(const std::filesystem::path& file, ByteView content) = 0;
  // To the end; `failed` for more than `limit` bytes.
  virtual Answer read(const std::filesystem::path& file, std::size_t limit) = 0;
  virtual void pause(std::chrono::milliseconds time) = 0;
};
TsmFilesystem& system_tsm_filesystem();

struct TsmRequest {
  std::string_view provider;  // "tdx_guest", "arm_cca_guest", "sev_guest"
  ByteView inblob;            // 1 to 64 bytes
  std::optional<unsigned> privlevel{};
  bool wants_auxblob = false;
};

struct TsmReport {
  Bytes outblob;
  Bytes auxblob{};
};

class ConfigfsTsm {
 public:
  // `root` stands for "/" in tests. `files` outlives this.
  explicit ConfigfsTsm(std::filesystem::path root = "/", TsmFilesystem& files = system_tsm_filesystem());

  // What stands behind the interface, "tdx_guest": a directory is made and removed for the answer. no_device,
  // device_failed.
  Result<std::string> provider() const;
  // Whether such a directory can be made and names this provider.
  bool has_provider(std::string_view provider) const;

  // no_device: no such interface, or another provider behind it. device_failed: an empty report, an error, or a
  // directory that others wrote to as well (`generation`) in each of three attempts, each in a directory of its own.
  Result<TsmReport> report(const TsmRequest& request) const;

 private:
  std::filesystem::path directory_;
  TsmFilesystem& files_;
};

}  // namespace coffer::evidence::device
