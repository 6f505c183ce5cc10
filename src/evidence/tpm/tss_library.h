// libtss2, loaded when the first TPM is opened: a program that attests otherwise does not pay for its start, and does
// not need it installed.
#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "base/result.h"

namespace coffer::evidence::tpm {

#define COFFER_TSS_FUNCTIONS(each)                                                                                   \
  each(Esys_Initialize) each(Esys_Finalize) each(Esys_Free) each(Esys_GetCapability) each(Esys_TR_FromTPMPublic)     \
      each(Esys_TR_Close) each(Esys_ReadPublic) each(Esys_CreatePrimary) each(Esys_EvictControl)                     \
          each(Esys_ContextSave) each(Esys_ContextLoad) each(Esys_FlushContext) each(Esys_Quote) each(Esys_PCR_Read) \
              each(Esys_PCR_Extend) each(Esys_NV_DefineSpace) each(Esys_NV_ReadPublic) each(Esys_NV_Read)            \
                  each(Esys_NV_Write)

struct TssLibrary {
#define COFFER_TSS_MEMBER(name) decltype(&::name) name = nullptr;
  COFFER_TSS_FUNCTIONS(COFFER_TSS_MEMBER)
#undef COFFER_TSS_MEMBER
  decltype(&::Tss2_TctiLdr_Initialize) Tss2_TctiLdr_Initialize = nullptr;
  decltype(&::Tss2_TctiLdr_Finalize) Tss2_TctiLdr_Finalize = nullptr;

  // EvidenceError::no_device where libtss2-esys.so.0 or libtss2-tctildr.so.0 is missing.
  static Result<const TssLibrary*> get();
};

}  // namespace coffer::evidence::tpm
