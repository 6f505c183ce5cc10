#include "evidence/tpm/tss_library.h"

#include <dlfcn.h>

#include <string>

#include "evidence/tee.h"

namespace coffer::evidence::tpm {

namespace {

std::unexpected<Error> missing() {
  const char* reason = ::dlerror();
  return fail(EvidenceError::no_device, std::string{"attesting by TPM needs libtss2-esys and libtss2-tctildr: "} +
                                            (reason == nullptr ? "not found" : reason));
}

template <typename T>
bool find(void* library, const char* name, T& function) {
  function = reinterpret_cast<T>(::dlsym(library, name));
  return function != nullptr;
}

Result<TssLibrary> load() {
  // Never unloaded: it is loaded once, and objects of it live as long as the program.
  void* esys = ::dlopen("libtss2-esys.so.0", RTLD_NOW | RTLD_LOCAL);
  if (esys == nullptr) return missing();
  void* loader = ::dlopen("libtss2-tctildr.so.0", RTLD_NOW | RTLD_LOCAL);
  if (loader == nullptr) return missing();
  TssLibrary out;
#define COFFER_TSS_FIND(name) \
  if (!find(esys, #name, out.name)) return missing();
  COFFER_TSS_FUNCTIONS(COFFER_TSS_FIND)
#undef COFFER_TSS_FIND
  if (!find(loader, "Tss2_TctiLdr_Initialize", out.Tss2_TctiLdr_Initialize)) return missing();
  if (!find(loader, "Tss2_TctiLdr_Finalize", out.Tss2_TctiLdr_Finalize)) return missing();
  return out;
}

}  // namespace

Result<const TssLibrary*> TssLibrary::get() {
  static const Result<TssLibrary> library = load();
  if (!library) return fail(library.error());
  return &*library;
}

}  // namespace coffer::evidence::tpm
