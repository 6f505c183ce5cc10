// An image as this machine sees it: where it is, what it says of itself, and its module.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "codec/resource_uri.h"
#include "image/pull.h"
#include "image/registry.h"
#include "keyclient/resource_source.h"
#include "workload/error.h"
#include "workload/layer_cache.h"

namespace coffer::workload {

// The key of an image that names none.
inline constexpr std::string_view default_key_path = "default/key/encryption-key";

struct ImageAccess {
  std::string image;                                      // reference or oci:DIR[:TAG]
  std::string registry_user{}, registry_password_file{};  // beside docker's config
  bool plain_http = false;
  std::vector<std::string> plain_http_hosts{};             // as references name them: "10.0.2.2:5000"
  std::filesystem::path layer_store{};                     // empty: nothing is kept
  std::vector<std::filesystem::path> guest_directories{};  // those that guests may write to
  std::shared_ptr<net::HttpClient> http{};                 // none: one of its own with the system's roots
};

// Opens the reference with the user's registry credentials; layers go through the layer store where there is one.
Result<std::unique_ptr<CachedSource>> open_image(const ImageAccess& access);

struct KeyChoice {
  bool expect_encrypted = false;                  // a plain layer is refused
  std::optional<codec::ResourceUri> named{};      // instead of what the image's annotations name
  std::optional<codec::ResourceUri> otherwise{};  // where they name none; none: default_key_path
};

// The module, decrypted where it is encrypted. `keys`: none for a plain image.
Result<image::PulledModule> pull_module(image::ImageSource& source, const image::ImageSummary& summary,
                                        const KeyChoice& choice,
                                        const std::shared_ptr<keyclient::ResourceSource>& keys);

}  // namespace coffer::workload
