#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "base/file_descriptor.h"
#include "evidence/device/configfs_tsm.h"

namespace coffer::evidence::device {

namespace {

using Answer = TsmFilesystem::Answer;
using Outcome = TsmFilesystem::Outcome;

Answer answer_of(int error) {
  switch (error) {
    case 0: return {};
    case EBUSY:
    case EAGAIN:
    case EINTR:
    case EEXIST: return {Outcome::busy, std::generic_category().message(error)};
    case ENOENT:
    case ENODEV:
    case ENXIO: return {Outcome::absent, std::generic_category().message(error)};
    default: return {Outcome::failed, std::generic_category().message(error)};
  }
}

class SystemTsmFilesystem final : public TsmFilesystem {
 public:
  Answer make_directory(const std::filesystem::path& path) override {
    return answer_of(::mkdir(path.c_str(), 0700) == 0 ? 0 : errno);
  }

  Answer remove_directory(const std::filesystem::path& path) override {
    return answer_of(::rmdir(path.c_str()) == 0 ? 0 : errno);
  }

  Answer write(const std::filesystem::path& file, ByteView content) override {
    const FileDescriptor opened{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!opened) return answer_of(errno);
    const auto written = ::write(opened.get(), content.data(), content.size());
    if (written < 0) return answer_of(errno);
    if (written == static_cast<ssize_t>(content.size())) return {};
    return {Outcome::failed,
            "only " + std::to_string(written) + " of " + std::to_string(content.size()) + " bytes were taken"};
  }

  Answer read(const std::filesystem::path& file, std::size_t limit) override {
    const FileDescriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!opened) return answer_of(errno);
    Answer answer;
    while (true) {
      std::byte chunk[4096];
      const auto got = ::read(opened.get(), chunk, sizeof chunk);
      if (got < 0) return answer_of(errno);
      if (got == 0) return answer;
      answer.content.insert(answer.content.end(), chunk, chunk + got);
      if (answer.content.size() > limit) return {Outcome::failed, "more than " + std::to_string(limit) + " bytes"};
    }
  }

  void pause(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }
};

}  // namespace

TsmFilesystem& system_tsm_filesystem() {
  static SystemTsmFilesystem files;
  return files;
}

}  // namespace coffer::evidence::device
