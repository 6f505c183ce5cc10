#include "guest/exit_code.h"

#include <array>
#include <string_view>

namespace coffer::guest {
namespace {

struct Row {
  std::string_view prefix;  // of the error's code
  ExitCode code;
};

// By name, because codes are what is stable; the first row that fits. Whole names stand before their families.
constexpr std::array rows{
    Row{"guest.no_tee", ExitCode::refused},
    Row{"guest.not_encrypted", ExitCode::refused},
    Row{"guest.timeout", ExitCode::limit},
    Row{"guest.", ExitCode::usage},
    // What the broker is and says.
    Row{"keyclient.tee_refused", ExitCode::denied},
    Row{"keyclient.evidence_rejected", ExitCode::denied},
    Row{"keyclient.unauthorized", ExitCode::denied},
    Row{"keyclient.no_trust_anchor", ExitCode::denied},
    Row{"keyclient.policy_denied", ExitCode::denied},
    Row{"keyclient.attester_failed", ExitCode::refused},
    Row{"keyclient.not_found", ExitCode::bad_key},
    Row{"keyclient.key_malformed", ExitCode::bad_key},
    Row{"keyclient.decryption_failed", ExitCode::bad_key},
    Row{"keyclient.source_", ExitCode::bad_key},
    Row{"keyclient.bad_uri", ExitCode::usage},
    Row{"keyclient.config_", ExitCode::usage},
    Row{"keyclient.", ExitCode::unreachable},  // unreachable, tls, not_a_broker, no_attestation_service, ...
    // Registries and images.
    Row{"image.bad_reference", ExitCode::usage},
    Row{"image.bad_auth_config", ExitCode::usage},
    Row{"image.io", ExitCode::usage},
    Row{"image.not_encrypted", ExitCode::refused},
    Row{"image.unauthorized", ExitCode::denied},
    Row{"image.forbidden", ExitCode::denied},
    Row{"image.rate_limited", ExitCode::unreachable},
    Row{"image.registry_", ExitCode::unreachable},
    Row{"image.incomplete", ExitCode::unreachable},
    Row{"image.no_key", ExitCode::bad_key},
    Row{"image.kek_", ExitCode::bad_key},
    Row{"image.unwrap_failed", ExitCode::bad_key},
    Row{"image.bad_module", ExitCode::trap},
    Row{"image.", ExitCode::bad_image},
    Row{"net.bad_url", ExitCode::usage},
    Row{"net.", ExitCode::unreachable},
    // The guest program.
    Row{"wasm.timeout", ExitCode::limit},
    Row{"wasm.out_of_", ExitCode::limit},
    Row{"wasm.", ExitCode::trap},
    // This machine.
    Row{"evidence.unknown_tee", ExitCode::usage},
    Row{"evidence.bad_init_data", ExitCode::usage},
    Row{"evidence.", ExitCode::refused},
    Row{"eventlog.", ExitCode::refused},
};

}  // namespace

ExitCode exit_code_of(const Error& error) {
  for (const auto& row : rows) {
    if (error.code.name().starts_with(row.prefix)) return row.code;
  }
  return ExitCode::usage;
}

std::string_view exit_code_help() {
  return "Exit codes:\n"
         "  the module's own, 0 for success, except:\n"
         "  120  bad command line, configuration or file on this machine\n"
         "  121  refused here: image not encrypted though it was expected, no TEE, evidence cannot be made\n"
         "  122  denied by the broker (evidence, policy, credentials) or by the registry\n"
         "  123  broker or registry does not answer, or cannot be used: wrong kind, wrong protocol version\n"
         "  124  the module used up its time, fuel or memory\n"
         "  125  bad image: not found, broken, or without a module\n"
         "  126  bad key: not found, empty, of the wrong size, or not this image's\n"
         "  127  the module does not load, lacks the export, or trapped\n"
         "A module may itself end with one of these; --json tells them apart (\"ended_by\").\n";
}

}  // namespace coffer::guest
