// A directory beside its destination that becomes it by rename, or disappears.
#pragma once

#include <filesystem>

#include "image/error.h"

namespace coffer::image {

class Quarantine {
 public:
  // io where the destination exists already or cannot be made.
  static Result<Quarantine> create(const std::filesystem::path& destination);
  Quarantine(Quarantine&& other) noexcept;
  Quarantine& operator=(Quarantine&&) = delete;
  ~Quarantine();

  const std::filesystem::path& path() const { return path_; }
  Result<> publish();

 private:
  Quarantine(std::filesystem::path path, std::filesystem::path destination)
      : path_(std::move(path)), destination_(std::move(destination)) {}
  std::filesystem::path path_, destination_;
};

}  // namespace coffer::image
