// A file that tells other commands where a server is, while it runs.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"

namespace coffer::cli {

class UrlFile {
 public:
  // Readers find the whole of it or nothing. CliError::file.
  static Result<UrlFile> write(std::filesystem::path file, const std::string& url);
  UrlFile(UrlFile&& other) noexcept : file_(std::exchange(other.file_, {})) {}
  UrlFile& operator=(UrlFile&&) = delete;
  ~UrlFile();  // removes it

 private:
  explicit UrlFile(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
};

}  // namespace coffer::cli
