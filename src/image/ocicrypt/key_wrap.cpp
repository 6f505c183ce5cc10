#include "image/ocicrypt/key_wrap.h"

#include <array>

#include "codec/jose/jwe.h"
#include "image/ocicrypt/kek.h"

namespace coffer::image::ocicrypt {
namespace {

namespace jose = codec::jose;

// What Go's and Rust's writers use (guest-components.md 4.3).
constexpr std::array jwe_algorithms{jose::KeyManagement::rsa_oaep, jose::KeyManagement::rsa_oaep_256,
                                    jose::KeyManagement::ecdh_es_a256kw, jose::KeyManagement::ecdh_es_a192kw,
                                    jose::KeyManagement::ecdh_es_a128kw};

bool is_provider(const Wrap& wrap) {
  return wrap.scheme.starts_with("provider.");
}

// Explicit flag, then the packet's kid, then the default.
Result<codec::ResourceUri> choose_kid(const AnnotationPacket& packet, const OpenKeys& keys) {
  if (keys.kid_override) return *keys.kid_override;
  auto uri = packet.key_uri();
  if (!uri && keys.default_kid) return *keys.default_kid;
  return uri;
}

// Where the default key stands in for the packet's, a failure says so: the key that was asked for is not the one that
// whoever encrypted the image had in mind.
Result<SecretBytes> fetch_key(const AnnotationPacket& packet, const codec::ResourceUri& kid, const OpenKeys& keys) {
  auto stored = keys.keys->fetch(kid);
  if (stored || keys.kid_override) return stored;
  const auto own = packet.key_uri();
  if (own) return stored;
  auto error = std::move(stored).error();
  error.message += "; this is the default key, because " + own.error().message;
  return fail(std::move(error));
}

Result<PrivateOptions> open_packet(const Wrap& wrap, const OpenKeys& keys) {
  const auto packet = TRY(AnnotationPacket::parse(wrap.blob));
  // Before anybody is asked: the kid of another service is no name that a broker knows.
  if (packet.provider != "kbs") {
    return fail(ImageError::no_key, "the layer's key is wrapped by the service \"" + packet.provider.substr(0, 100) +
                                        "\", and only keys of a broker (kbs) open here");
  }
  const auto kid = TRY(choose_kid(packet, keys));
  const auto stored = TRY(fetch_key(packet, kid, keys));
  auto kek = parse_kek(stored.expose());
  if (!kek) return fail(std::move(kek).error().with("kid", kid.text()));
  const auto opened = TRY(packet.open(*kek));
  return PrivateOptions::parse(opened.expose());
}

Result<PrivateOptions> open_jwe(const Wrap& wrap, std::span<const crypto::PrivateKey> private_keys) {
  for (const auto& key : private_keys) {
    const auto opened = jose::decrypt(as_text(wrap.blob), key, jwe_algorithms);
    if (opened) return PrivateOptions::parse(opened->expose());
  }
  return fail(ImageError::unwrap_failed, "none of the " + std::to_string(private_keys.size()) +
                                             " private keys at hand opens the layer's JWE wrap");
}

std::string schemes_of(const std::vector<Wrap>& wraps) {
  std::string out;
  for (const auto& wrap : wraps) out += (out.empty() ? "" : ", ") + wrap.scheme;
  return out;
}

Result<PrivateOptions> open_any(const std::vector<Wrap>& wraps, const OpenKeys& keys) {
  Result<PrivateOptions> last = fail(ImageError::no_key, "the layer's key is wrapped for " + schemes_of(wraps) +
                                                             ", and no key or key source at hand fits any of them");
  for (const auto& wrap : wraps) {
    if (!is_provider(wrap) || keys.keys == nullptr) continue;
    last = open_packet(wrap, keys);
    if (last) return last;
  }
  for (const auto& wrap : wraps) {
    if (wrap.scheme != "jwe" || keys.private_keys.empty()) continue;
    auto opened = open_jwe(wrap, keys.private_keys);
    if (opened) return opened;
    // A key source's answer says more than that a key did not fit.
    if (last.error().code == ErrorCode{ImageError::no_key}) last = std::move(opened);
  }
  return last;
}

}  // namespace

Result<LayerOptions> open_layer_options(const Annotations& annotations, const OpenKeys& keys) {
  auto public_options = TRY(PublicOptions::parse(TRY(read_public_options(annotations))));
  const auto wraps = TRY(read_wraps(annotations));
  auto private_options = TRY(open_any(wraps, keys));
  return LayerOptions{std::move(public_options), std::move(private_options)};
}

Result<> seal_layer_options(const LayerOptions& options, const Recipients& recipients, Annotations& annotations) {
  if (recipients.keks.empty() && recipients.jwe.empty()) {
    return fail(ImageError::no_key,
                "a layer is encrypted for a key encryption key or a public key, and there is neither");
  }
  const auto secret = options.private_options.to_json();
  for (const auto& recipient : recipients.keks) {
    const auto packet = TRY(AnnotationPacket::seal(secret.expose(), recipient.kek, recipient.kid, recipient.version));
    add_wrap(annotations, "provider." + recipient.provider, as_bytes(packet.to_json()));
  }
  if (!recipients.jwe.empty()) {
    add_wrap(annotations, "jwe", as_bytes(TRY(jose::encrypt_general(secret.expose(), recipients.jwe))));
  }
  set_public_options(annotations, options.public_options.to_json());
  return {};
}

}  // namespace coffer::image::ocicrypt
