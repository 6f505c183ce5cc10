#include "image/signature/verify.h"

#include <algorithm>
#include <optional>

#include "codec/base64.h"
#include "image/signature/payload.h"

namespace coffer::image::signature {
namespace {

using crypto::HashAlgorithm;
using crypto::KeyKind;
using crypto::SignatureScheme;

constexpr std::string_view certificate_annotation = "dev.sigstore.cosign/certificate";
// cosign 3 keeps its new bundles so; they hold a DSSE envelope instead of simple signing.
constexpr std::string_view bundle_artifact = "application/vnd.dev.sigstore.bundle";

bool verifies(const crypto::PublicKey& key, HashAlgorithm hash, ByteView content, ByteView signature) {
  const auto digest = crypto::hash(hash, content);
  if (key.kind() == KeyKind::rsa) {
    return key.verify_digest(SignatureScheme::rsa_pkcs1, hash, digest, signature).has_value();
  }
  const auto raw = crypto::ecdsa_from_der(key.kind(), signature);
  return raw && key.verify_digest(SignatureScheme::ecdsa, hash, digest, *raw).has_value();
}

// The registry's hash is the signature's ("Hashing Algorithms"): SHA-256. Newer signers take that of the curve.
bool verifies(const crypto::PublicKey& key, ByteView content, ByteView signature) {
  switch (key.kind()) {
    case KeyKind::ed25519: return key.verify(crypto::SignatureAlgorithm::eddsa, content, signature).has_value();
    case KeyKind::ec_p384:
      if (verifies(key, HashAlgorithm::sha384, content, signature)) return true;
      break;
    case KeyKind::ec_p521:
      if (verifies(key, HashAlgorithm::sha512, content, signature)) return true;
      break;
    default: break;
  }
  return verifies(key, HashAlgorithm::sha256, content, signature);
}

const crypto::PublicKey* maker_of(const TrustedKeys& keys, ByteView content, std::string_view base64) {
  const auto signature = codec::base64_decode(base64);
  if (!signature) return nullptr;
  const auto found =
      std::ranges::find_if(keys.keys(), [&](const auto& key) { return verifies(key, content, *signature); });
  return found == keys.keys().end() ? nullptr : &*found;
}

// What was found so far, and the most telling reason why none of it will do.
struct Search {
  std::optional<Verified> verified{};
  std::optional<Error> mismatch{};  // well signed, but over something else
  std::size_t seen = 0, keyless = 0;
  bool bundles = false;
};

Result<> look_at(ImageSource& source, const Descriptor& layer, const Digest& digest, const TrustedKeys& keys,
                 Search& search) {
  if (layer.media_type != payload_media_type || search.seen == max_signatures) return {};
  ++search.seen;
  const auto signature = layer.annotations.find(std::string{signature_annotation});
  if (signature == layer.annotations.end()) return {};
  const auto payload = TRY(fetch_small_blob(source, layer, max_payload_size));
  const auto* key = maker_of(keys, payload, signature->second);
  if (key == nullptr) {
    if (layer.annotations.contains(std::string{certificate_annotation})) ++search.keyless;
    return {};
  }
  // Only now: what nobody trusted has signed is not even read.
  auto document = SimpleSigning::parse(payload);
  if (!document) {
    search.mismatch = document.error();
  } else if (document->manifest != digest) {
    search.mismatch =
        Error{ImageError::signature_mismatch, "the signature under " + signature_tag(digest) + " is over " +
                                                  document->manifest.text() + ", another image than " + digest.text()};
  } else {
    search.verified = Verified{.key = describe(*key), .digest = digest, .reference = std::move(document->reference)};
  }
  return {};
}

Result<> look_through(ImageSource& source, const RawManifest& raw, const Digest& digest, const TrustedKeys& keys,
                      Search& search) {
  const auto manifest = TRY(Manifest::parse(raw.content, raw.media_type));
  if (manifest.artifact_type.starts_with(bundle_artifact)) search.bundles = true;
  for (const auto& layer : manifest.layers) {
    if (!search.verified) TRY(look_at(source, layer, digest, keys, search));
  }
  return {};
}

Result<> look_for(ImageSource& source, const Digest& digest, const TrustedKeys& keys, Search& search) {
  const auto tagged = source.tagged(signature_tag(digest));
  if (tagged) {
    TRY(look_through(source, *tagged, digest, keys, search));
  } else if (tagged.error().code != ImageError::not_found) {
    return std::unexpected(tagged.error());
  }
  if (search.verified) return {};
  const auto referrers = TRY(source.referrers(digest));
  for (const auto& entry : referrers.manifests) {
    if (search.verified || search.seen == max_signatures) return {};
    TRY(look_through(source, TRY(source.manifest(entry.digest)), digest, keys, search));
  }
  return {};
}

Error why_not(const Search& search, const Digest& digest) {
  const auto of = " of the image " + digest.text();
  if (search.mismatch) return *search.mismatch;
  if (search.seen > search.keyless) {
    return {ImageError::signature_invalid,
            "none of the trusted keys made one of the " + std::to_string(search.seen) + " signatures" + of};
  }
  if (search.keyless > 0) {
    return {ImageError::keyless_signature, "the signatures" + of +
                                               " are keyless (Fulcio, Rekor), which are not verified here; sign it "
                                               "with a key: cosign sign --key"};
  }
  const auto* const hint = search.bundles ? "; there are bundles of cosign 3: sign with --new-bundle-format=false"
                                          : "; sign it with coffer image sign --key, or cosign sign --key";
  return {ImageError::signature_missing, "there is no signature" + of + hint};
}

// The manifest that an index leads to, where the reference names an index.
Result<std::optional<Digest>> chosen_of(const RawManifest& named, const Platform& platform) {
  if (!is_index(named.media_type)) return std::optional<Digest>{};
  const auto index = TRY(Index::parse(named.content, named.media_type));
  const auto chosen = TRY(index.choose(platform));
  return std::optional{chosen.digest};
}

}  // namespace

std::string signature_tag(const Digest& digest) {
  auto tag = digest.text() + ".sig";
  std::ranges::replace(tag, ':', '-');
  return tag;
}

Result<Verified> verify_image(ImageSource& source, const TrustedKeys& keys, const Platform& platform) {
  const auto named = TRY(source.manifest(std::nullopt));
  Search search;
  TRY(look_for(source, named.digest, keys, search));
  if (search.verified) return *std::move(search.verified);
  if (const auto chosen = TRY(chosen_of(named, platform))) TRY(look_for(source, *chosen, keys, search));
  if (search.verified) return *std::move(search.verified);
  return std::unexpected(why_not(search, named.digest));
}

Result<std::string> verify_content(const TrustedKeys& keys, ByteView content, std::string_view base64) {
  if (const auto* key = maker_of(keys, content, base64)) return describe(*key);
  return fail(ImageError::signature_invalid,
              "none of the trusted keys made this signature over " + Digest::of(content).text());
}

}  // namespace coffer::image::signature
