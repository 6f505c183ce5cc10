#include "apps/coffer/collateral_files.h"

#include <algorithm>
#include <filesystem>

#include "apps/coffer/home.h"
#include "base/clock.h"
#include "codec/json.h"
#include "evidence/collateral/collateral_cache.h"
#include "evidence/dcap/collateral.h"

namespace coffer::cli {
namespace {

using evidence::Collateral;
using evidence::CollateralBlob;
using evidence::CollateralCache;
using evidence::CollateralError;
using evidence::CollateralItem;

// The first source that has the item.
class SeveralSources final : public Collateral {
 public:
  void add(std::shared_ptr<Collateral> source) { sources_.push_back(std::move(source)); }

  Result<std::shared_ptr<const CollateralBlob>> get(const CollateralItem& item, TimePoint at) override {
    Error last{CollateralError::not_found, "no file has " + item.kind + " " + item.key};
    for (const auto& source : sources_) {
      auto found = source->get(item, at);
      if (found) return found;
      last = std::move(found).error();
    }
    return fail(std::move(last));
  }

 private:
  std::vector<std::shared_ptr<Collateral>> sources_;
};

bool is_bundle(std::string_view text) {
  const auto value = codec::json::parse(text);
  const auto* format = value ? value->find("format") : nullptr;
  return format != nullptr && format->if_string() != nullptr && *format->if_string() == "coffer-collateral";
}

Result<std::shared_ptr<Collateral>> open_file(const std::filesystem::path& file) {
  const auto content = TRY(read_file(file));
  if (!is_bundle(as_text(content))) return evidence::dcap::collateral_from_json(as_text(content));
  auto cache = TRY(CollateralCache::create({.offline = true}));
  TRY(cache->import_bundle(as_text(content)));
  return cache;
}

std::vector<std::filesystem::path> files_of(const std::string& path) {
  std::error_code failed;
  if (!std::filesystem::is_directory(path, failed)) return {path};
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(path, failed)) {
    if (entry.is_regular_file(failed)) out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

Result<std::shared_ptr<Collateral>> open_collateral_files(const std::vector<std::string>& paths) {
  auto out = std::make_shared<SeveralSources>();
  for (const auto& path : paths) {
    for (const auto& file : files_of(path)) {
      auto source = open_file(file);
      if (!source) return fail(std::move(source).error().with("file", file.string()));
      out->add(*std::move(source));
    }
  }
  return out;
}

}  // namespace coffer::cli
