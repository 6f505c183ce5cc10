#include "guest/runner.h"

#include <cstdlib>

#include "base/log.h"
#include "guest/detail/run_module.h"
#include "guest/detail/settings.h"
#include "guest/exit_code.h"
#include "workload/image_access.h"
#include "workload/key_access.h"
#include "workload/runtime_events.h"

namespace coffer::guest {
namespace {

using detail::Settings;
using workload::KeyAccess;

class Run {
 public:
  explicit Run(const RunnerOptions& options) : options_(options) {}

  Outcome execute() {
    const auto code = execute_checked();
    Outcome outcome;
    outcome.exit_code = code ? *code : static_cast<int>(exit_code_of(code.error()));
    report_.set("exit_code", outcome.exit_code);
    report_.set("ended_by", code ? "guest" : "runner");
    if (!code) {
      outcome.error = code.error();
      report_.set("error", codec::json::Object{{"code", code.error().code.name()}, {"message", code.error().message}});
    }
    outcome.report = std::move(report_);
    return outcome;
  }

 private:
  // Runs `work`, and notes how long it took.
  template <class Work>
  auto timed(std::string_view name, const Work& work) {
    const auto start = std::chrono::steady_clock::now();
    auto result = work();
    const auto took = std::chrono::steady_clock::now() - start;
    report_.set(name, std::chrono::duration<double, std::milli>(took).count());
    return result;
  }

  Result<int> execute_checked() {
    report_.set("image", options_.image);
    const auto settings = TRY(detail::gather_settings(options_, environment_text("AA_KBC_PARAMS")));
    TRY(prepare_work_dir());
    const auto module = TRY(fetch(settings));
    const bool embedded = options_.runtime.empty() || options_.runtime == "embedded";
    report_.set("runtime", embedded ? "embedded" : options_.runtime);
    log::info("runner.start", "starting the module",
              {{"image", options_.image}, {"encrypted", module.encrypted ? "yes" : "no"}});
    return timed("run_ms", [&] { return detail::run_module(options_, module.module.expose(), module.encrypted); });
  }

  static std::string_view environment_text(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }

  Result<> prepare_work_dir() const {
    if (options_.work_dir.empty()) return {};
    std::error_code failure;
    std::filesystem::create_directories(options_.work_dir, failure);
    if (!failure) return {};
    return fail(GuestError::work_dir,
                "the work directory " + options_.work_dir.string() + " cannot be made: " + failure.message());
  }

  workload::ImageAccess image_access() const {
    workload::ImageAccess access{.image = options_.image,
                                 .registry_user = options_.registry_user,
                                 .registry_password_file = options_.registry_password_file,
                                 .plain_http = options_.plain_http,
                                 .layer_store = options_.layer_store};
    if (!options_.work_dir.empty()) {
      if (access.layer_store.empty()) access.layer_store = options_.work_dir / "layers";
      access.guest_directories.push_back(options_.work_dir);
    }
    for (const auto& [host, guest] : options_.directories) access.guest_directories.push_back(host);
    return access;
  }

  Result<image::PulledModule> fetch(const Settings& settings) {
    const auto source = TRY(workload::open_image(image_access()));
    const auto summary = TRY(image::inspect_image(*source));
    report_.set("digest", summary.manifest_digest.text());
    report_.set("encrypted", summary.encrypted);
    std::optional<KeyAccess> access;
    if (summary.encrypted) {
      access = TRY(KeyAccess::open(settings));
      note(*access);
    } else {
      TRY(check_plain_allowed(settings));
    }
    const auto attester = TRY(measuring_attester(settings, access));
    workload::RuntimeEvents events{attester.get()};
    TRY(events.image(options_.image, summary.manifest_digest));
    const workload::KeyChoice choice{.expect_encrypted = settings.expect_encrypted, .named = settings.key_id};
    auto module = timed(
        "pull_ms", [&] { return workload::pull_module(*source, summary, choice, access ? access->source : nullptr); });
    report_.set("layers_from_store", source->hits());
    if (!module) return module;
    report_.set("layer", module->layer_digest.text());
    TRY(events.workload(options_.image, module->layer_digest));
    if (!events.texts().empty()) {
      report_.set("runtime_events", codec::json::Array(events.texts().begin(), events.texts().end()));
    }
    return module;
  }

  // Who measures runtime events: the attester that asks for the key, or, where none is asked for, one for this alone.
  // Null where none are to be measured, or nothing can.
  static Result<std::shared_ptr<const evidence::ChosenAttester>> measuring_attester(
      const Settings& settings, const std::optional<KeyAccess>& access) {
    using Attester = std::shared_ptr<const evidence::ChosenAttester>;
    if (!settings.event_log_pcr) return nullptr;
    if (access && access->attester) return Attester{Attester{}, access->attester.get()};
    auto chosen = workload::choose_attester(settings);
    if (chosen) return Attester{*std::move(chosen)};
    if (chosen.error().code != workload::WorkloadError::no_tee) return fail(chosen.error());
    log::warn("runner.no_event_log", "runtime events are not measured", {{"reason", chosen.error().message}});
    return nullptr;
  }

  // Whoever names a key, or says so, expects an encrypted image: a plain one in its place was put there by somebody
  // else.
  Result<> check_plain_allowed(const Settings& settings) const {
    if (!settings.expect_encrypted) {
      if (!settings.kbs_url.empty() || settings.has_local_keys()) warn_of_plain();
      return {};
    }
    return fail(GuestError::not_encrypted,
                "the image " + options_.image + " is not encrypted, but " +
                    (settings.key_id ? "a key is named for it" : "an encrypted one is demanded"));
  }

  void warn_of_plain() const {
    log::warn("runner.plain_image",
              "the image is not encrypted, so no key is asked for and nothing proves whose it is; "
              "--require-encrypted refuses such images",
              {{"image", options_.image}});
  }

  void note(const KeyAccess& access) {
    report_.set("mode", name_of(access.decision.mode));
    report_.set("mode_reason", access.decision.reason);
    report_.set("attested", !access.tee.empty());
    if (!access.tee.empty()) report_.set("tee", access.tee);
    report_.set("key_source", access.source->describe());
  }

  const RunnerOptions& options_;
  codec::json::Object report_;
};

}  // namespace

Outcome run(const RunnerOptions& options) {
  return Run{options}.execute();
}

}  // namespace coffer::guest
