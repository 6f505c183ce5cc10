#include <signal.h>
#include <sys/signalfd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "apps/coffer/admin_client.h"
#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "apps/coffer/reference_values.h"
#include "base/file_descriptor.h"
#include "base/printable.h"
#include "codec/base64.h"
#include "crypto/hash.h"
#include "vm/cpio.h"
#include "vm/files.h"
#include "vm/initramfs.h"
#include "vm/run.h"
#include "vm/tpm.h"

namespace coffer::cli {
namespace {

namespace fs = std::filesystem;
using codec::json::Object;

struct BuildOptions {
  std::string directory, kernel;
  std::vector<std::string> programs, modules, files, command;
  std::string append;
  unsigned memory = vm::default_memory_mib;
  bool bare = false;
};

struct BootOptions {
  std::string directory, tpm, append, initrd, init_data;
  double timeout_seconds = 300;
  bool console = false;
};

fs::path cache_directory() {
  if (const char* named = std::getenv("COFFER_CACHE"); named != nullptr && *named != '\0') return named;
  const char* user = std::getenv("HOME");
  return fs::path(user != nullptr ? user : ".") / ".cache/coffer";
}

std::string with_arguments(std::string command_line, const std::string& more) {
  return more.empty() ? command_line : std::move(command_line) + " " + more;
}

// A file; a name alone may also be a program beside this one.
Result<fs::path> find_program(const std::string& name) {
  std::error_code failure;
  if (name.find('/') != std::string::npos || fs::exists(name, failure)) return fs::path{name};
  const auto beside = fs::read_symlink("/proc/self/exe", failure).parent_path() / name;
  if (fs::exists(beside, failure)) return beside;
  return fail(CliError::file, "there is no program " + name + " here nor beside this one; name its file by --program");
}

// Those named; otherwise the one that the command runs, where it is ours, or the runner.
Result<std::vector<fs::path>> guest_programs(const BuildOptions& options) {
  std::vector<fs::path> out;
  if (options.bare) return out;
  for (const auto& name : options.programs) out.push_back(TRY(find_program(name)));
  if (!out.empty()) return out;
  const bool ours = !options.command.empty() && options.command.front().starts_with("coffer-");
  out.push_back(TRY(find_program(ours ? options.command.front() : "coffer-run")));
  return out;
}

// "FROM:TO", TO without its leading slash.
Result<std::pair<fs::path, std::string>> parse_file(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon + 2 > text.size() || text[colon + 1] != '/' || colon + 2 == text.size()) {
    return fail(CliError::usage, "--file \"" + text + "\": expected FROM:/TO");
  }
  return std::pair{fs::path{text.substr(0, colon)}, text.substr(colon + 2)};
}

Result<vm::InitramfsOptions> initramfs_options(const BuildOptions& options) {
  vm::InitramfsOptions out{.programs = {}, .command = options.command, .modules = options.modules};
  out.programs = TRY(guest_programs(options));
  for (const auto& file : options.files) out.files.push_back(TRY(parse_file(file)));
  return out;
}

void show_image(const Context& context, const std::string& directory, const vm::Image& image, ByteView initrd) {
  const auto digest = codec::hex_encode(crypto::sha256(initrd));
  if (context.json) {
    print_json(Object{{"image", directory}, {"kernel_release", image.kernel_release}, {"initrd_sha256", digest}});
    return;
  }
  std::cout << directory << ": kernel " << image.kernel_release << ", initrd " << human_size(initrd.size())
            << " sha256 " << digest << std::endl;
}

Result<vm::Kernel> find_kernel(const BuildOptions& options) {
  return options.kernel.empty() ? vm::debian_kernel(cache_directory()) : vm::find_kernel(options.kernel);
}

Result<int> build(const Context& context, const BuildOptions& options) {
  const auto kernel = TRY(find_kernel(options));
  const auto contents = TRY(initramfs_options(options));
  const auto tree = TRY(vm::make_initramfs(kernel, contents));
  const auto initrd = TRY(vm::make_initrd(tree));
  const auto kernel_image = TRY(vm::read_file(kernel.image));
  vm::Image image{.kernel = {}, .initrd = {}};
  image.command_line = with_arguments(image.command_line, options.append);
  image.memory_mib = options.memory;
  image.kernel_release = kernel.release;
  image = TRY(vm::save_image(options.directory, image, kernel_image, initrd));
  show_image(context, options.directory, image, initrd);
  return 0;
}

// The key joins those that are trusted already.
Result<> trust_key(const Context& context, const std::string& key) {
  auto broker = TRY(AdminClient::create(context));
  codec::json::Array keys;
  for (const auto& each : *TRY(TRY(broker.get_json("reference-value")).as_array("reference values"))) {
    const auto* name = each.find("name");
    const auto* value = each.find("value");
    if (name == nullptr || *name != codec::json::Value("trusted_aks") || value == nullptr) continue;
    if (value->if_array() != nullptr) keys = *value->if_array();
  }
  if (std::ranges::find(keys, codec::json::Value(key)) == keys.end()) keys.emplace_back(key);
  return register_reference_values(context, Object{{"trusted_aks", std::move(keys)}});
}

Result<int> make_tpm(const Context& context, const std::string& directory, bool trust) {
  const auto made = TRY(vm::create_tpm(directory));
  const auto key = codec::base64_encode(made.to_spki_der());
  if (trust) TRY(trust_key(context, key));
  if (context.json) {
    print_json(Object{{"tpm", directory}, {"ak_public", key}, {"trusted", trust}});
    return 0;
  }
  std::cout << directory << ": a new emulated TPM, attestation key "
            << codec::hex_encode(crypto::sha256(made.to_spki_der())) << (trust ? ", which the broker trusts now" : "")
            << std::endl;
  return 0;
}

// SIGINT and SIGTERM as something to poll. Before any thread.
FileDescriptor termination() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return FileDescriptor{::signalfd(-1, &signals, SFD_CLOEXEC)};
}

// Kernel messages and the program's standard error to standard error; its standard output is ours, byte for byte.
vm::RunOptions run_options(const BootOptions& options) {
  vm::RunOptions out{.tpm_state = options.tpm,
                     .init_data = options.init_data,
                     .time_limit = Duration{static_cast<std::int64_t>(options.timeout_seconds * 1000)},
                     .on_output = [](std::string_view text) { std::cout << text << std::flush; },
                     .on_console = {}};
  if (options.console) {
    out.on_console = [](std::string_view line) { std::cerr << printable(line) << std::endl; };
  }
  return out;
}

Result<int> run_vm(const BootOptions& options) {
  auto image = TRY(vm::load_image(options.directory));
  image.command_line = with_arguments(image.command_line, options.append);
  if (!options.initrd.empty()) image.initrd = options.initrd;
  const auto stop = termination();
  auto run = run_options(options);
  run.stop = stop.get();
  return vm::run_machine(image, run);
}

void add_build(CLI::App& vm, Commands& commands) {
  auto* command = vm.add_subcommand(
      "build",
      "make a machine image: Debian's cloud kernel, our guest programs, one command\n"
      "  coffer vm build machine -- coffer-run -i 10.0.2.2:5000/demo:1 -k http://10.0.2.2:8080 --plain-http");
  auto options = std::make_shared<BuildOptions>();
  command->add_option("DIR", options->directory, "directory for vmlinuz, initrd and vm.json")->required();
  command->add_option("COMMAND", options->command, "what the machine runs, as its only program")->required();
  auto* programs =
      command->add_option("--program", options->programs,
                          "guest program, with its libraries (default: COMMAND where it is ours, else coffer-run)");
  programs->allow_extra_args(false);
  command->add_flag("--bare", options->bare, "no guest program: busybox alone")->excludes(programs);
  command->add_option("--file", options->files, "FROM:/TO, one more file")->allow_extra_args(false);
  command->add_option("--module", options->modules, "kernel module to load, beyond the network's")
      ->allow_extra_args(false);
  command->add_option("--kernel", options->kernel, "directory with boot/vmlinuz-RELEASE and lib/modules/RELEASE");
  command->add_option("--append", options->append, "more kernel arguments");
  command->add_option("--memory", options->memory, "MiB of memory")
      ->capture_default_str()
      ->check(CLI::Range(256, 65536));
  commands.on(command, [&commands, options] { return build(commands.context(), *options); });
}

void add_run(CLI::App& vm, Commands& commands) {
  auto* command = vm.add_subcommand("run",
                                    "boot a machine image in emulation, with firmware and a TPM that measure it\n"
                                    "  coffer vm run machine --tpm tpm --console");
  command->footer(
      "The exit status is that of the machine's command; 1 where the machine itself failed. SIGTERM and SIGINT are "
      "passed on to it.");
  auto options = std::make_shared<BootOptions>();
  command->add_option("DIR", options->directory, "image of `coffer vm build`")->required();
  command->add_option("--tpm", options->tpm, "state of `coffer vm tpm` (default: a new TPM for this boot)");
  command->add_option("--append", options->append, "more kernel arguments");
  command->add_option("--initrd", options->initrd, "another initrd than the image's");
  command->add_option("--init-data", options->init_data, "TOML that the guest finds as /run/coffer/init-data.toml")
      ->check(CLI::ExistingFile);
  command->add_option("--timeout", options->timeout_seconds, "most seconds until the machine has ended; 0: no limit")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86400.0));
  command->add_flag("--console", options->console,
                    "show the console (kernel, the program's standard error) on standard error");
  commands.on(command, [options] { return run_vm(*options); });
}

}  // namespace

void add_vm_commands(CLI::App& app, Commands& commands) {
  auto* vm = app.add_subcommand("vm", "emulated machines that are measured at boot like real ones");
  vm->require_subcommand(1);
  add_build(*vm, commands);
  add_run(*vm, commands);
  auto* tpm = vm->add_subcommand("tpm", "make an emulated TPM\n  coffer vm tpm tpm --trust");
  auto directory = std::make_shared<std::string>();
  auto trust = std::make_shared<bool>(false);
  tpm->add_option("DIR", *directory, "directory for its state")->required();
  tpm->add_flag("--trust", *trust, "add its attestation key to the broker's reference value trusted_aks");
  commands.on(tpm, [&commands, directory, trust] { return make_tpm(commands.context(), *directory, *trust); });
}

}  // namespace coffer::cli
