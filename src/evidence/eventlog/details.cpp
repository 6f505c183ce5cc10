#include "evidence/eventlog/details.h"

#include <algorithm>
#include <ranges>

#include "base/byte_reader.h"
#include "base/printable.h"
#include "codec/base64.h"
#include "evidence/eventlog/text.h"
#include "evidence/eventlog/writer.h"

namespace coffer::evidence::eventlog {

namespace json = codec::json;

namespace {

using Details = Result<json::Object>;

std::unexpected<Error> no_form() {
  return fail(EventLogError::bad_event, "the event has not the form of its type");
}

json::Object of_string(std::string text) {
  return {{"string", std::move(text)}};
}

Details utf8_text(ByteView data) {
  if (!is_utf8(as_text(data))) return no_form();
  return of_string(to_text(data));
}

// UEFI_PLATFORM_FIRMWARE_BLOB2 and UEFI_HANDOFF_TABLE_POINTERS2 (section 10.2.5): a size and a description, which
// firmware ends with a null that it counts.
Details described_blob(ByteReader data) {
  const auto size = TRY(data.u8("description size"));
  const auto text = TRY(data.bytes(size, "description"));
  return utf8_text(!text.empty() && text.back() == std::byte{0} ? text.first(text.size() - 1) : text);
}

bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7f;
}

// Platform configuration has no form of its own: text where it is text, without control characters (U+0000 to U+001F,
// U+007F to U+009F).
Details platform_config(ByteView data) {
  const auto text = as_text(data);
  if (!is_utf8(text)) return of_string({});
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool upper_control = c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (upper_control) {
      ++i;
    } else if (c == 0x10) {
      out += ' ';
    } else if (!is_control(c)) {
      out += text[i];
    }
  }
  return of_string(std::move(out));
}

// UEFI_VARIABLE_DATA (section 10.2.6).
Details variable(ByteReader data) {
  const auto guid = TRY(data.bytes(16, "variable GUID"));
  const auto name_length = TRY(data.u64_le("name length"));
  const auto data_length = TRY(data.u64_le("data length"));
  if (name_length > data.remaining()) return no_form();
  const auto name = TRY(data.bytes(name_length * 2, "name"));
  const auto content = TRY(data.bytes(data_length, "variable data"));
  return json::Object{{"unicode_name", from_utf16le(name)},
                      {"unicode_name_length", name_length},
                      {"variable_data", codec::base64_encode(content)},
                      {"variable_data_length", data_length},
                      {"variable_name", plain_guid(guid)}};
}

// UEFI_IMAGE_LOAD_EVENT (section 10.2.3).
Details boot_application(ByteReader data) {
  TRY(data.skip(3 * 8, "location, length and link address"));
  const auto length = TRY(data.u64_le("device path length"));
  if (length == 0) return json::Object{};
  const auto nodes = TRY(device_path_nodes(TRY(data.bytes(length, "device path"))));
  json::Array out;
  for (const auto& node : nodes) out.push_back(node);
  return json::Object{{"device_paths", std::move(out)}};
}

// Google's boot loader writes UTF-16 behind a full stop; GRUB and shim text that ends with a null.
Details ipl_text(ByteView data) {
  constexpr std::string_view google{".\0", 2};
  if (as_text(data).starts_with(google)) {
    const auto text = data.subspan(google.size());
    if (text.empty() || text.size() % 2 != 0) return no_form();
    return of_string(from_utf16le(text.first(text.size() - 2)));
  }
  const auto text = as_text(data).substr(0, as_text(data).find('\0'));
  return of_string(is_utf8(text) ? std::string{text} : codec::hex_encode(data));
}

// "<domain> <operation> <content>" (guest-components.md 2.6); content that is JSON is shown as such.
Details agent_event(std::string_view text) {
  const auto first = text.find(' ');
  const auto second = first == text.npos ? text.npos : text.find(' ', first + 1);
  if (second == text.npos || !is_utf8(text)) return no_form();
  const auto content = text.substr(second + 1);
  auto parsed = json::parse(content);
  return json::Object{{"domain", text.substr(0, first)},
                      {"operation", text.substr(first + 1, second - first - 1)},
                      {"content", parsed ? *std::move(parsed) : json::Value{content}}};
}

// TCG_PCClientTaggedEvent (section 10.4.2.1).
Details tagged(ByteReader data) {
  const auto id = TRY(data.u32_le("tag"));
  const auto size = TRY(data.u32_le("tagged data size"));
  const auto text = as_text(TRY(data.bytes(size, "tagged data")));
  auto shown = repaired_utf8(text);
  std::erase(shown, '\0');
  auto out = of_string(std::move(shown));
  if (id != agent_event_id) return out;
  out.set("data", TRY(agent_event(text)));
  out.set("unicode_name", "AAEL");
  return out;
}

Details read(const Event& event) {
  switch (event.type) {
    case EventType::post_code:
    case EventType::action:
    case EventType::compact_hash:
    case EventType::omit_boot_device_events:
    case EventType::efi_action: return utf8_text(event.data);
    case EventType::event_tag: return tagged(ByteReader{event.data});
    case EventType::platform_config_flags: return platform_config(event.data);
    case EventType::ipl: return ipl_text(event.data);
    case EventType::efi_variable_driver_config:
    case EventType::efi_variable_boot:
    case EventType::efi_variable_boot2:
    case EventType::efi_variable_authority: return variable(ByteReader{event.data});
    case EventType::efi_boot_services_application: return boot_application(ByteReader{event.data});
    case EventType::efi_platform_firmware_blob2:
    case EventType::efi_handoff_tables2: return described_blob(ByteReader{event.data});
    default: return json::Object{};
  }
}

// What a person needs of the details: the string, the variable's name, the file at the end of a device path.
std::string gist(const json::Object& details) {
  for (const auto key : {"string", "unicode_name"}) {
    const auto* value = details.find(key);
    if (value != nullptr && value->if_string() != nullptr) return *value->if_string();
  }
  const auto* paths = details.find("device_paths");
  const auto* nodes = paths == nullptr ? nullptr : paths->if_array();
  if (nodes == nullptr || nodes->empty() || nodes->back().if_string() == nullptr) return {};
  return *nodes->back().if_string();
}

}  // namespace

json::Object details(const Event& event) {
  auto out = read(event);
  return out ? *std::move(out) : json::Object{};
}

std::string describe(std::string_view type_name, const json::Object& details) {
  const auto text = printable(gist(details), 120);
  return std::string{type_name} + (text.empty() ? "" : " " + text);
}

std::string describe(const Event& event) {
  return describe(type_name(event.type), details(event));
}

}  // namespace coffer::evidence::eventlog
