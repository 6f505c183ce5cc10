// The attester of an enclave's program, over whatever runs it.
#pragma once

#include <memory>

#include "evidence/sgx/quote_device.h"
#include "evidence/tee.h"

namespace coffer::evidence::sgx {

std::unique_ptr<Attester> make_attester_on(std::unique_ptr<QuoteDevice> device);

}  // namespace coffer::evidence::sgx
