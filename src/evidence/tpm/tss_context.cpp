#include "evidence/tpm/tss_context.h"

#include <fmt/format.h>

#include <utility>

#include "evidence/tee.h"

namespace coffer::evidence::tpm {

void TssFree::operator()(void* memory) const {
  if (const auto library = TssLibrary::get()) (*library)->Esys_Free(memory);
}

Result<TssContext> TssContext::open(const std::string& tcti) {
  TssContext out {
    TRY(TssLibrary::get())
  };
  if (const auto code = out.library_->Tss2_TctiLdr_Initialize(tcti.c_str(), &out.tcti_); code != TSS2_RC_SUCCESS) {
    return fail(EvidenceError::no_device, fmt::format("cannot open the TPM at \"{}\": code {:#x}", tcti, code));
  }
  if (const auto code = out.library_->Esys_Initialize(&out.esys_, out.tcti_, nullptr); code != TSS2_RC_SUCCESS) {
    return fail(EvidenceError::no_device, fmt::format("the TPM at \"{}\" does not answer: code {:#x}", tcti, code));
  }
  return out;
}

TssContext::TssContext(TssContext&& other) noexcept
    : library_(other.library_),
      tcti_(std::exchange(other.tcti_, nullptr)),
      esys_(std::exchange(other.esys_, nullptr)) {}

TssContext::~TssContext() {
  if (esys_ != nullptr) library_->Esys_Finalize(&esys_);
  if (tcti_ != nullptr) library_->Tss2_TctiLdr_Finalize(&tcti_);
}

Result<> TssContext::check(TSS2_RC code, std::string_view what) {
  if (code == TSS2_RC_SUCCESS) return {};
  return fail(EvidenceError::device_failed, fmt::format("the TPM refuses {}: code {:#x}", what, code));
}

Result<bool> TssContext::has_handle(TPM2_HANDLE handle) const {
  TPMI_YES_NO more = 0;
  TPMS_CAPABILITY_DATA* raw = nullptr;
  TRY(check(library_->Esys_GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, handle, 1,
                                         &more, &raw),
            "to list its handles"));
  const TssPointer<TPMS_CAPABILITY_DATA> data{raw};
  return data->data.handles.count == 1 && data->data.handles.handle[0] == handle;
}

Result<ESYS_TR> TssContext::object(TPM2_HANDLE handle) const {
  ESYS_TR out = ESYS_TR_NONE;
  TRY(check(library_->Esys_TR_FromTPMPublic(esys_, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &out),
            fmt::format("to open object {:#x}", handle)));
  return out;
}

}  // namespace coffer::evidence::tpm
