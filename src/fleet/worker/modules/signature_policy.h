// Whether a module has to be signed, and by whom: by the worker's own keys, and by those that the request names. A
// request adds to what is demanded; it takes nothing away.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "codec/resource_uri.h"
#include "fleet/commands.h"
#include "fleet/worker/error.h"
#include "image/signature/trusted_keys.h"
#include "image/store.h"

namespace coffer::fleet::worker {

// What one task's module has to show. Nothing is asked where there are no keys.
class SignatureDemand {
 public:
  SignatureDemand() = default;
  SignatureDemand(std::vector<image::signature::TrustedKeys> sets, std::string signature)
      : sets_(std::move(sets)), signature_(std::move(signature)) {}

  // A signature by cosign beside the image is asked for; otherwise the request brings one over the module itself.
  bool is_for_image() const { return !sets_.empty() && signature_.empty(); }
  // Of what stands in a registry, before any layer is fetched. The errors of image::signature::verify_image.
  Result<> check_image(image::ImageSource& source, const std::string& task) const;
  // Of what came without an image that could be signed: image.signature_missing where one is asked for.
  Result<> check_origin(std::string_view origin) const;
  // Of the module as it runs, decrypted. image.signature_invalid.
  Result<> check_module(ByteView module, const std::string& task) const;
  // The same for the same demand.
  std::string fingerprint() const;

 private:
  std::vector<image::signature::TrustedKeys> sets_;  // a key of every set has to have signed
  std::string signature_;                            // base64
};

class SignaturePolicy {
 public:
  // Gets a key from the broker that the request names, or from the worker's own.
  using FetchKey = std::function<Result<SecretBytes>(const codec::ResourceUri& key, const std::string& kbs_uri)>;
  SignaturePolicy(std::optional<image::signature::TrustedKeys> own, FetchKey fetch)
      : own_(std::move(own)), fetch_(std::move(fetch)) {}

  // Whether there is a demand at all.
  bool asks(const StartCommand& task) const { return own_ || task.module_signature; }
  // image.bad_signing_key for a key that is none; worker.no_trusted_key for a signature without any key to check it
  // with; and what fetching a key says.
  Result<SignatureDemand> demand(const StartCommand& task) const;

 private:
  Result<image::signature::TrustedKeys> named(const std::string& public_key, const std::string& kbs_uri) const;
  std::optional<image::signature::TrustedKeys> own_;
  FetchKey fetch_;
};

}  // namespace coffer::fleet::worker
