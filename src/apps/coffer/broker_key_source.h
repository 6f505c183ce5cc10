// Keys for image commands, from wherever the owner has them: the home's broker by attestation, or local files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/coffer/context.h"
#include "evidence/chosen_attester.h"
#include "keyclient/kbs_client.h"

namespace coffer::cli {

struct AttestOptions {
  std::string tee{};         // wire name; empty: the one of this machine
  std::string issuer_url{};  // passport mode: who attests
  std::string tee_key = "ECDH-ES+A256KW-P256";
  std::string init_data_file{};

  void add_to(CLI::App* command);
};

// A resource source that attests this machine to the context's broker, and the attester it needs.
class Attested {
 public:
  static Result<std::unique_ptr<Attested>> create(const Context& context, const AttestOptions& options);
  keyclient::ResourceSource& resources() { return *resources_; }
  keyclient::TokenSource& tokens() { return *tokens_; }

 private:
  std::unique_ptr<evidence::ChosenAttester> attester_;
  std::shared_ptr<keyclient::TokenSource> tokens_;
  std::shared_ptr<keyclient::ResourceSource> resources_;
};

}  // namespace coffer::cli
