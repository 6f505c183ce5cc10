#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "apps/coffer/reference_values.h"
#include "codec/base64.h"
#include "evidence/init_data.h"
#include "evidence/measure/eif.h"
#include "evidence/measure/snp.h"
#include "evidence/measure/tdx.h"
#include "evidence/measure/tpm_log.h"
#include "evidence/measure/vm.h"
#include "vm/files.h"
#include "vm/image.h"

namespace coffer::cli {
namespace {

namespace measure = evidence::measure;
using codec::json::Array;
using codec::json::Object;

// A direct boot: what every kind of launch that measures a kernel takes.
struct BootOptions {
  std::string kernel, initrd, append;
  void add_to(CLI::App& app) {
    auto* option = app.add_option("--kernel", kernel, "kernel of a direct boot (bzImage)");
    app.add_option("--initrd", initrd, "its initrd")->needs(option);
    app.add_option("--append", append, "its command line")->needs(option);
  }
};

struct Options {
  bool set = false;
  bool add = false;
  std::string file, firmware, firmware_digest, init_data, cpu_type = "EPYC-Milan";
  BootOptions boot;
  unsigned cpus = 1, memory = 2048;
  std::uint64_t guest_features = 1;
  bool two_passes = false;
};

// Prints reference values, or sets them in the broker.
Result<int> deliver(const Context& context, const Object& values, const Options& options) {
  const bool set = options.set || options.add;
  if (set) TRY(register_reference_values(context, values, options.add));
  if (!set || context.json) {
    print_json(values);
    return 0;
  }
  for (const auto& [name, value] : values) std::cout << "reference value " << name << " is set\n";
  std::cout.flush();
  return 0;
}

Array one(const Bytes& value) {
  return Array{codec::hex_encode(value)};
}

Result<Bytes> read_optional(const std::string& file) {
  if (file.empty()) return Bytes{};
  return vm::read_file(file);
}

Result<Bytes> init_data_digest(const std::string& file) {
  if (file.empty()) return Bytes{};
  const auto text = TRY(vm::read_file(file));
  const auto init_data = TRY(evidence::InitData::parse(to_text(text)));
  return init_data.digest();
}

Result<int> measure_vm(const Context& context, const Options& options) {
  const auto image = TRY(vm::load_image(options.file));
  const auto kernel = TRY(vm::read_file(image.kernel));
  const auto initrd =
      TRY(vm::read_file(options.boot.initrd.empty() ? image.initrd : std::filesystem::path{options.boot.initrd}));
  const auto& more = options.boot.append;
  auto init_data = TRY(init_data_digest(options.init_data));
  const auto prediction =
      TRY(measure::predict_vm({.kernel = kernel,
                               .initrd = initrd,
                               .command_line = more.empty() ? image.command_line : image.command_line + " " + more,
                               .memory = image.memory(),
                               .init_data_digest = std::move(init_data)}));
  return deliver(context, measure::reference_values(prediction), options);
}

Result<int> measure_snp(const Context& context, const Options& options) {
  const auto firmware = TRY(vm::read_file(options.firmware));
  const auto kernel = TRY(read_optional(options.boot.kernel));
  const auto initrd = TRY(read_optional(options.boot.initrd));
  measure::SnpLaunch launch{.firmware = firmware,
                            .initrd = initrd,
                            .command_line = options.boot.append,
                            .cpu_type = options.cpu_type,
                            .cpus = options.cpus,
                            .guest_features = options.guest_features};
  if (!options.boot.kernel.empty()) launch.kernel = kernel;
  if (!options.firmware_digest.empty()) launch.firmware_digest = TRY(codec::hex_decode(options.firmware_digest));
  const auto digest = TRY(measure::snp_launch_digest(launch));
  return deliver(context, Object{{"snp_launch_measurement", one(digest)}}, options);
}

Result<Object> tdx_boot_values(const Options& options) {
  const auto kernel = TRY(vm::read_file(options.boot.kernel));
  const auto initrd = TRY(read_optional(options.boot.initrd));
  const auto boot = TRY(measure::predict_tdx_boot({.kernel = kernel,
                                                   .initrd = initrd,
                                                   .command_line = options.boot.append,
                                                   .memory = std::uint64_t{options.memory} << 20}));
  Array rtmr1;
  for (const auto& each : boot.rtmr1) rtmr1.emplace_back(codec::hex_encode(each));
  Object out{{"rtmr_1", std::move(rtmr1)}, {"rtmr_2", one(boot.rtmr2)}};
  // The default policy compares these two events by themselves as well.
  out.set("tdvfkernel", codec::hex_encode(boot.events.front().digest));
  for (const auto& event : boot.events) {
    if (event.index == 3 && !out.contains("tdvfkernelparams"))
      out.set("tdvfkernelparams", codec::hex_encode(event.digest));
  }
  out.set("tdx_events", measure::to_json(boot.events));
  return out;
}

Result<int> measure_tdx(const Context& context, const Options& options) {
  const auto firmware = TRY(vm::read_file(options.firmware));
  const auto order = options.two_passes ? measure::TdxPageOrder::two_passes : measure::TdxPageOrder::page_by_page;
  Object values{{"mr_td", one(TRY(measure::tdx_mrtd(firmware, order)))}};
  if (!options.boot.kernel.empty()) {
    for (auto& [name, value] : TRY(tdx_boot_values(options))) values.set(name, std::move(value));
  }
  return deliver(context, values, options);
}

Result<int> measure_nitro(const Context& context, const Options& options) {
  const auto registers = TRY(measure::measure_eif(TRY(vm::read_file(options.file))));
  Object values{
      {"nitro_pcr0", one(registers.pcr0)}, {"nitro_pcr1", one(registers.pcr1)}, {"nitro_pcr2", one(registers.pcr2)}};
  if (registers.pcr8) values.set("nitro_pcr8", one(*registers.pcr8));
  return deliver(context, values, options);
}

Result<int> measure_tpm(const Context& context, const Options& options) {
  const auto log = TRY(evidence::eventlog::EventLog::parse(TRY(vm::read_file(options.file))));
  return deliver(context, TRY(measure::reference_values(log)), options);
}

using Measure = Result<int> (*)(const Context&, const Options&);

struct Added {
  CLI::App* command;
  std::shared_ptr<Options> options;
};

Added add(CLI::App& measure_app, Commands& commands, const std::string& name, const std::string& help, Measure work) {
  auto* command = measure_app.add_subcommand(name, help);
  auto options = std::make_shared<Options>();
  auto* set = command->add_flag("--set", options->set, "set them in the broker, in the place of what it has");
  command->add_flag("--add", options->add, "add them to what the broker has: one machine more")->excludes(set);
  commands.on(command, [&commands, options, work] { return work(commands.context(), *options); });
  return {command, options};
}

void add_snp(CLI::App& measure_app, Commands& commands) {
  const auto [command, options] =
      add(measure_app, commands, "snp",
          "SEV-SNP's launch digest under QEMU\n"
          "  coffer measure snp --firmware OVMF.fd --cpu-type EPYC-Milan --cpus 4 --kernel vmlinuz --initrd initrd "
          "--append console=ttyS0",
          measure_snp);
  command->add_option("--firmware", options->firmware, "OVMF image with SNP metadata")->required();
  command->add_option("--firmware-digest", options->firmware_digest,
                      "digest of its pages (hex), instead of measuring them");
  command->add_option("--cpu-type", options->cpu_type, "QEMU's -cpu, such as EPYC-Milan")->capture_default_str();
  command->add_option("--cpus", options->cpus, "virtual processors")->capture_default_str();
  command->add_option("--guest-features", options->guest_features, "SEV_FEATURES of the processors' state")
      ->capture_default_str();
  options->boot.add_to(*command);
}

void add_tdx(CLI::App& measure_app, Commands& commands) {
  const auto [command, options] =
      add(measure_app, commands, "tdx",
          "TDX's MRTD of a firmware, and RTMR1 and RTMR2 of a direct boot\n"
          "  coffer measure tdx --firmware OVMF.fd --kernel vmlinuz --initrd initrd --append quiet",
          measure_tdx);
  command->add_option("--firmware", options->firmware, "OVMF image with TDX metadata")->required();
  command->add_flag("--two-passes", options->two_passes,
                    "the monitor adds all pages of a section before it measures them");
  command->add_option("--memory", options->memory, "MiB of memory, which a direct boot's kernel is told")
      ->capture_default_str();
  options->boot.add_to(*command);
}

}  // namespace

void add_measure_commands(CLI::App& app, Commands& commands) {
  auto* measure_app =
      app.add_subcommand("measure", "what a launch will measure, before it happens: reference values as JSON");
  measure_app->require_subcommand(1);
  const auto machine = add(*measure_app, commands, "vm",
                           "TPM registers of a machine image's boot\n"
                           "  coffer measure vm machine --set",
                           measure_vm);
  machine.command->add_option("DIR", machine.options->file, "image of `coffer vm build`")->required();
  machine.command->add_option("--append", machine.options->boot.append,
                              "more kernel arguments, as given to `coffer vm run`");
  machine.command->add_option("--initrd", machine.options->boot.initrd, "another initrd than the image's");
  machine.command->add_option("--init-data", machine.options->init_data, "as given to `coffer vm run`");
  add_snp(*measure_app, commands);
  add_tdx(*measure_app, commands);
  const auto nitro = add(*measure_app, commands, "nitro",
                         "PCR0, 1, 2 and 8 of a Nitro enclave image\n  coffer measure nitro app.eif", measure_nitro);
  nitro.command->add_option("FILE", nitro.options->file, "enclave image (EIF)")->required();
  const auto tpm = add(*measure_app, commands, "tpm",
                       "TPM registers that an event log leads to\n"
                       "  coffer measure tpm /sys/kernel/security/tpm0/binary_bios_measurements",
                       measure_tpm);
  tpm.command->add_option("FILE", tpm.options->file, "binary event log")->required();
}

}  // namespace coffer::cli
