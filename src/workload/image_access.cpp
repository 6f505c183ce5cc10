#include "workload/image_access.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "image/layout.h"
#include "workload/resource_key_source.h"

namespace coffer::workload {
namespace {

Result<SecretBytes> read_password(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(WorkloadError::usage, "the registry's password file " + file.string() + " cannot be opened");
  SecretBytes password(4096);
  const auto room = password.mutable_expose();
  stream.read(reinterpret_cast<char*>(room.data()), static_cast<std::streamsize>(room.size()));
  auto size = static_cast<std::size_t>(stream.gcount());
  while (size > 0 && (room[size - 1] == std::byte{'\n'} || room[size - 1] == std::byte{'\r'})) --size;
  password.truncate(size);
  return password;
}

Result<image::RegistryOptions> registry_options(const ImageAccess& access, const image::AnyReference& reference) {
  image::RegistryOptions out;
  out.http = access.http;
  out.auth = TRY(image::AuthConfig::load_default());
  if (access.plain_http) out.plain_http = true;
  const auto* remote = std::get_if<image::ImageReference>(&reference);
  if (remote != nullptr && std::ranges::count(access.plain_http_hosts, remote->host()) > 0) out.plain_http = true;
  if (access.registry_user.empty() || remote == nullptr) return out;
  auto password = TRY(read_password(access.registry_password_file));
  out.auth.add(remote->host(), {.username = access.registry_user, .password = std::move(password)});
  return out;
}

bool has_scheme(const image::ImageSummary& summary, std::string_view prefix) {
  return std::ranges::any_of(summary.layers, [&](const auto& layer) {
    return std::ranges::any_of(layer.schemes, [&](const auto& scheme) { return scheme.starts_with(prefix); });
  });
}

// JWE wraps name no key: the one named by the user, or the default one, has to be a private key in PEM.
Result<std::vector<crypto::PrivateKey>> jwe_keys(const image::ImageSummary& summary, const codec::ResourceUri& uri,
                                                 image::KeySource& keys) {
  std::vector<crypto::PrivateKey> out;
  if (!has_scheme(summary, "jwe") || has_scheme(summary, "provider.")) return out;
  const auto pem = TRY(keys.fetch(uri));
  auto key = crypto::PrivateKey::from_pem(pem.expose());
  if (!key) {
    return fail(keyclient::KeyClientError::key_malformed,
                "the image is encrypted for a public key (JWE), and " + uri.text() +
                    " is no private key in PEM; name the right one with --kbs-resource-path");
  }
  out.push_back(std::move(*key));
  return out;
}

}  // namespace

Result<std::unique_ptr<CachedSource>> open_image(const ImageAccess& access) {
  const auto reference = TRY(image::parse_any_reference(access.image));
  auto source = TRY(image::open_source(reference, TRY(registry_options(access, reference))));
  return std::make_unique<CachedSource>(std::move(source), access.layer_store, access.guest_directories);
}

Result<image::PulledModule> pull_module(image::ImageSource& source, const image::ImageSummary& summary,
                                        const KeyChoice& choice,
                                        const std::shared_ptr<keyclient::ResourceSource>& resources) {
  if (resources == nullptr) return image::pull_module(source, {});
  ResourceKeySource keys{resources};
  auto otherwise = choice.otherwise;
  if (!otherwise) otherwise = TRY(codec::ResourceUri::from_path(default_key_path));
  const auto private_keys = TRY(jwe_keys(summary, choice.named.value_or(*otherwise), keys));
  image::PullOptions options{.expect_encrypted = choice.expect_encrypted};
  options.keys = {.keys = &keys, .private_keys = private_keys, .kid_override = choice.named, .default_kid = otherwise};
  return image::pull_module(source, options);
}

}  // namespace coffer::workload
