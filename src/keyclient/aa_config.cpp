#include "keyclient/aa_config.h"

#include <fstream>
#include <iterator>

#include "codec/toml.h"
#include "codec/yaml.h"
#include "keyclient/detail/config_reader.h"
#include "keyclient/kbs_client.h"
#include "net/url.h"

namespace coffer::keyclient {
namespace {

namespace json = codec::json;
using detail::ConfigTable;

constexpr std::size_t max_config_size = codec::max_toml_size;

struct Reader {
  AaConfig config{};
  std::filesystem::path base;

  std::filesystem::path resolve(const std::string& path) const { return base / path; }
  Result<std::string> url(ConfigTable& table);
  Result<> set_url(std::string& target, ConfigTable& table);
  Result<> read_kbs(ConfigTable& tokens, std::string_view name);
  Result<> read_issuer(ConfigTable& tokens, std::string_view name);
  Result<> read_tokens(ConfigTable root);
  Result<> read_mode(ConfigTable& table, std::string_view key);
  Result<> read_attestation(ConfigTable table);
  Result<> read_providers(ConfigTable table);
  Result<> read_resources(const ConfigTable& table);
  Result<> read_event_log(ConfigTable table);
  Result<> read_all(ConfigTable root);
};

// The member `url`, checked; empty where absent.
Result<std::string> Reader::url(ConfigTable& table) {
  const auto text = TRY(table.text("url"));
  if (!text) return std::string{};
  if (const auto parsed = net::Url::parse(*text); !parsed) {
    return table.wrong("url", "\"" + *text + "\" is no http or https address");
  }
  return *text;
}

// Two tables that mean the same may both be there when they agree.
Result<> Reader::set_url(std::string& target, ConfigTable& table) {
  const auto address = TRY(url(table));
  if (address.empty()) return {};
  if (!target.empty() && target != address) {
    return table.wrong("url", "\"" + address + "\" contradicts \"" + target + "\" above",
                       KeyClientError::config_conflict);
  }
  target = address;
  return {};
}

Result<> Reader::read_kbs(ConfigTable& tokens, std::string_view name) {
  auto table = TRY(tokens.table(name));
  if (!table.present()) return {};
  TRY(set_url(config.kbs_url, table));
  if (const auto cert = TRY(table.text("cert")); cert && !cert->empty()) {
    if (!cert->starts_with("-----BEGIN CERTIFICATE-----")) {
      return table.wrong("cert", "expected the text of a PEM certificate");
    }
    config.kbs_cert_pem = *cert;
  }
  if (const auto algorithm = TRY(table.text("tee_key_algorithm"))) {
    if (const auto known = parse_tee_key_algorithm(*algorithm); !known) {
      return table.wrong("tee_key_algorithm", known.error().message);
    }
    config.tee_key_algorithm = *algorithm;
  }
  table.name_unknown(config.notices);
  return {};
}

Result<> Reader::read_issuer(ConfigTable& tokens, std::string_view name) {
  auto table = TRY(tokens.table(name));
  TRY(set_url(config.issuer_url, table));
  table.name_unknown(config.notices);
  return {};
}

Result<> Reader::read_tokens(ConfigTable root) {
  TRY(read_kbs(root, "kbs"));
  TRY(read_kbs(root, "coco_kbs"));
  TRY(read_issuer(root, "issuer"));
  TRY(read_issuer(root, "coco_as"));
  root.name_unknown(config.notices);
  return {};
}

// "background_check" and "passport", with '-' or '_'; the seed calls passport "rcar" too.
Result<> Reader::read_mode(ConfigTable& table, std::string_view key) {
  const auto text = TRY(table.text(key));
  if (!text) return {};
  std::string mode;
  if (*text == "background_check" || *text == "background-check") mode = "background-check";
  if (*text == "passport" || *text == "rcar") mode = "passport";
  if (mode.empty()) return table.wrong(key, "expected background_check or passport, found \"" + *text + "\"");
  if (!config.mode.empty() && config.mode != mode) {
    return table.wrong(key, mode + " contradicts " + config.mode, KeyClientError::config_conflict);
  }
  config.mode = mode;
  return {};
}

Result<> Reader::read_attestation(ConfigTable table) {
  TRY(read_mode(table, "attestation_type"));
  if (const auto type = TRY(table.text("type"))) {
    if (*type != "file" && *type != "kbs") {
      return table.wrong("type",
                         "expected \"file\" (keys from files, no attestation) or \"kbs\", found \"" + *type + "\"");
    }
    config.offline = *type == "file";
  }
  table.name_unknown(config.notices);
  return {};
}

Result<> Reader::read_providers(ConfigTable table) {
  const auto type = TRY(table.text("type"));
  const auto path = TRY(table.text("path"));
  table.name_unknown(config.notices);
  if (!type && !path) return {};
  if (type && *type != "local") return table.wrong("type", "expected \"local\", found \"" + *type + "\"");
  if (!path || path->empty()) return table.wrong("path", "a local key provider needs the directory of its keys");
  config.key_directory = resolve(*path);
  return {};
}

Result<> Reader::read_resources(const ConfigTable& table) {
  if (!table.present()) return {};
  for (const auto& [key, value] : *table.members()) {
    if (const auto uri = codec::ResourceUri::parse_any(key); !uri) {
      return table.wrong(key, "is no kbs URI: " + uri.error().message);
    }
    const auto* file = value.if_string();
    if (file == nullptr)
      return table.wrong(key, "expected the path of a file, found " + std::string{value.type_name()});
    config.resources.emplace(key, resolve(*file));
  }
  return {};
}

Result<> Reader::read_event_log(ConfigTable table) {
  if (const auto pcr = TRY(table.number("init_pcr"))) {
    if (*pcr > 23) return table.wrong("init_pcr", "expected 0 to 23, found " + std::to_string(*pcr));
    config.event_log.init_pcr = static_cast<unsigned>(*pcr);
  }
  config.event_log.enabled = TRY(table.boolean("enable_eventlog"))
  .value_or(false);
  table.name_unknown(config.notices);
  return {};
}

Result<> Reader::read_all(ConfigTable root) {
  TRY(read_tokens(TRY(root.table("token_configs"))));
  TRY(read_mode(root, "attestation_type"));
  TRY(read_attestation(TRY(root.table("attestation"))));
  auto service = TRY(root.table("attestation_service"));
  TRY(read_mode(service, "attestation_type"));
  service.name_unknown(config.notices);
  TRY(read_providers(TRY(root.table("key_providers"))));
  TRY(read_resources(TRY(root.table("resources"))));
  TRY(read_event_log(TRY(root.table("eventlog_config"))));
  auto log = TRY(root.table("log"));
  config.log_level = TRY(log.text("level"))
  .value_or("");
  log.name_unknown(config.notices);
  root.name_unknown(config.notices);
  if (config.offline && !config.kbs_url.empty()) {
    config.notices.push_back("attestation.type is \"file\", so the broker " + config.kbs_url + " is not asked");
  }
  return {};
}

Result<codec::Document> parse_json(std::string_view text, std::string_view name) {
  auto root = json::parse(text, {.max_size = max_config_size, .max_depth = 16});
  if (!root) return fail(KeyClientError::config_syntax, std::string{name} + ": " + root.error().message);
  return codec::Document{.root = std::move(*root)};
}

Result<codec::Document> parse_document(std::string_view text, AaConfigFormat format, std::string_view name) {
  if (format == AaConfigFormat::json) return parse_json(text, name);
  auto document =
      format == AaConfigFormat::yaml ? codec::parse_yaml_document(text, name) : codec::parse_toml_document(text, name);
  if (document) return document;
  return fail(KeyClientError::config_syntax, document.error().message);
}

AaConfigFormat format_of(const std::filesystem::path& file) {
  const auto extension = file.extension();
  if (extension == ".json") return AaConfigFormat::json;
  return extension == ".yaml" || extension == ".yml" ? AaConfigFormat::yaml : AaConfigFormat::toml;
}

}  // namespace

Result<AaConfig> load_aa_config(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(KeyClientError::config_syntax, "configuration " + file.string() + " cannot be opened");
  std::string text;
  text.resize(max_config_size + 1);
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > max_config_size) {
    return fail(KeyClientError::config_syntax,
                "configuration " + file.string() + " is over " + std::to_string(max_config_size) + " bytes");
  }
  return parse_aa_config(text, format_of(file), file.string(), file.parent_path());
}

Result<AaConfig> parse_aa_config(std::string_view text, AaConfigFormat format, std::string_view name,
                                 const std::filesystem::path& base) {
  const auto document = TRY(parse_document(text, format, name));
  const auto* root = document.root.if_object();
  if (root == nullptr) {
    return fail(KeyClientError::config_syntax,
                std::string{name} + ": expected an object, found " + std::string{document.root.type_name()});
  }
  Reader reader{.base = base};
  TRY(reader.read_all(ConfigTable{root, "", "", {document, name}}));
  return std::move(reader.config);
}

Result<KbcParams> parse_kbc_params(std::string_view text) {
  const auto split = text.find("::");
  if (split == std::string_view::npos || split == 0) {
    return fail(KeyClientError::config_value, "AA_KBC_PARAMS is \"" + std::string{text} +
                                                  "\"; expected <kbc>::<uri>, such as cc_kbc::http://host:8080");
  }
  KbcParams params{std::string{text.substr(0, split)}, std::string{text.substr(split + 2)}};
  if (params.kbc != "cc_kbc" && params.kbc != "offline_fs_kbc" && params.kbc != "sample") {
    return fail(KeyClientError::config_value,
                "AA_KBC_PARAMS names the KBC \"" + params.kbc + "\"; expected cc_kbc, offline_fs_kbc or sample");
  }
  if (params.kbc != "cc_kbc") return params;
  if (const auto url = net::Url::parse(params.uri); !url) {
    return fail(KeyClientError::config_value,
                "AA_KBC_PARAMS names the broker \"" + params.uri + "\", which is no http or https address");
  }
  return params;
}

Result<> apply_kbc_params(AaConfig& config, const KbcParams& params) {
  config.kbc_name = params.kbc;
  if (params.kbc == "offline_fs_kbc") config.offline = true;
  if (params.kbc != "cc_kbc") return {};
  if (!config.kbs_url.empty() && config.kbs_url != params.uri) {
    return fail(KeyClientError::config_conflict, "the configuration names the broker " + config.kbs_url +
                                                     ", AA_KBC_PARAMS names " + params.uri + "; let them agree");
  }
  config.kbs_url = params.uri;
  return {};
}

}  // namespace coffer::keyclient
