#include "apps/coffer/image_keys.h"

#include <CLI/CLI.hpp>

#include "apps/coffer/admin_client.h"
#include "crypto/random.h"
#include "image/ocicrypt/kek.h"
#include "net/url.h"
#include "workload/resource_key_source.h"

namespace coffer::cli {
namespace {

// One KEK from a file, whatever kid is asked for.
class FileKeySource final : public image::KeySource {
 public:
  explicit FileKeySource(SecretBytes kek) : kek_(std::move(kek)) {}
  Result<SecretBytes> fetch(const codec::ResourceUri&) override { return kek_.clone(); }

 private:
  SecretBytes kek_;
};

// Attests when the first key is asked for: a plain image needs no TEE.
class BrokerKeySource final : public image::KeySource {
 public:
  BrokerKeySource(const Context& context, AttestOptions options) : context_(context), options_(std::move(options)) {}
  Result<SecretBytes> fetch(const codec::ResourceUri& kid) override {
    if (!attested_) attested_ = TRY(Attested::create(context_, options_));
    return attested_->resources().fetch(kid);
  }

 private:
  const Context& context_;
  AttestOptions options_;
  std::unique_ptr<Attested> attested_;
};

// Images that were sealed under the old key could never be opened again.
Result<> check_absent(AdminClient& broker, const codec::ResourceUri& uri) {
  const auto names = TRY(broker.get_json("resources?limit=1000&prefix=" + net::percent_encode(uri.path())));
  for (const auto& name : *TRY(names.as_array("resources"))) {
    if (name == codec::json::Value(uri.path())) {
      return fail(CliError::key_exists, "there is a key " + uri.text() +
                                            " already, and images may be sealed under it; take another name, or say "
                                            "--replace-key");
    }
  }
  return {};
}

Result<SecretBytes> new_key(const Context& context, const codec::ResourceUri& uri, bool replace) {
  auto broker = TRY(AdminClient::create(context));
  if (!replace) TRY(check_absent(broker, uri));
  auto kek = crypto::system_random().secret(image::ocicrypt::kek_size);
  TRY(broker.post("resource/" + uri.path(), kek.expose(), "application/octet-stream"));
  return kek;
}

Result<SecretBytes> kek_for(const Context& context, const RecipientFlags& flags, std::size_t index,
                            const codec::ResourceUri& uri) {
  if (flags.create_key) return new_key(context, uri, flags.replace_key);
  if (index < flags.key_files.size()) {
    return image::ocicrypt::parse_kek(TRY(read_secret_file(flags.key_files[index], 1U << 20)).expose());
  }
  return fail(CliError::usage, "where does the key " + uri.text() +
                                   " come from? --create-key makes one and stores it with the broker; --key-file FILE "
                                   "names one that is there already");
}

}  // namespace

void RecipientFlags::add_to(CLI::App* command, const std::string& name) {
  command->add_option(name, kids, "wrap for the key with this URI (kbs:///default/key/k1); may be repeated")
      ->allow_extra_args(false);
  command->add_option("--key-file", key_files, "32 bytes of key material (raw, base64 or hex), one for each " + name)
      ->allow_extra_args(false);
  command->add_flag("--create-key", create_key, "make a fresh key and store it with the broker");
  command->add_flag("--replace-key", replace_key, "let --create-key take the place of a key that is there already");
  command->add_option("--jwe", jwe_files, "also wrap for this PEM public key or certificate; may be repeated")
      ->allow_extra_args(false);
}

Result<RecipientSet> make_recipients(const Context& context, const RecipientFlags& flags) {
  if (flags.create_key && !flags.key_files.empty()) {
    return fail(CliError::usage, "--create-key and --key-file exclude each other");
  }
  if (flags.kids.empty() && (flags.create_key || !flags.key_files.empty())) {
    return fail(CliError::usage, "--create-key and --key-file need the URI of the key");
  }
  RecipientSet set;
  for (std::size_t i = 0; i < flags.kids.size(); ++i) {
    auto uri = TRY(codec::ResourceUri::parse_any(flags.kids[i]));
    auto kek = TRY(kek_for(context, flags, i, uri));
    set.key_ids.push_back(uri.text());
    set.recipients.keks.push_back({.kid = std::move(uri), .kek = std::move(kek)});
  }
  for (const auto& file : flags.jwe_files) {
    set.recipients.jwe.push_back(TRY(crypto::PublicKey::from_pem(to_text(TRY(read_file(file, 1U << 20))))));
    set.key_ids.push_back("jwe:" + file);
  }
  return set;
}

void OpenKeyFlags::add_to(CLI::App* command) {
  command->add_option("--private-key", private_key_files, "PEM private key for JWE wraps; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--key-file", key_file, "the KEK itself, instead of asking a broker");
  command->add_option("--key-directory", key_directory, "KEKs as repo/type/tag, instead of asking a broker");
  command->add_option("--kid", kid, "the key's URI, instead of the annotation's");
  attest.add_to(command);
}

Result<std::unique_ptr<OpenKeySet>> OpenKeySet::create(const Context& context, const OpenKeyFlags& flags) {
  auto set = std::make_unique<OpenKeySet>();
  for (const auto& file : flags.private_key_files) {
    const auto pem = TRY(read_secret_file(file, 1U << 20));
    set->private_keys_.push_back(TRY(crypto::PrivateKey::from_pem(pem.expose())));
  }
  if (!flags.kid.empty()) set->kid_ = TRY(codec::ResourceUri::parse_any(flags.kid));
  if (!flags.key_file.empty()) {
    set->source_ = std::make_unique<FileKeySource>(TRY(read_secret_file(flags.key_file, 1U << 20)));
  } else if (!flags.key_directory.empty()) {
    set->source_ = std::make_unique<workload::ResourceKeySource>(
        TRY(keyclient::DirectoryResourceSource::open(flags.key_directory)));
  } else {
    set->source_ = std::make_unique<BrokerKeySource>(context, flags.attest);
  }
  return set;
}

image::ocicrypt::OpenKeys OpenKeySet::keys() {
  return {.keys = source_.get(), .private_keys = private_keys_, .kid_override = kid_};
}

}  // namespace coffer::cli
