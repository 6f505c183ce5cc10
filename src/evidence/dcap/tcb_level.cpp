#include "evidence/dcap/tcb_level.h"

#include <algorithm>

#include "codec/base64.h"
#include "evidence/dcap/detail/little_endian.h"

namespace coffer::evidence::dcap {

namespace {

using detail::integer;
using detail::octet;

template <std::size_t N>
ByteView view(const std::array<std::uint8_t, N>& bytes) {
  return std::as_bytes(std::span{bytes});
}

template <std::size_t N>
bool equal_under_mask(ByteView found, const std::array<std::uint8_t, N>& mask,
                      const std::array<std::uint8_t, N>& expected) {
  for (std::size_t i = 0; i < N; ++i) {
    if ((octet(found, i) & mask[i]) != expected[i]) return false;
  }
  return true;
}

std::string found_instead(std::string_view what, ByteView expected, ByteView found) {
  return std::string{what} + " is expected to be " + codec::hex_encode(expected) + ", found " +
         codec::hex_encode(found);
}

// From the TDX 1.5 modules on, bytes 0 and 1 are the module's own SVN and version, judged by its identity instead.
std::size_t first_tdx_component(const TdReport& report) {
  return octet(report.tee_tcb_svn, 1) > 0 ? 2 : 0;
}

bool reaches_tdx(const TdReport& report, const TcbLevel& level) {
  for (auto i = first_tdx_component(report); i < level.tdx.size(); ++i) {
    if (octet(report.tee_tcb_svn, i) < level.tdx[i]) return false;
  }
  return true;
}

bool reaches_sgx(const PckExtensions& pck, const TcbLevel& level) {
  return pck.pce_svn >= level.pce_svn && std::ranges::equal(pck.components, level.sgx, std::greater_equal{});
}

Result<const TcbLevel*> match_level(const TcbInfo& info, const PckExtensions& pck, const TdReport* report) {
  for (const auto& level : info.levels) {
    if (reaches_sgx(pck, level) && (report == nullptr || reaches_tdx(*report, level))) return &level;
  }
  std::string stands =
      "SGX components " + codec::hex_encode(view(pck.components)) + ", PCESVN " + std::to_string(pck.pce_svn);
  if (report != nullptr) stands += ", TDX components " + codec::hex_encode(report->tee_tcb_svn);
  return fail(DcapError::tcb_unsupported, "the platform (" + stands + ") is older than each of the " +
                                              std::to_string(info.levels.size()) + " TCB levels of its TCB info");
}

Result<const TdxModule*> find_module(const TcbInfo& info, std::uint8_t version) {
  const auto module = std::ranges::find(info.modules, version, &TdxModule::version);
  if (module != info.modules.end()) return &*module;
  return fail(DcapError::tdx_module_mismatch, "TCB info describes no TDX module of version " + std::to_string(version));
}

// Signer and attributes as Intel describes them.
Result<> check_module(const TdxModule& module, const TdReport& report) {
  if (!equal(report.mr_signer_seam, view(module.mr_signer))) {
    return fail(DcapError::tdx_module_mismatch,
                found_instead("the TDX module's MRSIGNERSEAM", view(module.mr_signer), report.mr_signer_seam));
  }
  if (equal_under_mask(report.seam_attributes, module.attributes_mask, module.attributes)) return {};
  return fail(DcapError::tdx_module_mismatch,
              found_instead("the TDX module's SEAMATTRIBUTES", view(module.attributes), report.seam_attributes));
}

Result<const SvnLevel*> match_svn(const std::vector<SvnLevel>& levels, std::uint64_t isv_svn, std::string_view what) {
  const auto reached = [&](const SvnLevel& level) { return isv_svn >= level.isv_svn; };
  const auto level = std::ranges::find_if(levels, reached);
  if (level != levels.end()) return &*level;
  return fail(DcapError::tcb_unsupported, "the SVN " + std::to_string(isv_svn) + " of the " + std::string{what} +
                                              " is lower than that of each of its " + std::to_string(levels.size()) +
                                              " TCB levels");
}

// Nothing where the module has no levels of its own: version 0, which the TDX components cover.
Result<const SvnLevel*> judge_module(const TcbInfo& info, const TdReport& report) {
  const auto* module = TRY(find_module(info, octet(report.tee_tcb_svn, 1)));
  TRY(check_module(*module, report));
  if (module->version == 0) return nullptr;
  return match_svn(module->levels, octet(report.tee_tcb_svn, 0), "TDX module");
}

// Whether the module now running (TEE_TCB_SVN2) is at the newest level, so that a relaunch alone mends the TD.
Result<bool> runs_newest_module(const TcbInfo& info, const TdReport::Tdx15& now) {
  const auto& newest = info.levels.front();
  if (octet(now.tee_tcb_svn2, 2) < newest.tdx[2]) return false;
  const auto version = octet(now.tee_tcb_svn2, 1);
  if (version == 0) return octet(now.tee_tcb_svn2, 0) >= newest.tdx[0];
  const auto* module = TRY(find_module(info, version));
  return octet(now.tee_tcb_svn2, 0) >= module->levels.front().isv_svn;
}

bool is_current_or_configurable(TcbStatus status) {
  return status != TcbStatus::revoked && !is_out_of_date(status);
}

// Intel's quote verification library, "relaunch advised": the platform is current, only the module that launched the TD
// is not.
Result<TcbStatus> advise_relaunch(const TcbInfo& info, const TdReport& report, TcbStatus sgx, TcbStatus tdx,
                                  const SvnLevel* module, const SvnLevel& qe) {
  const bool candidate = report.tdx15 && qe.status == TcbStatus::up_to_date && is_current_or_configurable(sgx) &&
                         is_out_of_date(tdx) && module != nullptr && module->status == TcbStatus::out_of_date;
  if (!candidate || !TRY(runs_newest_module(info, *report.tdx15))) return tdx;
  return needs_configuration(sgx) || needs_configuration(tdx) ? TcbStatus::td_relaunch_advised_configuration_needed
                                                              : TcbStatus::td_relaunch_advised;
}

void add_advisories(std::vector<std::string>& into, const std::vector<std::string>& from) {
  for (const auto& advisory : from) {
    if (std::ranges::find(into, advisory) == into.end()) into.push_back(advisory);
  }
}

Result<TcbStatus> judge_td(const TcbInfo& info, const PckExtensions& pck, const TdReport& report, const TcbLevel& level,
                           const SvnLevel& qe, std::vector<std::string>& advisories) {
  const auto* module = TRY(judge_module(info, report));
  auto status = level.status;
  if (module != nullptr) {
    status = converge(status, module->status);
    add_advisories(advisories, module->advisories);
  }
  const auto* sgx_level = TRY(match_level(info, pck, nullptr));
  return advise_relaunch(info, report, sgx_level->status, status, module, qe);
}

}  // namespace

Result<> check_tcb_info(const TcbInfo& info, const PckExtensions& pck, const Quote& quote) {
  if (info.tee != quote.tee) {
    return fail(DcapError::tcb_info_mismatch, "TCB info is expected to be for " + std::string{name_of(quote.tee)} +
                                                  ", found " + std::string{name_of(info.tee)});
  }
  if (info.fmspc != pck.fmspc) {
    return fail(DcapError::tcb_info_mismatch,
                found_instead("the FMSPC of the TCB info", view(pck.fmspc), view(info.fmspc)));
  }
  if (info.pce_id == pck.pce_id) return {};
  return fail(DcapError::tcb_info_mismatch,
              found_instead("the PCEID of the TCB info", view(pck.pce_id), view(info.pce_id)));
}

Result<const SvnLevel*> match_quoting_enclave(const EnclaveIdentity& identity, const SgxReport& report) {
  const auto mismatch = [](std::string_view what, ByteView expected, ByteView found) {
    return fail(DcapError::qe_identity_mismatch,
                found_instead("the quoting enclave's " + std::string{what}, expected, found));
  };
  if (!equal(report.mr_signer, view(identity.mr_signer))) {
    return mismatch("MRSIGNER", view(identity.mr_signer), report.mr_signer);
  }
  if (integer(report.isv_prod_id) != identity.isv_prod_id) {
    return fail(DcapError::qe_identity_mismatch, "the quoting enclave's ISVPRODID is expected to be " +
                                                     std::to_string(identity.isv_prod_id) + ", found " +
                                                     std::to_string(integer(report.isv_prod_id)));
  }
  if (!equal_under_mask(report.misc_select, identity.misc_select_mask, identity.misc_select)) {
    return mismatch("MISCSELECT", view(identity.misc_select), report.misc_select);
  }
  const auto attributes = concat({report.attributes_flags, report.attributes_xfrm});
  if (!equal_under_mask(attributes, identity.attributes_mask, identity.attributes)) {
    return mismatch("ATTRIBUTES", view(identity.attributes), attributes);
  }
  return match_svn(identity.levels, integer(report.isv_svn), "quoting enclave");
}

Result<TcbVerdict> judge_tcb(const TcbInfo& info, const PckExtensions& pck, const Quote& quote, const SvnLevel& qe) {
  const auto* report = quote.td();
  const auto* level = TRY(match_level(info, pck, report));
  TcbVerdict out{level->status, level->date, level->advisories};
  if (report != nullptr) out.status = TRY(judge_td(info, pck, *report, *level, qe, out.advisories));
  out.status = converge(out.status, qe.status);
  add_advisories(out.advisories, qe.advisories);
  return out;
}

}  // namespace coffer::evidence::dcap
