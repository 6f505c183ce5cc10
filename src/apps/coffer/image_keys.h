// The key flags of `coffer image`: whom to encrypt for, and what to open with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/coffer/broker_key_source.h"
#include "image/ocicrypt/key_wrap.h"

namespace coffer::cli {

struct RecipientFlags {
  std::vector<std::string> kids{};       // kbs:///default/key/k1
  std::vector<std::string> key_files{};  // the KEK of the kid at the same place, instead of asking the broker for it
  std::vector<std::string> jwe_files{};  // PEM public keys or certificates
  bool replace_key = false;              // although one is there already
  bool create_key = false;               // make the KEK and store it with the broker

  // `name`: how the kid flag is called in this command ("--encrypt" or "--key").
  void add_to(CLI::App* command, const std::string& name);
};

struct RecipientSet {
  image::ocicrypt::Recipients recipients{};
  std::vector<std::string> key_ids{};
  bool any() const { return !recipients.keks.empty() || !recipients.jwe.empty(); }
};

// Fetches nothing that it can make or read: a KEK comes from --key-file, or is made and stored with --create-key.
Result<RecipientSet> make_recipients(const Context& context, const RecipientFlags& flags);

struct OpenKeyFlags {
  std::vector<std::string> private_key_files{};  // for JWE wraps
  std::string key_file{};                        // a KEK
  std::string key_directory{};                   // KEKs as repo/type/tag
  std::string kid{};                             // instead of the annotation's
  AttestOptions attest{};

  void add_to(CLI::App* command);
};

class OpenKeySet {
 public:
  static Result<std::unique_ptr<OpenKeySet>> create(const Context& context, const OpenKeyFlags& flags);
  image::ocicrypt::OpenKeys keys();

 private:
  std::vector<crypto::PrivateKey> private_keys_;
  std::unique_ptr<image::KeySource> source_;
  std::optional<codec::ResourceUri> kid_;
};

}  // namespace coffer::cli
