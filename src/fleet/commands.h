// What a manager asks of workers. Parsing decodes; check() says whether a start makes sense.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "codec/json.h"
#include "fleet/module_signature.h"

namespace coffer::fleet {

// Sampling of a task. On the wire `interval` is an integer: upstream's workers read seconds where its manager's type
// is nanoseconds, so that small numbers are seconds and those from a million up are nanoseconds. We send seconds.
struct MonitoringProfile {
  bool enabled = true;
  std::chrono::milliseconds interval{10'000};  // never zero
  bool collect_cpu = true, collect_memory = true, collect_disk_io = true, collect_threads = true,
       collect_file_descriptors = true;
  bool export_to_mqtt = true;
  bool retain_history = true;
  std::uint64_t history_size = 100;
  friend bool operator==(const MonitoringProfile&, const MonitoringProfile&) = default;
};
// Members that are absent keep their defaults; upstream's own decoder wants all ten, so all ten are written.
Result<MonitoringProfile> read_monitoring_profile(const codec::json::Value& value);
codec::json::Value write_monitoring_profile(const MonitoringProfile& profile);

struct StartCommand {
  std::string id, name;
  std::int64_t state = 0;   // upstream's number of the task's state
  std::string image_url{};  // the key of its chunks, verbatim
  std::optional<Bytes> file{};
  std::vector<std::string> inputs{};    // numbers and booleans on the wire become text
  std::vector<std::string> cli_args{};  // null on the wire where empty
  bool broadcast = false, daemon = false, latent = false, encrypted = false;
  std::map<std::string, std::string> env{};
  std::string kbs_resource_path{};
  std::optional<MonitoringProfile> monitoring_profile{};
  std::string proplet_id{};
  std::string hal_storage_path{};
  std::string mode{};
  codec::json::Object parent_results{};
  // Ours; all optional, ignored by upstream. `oci_reference` is read as an alias of image_url and never written.
  std::string kbs_uri{};
  std::string module_digest{};  // "sha256:..." of the module that may run, and of no other
  std::optional<ModuleSignature> module_signature{};
  std::optional<std::uint64_t> fuel{}, memory_bytes{};
  std::optional<std::chrono::milliseconds> timeout{};  // "timeout_seconds"
  std::string traceparent{};  // W3C Trace Context: what this command belongs to; unread text that may be malformed
  std::string run{};          // which of the task's runs: its results name it, and a worker runs it once
};

struct StopCommand {
  std::string id;
  bool broadcast = false;
  std::string proplet_id{};
  std::string traceparent{};
};

struct InvokeCommand {
  std::string id;
  bool broadcast = false;
  std::string proplet_id{};
  std::string invocation_id{};
  std::vector<std::string> inputs{};
  std::map<std::string, std::string> env{};
  std::string traceparent{};
};

// Upstream's REST API takes numbers among the inputs and stores their text; so do our parsers. A whole number that was
// written as a double (30.0) becomes "30". FleetError::bad_member for anything but text, numbers and booleans.
Result<std::vector<std::string>> read_inputs(const codec::json::Value& value, std::string_view what);

Result<StartCommand> parse_start(std::string_view payload);
// The same members in an object that came another way; errors name them "<what>.env".
Result<StartCommand> read_start(const codec::json::Object& object, std::string_view what);
Result<StopCommand> parse_stop(std::string_view payload);
Result<InvokeCommand> parse_invoke(std::string_view payload);
std::string to_json(const StartCommand& start);
std::string to_json(const StopCommand& stop);
std::string to_json(const InvokeCommand& invoke);

// Section 3.1 of upstream's pipeline: id and name are there; encrypted needs image_url and forbids file; otherwise one
// of the two. FleetError::missing_member, nothing_to_run, encrypted_needs_image, encrypted_with_file.
Result<> check(const StartCommand& start);

// Whether a worker is meant: by its id, by broadcast, or because nobody is named.
bool is_for(std::string_view proplet_id, bool broadcast, std::string_view own_id);

// What can still be told of a command that does not parse, so that its sender gets an answer: never fails, guesses
// nothing. Text that is no JSON is searched for the members of its first object up to where it breaks.
struct Salvage {
  std::string id{}, invocation_id{}, proplet_id{};
  bool broadcast = false;
};
Salvage salvage(std::string_view payload);

}  // namespace coffer::fleet
