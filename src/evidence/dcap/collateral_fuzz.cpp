#include "codec/json.h"
#include "evidence/dcap/collateral.h"
#include "evidence/dcap/tcb_info.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const auto text = as_text({reinterpret_cast<const std::byte*>(data), size});
  (void)dcap::collateral_from_json(text);
  (void)dcap::parse_tcb_info(text);
  (void)dcap::parse_enclave_identity(text);
  const auto found = dcap::find_signed_text(text, "tcbInfo", dcap::DcapError::bad_tcb_info);
  if (!found) return 0;
  // What is signed is part of the document, and is JSON by itself.
  if (found->text.data() < text.data() || found->text.data() + found->text.size() > text.data() + text.size()) {
    __builtin_trap();
  }
  if (!codec::json::parse(found->text)) __builtin_trap();
  return 0;
}
