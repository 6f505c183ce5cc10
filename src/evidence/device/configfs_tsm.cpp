#include "evidence/device/configfs_tsm.h"

#include "codec/base64.h"
#include "crypto/random.h"
#include "evidence/tee.h"

namespace coffer::evidence::device {

namespace {

using namespace std::chrono_literals;
using Answer = TsmFilesystem::Answer;
using Outcome = TsmFilesystem::Outcome;

constexpr std::size_t max_inblob = 64;         // TSM_REPORT_INBLOB_MAX
constexpr std::size_t max_outblob = 1U << 20;  // generous: the kernel's own limit is 32 KiB to 16 MiB by version
constexpr std::size_t max_attribute = 4096;    // provider, generation: one page
constexpr int attempts = 3;

// What an attempt came to: a report, nothing (try again), or an error.
using Attempt = Result<std::optional<TsmReport>>;

std::unexpected<Error> device_failed(std::string_view what, const Answer& answer) {
  return fail(answer.outcome == Outcome::absent ? EvidenceError::no_device : EvidenceError::device_failed,
              "the kernel's TSM report interface failed at " + std::string{what} + ": " + answer.reason);
}

std::string without_newline(ByteView content) {
  auto text = to_text(content);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// A directory for one request, removed with the object. Its name is random: names are shared by all of the machine.
class RequestDirectory {
 public:
  RequestDirectory(TsmFilesystem& files, const std::filesystem::path& parent)
      : files_(files), path_(parent / ("coffer-" + codec::hex_encode(crypto::system_random().bytes(8)))) {
    made_ = files_.make_directory(path_);
  }
  RequestDirectory(const RequestDirectory&) = delete;
  RequestDirectory& operator=(const RequestDirectory&) = delete;
  ~RequestDirectory() {
    if (made_.outcome == Outcome::done) files_.remove_directory(path_);
  }

  const Answer& made() const { return made_; }
  Answer read(std::string_view attribute, std::size_t limit) { return files_.read(path_ / attribute, limit); }
  Answer write(std::string_view attribute, ByteView content) { return files_.write(path_ / attribute, content); }

 private:
  TsmFilesystem& files_;
  std::filesystem::path path_;
  Answer made_;
};

Result<std::string> read_provider(RequestDirectory& directory) {
  const auto answer = directory.read("provider", max_attribute);
  if (answer.outcome != Outcome::done) return device_failed("provider", answer);
  return without_newline(answer.content);
}

Result<> check_provider(RequestDirectory& directory, std::string_view wanted) {
  const auto found = TRY(read_provider(directory));
  if (found == wanted) return {};
  return fail(EvidenceError::no_device,
              "the kernel's TSM report interface is expected to stand for " + std::string{wanted} + ", found " + found);
}

// The number of writes that the kernel has seen: more than our own means that another's request may have been
// answered. Returns whether it is ours.
Result<bool> is_ours(RequestDirectory& directory, unsigned writes) {
  const auto answer = directory.read("generation", max_attribute);
  if (answer.outcome != Outcome::done) return device_failed("generation", answer);
  const auto text = without_newline(answer.content);
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) {
    return fail(EvidenceError::device_failed,
                "the kernel's TSM report interface is expected to state a generation, found \"" + text + "\"");
  }
  return std::stoul(text) <= writes;
}

// The blob, or nothing where another attempt is worth it.
Result<std::optional<Bytes>> read_blob(RequestDirectory& directory, std::string_view attribute, unsigned writes) {
  auto answer = directory.read(attribute, max_outblob);
  if (answer.outcome == Outcome::busy) return std::nullopt;
  if (answer.outcome != Outcome::done) return device_failed(attribute, answer);
  if (!TRY(is_ours(directory, writes))) return std::nullopt;
  // A host may have nothing to add (auxblob); a report is never empty.
  if (!answer.content.empty() || attribute != "outblob") return std::move(answer.content);
  return fail(EvidenceError::device_failed, "the kernel's TSM report interface gave an empty outblob");
}

// Whether it was written; false for another attempt.
Result<bool> write(RequestDirectory& directory, std::string_view attribute, ByteView content) {
  const auto answer = directory.write(attribute, content);
  if (answer.outcome == Outcome::done) return true;
  if (answer.outcome == Outcome::busy) return false;
  return device_failed(attribute, answer);
}

Attempt attempt(TsmFilesystem& files, const std::filesystem::path& parent, const TsmRequest& request) {
  RequestDirectory directory(files, parent);
  if (directory.made().outcome == Outcome::busy) return std::nullopt;
  if (directory.made().outcome != Outcome::done) return device_failed("making a directory", directory.made());
  TRY(check_provider(directory, request.provider));
  unsigned writes = 0;
  if (request.privlevel) {
    if (!TRY(write(directory, "privlevel", as_bytes(std::to_string(*request.privlevel))))) return std::nullopt;
    ++writes;
  }
  if (!TRY(write(directory, "inblob", request.inblob))) return std::nullopt;
  ++writes;
  auto outblob = TRY(read_blob(directory, "outblob", writes));
  if (!outblob) return std::nullopt;
  TsmReport report{*std::move(outblob)};
  if (!request.wants_auxblob) return report;
  auto auxblob = TRY(read_blob(directory, "auxblob", writes));
  if (!auxblob) return std::nullopt;
  report.auxblob = *std::move(auxblob);
  return report;
}

}  // namespace

ConfigfsTsm::ConfigfsTsm(std::filesystem::path root, TsmFilesystem& files)
    : directory_(std::move(root) / "sys/kernel/config/tsm/report"), files_(files) {}

Result<std::string> ConfigfsTsm::provider() const {
  RequestDirectory directory(files_, directory_);
  if (directory.made().outcome != Outcome::done) return device_failed("making a directory", directory.made());
  return read_provider(directory);
}

bool ConfigfsTsm::has_provider(std::string_view provider) const {
  const auto found = this->provider();
  return found && *found == provider;
}

Result<TsmReport> ConfigfsTsm::report(const TsmRequest& request) const {
  if (request.inblob.empty() || request.inblob.size() > max_inblob) {
    return fail(EvidenceError::malformed, "report data is expected to have 1 to " + std::to_string(max_inblob) +
                                              " bytes, found " + std::to_string(request.inblob.size()));
  }
  for (int turn = 0; turn < attempts; ++turn) {
    if (turn > 0) files_.pause(50ms * turn);
    auto report = TRY(attempt(files_, directory_, request));
    if (report) return *std::move(report);
  }
  return fail(EvidenceError::device_failed,
              "the kernel's TSM report interface was busy, or answered another's request, "
              "in each of " +
                  std::to_string(attempts) + " attempts");
}

}  // namespace coffer::evidence::device
