#include "wasm/module.h"

#include <algorithm>
#include <string_view>

#include "wasm/detail/module_impl.h"

namespace coffer::wasm {
namespace {

std::vector<Export> parse_exports(std::string_view lines) {
  std::vector<Export> exports;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const auto tab = line.rfind('\t');
    if (tab == std::string_view::npos) continue;
    exports.push_back({std::string{line.substr(0, tab)}, std::string{line.substr(tab + 1)}});
  }
  return exports;
}

}  // namespace

Result<std::shared_ptr<const Module::Impl>> Module::Impl::create(detail::NativeModule native, bool metered) {
  auto exports = parse_exports(TRY(native.exports()));
  const bool handles_http = native.handles_http();
  return std::make_shared<const Impl>(std::move(native), metered, std::move(exports), handles_http);
}

Module::Module(std::shared_ptr<const Impl> impl, Origin origin, std::string digest)
    : impl_(std::move(impl)), origin_(origin), digest_(std::move(digest)) {}

ModuleKind Module::kind() const {
  return impl_->native.is_component() ? ModuleKind::component : ModuleKind::core;
}

Origin Module::origin() const {
  return origin_;
}

std::vector<Export> Module::exports() const {
  return impl_->exports;
}

bool Module::is_command() const {
  const bool component = impl_->native.is_component();
  return std::ranges::any_of(impl_->exports, [component](const Export& item) {
    if (!component) return item.name == "_start";
    return item.name.starts_with("wasi:cli/run@") && item.name.ends_with("#run");
  });
}

bool Module::handles_http() const {
  return impl_->handles_http;
}

}  // namespace coffer::wasm
