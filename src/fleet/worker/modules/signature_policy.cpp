#include "fleet/worker/modules/signature_policy.h"

#include "base/log.h"
#include "image/signature/verify.h"

namespace coffer::fleet::worker {
namespace {

using image::signature::TrustedKeys;

void log_verified(const std::string& task, const std::string& key, std::string_view what) {
  log::info("worker.signature", "the signature holds", {{"task", task}, {"key", key}, {"over", std::string{what}}});
}

}  // namespace

Result<> SignatureDemand::check_image(image::ImageSource& source, const std::string& task) const {
  if (!is_for_image()) return {};
  for (const auto& keys : sets_) {
    const auto verified = TRY(image::signature::verify_image(source, keys));
    log_verified(task, verified.key, verified.digest.text());
  }
  return {};
}

Result<> SignatureDemand::check_origin(std::string_view origin) const {
  if (!is_for_image()) return {};
  return fail(image::ImageError::signature_missing,
              "the module comes " + std::string{origin} +
                  ", where no signature of an image stands; give one over the module itself "
                  "(module_signature.signature), or let it come from a registry");
}

Result<> SignatureDemand::check_module(ByteView module, const std::string& task) const {
  if (sets_.empty() || signature_.empty()) return {};
  for (const auto& keys : sets_) {
    const auto key = TRY(image::signature::verify_content(keys, module, signature_));
    log_verified(task, key, "the module");
  }
  return {};
}

std::string SignatureDemand::fingerprint() const {
  std::string text = signature_;
  for (const auto& keys : sets_) text += "\n" + keys.fingerprint();
  return text;
}

Result<TrustedKeys> SignaturePolicy::named(const std::string& public_key, const std::string& kbs_uri) const {
  if (!public_key.starts_with(resource_scheme)) return TrustedKeys::parse(public_key, "module_signature.public_key");
  const auto uri = TRY(codec::ResourceUri::parse(public_key));
  const auto pem = TRY(fetch_(uri, kbs_uri));
  return TrustedKeys::parse(as_text(pem.expose()), public_key);
}

Result<SignatureDemand> SignaturePolicy::demand(const StartCommand& task) const {
  std::vector<TrustedKeys> sets;
  if (own_) sets.push_back(*own_);
  const auto asked = task.module_signature.value_or(ModuleSignature{});
  if (!asked.public_key.empty()) sets.push_back(TRY(named(asked.public_key, task.kbs_uri)));
  if (sets.empty() && !asked.signature.empty()) {
    return fail(WorkerError::no_trusted_key,
                "the task brings a signature and no public key, and this worker has none of its own "
                "(PROPLET_IMAGE_KEYS)");
  }
  return SignatureDemand{std::move(sets), asked.signature};
}

}  // namespace coffer::fleet::worker
