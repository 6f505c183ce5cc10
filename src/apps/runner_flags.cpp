#include "apps/runner_flags.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <limits>

#include "workload/http_allow.h"

namespace coffer::runner {
namespace {

std::unexpected<Error> usage(std::string text) {
  return fail(guest::GuestError::usage, std::move(text));
}

// "NAME=VALUE"; "NAME" alone passes this process's value on.
Result<std::pair<std::string, std::string>> parse_environment(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || text.empty()) return usage("--env \"" + text + "\": expected NAME=VALUE");
  if (equals != std::string::npos) return std::pair{text.substr(0, equals), text.substr(equals + 1)};
  const char* value = std::getenv(text.c_str());
  if (value == nullptr) return usage("--env " + text + ": this process has no such variable; write NAME=VALUE");
  return std::pair{text, std::string{value}};
}

// "HOST" or "HOST::GUEST", as wasmtime's --dir.
Result<std::pair<std::filesystem::path, std::string>> parse_directory(const std::string& text) {
  const auto split = text.find("::");
  const auto host = text.substr(0, split);
  std::error_code failure;
  if (!std::filesystem::is_directory(host, failure)) return usage("--dir " + host + ": no such directory");
  return std::pair{std::filesystem::path{host}, split == std::string::npos ? host : text.substr(split + 2)};
}

// CLI11 takes "-1" for an unsigned number and wraps it.
Result<std::uint64_t> parse_fuel(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  return usage("--fuel \"" + std::string{text} + "\": expected a whole number from 0");
}

Result<Duration> parse_timeout(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9)
    return usage("--timeout: expected seconds from 0 to 1e9");
  return Duration{static_cast<std::int64_t>(std::ceil(seconds * 1000))};
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  const unsigned shift = unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : 0;
  const bool fits = shift == 0 || value <= (std::numeric_limits<std::uint64_t>::max() >> shift);
  if (error != std::errc{} || (shift == 0 && !unit.empty()) || !fits) {
    return usage("\"" + std::string{text} + "\" is no size; expected bytes, or a number with K, M or G");
  }
  return value << shift;
}

void Flags::add_shared(CLI::App& app) {
  app.add_flag("--plain-http", options.plain_http, "talk plain HTTP to a registry that is not on this machine");
  add_key_flags(app);
  add_module_flags(app);
}

void Flags::add_to(CLI::App& app) {
  app.add_option("-i,--image-reference", options.image, "image to run: registry/name:tag, or oci:DIR[:TAG]")
      ->required();
  app.add_option("-w,--work-dir", options.work_dir, "directory given to the module; holds layers/ (default: none)");
  app.add_option("-l,--layer-store-path", options.layer_store,
                 "keeps layers between runs, as the registry has them (default: WORK_DIR/layers)");
  app.add_option("--registry-user", options.registry_user, "user at the registry (default: docker's configuration)");
  app.add_option("--registry-password-file", options.registry_password_file, "file with the password");
  app.add_option("-k,--kbs-uri", options.kbs_url, "key broker, http(s)://HOST:PORT")->group("Keys");
  app.add_option("--kbs-cert", kbs_certificate, "PEM root certificate of the broker")->group("Keys");
  add_shared(app);
  app.add_option("ARGS", positional_args, "more arguments of the module")->group("Module");
  app.add_flag("--json", json, "report what happened as one line of JSON, the last on standard output");
}

void Flags::add_key_flags(CLI::App& app) {
  const auto option = [&app](std::string name, auto& value, std::string help) {
    return app.add_option(std::move(name), value, std::move(help))->group("Keys");
  };
  option("-n,--kbc-name", options.kbc_name, "cc_kbc (broker), offline_fs_kbc (files), sample (published test key)");
  option("-a,--aa-config", aa_config, "attestation agent's configuration: TOML, JSON or YAML");
  option("--kbs-resource-path", options.key_id,
         "key of the image, instead of the one it names (default: that, else default/key/encryption-key)");
  option("--mode", mode, "auto, background-check, passport or offline")->capture_default_str();
  option("--issuer-uri", options.issuer_url, "passport mode: the broker that attests and gives the token");
  option("--tee", options.tee,
         "attest as this TEE (default: the one of this machine); sample and simulated:TEE only by name");
  option("--simulator", options.simulator_directory, "keys of `coffer simulate init`, for --tee simulated:TEE")
      ->envname("COFFER_SIMULATOR");
  option("--init-data", init_data, "TOML init-data to send with the evidence");
  option("--offline-keys", offline_keys, "directory with repository/type/tag files, or offline_fs_kbc JSON file")
      ->allow_extra_args(false);
  app.add_flag("--require-encrypted", options.require_encrypted, "refuse a plain image")->group("Keys");
  app.add_flag("--allow-unattested", options.allow_unattested,
               "take keys from a broker that serves without attestation")
      ->group("Keys");
}

void Flags::add_module_flags(CLI::App& app) {
  const auto option = [&app](std::string name, auto& value, std::string help) {
    return app.add_option(std::move(name), value, std::move(help))->group("Module");
  };
  option("-r,--runtime", options.runtime, "program that runs the module (default: the embedded engine)");
  option("--invoke", options.invoke, "exported function to call, instead of the command's start");
  option("--serve", options.serve, "HOST:PORT where a component answers HTTP requests, until it is interrupted");
  option("--wasm-args", options.wasm_args, "one argument of the module; repeat for more")->allow_extra_args(false);
  option("--env", environment, "NAME=VALUE for the module; NAME passes ours on")->allow_extra_args(false);
  option("--dir", directories, "HOST[::GUEST] directory for the module")->allow_extra_args(false);
  option("--allow-http", allow_http, "HOST:PORT that the module may send HTTP requests to; repeat for more")
      ->allow_extra_args(false);
  app.add_flag("--stdin", options.inherit_stdin, "give the module our standard input")->group("Module");
  option("--memory", memory, "most memory, in bytes or with K, M, G");
  option("--fuel", fuel, "most units of work (about one an instruction)");
  option("--timeout", timeout_seconds, "most seconds the module may run");
  app.add_flag("--no-compile-cache", no_compile_cache, "compile anew; keep no compiled code of plain modules")
      ->group("Module");
}

Result<> Flags::apply() {
  options.mode = TRY(workload::parse_mode(mode));
  if (!no_compile_cache) options.compiled_cache = workload::user_compiled_cache();
  if (!aa_config.empty()) options.aa_config = aa_config;
  if (!kbs_certificate.empty()) options.kbs_certificate = kbs_certificate;
  if (!init_data.empty()) options.init_data = init_data;
  options.offline_keys.assign(offline_keys.begin(), offline_keys.end());
  for (const auto& text : environment) options.environment.push_back(TRY(parse_environment(text)));
  for (const auto& text : directories) options.directories.push_back(TRY(parse_directory(text)));
  for (const auto& text : allow_http) options.allow_http.push_back(TRY(workload::parse_http_allow(text)));
  if (!memory.empty()) options.max_memory = TRY(parse_size(memory));
  if (!fuel.empty()) options.fuel = TRY(parse_fuel(fuel));
  options.timeout = TRY(parse_timeout(timeout_seconds));
  if (options.registry_user.empty() != options.registry_password_file.empty()) {
    return usage("--registry-user and --registry-password-file belong together");
  }
  options.wasm_args.insert(options.wasm_args.end(), positional_args.begin(), positional_args.end());
  return {};
}

}  // namespace coffer::runner
