// A file of collateral that its owner renews while the broker runs.
#include <sys/stat.h>

#include <atomic>

#include "base/log.h"
#include "evidence/dcap/collateral.h"

namespace coffer::evidence::dcap {

namespace {

// What tells one content of a file from another without reading it: renewals write a new file and rename it, or write
// over the old one.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;
  timespec modified{};

  static Stamp of(const std::filesystem::path& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return {};
    return {found.st_dev, found.st_ino, found.st_size, found.st_mtim};
  }
  friend bool operator==(const Stamp& a, const Stamp& b) {
    return a.device == b.device && a.inode == b.inode && a.size == b.size && a.modified.tv_sec == b.modified.tv_sec &&
           a.modified.tv_nsec == b.modified.tv_nsec;
  }
};

struct Content {
  Stamp stamp;
  std::shared_ptr<Collateral> collateral;
};

class FollowedFile final : public Collateral {
 public:
  FollowedFile(std::filesystem::path path, std::shared_ptr<const Content> content)
      : path_(std::move(path)), content_(std::move(content)) {}

  Result<std::shared_ptr<const CollateralBlob>> get(const CollateralItem& item, TimePoint at) override {
    return current()->collateral->get(item, at);
  }

 private:
  // Appraisals do not wait for each other: two that see the change at once both read the file.
  std::shared_ptr<const Content> current() {
    auto content = content_.load();
    const auto stamp = Stamp::of(path_);
    if (stamp == content->stamp) return content;
    auto read = collateral_from_file(path_);
    if (!read) {
      log::warn("dcap.collateral_file", "collateral is not renewed: what the file held before is used",
                {{"file", path_.string()}, {"reason", read.error().message}});
    }
    auto renewed = std::make_shared<const Content>(stamp, read ? *std::move(read) : content->collateral);
    content_.store(renewed);
    return renewed;
  }

  std::filesystem::path path_;
  std::atomic<std::shared_ptr<const Content>> content_;
};

}  // namespace

Result<std::shared_ptr<Collateral>> collateral_following_file(const std::filesystem::path& path) {
  // Stamped before it is read: a change meanwhile is seen at the next question.
  const auto stamp = Stamp::of(path);
  auto content = std::make_shared<const Content>(stamp, TRY(collateral_from_file(path)));
  return std::make_shared<FollowedFile>(path, std::move(content));
}

}  // namespace coffer::evidence::dcap
