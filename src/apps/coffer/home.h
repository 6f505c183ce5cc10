// The home: one directory that makes a laptop a working owner. Files:
//   broker.toml       the broker's configuration, in Trustee's format
//   admin.key         the administrator's Ed25519 private key (PEM, mode 0600)
//   admin.pub         its public half, which broker.toml names
//   store.sqlite      resources, policies, reference values, sessions, audit
//   simulator/        keys and roots of `coffer simulate`, where it was set up
//   broker.url        where the broker of `coffer up` listens; there while it runs
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace coffer::cli {

struct InitOptions {
  std::string listen = "127.0.0.1:8080";
  std::vector<std::string> allow_tees{};  // TEEs that need to be chosen by name: "sample"
  std::vector<std::string> tls_names{};   // a TLS certificate for these DNS names and addresses; none: plain HTTP
};

class Home {
 public:
  // "" means COFFER_HOME, then ~/.coffer.
  explicit Home(const std::string& directory);

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path broker_configuration() const { return directory_ / "broker.toml"; }
  std::filesystem::path admin_key() const { return directory_ / "admin.key"; }
  std::filesystem::path admin_public_key() const { return directory_ / "admin.pub"; }
  std::filesystem::path store() const { return directory_ / "store.sqlite"; }
  std::filesystem::path url_file() const { return directory_ / "broker.url"; }
  std::filesystem::path simulator() const;  // COFFER_SIMULATOR, or simulator/ here
  std::filesystem::path tls_certificate() const { return directory_ / "tls.crt"; }
  std::filesystem::path tls_key() const { return directory_ / "tls.key"; }
  std::filesystem::path tls_authority() const { return directory_ / "tls-ca.crt"; }

  bool exists() const;
  // Creates everything, or CliError::home_exists without touching what is there.
  Result<> create(const InitOptions& options) const;
  // The URL of the running broker, or nothing.
  std::optional<std::string> running_url() const;

 private:
  std::filesystem::path directory_;
};

// The simulator's root and what hangs on it, in place of what is there.
Result<> make_simulator(const std::filesystem::path& directory);

// Whole files, with errors that name them. Secrets are written with mode 0600 and never to an existing file.
Result<Bytes> read_file(const std::filesystem::path& file, std::size_t max_size = 64U << 20);
Result<SecretBytes> read_secret_file(const std::filesystem::path& file, std::size_t max_size = 64U << 20);
Result<> write_file(const std::filesystem::path& file, ByteView content, unsigned mode = 0644);

}  // namespace coffer::cli
