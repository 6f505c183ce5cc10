#include "guest/detail/image_access.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "image/layout.h"
#include "image/registry.h"

namespace coffer::guest::detail {
namespace {

Result<SecretBytes> read_password(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(GuestError::usage, "the registry's password file " + file.string() + " cannot be opened");
  SecretBytes password(4096);
  const auto room = password.mutable_expose();
  stream.read(reinterpret_cast<char*>(room.data()), static_cast<std::streamsize>(room.size()));
  auto size = static_cast<std::size_t>(stream.gcount());
  while (size > 0 && (room[size - 1] == std::byte{'\n'} || room[size - 1] == std::byte{'\r'})) --size;
  password.truncate(size);
  return password;
}

Result<image::RegistryOptions> registry_options(const RunnerOptions& options, const image::AnyReference& reference) {
  image::RegistryOptions out {
    .auth = TRY(image::AuthConfig::load_default())
  };
  if (options.plain_http) out.plain_http = true;
  const auto* remote = std::get_if<image::ImageReference>(&reference);
  if (options.registry_user.empty() || remote == nullptr) return out;
  out.auth.add(remote->host(),
               { .username = options.registry_user, .password = TRY(read_password(options.registry_password_file)) });
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

Result<std::unique_ptr<CachedSource>> open_image(const RunnerOptions& options) {
  const auto reference = TRY(image::parse_any_reference(options.image));
  auto source = TRY(image::open_source(reference, TRY(registry_options(options, reference))));
  auto store = options.layer_store;
  if (store.empty() && !options.work_dir.empty()) store = options.work_dir / "layers";
  std::vector<std::filesystem::path> guest_directories;
  if (!options.work_dir.empty()) guest_directories.push_back(options.work_dir);
  for (const auto& [host, guest] : options.directories) guest_directories.push_back(host);
  return std::make_unique<CachedSource>(std::move(source), std::move(store), guest_directories);
}

Result<image::PulledModule> pull(CachedSource& source, const image::ImageSummary& summary, const Settings& settings,
                                 const KeyAccess* access) {
  if (access == nullptr) return image::pull_module(source, {});
  ResourceKeySource keys{access->source};
  const auto default_kid = TRY(codec::ResourceUri::from_path(default_key_path));
  const auto private_keys = TRY(jwe_keys(summary, settings.key_id.value_or(default_kid), keys));
  image::PullOptions options{.expect_encrypted = settings.expect_encrypted};
  options.keys = {
      .keys = &keys, .private_keys = private_keys, .kid_override = settings.key_id, .default_kid = default_kid};
  return image::pull_module(source, options);
}

}  // namespace coffer::guest::detail
