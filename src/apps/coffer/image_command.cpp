#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/context.h"
#include "apps/coffer/image_flags.h"
#include "apps/coffer/image_keys.h"
#include "apps/coffer/output.h"
#include "image/pull.h"
#include "image/push.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;

image::Progress progress_into(const std::shared_ptr<Progress>& bar) {
  return [bar](std::uint64_t done, std::uint64_t total) { bar->update(done, total); };
}

Object descriptor_json(const image::Descriptor& layer) {
  return Object{{"digest", layer.digest.text()}, {"size", layer.size}, {"media_type", layer.media_type}};
}

void print_pushed(const Context& context, const std::string& reference, const image::PushedImage& pushed,
                  const std::vector<std::string>& keys) {
  if (context.json) {
    Array layers, ids;
    for (const auto& layer : pushed.layers) layers.push_back(descriptor_json(layer));
    for (const auto& key : keys) ids.emplace_back(key);
    print_json(
        Object{{"image", reference}, {"digest", pushed.manifest_digest.text()}, {"layers", layers}, {"keys", ids}});
    return;
  }
  std::cout << reference << "\n  digest " << pushed.manifest_digest.text() << "\n";
  for (const auto& layer : pushed.layers) {
    std::cout << "  layer  " << layer.media_type << ", " << human_size(layer.size) << "\n";
  }
  for (const auto& key : keys) std::cout << "  key    " << key << "\n";
  std::cout.flush();
}

struct PushFlags {
  std::string reference, file, style = "cncf";
  RecipientFlags recipients;
  RegistryFlags registry;
};

Result<int> push(const Context& context, const PushFlags& flags) {
  const auto module = TRY(read_secret_file(flags.file, 1U << 30));
  const auto recipients = TRY(make_recipients(context, flags.recipients));
  image::PushOptions options;
  options.style = TRY(image::parse_wasm_style(flags.style));
  if (recipients.any()) options.recipients = &recipients.recipients;
  const auto bar = std::make_shared<Progress>("push");
  options.progress = progress_into(bar);
  auto sink = TRY(flags.registry.sink(flags.reference));
  const auto pushed = TRY(image::push_wasm(module.expose(), *sink, options));
  print_pushed(context, flags.reference, pushed, recipients.key_ids);
  return 0;
}

struct CopyFlags {
  std::string from, to;
  RecipientFlags recipients;
  OpenKeyFlags keys;
  RegistryFlags registry;
};

Result<int> encrypt(const Context& context, const CopyFlags& flags) {
  const auto recipients = TRY(make_recipients(context, flags.recipients));
  if (!recipients.any()) return fail(CliError::usage, "name whom to encrypt for: --key kbs:///... or --jwe PUBLIC.pem");
  auto source = TRY(flags.registry.source(flags.from));
  auto sink = TRY(flags.registry.sink(flags.to));
  image::CopyOptions options;
  options.progress = progress_into(std::make_shared<Progress>("encrypt"));
  print_pushed(context, flags.to, TRY(image::encrypt_image(*source, *sink, recipients.recipients, options)),
               recipients.key_ids);
  return 0;
}

Result<int> decrypt(const Context& context, const CopyFlags& flags) {
  auto source = TRY(flags.registry.source(flags.from));
  auto sink = TRY(flags.registry.sink(flags.to));
  auto keys = TRY(OpenKeySet::create(context, flags.keys));
  image::CopyOptions options;
  options.progress = progress_into(std::make_shared<Progress>("decrypt"));
  print_pushed(context, flags.to, TRY(image::decrypt_image(*source, *sink, keys->keys(), options)), {});
  return 0;
}

Object summary_json(const std::string& reference, const image::ImageSummary& summary) {
  Array layers;
  for (const auto& layer : summary.layers) {
    Array schemes, ids;
    for (const auto& scheme : layer.schemes) schemes.emplace_back(scheme);
    for (const auto& id : layer.key_ids) ids.emplace_back(id);
    auto object = descriptor_json(layer.descriptor);
    object.set("encrypted", layer.encrypted);
    object.set("wrapped_for", schemes);
    object.set("key_ids", ids);
    layers.push_back(object);
  }
  return Object{{"image", reference},
                {"digest", summary.manifest_digest.text()},
                {"media_type", summary.media_type},
                {"config_media_type", summary.config_media_type},
                {"encrypted", summary.encrypted},
                {"wasm", summary.wasm},
                {"layers", layers}};
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

Result<int> inspect(const Context& context, const std::string& reference, const RegistryFlags& registry) {
  auto source = TRY(registry.source(reference));
  const auto summary = TRY(image::inspect_image(*source));
  if (context.json) {
    print_json(summary_json(reference, summary));
    return 0;
  }
  std::cout << reference << "\n  digest     " << summary.manifest_digest.text() << "\n  encrypted  "
            << (summary.encrypted ? "yes" : "no") << "\n  wasm       " << (summary.wasm ? "yes" : "no") << "\n";
  Table table({"LAYER", "SIZE", "MEDIA TYPE", "WRAPPED FOR", "KEY IDS"});
  for (const auto& layer : summary.layers) {
    table.add({layer.descriptor.digest.text().substr(0, 19), human_size(layer.descriptor.size),
               layer.descriptor.media_type, joined(layer.schemes), joined(layer.key_ids)});
  }
  table.print("no layers");
  return 0;
}

struct PullFlags {
  std::string reference, destination;
  bool expect_encrypted = false;
  OpenKeyFlags keys;
  RegistryFlags registry;
};

Result<int> pull(const Context& context, const PullFlags& flags) {
  auto source = TRY(flags.registry.source(flags.reference));
  auto keys = TRY(OpenKeySet::create(context, flags.keys));
  image::PullOptions options;
  options.expect_encrypted = flags.expect_encrypted;
  options.keys = keys->keys();
  options.progress = progress_into(std::make_shared<Progress>("pull"));
  const auto tree = TRY(image::pull_tree(*source, flags.destination, options));
  if (context.json) {
    print_json(Object{{"image", flags.reference},
                      {"digest", tree.manifest_digest.text()},
                      {"encrypted", tree.encrypted},
                      {"destination", flags.destination}});
  } else {
    std::cout << flags.reference << " unpacked into " << flags.destination << "\n  digest "
              << tree.manifest_digest.text() << std::endl;
  }
  return 0;
}

void add_push(CLI::App& image, Commands& commands) {
  auto* command =
      image.add_subcommand("push",
                           "push a WASM module as an image, encrypted where asked\n"
                           "  coffer image push localhost:5000/demo:1 app.wasm --encrypt kbs:///default/key/k1 "
                           "--create-key");
  auto flags = std::make_shared<PushFlags>();
  command->add_option("REFERENCE", flags->reference, "HOST/NAME:TAG, or oci:DIR:TAG")->required();
  command->add_option("FILE", flags->file, "a WASM module or component")->required();
  command->add_option("--style", flags->style, "cncf, fork (media types of tee-wasm-runner) or tar")
      ->capture_default_str();
  flags->recipients.add_to(command, "--encrypt");
  flags->registry.add_to(command);
  commands.on(command, [&commands, flags] { return push(commands.context(), *flags); });
}

void add_encrypt(CLI::App& image, Commands& commands) {
  auto* command =
      image.add_subcommand("encrypt",
                           "copy an image, its layers encrypted\n"
                           "  coffer image encrypt oci:plain:1 localhost:5000/app:1 --key kbs:///default/key/k1");
  auto flags = std::make_shared<CopyFlags>();
  command->add_option("FROM", flags->from)->required();
  command->add_option("TO", flags->to)->required();
  flags->recipients.add_to(command, "--key");
  flags->registry.add_to(command);
  commands.on(command, [&commands, flags] { return encrypt(commands.context(), *flags); });
}

void add_decrypt(CLI::App& image, Commands& commands) {
  auto* command = image.add_subcommand("decrypt",
                                       "copy an image, its layers opened\n"
                                       "  coffer image decrypt localhost:5000/app:1 oci:plain:1 --private-key key.pem");
  auto flags = std::make_shared<CopyFlags>();
  command->add_option("FROM", flags->from)->required();
  command->add_option("TO", flags->to)->required();
  flags->keys.add_to(command);
  flags->registry.add_to(command);
  commands.on(command, [&commands, flags] { return decrypt(commands.context(), *flags); });
}

void add_inspect(CLI::App& image, Commands& commands) {
  auto* command = image.add_subcommand(
      "inspect", "what an image holds and who can open it\n  coffer image inspect localhost:5000/demo:1");
  auto reference = std::make_shared<std::string>();
  auto registry = std::make_shared<RegistryFlags>();
  command->add_option("REFERENCE", *reference)->required();
  registry->add_to(command);
  commands.on(command, [&commands, reference, registry] { return inspect(commands.context(), *reference, *registry); });
}

void add_pull(CLI::App& image, Commands& commands) {
  auto* command = image.add_subcommand("pull",
                                       "pull, open and unpack an image into a new directory\n"
                                       "  coffer image pull localhost:5000/app:1 ./tree --tee sample");
  auto flags = std::make_shared<PullFlags>();
  command->add_option("REFERENCE", flags->reference)->required();
  command->add_option("DIRECTORY", flags->destination, "must not exist")->required();
  command->add_flag("--expect-encrypted", flags->expect_encrypted, "refuse an image with a plain layer");
  flags->keys.add_to(command);
  flags->registry.add_to(command);
  commands.on(command, [&commands, flags] { return pull(commands.context(), *flags); });
}

}  // namespace

void add_image_commands(CLI::App& app, Commands& commands) {
  auto* image = app.add_subcommand("image", "seal, push, look into, open and unpack images");
  image->require_subcommand(1);
  add_push(*image, commands);
  add_encrypt(*image, commands);
  add_decrypt(*image, commands);
  add_inspect(*image, commands);
  add_pull(*image, commands);
  add_image_signature_commands(*image, commands);
}

}  // namespace coffer::cli
