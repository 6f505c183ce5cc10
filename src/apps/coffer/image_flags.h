// What every command of `coffer image` knows of registries.
#pragma once

#include <memory>
#include <string>

#include "apps/coffer/context.h"
#include "image/registry_auth.h"
#include "image/store.h"

namespace coffer::cli {

struct RegistryFlags {
  bool plain_http = false;
  std::string auth_file;

  void add_to(CLI::App* command);
  Result<std::unique_ptr<image::ImageSource>> source(const image::AnyReference& reference) const;
  Result<std::unique_ptr<image::ImageSource>> source(const std::string& reference) const;
  Result<std::unique_ptr<image::ImageSink>> sink(const image::AnyReference& reference) const;
  Result<std::unique_ptr<image::ImageSink>> sink(const std::string& reference) const;
};

// `coffer image sign` and `coffer image verify`.
void add_image_signature_commands(CLI::App& image, Commands& commands);

}  // namespace coffer::cli
