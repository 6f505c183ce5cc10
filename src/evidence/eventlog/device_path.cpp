#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/eventlog/details.h"
#include "evidence/eventlog/text.h"

namespace coffer::evidence::eventlog {

namespace {

// An error: the node has not the form of its type, and is written as bytes.
using Node = Result<std::string>;

std::unexpected<Error> no_form() {
  return fail(EventLogError::bad_event, "no such device path node");
}

// UEFI 2.11 section 10.3.2.1.
Node pci(ByteReader data) {
  const auto function = TRY(data.u8("function"));
  return fmt::format("Pci({},{})", function, TRY(data.u8("device")));
}

// Section 10.3.3; the vendor's three letters are packed into five bits each (EISA).
Node acpi(ByteReader data) {
  const auto hid = TRY(data.u32_le("_HID"));
  const auto uid = TRY(data.u32_le("_UID"));
  const auto letter = [hid](unsigned shift) { return static_cast<char>('@' + (hid >> shift & 0x1f)); };
  return fmt::format("ACPI({}{}{}{:04X},{})", letter(10), letter(5), letter(0), hid >> 16, uid);
}

// Section 10.3.4.3.
Node fibre_channel_ex(ByteReader data) {
  const auto wwn = codec::hex_encode(TRY(data.bytes(8, "port name")));
  return fmt::format("FibreEx(0x{},0x{})", wwn, codec::hex_encode(TRY(data.bytes(8, "logical unit"))));
}

// Section 10.3.4.5.
Node usb(ByteReader data) {
  const auto port = TRY(data.u8("port"));
  return fmt::format("USB({},{})", port, TRY(data.u8("interface")));
}

// Section 10.3.4.10. Upstream cuts the zeros of the padding and of the address alike.
Node mac(ByteReader data) {
  if (data.remaining() != 33) return no_form();
  auto address = codec::hex_encode(TRY(data.bytes(31, "address")));
  address.erase(address.find_last_not_of('0') + 1);
  std::ranges::transform(address, address.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  TRY(data.skip(1, "address"));
  return fmt::format("Mac({},{:#04x})", address, TRY(data.u8("type")));
}

// Section 10.3.4.11. Upstream reads an address as a little-endian number, so its octets come out in reverse.
Result<std::string> address(ByteReader& data) {
  const auto octets = TRY(data.bytes(4, "address"));
  const auto at = [octets](std::size_t i) { return std::to_integer<unsigned>(octets[i]); };
  return fmt::format("{}.{}.{}.{}", at(3), at(2), at(1), at(0));
}

Node ipv4(ByteReader data) {
  const auto local = TRY(address(data));
  const auto remote = TRY(address(data));
  TRY(data.skip(4, "ports"));
  const auto protocol = TRY(data.u16_le("protocol"));
  const auto origin = TRY(data.u8("origin"));
  const auto gateway = TRY(data.u32_le("gateway"));
  const auto mask = TRY(data.u32_le("subnet mask"));
  std::string tail;
  if (gateway != 0 || mask != 0) tail = fmt::format(",{},{}", gateway, mask);
  const std::string_view protocol_name = protocol == 6 ? "TCP" : protocol == 17 ? "UDP" : "";
  const std::string_view origin_name = origin == 0 ? "DHCP" : origin == 1 ? "Static" : "";
  return fmt::format("IPv4({},{},{},{}{})", remote, protocol_name, origin_name, local, tail);
}

// Section 10.3.5.1.
Node hard_drive(ByteReader data) {
  const auto number = TRY(data.u32_le("partition"));
  const auto start = TRY(data.u64_le("start"));
  const auto size = TRY(data.u64_le("size"));
  const auto signature = TRY(data.bytes(16, "signature"));
  const auto format = TRY(data.u8("format"));
  TRY(data.u8("signature type"));
  const auto extent = number == 0 ? std::string{} : fmt::format(",{:#x},{:#x}", start, size);
  if (format == 2) return fmt::format("HD({},GPT,{}{})", number, uefi_guid(signature), extent);
  if (format != 1) return no_form();
  ByteReader mbr{signature};
  return fmt::format("HD({},MBR,{:#010x}{})", number, TRY(mbr.u32_le("MBR signature")), extent);
}

// Section 10.3.5.3.
Node media_vendor(ByteReader data) {
  const auto guid = TRY(data.bytes(16, "GUID"));
  return fmt::format("VenMedia({},{})", uefi_guid(guid), codec::hex_encode(data.rest()));
}

// Section 10.3.5.4: ends with a null character.
Node file_path(ByteReader data) {
  const auto text = data.rest();
  if (text.empty() || text.size() % 2 != 0) return no_form();
  return "File(" + from_utf16le(text.first(text.size() - 2)) + ")";
}

// Section 10.3.6.1.
Node bios_boot(ByteReader data) {
  const auto type = TRY(data.u16_le("device type"));
  const auto status = TRY(data.u16_le("status"));
  const auto rest = as_text(data.rest());
  const auto description = rest.substr(0, rest.find('\0'));
  if (!is_utf8(description)) return no_form();
  const auto name = [type]() -> std::string {
    switch (type) {
      case 0x01: return "FLOPPY";
      case 0x02: return "HARD_DRIVE";
      case 0x03: return "CDROM";
      case 0x04: return "PCMCIA";
      case 0x05: return "USB";
      case 0x06: return "EMBEDDED_NETWORK";
      case 0x80: return "DEV";
      case 0xff: return "UNKNOWN";
      default: return std::to_string(type);
    }
  };
  return fmt::format("BBS({},{},{})", name(), description, status);
}

Node known_node(unsigned type, unsigned sub_type, ByteReader data) {
  switch (type << 8 | sub_type) {
    case 0x0101: return pci(data);
    case 0x0201: return acpi(data);
    case 0x0305: return usb(data);
    case 0x030b: return mac(data);
    case 0x030c: return ipv4(data);
    case 0x0315: return fibre_channel_ex(data);
    case 0x0401: return hard_drive(data);
    case 0x0403: return media_vendor(data);
    case 0x0404: return file_path(data);
    case 0x0501: return bios_boot(data);
    default: return no_form();
  }
}

constexpr std::size_t node_header = 4;

// One node: its text, or an error where the path ends inside it.
Result<std::string> read_node(ByteReader& path) {
  const auto type = TRY(path.u8("type"));
  const auto sub_type = TRY(path.u8("sub-type"));
  const auto length = TRY(path.u16_le("length"));
  if (length < node_header) return no_form();
  const auto data = TRY(path.bytes(length - node_header, "node"));
  if (auto text = known_node(type, sub_type, ByteReader{data})) return text;
  return fmt::format("Path({},{},{})", type, sub_type, codec::hex_encode(data));
}

}  // namespace

Result<std::vector<std::string>> device_path_nodes(ByteView path) {
  // The last four bytes are the node that ends the path.
  if (path.size() < node_header) return no_form();
  ByteReader reader{path.first(path.size() - node_header)};
  std::vector<std::string> out;
  while (!reader.at_end()) out.push_back(TRY(read_node(reader)));
  return out;
}

}  // namespace coffer::evidence::eventlog
