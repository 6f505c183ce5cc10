#include "vm/kernel.h"

#include <string.h>

#include <algorithm>
#include <map>
#include <set>

#include "vm/child.h"
#include "vm/files.h"

namespace coffer::vm {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view meta_package = "linux-image-cloud-amd64";
constexpr std::string_view image_prefix = "vmlinuz-";

// "linux-image-6.1.0-56-cloud-amd64" of what apt-cache says the meta package depends on.
Result<std::string> package_name() {
  const auto text = TRY(run_tool({"apt-cache", "depends", std::string{meta_package}}, "apt"));
  constexpr std::string_view mark = "Depends: linux-image-";
  const auto start = text.find(mark);
  if (start == std::string::npos) {
    return fail(VmError::no_kernel, "apt-cache knows no package that " + std::string{meta_package} +
                                        " depends on; run `apt-get update`, or give --kernel DIR");
  }
  const auto name = start + std::string_view{"Depends: "}.size();
  return text.substr(name, text.find_first_of(" \n", name) - name);
}

Result<> unpack_package(const fs::path& target) {
  const auto name = TRY(package_name());
  TRY(make_directories(target.parent_path()));
  const auto scratch = TRY(TemporaryDirectory::create());
  TRY(run_tool({"apt-get", "download", "-qq", name}, "apt", scratch.path()));
  std::error_code failure;
  for (const auto& file : fs::directory_iterator(scratch.path(), failure)) {
    if (file.path().extension() != ".deb") continue;
    // Beside the target, so that the last step is one rename: an interrupted download leaves no half kernel.
    const auto partial = target.parent_path() / ("partial-" + scratch.path().filename().string());
    TRY(run_tool({"dpkg-deb", "-x", file.path().string(), partial.string()}, "dpkg"));
    fs::rename(partial, target, failure);
    if (!failure || find_kernel(target)) return {};
    return fail(VmError::file, target.string() + " cannot be made: " + failure.message());
  }
  return fail(VmError::no_kernel, "apt-get download " + name + " left no package");
}

// Kernel releases sort by their numbers, not by their letters: 6.1.0-56 comes after 6.1.0-9.
bool older(const std::string& a, const std::string& b) {
  return ::strverscmp(a.c_str(), b.c_str()) < 0;
}

std::map<std::string, fs::path> module_files(const fs::path& directory) {
  std::map<std::string, fs::path> out;
  std::error_code failure;
  for (const auto& entry : fs::recursive_directory_iterator(directory, failure)) {
    if (entry.path().extension() != ".ko") continue;
    auto name = entry.path().stem().string();
    std::ranges::replace(name, '-', '_');
    out.emplace(std::move(name), entry.path());
  }
  return out;
}

class LoadOrder {
 public:
  explicit LoadOrder(const Kernel& kernel) : release_(kernel.release), files_(module_files(kernel.modules)) {}

  Result<> add(const std::string& name) {
    if (!seen_.insert(name).second) return {};
    const auto file = files_.find(name);
    if (file == files_.end()) {
      return fail(VmError::no_kernel, "kernel " + release_ + " has no module file " + name + ".ko");
    }
    auto content = TRY(read_file(file->second));
    for (const auto& needed : module_dependencies(content)) TRY(add(needed));
    modules_.push_back({name, std::move(content)});
    return {};
  }
  std::vector<Module> take() { return std::move(modules_); }

 private:
  std::string release_;
  std::map<std::string, fs::path> files_;
  std::set<std::string> seen_;
  std::vector<Module> modules_;
};

}  // namespace

Result<Kernel> find_kernel(const fs::path& root) {
  std::string newest;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(root / "boot", failure)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(image_prefix)) continue;
    const auto release = name.substr(image_prefix.size());
    if (fs::is_directory(root / "lib/modules" / release, failure) && (newest.empty() || older(newest, release))) {
      newest = release;
    }
  }
  if (newest.empty()) {
    return fail(VmError::no_kernel, root.string() + " holds no boot/vmlinuz-RELEASE with lib/modules/RELEASE");
  }
  return Kernel{newest, root / "boot" / (std::string{image_prefix} + newest), root / "lib/modules" / newest};
}

Result<Kernel> debian_kernel(const fs::path& cache) {
  const auto place = cache / "vm-kernel";
  if (auto kernel = find_kernel(place)) return kernel;
  TRY(unpack_package(place));
  return find_kernel(place);
}

std::vector<std::string> module_dependencies(ByteView module) {
  constexpr std::string_view mark{"\0depends=", 9};
  const auto text = as_text(module);
  const auto start = text.find(mark);
  std::vector<std::string> out;
  if (start == std::string_view::npos) return out;
  auto names = text.substr(start + mark.size());
  names = names.substr(0, names.find('\0'));
  while (!names.empty()) {
    const auto end = std::min(names.find(','), names.size());
    std::string name{names.substr(0, end)};
    std::ranges::replace(name, '-', '_');
    if (!name.empty()) out.push_back(std::move(name));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return out;
}

Result<std::vector<Module>> load_order(const Kernel& kernel, std::span<const std::string> names) {
  LoadOrder order{kernel};
  for (const auto& name : names) TRY(order.add(name));
  return order.take();
}

}  // namespace coffer::vm
