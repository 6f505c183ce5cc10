// Signatures of images by cosign with a key of one's own, and of single files as `cosign sign-blob` and
// `openssl dgst -sha256 -sign` make them. Keyless signatures (Fulcio, Rekor) prove an identity that somebody would
// have to be told to believe; they are refused by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "image/signature/trusted_keys.h"
#include "image/store.h"

namespace coffer::image::signature {

inline constexpr std::string_view signature_annotation = "dev.cosignproject.cosign/signature";
inline constexpr std::size_t max_signatures = 64;  // of one image that are looked at

// "sha256-<hex>.sig": where cosign puts the signatures of what has this digest ("Tag-based Discovery").
std::string signature_tag(const Digest& digest);

struct Verified {
  std::string key;        // which of the keys: describe()
  Digest digest;          // what it signed: the manifest, or the index that led to it
  std::string reference;  // the signer's own name for the image (critical.identity.docker-reference)
};

// One signature by one of the keys is enough. What is signed may be what the source's reference names, or, where that
// is an index, the manifest that this machine takes from it: both lead to the same bytes. Signatures are looked for
// under cosign's tag, then among the referrers (distribution specification 1.1).
// signature_missing; signature_invalid where none of the keys made one that is there; signature_mismatch where a good
// signature is over another image; keyless_signature where there are keyless ones alone; bad_signature_payload.
Result<Verified> verify_image(ImageSource& source, const TrustedKeys& keys,
                              const Platform& platform = Platform::host());

// `base64`: over SHA-256 of the content (ECDSA in DER, RSA PKCS#1 v1.5), or over the content itself (Ed25519). The key
// that made it. signature_invalid.
Result<std::string> verify_content(const TrustedKeys& keys, ByteView content, std::string_view base64);

}  // namespace coffer::image::signature
