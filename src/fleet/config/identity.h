// Who a program is towards the MQTT broker: four values by variables, or from the shared file config.toml. Both
// generations of names are read (tenant/domain, entity/client, api_key/client_key).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/secret_bytes.h"
#include "fleet/config/variables.h"

namespace coffer::fleet {

struct Identity {
  std::string tenant, channel;
  std::string entity;   // MQTT client id and user name; a worker's own id
  SecretBytes api_key;  // password
};

struct IdentityFile {
  std::filesystem::path path = "config.toml";
  std::string section;      // "proplet"
  bool named = false;       // its user named it, so that it must be there
  bool overwrites = false;  // upstream's Go programs take all four from the file, its worker fills gaps
};

// The file is read only where one of the four variables is empty. ConfigError::missing names all that is.
Result<Identity> read_identity(const Variables& variables, const IdentityFile& file);

// The section's four values by their current names; of a section in an older generation, too.
Result<std::map<std::string, std::string>> parse_identity_file(std::string_view text, std::string_view file_name,
                                                               const std::string& section);

}  // namespace coffer::fleet
