#include "evidence/measure/vm.h"

#include <array>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/measure/error.h"
#include "evidence/measure/pe.h"

namespace coffer::evidence::measure {

namespace {

using eventlog::EventType;
namespace json = codec::json;

// TCG PC Client Platform Firmware Profile 1.06, section 10.4.5: EV_EFI_ACTION strings.
constexpr std::string_view calling_application = "Calling EFI Application from Boot Option";
constexpr std::string_view exit_invoked = "Exit Boot Services Invocation";
constexpr std::string_view exit_returned = "Exit Boot Services Returned with Success";
constexpr std::array separator{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}};

class Builder {
 public:
  explicit Builder(crypto::HashAlgorithm algorithm) : out_{.algorithm = algorithm, .events = {}, .registers = {}} {}

  void extend(std::uint32_t index, EventType type, Bytes digest, std::string description) {
    extend_unlogged(index, digest);
    out_.events.push_back({index, type, std::move(digest), std::move(description)});
  }
  void extend_data(std::uint32_t index, EventType type, ByteView data, std::string description) {
    extend(index, type, crypto::hash(out_.algorithm, data), std::move(description));
  }
  void action(std::uint32_t index, std::string_view text) {
    extend_data(index, EventType::efi_action, as_bytes(text), std::string{text});
  }
  // The guest's attester writes no event for it.
  void extend_unlogged(std::uint32_t index, ByteView digest) {
    auto& value = out_.registers[index];
    if (value.empty()) value.resize(crypto::digest_size(out_.algorithm));
    value = crypto::hash(out_.algorithm, concat({value, digest}));
  }
  VmPrediction take() { return std::move(out_); }

 private:
  VmPrediction out_;
};

// UEFI_VARIABLE_DATA (section 10.4.2): the variable's GUID, the lengths of name and value, name (UTF-16), value.
Bytes variable_data(std::string_view guid, std::string_view name, ByteView value) {
  ByteWriter out;
  out.bytes(as_bytes(guid)).u64_le(name.size()).u64_le(value.size());
  for (const char c : name) out.u16_le(static_cast<std::uint8_t>(c));
  out.bytes(value);
  return out.take();
}

// Secure Boot's state and its databases, as OVMF_VARS_4M.fd has them: off, and empty (section 3.3.4.8).
void secure_boot_is_off(Builder& builder) {
  using namespace std::string_view_literals;
  constexpr auto global = "\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"sv;
  constexpr auto image_security = "\xcb\xb2\x19\xd7\x3a\x3d\x96\x45\xa3\xbc\xda\xd0\x0e\x67\x65\x6f"sv;
  constexpr std::array off{std::byte{0}};
  const auto add = [&](std::string_view guid, std::string_view name, ByteView value) {
    builder.extend_data(7, EventType::efi_variable_driver_config, variable_data(guid, name, value),
                        std::string{name} + (value.empty() ? ": no keys" : ": off"));
  };
  add(global, "SecureBoot", off);
  add(global, "PK", {});
  add(global, "KEK", {});
  add(image_security, "db", {});
  add(image_security, "dbx", {});
}

}  // namespace

// The order within a register is what counts. That firmware loads the kernel before it announces "Calling EFI
// Application" is OVMF's: QEMU's kernel is started ahead of the boot options.
Result<VmPrediction> predict_vm(const VmBoot& boot, crypto::HashAlgorithm algorithm) {
  const auto kernel = TRY(kernel_as_loaded(boot.kernel, {boot.memory, boot.initrd.size()}));
  const auto init_data = boot.init_data_digest.size();
  if (init_data != 0 && init_data != crypto::digest_size(algorithm)) {
    return fail(MeasureError::bad_machine, "init-data's digest has " + std::to_string(init_data) + " bytes, expected " +
                                               std::to_string(crypto::digest_size(algorithm)) +
                                               ": its algorithm must be sha256");
  }
  const auto options = TRY(load_options(boot.command_line, !boot.initrd.empty()));
  Builder builder{algorithm};
  builder.extend(4, EventType::efi_boot_services_application, TRY(authenticode_digest(algorithm, kernel)), "kernel");
  builder.action(4, calling_application);
  secure_boot_is_off(builder);
  for (const std::uint32_t index : {2U, 3U, 4U, 5U, 6U, 7U}) {
    builder.extend_data(index, EventType::separator, separator, "end of firmware's part");
  }
  // Linux's EFI stub measures what it was started with (drivers/firmware/efi/libstub/efi-stub-helper.c).
  builder.extend_data(9, EventType::event_tag, options, "kernel command line \"" + boot.command_line + "\"");
  if (!boot.initrd.empty()) builder.extend_data(9, EventType::event_tag, boot.initrd, "initrd");
  if (init_data != 0) builder.extend_unlogged(8, boot.init_data_digest);
  builder.action(5, exit_invoked);
  builder.action(5, exit_returned);
  return builder.take();
}

std::string tpm_register_name(std::uint32_t index) {
  return "tpm_pcr" + std::string(index < 10 ? "0" : "") + std::to_string(index);
}

json::Array to_json(const std::vector<PredictedEvent>& events) {
  json::Array out;
  for (const auto& event : events) {
    out.push_back(json::Object{{"index", event.index},
                               {"type_name", eventlog::type_name(event.type)},
                               {"digest", codec::hex_encode(event.digest)},
                               {"description", event.description}});
  }
  return out;
}

json::Object reference_values(const VmPrediction& prediction) {
  json::Object out;
  for (const auto& [index, value] : prediction.registers) {
    out.set(tpm_register_name(index), json::Array{codec::hex_encode(value)});
  }
  out.set("tpm_events", to_json(prediction.events));
  return out;
}

}  // namespace coffer::evidence::measure
