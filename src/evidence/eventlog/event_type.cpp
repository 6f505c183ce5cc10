#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "evidence/eventlog/event_log.h"

namespace coffer::evidence::eventlog {

namespace {

using enum EventType;
using crypto::HashAlgorithm;

// PC Client Platform Firmware Profile 1.06, table 27.
constexpr std::array type_names{
    std::pair{preboot_cert, std::string_view{"EV_PREBOOT_CERT"}},
    std::pair{post_code, std::string_view{"EV_POST_CODE"}},
    std::pair{unused, std::string_view{"EV_UNUSED"}},
    std::pair{no_action, std::string_view{"EV_NO_ACTION"}},
    std::pair{separator, std::string_view{"EV_SEPARATOR"}},
    std::pair{action, std::string_view{"EV_ACTION"}},
    std::pair{event_tag, std::string_view{"EV_EVENT_TAG"}},
    std::pair{s_crtm_contents, std::string_view{"EV_S_CRTM_CONTENTS"}},
    std::pair{s_crtm_version, std::string_view{"EV_S_CRTM_VERSION"}},
    std::pair{cpu_microcode, std::string_view{"EV_CPU_MICROCODE"}},
    std::pair{platform_config_flags, std::string_view{"EV_PLATFORM_CONFIG_FLAGS"}},
    std::pair{table_of_devices, std::string_view{"EV_TABLE_OF_DEVICES"}},
    std::pair{compact_hash, std::string_view{"EV_COMPACT_HASH"}},
    std::pair{ipl, std::string_view{"EV_IPL"}},
    std::pair{ipl_partition_data, std::string_view{"EV_IPL_PARTITION_DATA"}},
    std::pair{nonhost_code, std::string_view{"EV_NONHOST_CODE"}},
    std::pair{nonhost_config, std::string_view{"EV_NONHOST_CONFIG"}},
    std::pair{nonhost_info, std::string_view{"EV_NONHOST_INFO"}},
    std::pair{omit_boot_device_events, std::string_view{"EV_OMIT_BOOT_DEVICE_EVENTS"}},
    std::pair{efi_event_base, std::string_view{"EV_EFI_EVENT_BASE"}},
    std::pair{efi_variable_driver_config, std::string_view{"EV_EFI_VARIABLE_DRIVER_CONFIG"}},
    std::pair{efi_variable_boot, std::string_view{"EV_EFI_VARIABLE_BOOT"}},
    std::pair{efi_boot_services_application, std::string_view{"EV_EFI_BOOT_SERVICES_APPLICATION"}},
    std::pair{efi_boot_services_driver, std::string_view{"EV_EFI_BOOT_SERVICES_DRIVER"}},
    std::pair{efi_runtime_services_driver, std::string_view{"EV_EFI_RUNTIME_SERVICES_DRIVER"}},
    std::pair{efi_gpt_event, std::string_view{"EV_EFI_GPT_EVENT"}},
    std::pair{efi_action, std::string_view{"EV_EFI_ACTION"}},
    std::pair{efi_platform_firmware_blob, std::string_view{"EV_EFI_PLATFORM_FIRMWARE_BLOB"}},
    std::pair{efi_handoff_tables, std::string_view{"EV_EFI_HANDOFF_TABLES"}},
    std::pair{efi_platform_firmware_blob2, std::string_view{"EV_EFI_PLATFORM_FIRMWARE_BLOB2"}},
    std::pair{efi_handoff_tables2, std::string_view{"EV_EFI_HANDOFF_TABLES2"}},
    std::pair{efi_variable_boot2, std::string_view{"EV_EFI_VARIABLE_BOOT2"}},
    std::pair{efi_hcrtm_event, std::string_view{"EV_EFI_HCRTM_EVENT"}},
    std::pair{efi_variable_authority, std::string_view{"EV_EFI_VARIABLE_AUTHORITY"}},
    std::pair{efi_spdm_firmware_blob, std::string_view{"EV_EFI_SPDM_FIRMWARE_BLOB"}},
    std::pair{efi_spdm_firmware_config, std::string_view{"EV_EFI_SPDM_FIRMWARE_CONFIG"}},
};

struct AlgorithmRow {
  HashAlgorithm algorithm;
  std::uint16_t id;
  std::string_view claim_name;
};
constexpr std::array algorithms{
    AlgorithmRow{HashAlgorithm::sha1, 0x04, "SHA-1"},     AlgorithmRow{HashAlgorithm::sha256, 0x0b, "SHA-256"},
    AlgorithmRow{HashAlgorithm::sha384, 0x0c, "SHA-384"}, AlgorithmRow{HashAlgorithm::sha512, 0x0d, "SHA-512"},
    AlgorithmRow{HashAlgorithm::sm3, 0x12, "SM3"},
};

}  // namespace

std::string type_name(EventType type) {
  const auto row = std::ranges::find(type_names, type, [](const auto& each) { return each.first; });
  if (row != type_names.end()) return std::string{row->second};
  return fmt::format("EV_UNKNOWN_{:#010x}", std::to_underlying(type));
}

std::optional<EventType> parse_event_type(std::string_view name) {
  const auto row = std::ranges::find(type_names, name, [](const auto& each) { return each.second; });
  if (row == type_names.end()) return std::nullopt;
  return row->first;
}

std::uint16_t algorithm_id(HashAlgorithm algorithm) {
  return std::ranges::find(algorithms, algorithm, &AlgorithmRow::algorithm)->id;
}

std::optional<HashAlgorithm> algorithm_of_id(std::uint16_t id) {
  const auto row = std::ranges::find(algorithms, id, &AlgorithmRow::id);
  if (row == algorithms.end()) return std::nullopt;
  return row->algorithm;
}

std::string_view claim_name(HashAlgorithm algorithm) {
  return std::ranges::find(algorithms, algorithm, &AlgorithmRow::algorithm)->claim_name;
}

}  // namespace coffer::evidence::eventlog
