// The vendor's fields in a GPU's report (DSP0274 calls them opaque): type, length and value, one after the other, all
// little-endian. Numbers and names of the types are those of NVIDIA's open verifier.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/nvidia/error.h"

namespace coffer::evidence::nvidia {

enum class OpaqueType : std::uint16_t {
  driver_version = 3,
  gpu_info = 4,
  vbios_version = 6,
  nvdec0_status = 11,
  measurement_count = 12,
  board_id = 14,
  firmware_id = 20,
  chip_info = 35,
};

class OpaqueData {
 public:
  struct Item {
    std::uint16_t type;
    Bytes value;
  };

  // Each type once, whole items only; VBIOS and driver version, on which verdicts rest, and the firmware id must be
  // there, each in its form. A type that nobody knows is kept: a newer driver states more. bad_opaque_data.
  static Result<OpaqueData> parse(ByteView bytes);
  // For the simulator; parse() says whether it holds.
  static OpaqueData of(std::vector<Item> items);
  Bytes encode() const;
  const std::vector<Item>& items() const { return items_; }

  const Bytes* find(OpaqueType type) const;
  const Bytes& firmware_id() const;  // SHA-384

  // Upstream's names and forms: text where a field is one, versions with points, counts by index, hex for the rest.
  codec::json::Object to_json() const;

 private:
  std::vector<Item> items_;
};

}  // namespace coffer::evidence::nvidia
