#include "apps/coffer/image_flags.h"

#include <CLI/CLI.hpp>

#include "image/layout.h"
#include "image/registry.h"

namespace coffer::cli {
namespace {

Result<image::RegistryOptions> options_of(const RegistryFlags& flags) {
  image::RegistryOptions registry;
  if (flags.plain_http) registry.plain_http = true;
  const auto& file = flags.auth_file;
  auto auth = file.empty() ? image::AuthConfig::load_default() : image::AuthConfig::load(file);
  registry.auth = TRY(std::move(auth));
  return registry;
}

}  // namespace

void RegistryFlags::add_to(CLI::App* command) {
  command->add_flag("--plain-http", plain_http, "talk HTTP to the registry (loopback does so by itself)");
  command->add_option("--auth-file", auth_file, "docker config.json with credentials (default: docker's own)");
}

Result<std::unique_ptr<image::ImageSource>> RegistryFlags::source(const image::AnyReference& reference) const {
  return image::open_source(reference, TRY(options_of(*this)));
}

Result<std::unique_ptr<image::ImageSource>> RegistryFlags::source(const std::string& reference) const {
  return source(TRY(image::parse_any_reference(reference)));
}

Result<std::unique_ptr<image::ImageSink>> RegistryFlags::sink(const image::AnyReference& reference) const {
  return image::open_sink(reference, TRY(options_of(*this)));
}

Result<std::unique_ptr<image::ImageSink>> RegistryFlags::sink(const std::string& reference) const {
  return sink(TRY(image::parse_any_reference(reference)));
}

}  // namespace coffer::cli
