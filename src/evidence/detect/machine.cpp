#include "evidence/detect/machine.h"

#include <sys/utsname.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "evidence/tee.h"
#ifdef COFFER_TEE_AZ_VTPM
#include "evidence/az_vtpm/az_vtpm.h"
#include "evidence/tpm/tss_device.h"
#endif

namespace coffer::evidence {

namespace fs = std::filesystem;

namespace {

#ifdef __x86_64__
constexpr unsigned features_leaf = 1;
constexpr unsigned hypervisor_bit = 1U << 31;
constexpr unsigned trust_domain_leaf = 0x21;  // Intel TDX module specification, "CPUID virtualization"
constexpr unsigned hypervisor_leaf = 0x40000000;

struct Registers {
  unsigned eax, ebx, ecx, edx;
};

Registers cpuid(unsigned leaf) {
  Registers out{};
  __cpuid_count(leaf, 0, out.eax, out.ebx, out.ecx, out.edx);
  return out;
}

std::string letters(unsigned first, unsigned second, unsigned third) {
  char text[12];
  std::memcpy(text, &first, 4);
  std::memcpy(text + 4, &second, 4);
  std::memcpy(text + 8, &third, 4);
  return {text, ::strnlen(text, sizeof text)};
}

void ask_processor(Processor& out) {
  out.hypervisor = (cpuid(features_leaf).ecx & hypervisor_bit) != 0;
  if (out.hypervisor) {
    const auto vendor = cpuid(hypervisor_leaf);
    out.hypervisor_vendor = letters(vendor.ebx, vendor.ecx, vendor.edx);
  }
  if (__get_cpuid_max(0, nullptr) < trust_domain_leaf) return;
  const auto domain = cpuid(trust_domain_leaf);
  out.trust_domain = letters(domain.ebx, domain.edx, domain.ecx) == "IntelTDX    ";
}
#else
void ask_processor(Processor&) {}
#endif

Result<Bytes> read_paravisor_report([[maybe_unused]] const fs::path& root) {
#ifdef COFFER_TEE_AZ_VTPM
  return tpm::make_tss_device(TRY(tpm::TssOptions::from_environment(root)))->read_nv(az_vtpm::report_index);
#else
  return fail(EvidenceError::not_supported, "this build knows nothing of Azure's paravisor");
#endif
}

}  // namespace

Processor this_processor() {
  Processor out;
  utsname name{};
  if (::uname(&name) == 0) out.architecture = name.machine;
  ask_processor(out);
  return out;
}

bool Machine::has(std::string_view file) const {
  std::error_code ignored;
  return fs::exists(root / fs::path{file}.relative_path(), ignored);
}

std::string Machine::first_line(std::string_view file) const {
  std::ifstream in{root / fs::path{file}.relative_path()};
  std::string line(256, '\0');
  in.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(in.gcount()));
  return line.substr(0, line.find('\n'));
}

Machine this_machine(const fs::path& root) {
  Machine out{.root = root, .tsm = &device::system_tsm_filesystem()};
  if (root == "/") out.processor = this_processor();
  out.environment = [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  };
  out.paravisor_report = [root] { return read_paravisor_report(root); };
  return out;
}

}  // namespace coffer::evidence
