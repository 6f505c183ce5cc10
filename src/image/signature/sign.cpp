#include "image/signature/sign.h"

#include "codec/base64.h"
#include "codec/json.h"
#include "image/signature/payload.h"
#include "image/signature/verify.h"

namespace coffer::image::signature {
namespace {

namespace json = codec::json;

// "Clients must determine the signature scheme out-of-band": SHA-256 with every key that hashes, which the larger
// curves' own algorithms are not.
Result<Bytes> signature_over(const crypto::PrivateKey& key, ByteView content) {
  using crypto::KeyKind;
  switch (key.kind()) {
    case KeyKind::rsa: return key.sign(crypto::SignatureAlgorithm::rs256, content);
    case KeyKind::ed25519: return key.sign(crypto::SignatureAlgorithm::eddsa, content);
    case KeyKind::ec_p256: break;
    case KeyKind::ec_p384:
    case KeyKind::ec_p521:
      return fail(ImageError::bad_signing_key, "images are signed with keys of P-256, RSA or Ed25519, not of " +
                                                   std::string{crypto::name_of(key.kind())});
  }
  const auto raw = TRY(key.sign(crypto::SignatureAlgorithm::es256, content));
  return crypto::ecdsa_to_der(key.kind(), raw);
}

// The signatures that are there already, in an image of their own.
Result<std::vector<Descriptor>> present_layers(ImageSource& source, const Digest& digest) {
  const auto raw = source.tagged(signature_tag(digest));
  if (!raw && raw.error().code == ImageError::not_found) return std::vector<Descriptor>{};
  if (!raw) return std::unexpected(raw.error());
  auto manifest = TRY(Manifest::parse(raw->content, raw->media_type));
  return std::move(manifest.layers);
}

// As cosign's: an image configuration that says nothing but which layers there are.
std::string config_of(const std::vector<Descriptor>& layers) {
  json::Array digests;
  for (const auto& layer : layers) digests.emplace_back(layer.digest.text());
  return json::serialize(json::Object{{"architecture", ""},
                                      {"created", "0001-01-01T00:00:00Z"},
                                      {"history", json::Array{json::Object{{"created", "0001-01-01T00:00:00Z"}}}},
                                      {"os", ""},
                                      {"rootfs", json::Object{{"type", "layers"}, {"diff_ids", std::move(digests)}}},
                                      {"config", json::Object{}}});
}

}  // namespace

Result<std::string> sign_content(const crypto::PrivateKey& key, ByteView content) {
  const auto signature = TRY(signature_over(key, content));
  return codec::base64_encode(signature);
}

Result<AnyReference> place_of_signatures(const AnyReference& image, const Digest& digest) {
  if (const auto* layout = std::get_if<LayoutReference>(&image)) {
    return AnyReference{LayoutReference{layout->directory, signature_tag(digest)}};
  }
  const auto& remote = std::get<ImageReference>(image);
  auto place = TRY(ImageReference::parse(remote.host() + "/" + remote.repository() + ":" + signature_tag(digest)));
  return AnyReference{std::move(place)};
}

Result<Digest> sign_image(ImageSource& source, ImageSink& sink, const crypto::PrivateKey& key,
                          const std::string& docker_reference) {
  auto digest = TRY(source.manifest(std::nullopt))
  .digest;
  const auto payload = SimpleSigning{.manifest = digest, .reference = docker_reference}.to_json();
  auto layers = TRY(present_layers(source, digest));
  auto layer = TRY(put_small_blob(sink, as_bytes(payload), payload_media_type));
  layer.annotations.emplace(signature_annotation, TRY(sign_content(key, as_bytes(payload))));
  layers.push_back(std::move(layer));
  auto config = TRY(put_small_blob(sink, as_bytes(config_of(layers)), media_type::oci_config));
  const Manifest manifest{
      .media_type = std::string{media_type::oci_manifest}, .config = std::move(config), .layers = std::move(layers)};
  const auto text = manifest.to_json();
  TRY(sink.put_manifest({manifest.media_type, to_bytes(text), Digest::of(as_bytes(text))}, true));
  return digest;
}

}  // namespace coffer::image::signature
