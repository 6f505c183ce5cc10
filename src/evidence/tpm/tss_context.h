// One conversation with a TPM through libtss2's enhanced system API. Not safe from several threads.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "evidence/tpm/tss_library.h"

namespace coffer::evidence::tpm {

// What libtss2 allocates.
struct TssFree {
  void operator()(void* memory) const;
};
template <typename T>
using TssPointer = std::unique_ptr<T, TssFree>;

class TssContext {
 public:
  // `tcti` as libtss2 writes it: "device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321". no_device.
  static Result<TssContext> open(const std::string& tcti);
  TssContext(TssContext&&) noexcept;
  TssContext& operator=(TssContext&&) = delete;
  ~TssContext();

  const TssLibrary& library() const { return *library_; }
  ESYS_CONTEXT* esys() const { return esys_; }

  // device_failed with the TPM's response code.
  static Result<> check(TSS2_RC code, std::string_view what);
  // Whether a persistent object or an NV index of this handle exists: asked first, because libtss2 complains on
  // standard error of one that does not.
  Result<bool> has_handle(TPM2_HANDLE handle) const;
  // An ESYS object for it.
  Result<ESYS_TR> object(TPM2_HANDLE handle) const;

 private:
  explicit TssContext(const TssLibrary* library) : library_(library) {}
  const TssLibrary* library_;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
};

}  // namespace coffer::evidence::tpm
