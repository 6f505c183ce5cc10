// A worker's settings: upstream's PROPLET_* variables in every generation, and ours beside them.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/resource_uri.h"
#include "fleet/config/identity.h"
#include "fleet/config/variables.h"
#include "fleet/tracing/tracing.h"
#include "fleet/trust/token_trust.h"
#include "fleet/worker/runtimes/hal_config.h"
#include "image/signature/trusted_keys.h"
#include "net/mqtt.h"

namespace coffer::fleet::worker {

// Where an image comes from that is neither a file nor an http(s) address.
enum class ImageRoute { proxy, registry };

// Of encrypted modules that are kept opened between starts.
struct ModuleCacheLimits {
  std::size_t bytes = 64U << 20;  // of modules as they are, opened; what was compiled of them is not counted
  Duration age{0};                // since it was opened, however often it is used; 0: nothing is kept
};

struct TeeConfig {
  std::optional<bool> enabled{};  // nothing: detect; false: off; true: an error where there is none
  std::string test_tee{};         // "sample", "simulated:snp": only by name
  std::filesystem::path simulator_directory{};
  std::string kbs_uri{};                        // the broker for requests that name none
  std::vector<std::string> allowed_kbs_uris{};  // others that requests may name
  std::optional<codec::ResourceUri> default_key{};
  std::optional<std::filesystem::path> aa_config{};
  std::optional<std::filesystem::path> init_data{};  // its "aa.toml" stands in for an aa_config that is not named
  ModuleCacheLimits module_cache{};
};

// Tasks that serve HTTP.
struct HttpConfig {
  bool enabled = false;
  std::string host = "127.0.0.1";   // where they listen; an address of IPv6 stands in brackets
  std::uint16_t first_port = 8222;  // and, where it is taken, the next 100; 0: any free one
};

struct TaskConfig {
  unsigned max_tasks = 8;                         // at once; daemons count apart, as many again
  std::size_t max_queue = 4096;                   // tasks that wait
  std::uint64_t memory = std::uint64_t{1} << 30;  // bytes of linear memory; a request may ask for less
  std::uint64_t fuel = 0;                         // 0: no limit
  Duration wall_time{0};                          // 0: no limit
  std::size_t max_output = 256U << 10;            // bytes of each stream that a result carries
  std::size_t max_module = 100U << 20;            // bytes, as upstream's
  Duration fetch_timeout = std::chrono::seconds{60};
  Duration duplicate_window{500};                    // a repeated delivery of a start that has just ended
  std::vector<std::filesystem::path> directories{};  // preopened under their own names, writable
  std::string external_runtime{};
  HttpConfig http{};
  ImageRoute image_route = ImageRoute::proxy;               // of plain images, as upstream has it
  ImageRoute encrypted_image_route = ImageRoute::registry;  // likewise
  std::filesystem::path layer_store = "/tmp/proplet/layers";
  unsigned concurrent_pulls = 4;
  std::string registry_user{}, registry_password_file{};
  std::optional<image::signature::TrustedKeys> image_keys{};  // every module must be signed by one of these
  std::vector<std::string> http_allow{};                      // "host:port" that guests may send requests to
  std::vector<std::string> plain_http_registries{};           // "host:port": asked by http, as those of loopback are
};

// The key that the fleet's members share, by which payloads are sealed.
struct GroupKeyConfig {
  std::optional<codec::ResourceUri> resource{};  // of this worker's own broker; nothing: payloads are plain
  Duration refresh = std::chrono::minutes{5};    // how often the broker is asked whether there is another
  Duration max_age = std::chrono::seconds{60};   // of a payload, and in the other direction
};

struct Config {
  Identity identity{};
  net::MqttOptions mqtt{};
  int qos = 2;
  bool last_will = false;  // upstream's manager takes one for a sign of life
  std::string name_space = "default";
  Duration liveliness_interval = std::chrono::seconds{4};  // upstream's manager gives up after 10 s
  Duration metrics_interval = std::chrono::seconds{10};    // 0: no metrics by MQTT
  Duration compat_result_delay{0};  // upstream's manager loses results that come before it has saved the start
  bool monitoring = true;
  std::string metrics_address = "127.0.0.1:9092";  // empty: no HTTP
  std::string description{}, location{};
  std::vector<std::string> tags{};
  bool collect_system_info = true;
  std::vector<std::string> http_root_pems{};
  TeeConfig tee{};
  TaskConfig tasks{};
  HalConfig hal{};
  PluginConfig plugins{};
  GroupKeyConfig group_key{};
  // Which aggregators federated updates are sealed to; nothing: none, and updates go out as upstream's do.
  std::optional<TokenTrustOptions> aggregators{};
  TraceSettings tracing{};
  std::string log_level{};             // empty: as the environment says
  std::vector<std::string> notices{};  // settings of upstream's without effect here, a sentence each
};

// ConfigError, naming the variable or flag.
Result<Config> read_config(const Variables& variables);

// Every variable with its meaning, for --help and for the flags of the same name.
struct VariableHelp {
  std::string_view name, help;
  bool secret = false;  // has no flag: it would show in the process list
};
std::span<const VariableHelp> variable_help();

}  // namespace coffer::fleet::worker
