#include "evidence/nvidia/opaque_data.h"

#include <algorithm>
#include <array>

#include "base/byte_reader.h"
#include "codec/base64.h"

namespace coffer::evidence::nvidia {

namespace json = codec::json;

namespace {

enum class Form { hex, text, version, counts, list, number, feature };

struct TypeRow {
  std::uint16_t type;
  std::string_view name;
  Form form = Form::hex;
};

constexpr std::array types{
    TypeRow{1, "cert_issuer_name"},
    TypeRow{2, "cert_authority_key_identifier"},
    TypeRow{3, "driver_version", Form::text},
    TypeRow{4, "gpu_info"},
    TypeRow{5, "id_sku"},
    TypeRow{6, "vbios_version", Form::version},
    TypeRow{7, "manufacturer_id"},
    TypeRow{8, "tamper_detection"},
    TypeRow{9, "smc"},
    TypeRow{10, "vpr"},
    TypeRow{11, "nvdec0_status", Form::text},
    TypeRow{12, "measurement_count", Form::counts},
    TypeRow{13, "cpr_info"},
    TypeRow{14, "board_id"},
    TypeRow{15, "chip_sku", Form::text},
    TypeRow{16, "chip_sku_mod", Form::text},
    TypeRow{17, "project", Form::text},
    TypeRow{18, "project_sku", Form::text},
    TypeRow{19, "project_sku_mod"},
    TypeRow{20, "fwid"},
    TypeRow{21, "protected_pcie_status", Form::text},
    TypeRow{22, "switch_pdi", Form::list},
    TypeRow{23, "floorswept_ports"},
    TypeRow{24, "position_id"},
    TypeRow{25, "lock_switch_status"},
    TypeRow{32, "gpu_link_conn"},
    TypeRow{33, "sys_enable_status"},
    TypeRow{34, "opaque_data_version", Form::number},
    TypeRow{35, "chip_info", Form::text},
    TypeRow{36, "feature_flag", Form::feature},
};

constexpr std::size_t count_size = 4;
constexpr std::size_t pdi_size = 8;
constexpr std::size_t firmware_id_size = 48;
constexpr std::size_t longest_text = 64;
constexpr std::size_t longest_version = 16;

std::unexpected<Error> bad(const std::string& message) {
  return fail(NvidiaError::bad_opaque_data, "the opaque data of the GPU's report: " + message);
}

const TypeRow* row_of(std::uint16_t type) {
  const auto row = std::ranges::find(types, type, &TypeRow::type);
  return row == types.end() ? nullptr : &*row;
}

std::string name_of(std::uint16_t type) {
  const auto* row = row_of(type);
  return row == nullptr ? "type_" + std::to_string(type) : std::string{row->name};
}

// Text ends at the zeros that fill its field.
std::string_view text_of(ByteView value) {
  const auto text = as_text(value);
  return text.substr(0, text.find_last_not_of('\0') + 1);
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// The upper half of the number from its highest byte on, and the first byte of the lower: 96.00.9f.00.01.
std::string version_of(ByteView value) {
  const auto half = value.size() / 2;
  std::string out;
  for (std::size_t i = half; i-- > 0;) out += codec::hex_encode(value.subspan(i, 1)) + ".";
  return out + codec::hex_encode(value.subspan(half, 1));
}

std::uint64_t number_of(ByteView value) {
  std::uint64_t out = 0;
  for (std::size_t i = value.size(); i-- > 0;) out = out << 8U | std::to_integer<std::uint64_t>(value[i]);
  return out;
}

json::Value counts_of(ByteView value) {
  json::Object out;
  for (std::size_t i = 0; i < value.size() / count_size; ++i) {
    out.append(std::to_string(i + 1), number_of(value.subspan(i * count_size, count_size)));
  }
  return out;
}

json::Value list_of(ByteView value) {
  json::Array out;
  for (std::size_t i = 0; i < value.size(); i += pdi_size) {
    out.emplace_back(codec::hex_encode(value.subspan(i, pdi_size)));
  }
  return out;
}

// How the GPU's memory is protected: one pass-through, several, or protected PCIe.
std::string_view feature_of(std::uint64_t number) {
  constexpr std::array<std::string_view, 3> names{"SPT", "MPT", "PPCIE"};
  return number < names.size() ? names[number] : "unknown";
}

bool fits(const OpaqueData::Item& item) {
  const auto size = item.value.size();
  const auto* row = row_of(item.type);
  if (item.type == static_cast<std::uint16_t>(OpaqueType::firmware_id)) return size == firmware_id_size;
  switch (row == nullptr ? Form::hex : row->form) {
    case Form::counts: return size % count_size == 0;
    case Form::list: return size % pdi_size == 0;
    case Form::number:
    case Form::feature: return size <= sizeof(std::uint64_t);
    case Form::version: return size >= 2 && size <= longest_version && size % 2 == 0;
    case Form::text: return size <= longest_text;
    case Form::hex: return true;
  }
  return true;
}

json::Value value_of(const OpaqueData::Item& item) {
  const auto* row = row_of(item.type);
  switch (row == nullptr ? Form::hex : row->form) {
    case Form::counts: return counts_of(item.value);
    case Form::list: return list_of(item.value);
    case Form::number: return number_of(item.value);
    case Form::feature: return feature_of(number_of(item.value));
    case Form::version: return version_of(item.value);
    case Form::text:
      if (is_printable(text_of(item.value))) return text_of(item.value);
      break;
    case Form::hex: break;
  }
  return codec::hex_encode(item.value);
}

Result<OpaqueData::Item> parse_item(ByteReader& reader) {
  OpaqueData::Item out {
    .type = TRY(reader.u16_le("an item's type"))
    , .value = {}
  };
  const auto size = TRY(reader.u16_le("an item's length"));
  out.value = to_bytes(TRY(reader.bytes(size, "an item's value")));
  return out;
}

}  // namespace

OpaqueData OpaqueData::of(std::vector<Item> items) {
  OpaqueData out;
  out.items_ = std::move(items);
  return out;
}

Result<OpaqueData> OpaqueData::parse(ByteView bytes) {
  ByteReader reader{bytes};
  OpaqueData out;
  while (!reader.at_end()) {
    auto item = parse_item(reader);
    if (!item) return bad(item.error().message);
    if (std::ranges::find(out.items_, item->type, &Item::type) != out.items_.end()) {
      return bad(name_of(item->type) + " is there twice");
    }
    if (!fits(*item)) {
      return bad(name_of(item->type) + " has " + std::to_string(item->value.size()) + " bytes, which do not fit it");
    }
    out.items_.push_back(*std::move(item));
  }
  for (const auto type : {OpaqueType::driver_version, OpaqueType::vbios_version, OpaqueType::firmware_id}) {
    if (out.find(type) == nullptr) return bad(name_of(static_cast<std::uint16_t>(type)) + " is missing");
  }
  return out;
}

Bytes OpaqueData::encode() const {
  ByteWriter out;
  for (const auto& item : items_) {
    out.u16_le(item.type).u16_le(static_cast<std::uint16_t>(item.value.size())).bytes(item.value);
  }
  return out.take();
}

const Bytes* OpaqueData::find(OpaqueType type) const {
  const auto item = std::ranges::find(items_, static_cast<std::uint16_t>(type), &Item::type);
  return item == items_.end() ? nullptr : &item->value;
}

const Bytes& OpaqueData::firmware_id() const {
  return *find(OpaqueType::firmware_id);
}

json::Object OpaqueData::to_json() const {
  json::Object out;
  for (const auto& item : items_) out.append(name_of(item.type), value_of(item));
  return out;
}

}  // namespace coffer::evidence::nvidia
