#include "apps/coffer/url_file.h"

#include <unistd.h>

#include "apps/coffer/context.h"
#include "apps/coffer/home.h"

namespace coffer::cli {

Result<UrlFile> UrlFile::write(std::filesystem::path file, const std::string& url) {
  const auto temporary = file.string() + "." + std::to_string(::getpid());
  TRY(write_file(temporary, as_bytes(url + "\n")));
  std::error_code error;
  std::filesystem::rename(temporary, file, error);
  if (error) return fail(CliError::file, "cannot write " + file.string() + ": " + error.message());
  return UrlFile(std::move(file));
}

UrlFile::~UrlFile() {
  std::error_code ignored;
  if (!file_.empty()) std::filesystem::remove(file_, ignored);
}

}  // namespace coffer::cli
