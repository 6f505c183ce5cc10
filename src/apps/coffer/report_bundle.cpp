#include "apps/coffer/report_bundle.h"

#include <sys/utsname.h>

#include <iostream>

#include "apps/coffer/admin_client.h"
#include "apps/coffer/output.h"
#include "apps/version_text.h"
#include "base/clock.h"
#include "base/version.h"
#include "codec/toml.h"
#include "keyclient/probe.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

constexpr std::string_view secret_words[] = {"key", "password", "secret", "token", "pin", "credential"};

bool names_a_secret(std::string_view name) {
  for (const auto word : secret_words) {
    if (name.contains(word)) return true;
  }
  return false;
}

// Text under a name that could hold a secret is left out, whatever it is; structure, numbers and switches stay.
Value redacted(const Value& value, bool secret) {
  if (const auto* object = value.if_object()) {
    Object copy;
    for (const auto& [name, member] : *object) copy.set(name, redacted(member, secret || names_a_secret(name)));
    return copy;
  }
  if (const auto* array = value.if_array()) {
    Array copy;
    for (const auto& item : *array) copy.push_back(redacted(item, secret));
    return copy;
  }
  return secret && value.is_string() ? Value("(left out)") : value;
}

Value configuration(const Context& context) {
  const auto file = context.home().broker_configuration();
  const auto text = read_file(file, 1U << 20);
  if (!text) return Value(to_string(text.error()));
  const auto parsed = codec::parse_toml(as_text(*text), file.string());
  return parsed ? redacted(*parsed, false) : Value(to_string(parsed.error()));
}

Value system_description() {
  utsname name{};
  ::uname(&name);
  return Object{{"system", name.sysname}, {"release", name.release}, {"machine", name.machine}};
}

Value broker_view(const Context& context) {
  const auto url = context.kbs_url();
  if (!url) return Value(to_string(url.error()));
  const auto http = broker_http_client(context);
  if (!http) return Value(to_string(http.error()));
  const auto result = keyclient::probe(*url, {.http = *http});
  Array observations;
  for (const auto& line : result.observations) observations.emplace_back(line);
  return Object{
      {"kind", keyclient::name_of(result.kind)}, {"software", result.software}, {"observations", observations}};
}

Value last_errors(const Context& context) {
  auto broker = AdminClient::create(context);
  if (!broker) return Value(to_string(broker.error()));
  const auto answer = broker->get_json("audit?last=200");
  if (!answer) return Value(to_string(answer.error()));
  Array denials;
  if (const auto* all = answer->if_array()) {
    for (const auto& record : *all) {
      if (record.find("decision") != nullptr && *record.find("decision") == Value("denied")) denials.push_back(record);
    }
  }
  return denials;
}

}  // namespace

Result<int> write_report_bundle(const Context& context, const std::string& file) {
  const Object bundle{{"made", format_rfc3339(system_clock().now())},
                      {"coffer", version()},
                      {"tees", apps::version_json()},
                      {"machine", apps::machine_json()},
                      {"system", system_description()},
                      {"configuration", configuration(context)},
                      {"broker", broker_view(context)},
                      {"denials", last_errors(context)}};
  TRY(write_file(file, as_bytes(codec::json::serialize_pretty(bundle) + "\n"), 0600));
  if (!context.json) std::cout << "wrote " << file << "; read it before you pass it on" << std::endl;
  return 0;
}

}  // namespace coffer::cli
