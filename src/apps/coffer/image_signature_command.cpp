// Signatures of images, as cosign makes and checks them with a key.
#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/image_flags.h"
#include "apps/coffer/output.h"
#include "base/printable.h"
#include "image/signature/sign.h"
#include "image/signature/verify.h"

namespace coffer::cli {
namespace {

using codec::json::Object;
namespace signature = image::signature;

struct SignFlags {
  std::string reference, key;
  RegistryFlags registry;
};

// What the signature calls the image: cosign writes host and repository.
std::string name_in_signature(const image::AnyReference& reference) {
  const auto* remote = std::get_if<image::ImageReference>(&reference);
  return remote == nullptr ? std::get<image::LayoutReference>(reference).tag
                           : remote->host() + "/" + remote->repository();
}

Result<crypto::PrivateKey> read_signing_key(const std::string& file) {
  constexpr std::size_t largest = 64U << 10;
  const auto pem = TRY(read_secret_file(file, largest));
  auto key = crypto::PrivateKey::from_pem(pem.expose());
  if (key) return key;
  return fail(image::ImageError::bad_signing_key,
              file + ": " + key.error().message + "; a private key in PEM is expected (openssl genpkey)");
}

Result<int> sign(const Context& context, const SignFlags& flags) {
  const auto reference = TRY(image::parse_any_reference(flags.reference));
  const auto key = TRY(read_signing_key(flags.key));
  const auto source = TRY(flags.registry.source(reference));
  const auto named = TRY(source->manifest(std::nullopt));
  const auto place = TRY(signature::place_of_signatures(reference, named.digest));
  const auto sink = TRY(flags.registry.sink(place));
  const auto digest = TRY(signature::sign_image(*source, *sink, key, name_in_signature(reference)));
  const auto made_by = signature::describe(key.public_key());
  if (context.json) {
    print_json(
        Object{{"image", flags.reference}, {"digest", digest.text()}, {"key", made_by}, {"stored", sink->name()}});
  } else {
    std::cout << flags.reference << "\n  digest  " << digest.text() << "\n  key     " << made_by << "\n  stored  "
              << sink->name() << std::endl;
  }
  return 0;
}

Result<int> verify(const Context& context, const SignFlags& flags) {
  const auto keys = TRY(signature::TrustedKeys::load(flags.key));
  const auto source = TRY(flags.registry.source(flags.reference));
  const auto verified = TRY(signature::verify_image(*source, keys));
  if (context.json) {
    print_json(Object{{"image", flags.reference},
                      {"digest", verified.digest.text()},
                      {"key", verified.key},
                      {"docker_reference", verified.reference}});
  } else {
    std::cout << flags.reference << "\n  digest  " << verified.digest.text() << "\n  key     " << verified.key
              << "\n  signed as  " << printable(verified.reference, 256) << std::endl;
  }
  return 0;
}

}  // namespace

void add_image_signature_commands(CLI::App& image, Commands& commands) {
  auto* sign_command = image.add_subcommand("sign",
                                            "sign an image with a key, as cosign does\n"
                                            "  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
                                            "-out sign.key\n"
                                            "  coffer image sign localhost:5000/demo:1 --key sign.key");
  auto signing = std::make_shared<SignFlags>();
  sign_command->add_option("REFERENCE", signing->reference, "HOST/NAME:TAG, or oci:DIR:TAG")->required();
  sign_command->add_option("--key", signing->key, "PEM file of a private key: P-256, RSA or Ed25519")->required();
  signing->registry.add_to(sign_command);
  commands.on(sign_command, [&commands, signing] { return sign(commands.context(), *signing); });

  auto* verify_command = image.add_subcommand(
      "verify", "check that a key has signed an image\n  coffer image verify localhost:5000/demo:1 --key cosign.pub");
  auto verifying = std::make_shared<SignFlags>();
  verify_command->add_option("REFERENCE", verifying->reference, "HOST/NAME:TAG, or oci:DIR:TAG")->required();
  verify_command->add_option("--key", verifying->key, "PEM file of public keys, or a folder of them; one is enough")
      ->required();
  verifying->registry.add_to(verify_command);
  commands.on(verify_command, [&commands, verifying] { return verify(commands.context(), *verifying); });
}

}  // namespace coffer::cli
