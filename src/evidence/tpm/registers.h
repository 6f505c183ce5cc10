// What a guest does with PCRs besides quoting them: bind init-data, measure at run time. Of bare TPMs and Azure's.
#pragma once

#include "evidence/tee.h"
#include "evidence/tpm/device.h"

namespace coffer::evidence::tpm {

// Extends PCR 8 once: a second start of a program in the same boot finds it as the first has left it. bad_init_data for
// a digest of another length than 32 bytes, init_data_mismatch where something else was measured into it.
Result<> bind_init_data(TpmDevice& tpm, ByteView digest);

// Where runtime measurements go: a PCR as its number says, but 17 to 22, which a guest cannot extend (upstream's agents
// ask for 17), become 15; 16 and 23 are none, because a guest can reset them.
std::optional<unsigned> runtime_pcr(unsigned pcr);
std::optional<MeasurementRegister> runtime_register(unsigned pcr);
// not_supported where runtime_pcr() is nothing.
Result<> extend_runtime_measurement(TpmDevice& tpm, unsigned pcr, ByteView digest);
Result<Bytes> read_runtime_measurement(TpmDevice& tpm, unsigned pcr);

}  // namespace coffer::evidence::tpm
