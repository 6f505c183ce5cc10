#include "evidence/dcap/tcb_info.h"

#include <charconv>

#include "evidence/dcap/detail/json_fields.h"

namespace coffer::evidence::dcap {

namespace json = codec::json;
using detail::Fields;

namespace {

Result<TcbStatus> read_status(const Fields& level) {
  const auto name = TRY(level.text("tcbStatus"));
  const auto status = parse_tcb_status(name);
  if (!status) return level.bad("tcbStatus", "a status of PCS version 4", "\"" + std::string{name} + "\"");
  return *status;
}

Result<Components> read_components(const Fields& tcb, std::string_view key) {
  Components out{};
  const auto* components = TRY(tcb.array(key));
  if (components->size() != out.size()) {
    return tcb.bad(key, std::to_string(out.size()) + " components", std::to_string(components->size()));
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(TRY(TRY(tcb.element(*components, i, key)).number("svn", 0xff)));
  }
  return out;
}

Result<TcbLevel> read_level(const Fields& level, Tee tee) {
  const auto tcb = TRY(level.object("tcb"));
  return TcbLevel {
    .sgx = TRY(read_components(tcb, "sgxtcbcomponents"))
    , .tdx = tee == Tee::tdx ? TRY(read_components(tcb, "tdxtcbcomponents")) : Components{},
                  .pce_svn = static_cast<std::uint16_t>(TRY(tcb.number("pcesvn", 0xffff))),
                  .status = TRY(read_status(level))
    , .date = TRY(level.time("tcbDate"))
    , .advisories = TRY(level.optional_texts("advisoryIDs"))
  };
}

Result<SvnLevel> read_svn_level(const Fields& level) {
  return SvnLevel {
    .isv_svn = static_cast<std::uint16_t>(TRY(TRY(level.object("tcb")).number("isvsvn", 0xffff))),
    .status = TRY(read_status(level))
    , .date = TRY(level.time("tcbDate"))
    , .advisories = TRY(level.optional_texts("advisoryIDs"))
  };
}

template <class Read>
auto read_levels(const Fields& owner, const Read& read)
    -> Result<std::vector<typename decltype(read(owner))::value_type>> {
  const auto* levels = TRY(owner.array("tcbLevels"));
  if (levels->empty()) return owner.bad("tcbLevels", "at least one level", "none");
  std::vector<typename decltype(read(owner))::value_type> out;
  out.reserve(levels->size());
  for (std::size_t i = 0; i < levels->size(); ++i) {
    out.push_back(TRY(read(TRY(owner.element(*levels, i, "tcbLevels")))));
  }
  return out;
}

Result<TdxModule> read_module(const Fields& module, std::uint8_t version) {
  return TdxModule {
    .version = version, .mr_signer = TRY(module.hex<48>("mrsigner"))
    , .attributes = TRY(module.hex<8>("attributes"))
    , .attributes_mask = TRY(module.hex<8>("attributesMask"))
  };
}

// "TDX_01", "TDX_03": the major version in hex.
Result<TdxModule> read_module_identity(const Fields& identity) {
  const auto id = TRY(identity.text("id"));
  std::uint8_t version = 0;
  const auto* end = id.data() + id.size();
  const bool well_formed = id.size() == 6 && (id.starts_with("TDX_") || id.starts_with("tdx_")) &&
                           std::from_chars(end - 2, end, version, 16).ptr == end;
  if (!well_formed) return identity.bad("id", "TDX_ and two hex digits", "\"" + std::string{id} + "\"");
  auto module = TRY(read_module(identity, version));
  module.levels = TRY(read_levels(identity, read_svn_level));
  return module;
}

Result<std::vector<TdxModule>> read_modules(const Fields& info) {
  std::vector<TdxModule> out {
    TRY(read_module(TRY(info.object("tdxModule")), 0))
  };
  const auto* identities = TRY(info.optional_array("tdxModuleIdentities"));
  for (std::size_t i = 0; identities != nullptr && i < identities->size(); ++i) {
    out.push_back(TRY(read_module_identity(TRY(info.element(*identities, i, "tdxModuleIdentities")))));
  }
  return out;
}

Result<json::Object> parse_object(std::string_view text, DcapError code, std::string_view what) {
  auto value = json::parse(text);
  if (!value) return fail(code, std::string{what} + ": " + value.error().message);
  if (auto* object = value->if_object()) return std::move(*object);
  return fail(code, std::string{what} + " is expected to be an object, found " + std::string{value->type_name()});
}

Result<> expect_number(const Fields& fields, std::string_view key, std::uint64_t expected) {
  const auto found = TRY(fields.number(key, UINT32_MAX));
  if (found == expected) return {};
  return fields.bad(key, std::to_string(expected), std::to_string(found));
}

Result<Tee> read_id(const Fields& fields, std::string_view sgx, std::string_view tdx) {
  const auto id = TRY(fields.text("id"));
  if (id == sgx) return Tee::sgx;
  if (id == tdx) return Tee::tdx;
  return fields.bad("id", std::string{sgx} + " or " + std::string{tdx}, id);
}

// Intel writes MISCSELECT as the bytes stand in a report.
template <std::size_t N>
Result<> read_masked(const Fields& fields, std::string_view key, std::string_view mask_key,
                     std::array<std::uint8_t, N>& value, std::array<std::uint8_t, N>& mask) {
  value = TRY(fields.hex<N>(key));
  mask = TRY(fields.hex<N>(mask_key));
  return {};
}

}  // namespace

Result<TcbInfo> parse_tcb_info(std::string_view text) {
  const auto object = TRY(parse_object(text, DcapError::bad_tcb_info, "tcbInfo"));
  const Fields info{object, DcapError::bad_tcb_info, "tcbInfo"};
  TRY(expect_number(info, "version", 3));
  TRY(expect_number(info, "tcbType", 0));
  const auto tee = TRY(read_id(info, "SGX", "TDX"));
  return TcbInfo {
    .tee = tee, .issued = TRY(info.time("issueDate"))
    , .next_update = TRY(info.time("nextUpdate"))
    , .fmspc = TRY(info.hex<6>("fmspc"))
    , .pce_id = TRY(info.hex<2>("pceId"))
    , .evaluation_number = static_cast<std::uint32_t>(TRY(info.number("tcbEvaluationDataNumber", UINT32_MAX))),
        .modules = tee == Tee::tdx ? TRY(read_modules(info)) : std::vector<TdxModule>{},
      .levels = TRY(read_levels(info, [tee](const Fields& level) {
      return read_level(level, tee); }))
  };
}

Result<EnclaveIdentity> parse_enclave_identity(std::string_view text) {
  const auto object = TRY(parse_object(text, DcapError::bad_qe_identity, "enclaveIdentity"));
  const Fields fields{object, DcapError::bad_qe_identity, "enclaveIdentity"};
  TRY(expect_number(fields, "version", 2));
  EnclaveIdentity out{};
  out.tee = TRY(read_id(fields, "QE", "TD_QE"));
  out.issued = TRY(fields.time("issueDate"));
  out.next_update = TRY(fields.time("nextUpdate"));
  out.evaluation_number = static_cast<std::uint32_t>(TRY(fields.number("tcbEvaluationDataNumber", UINT32_MAX)));
  TRY(read_masked(fields, "miscselect", "miscselectMask", out.misc_select, out.misc_select_mask));
  TRY(read_masked(fields, "attributes", "attributesMask", out.attributes, out.attributes_mask));
  out.mr_signer = TRY(fields.hex<32>("mrsigner"));
  out.isv_prod_id = static_cast<std::uint16_t>(TRY(fields.number("isvprodid", 0xffff)));
  out.levels = TRY(read_levels(fields, read_svn_level));
  return out;
}

}  // namespace coffer::evidence::dcap
