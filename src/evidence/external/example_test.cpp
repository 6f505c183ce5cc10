// The worked example under examples/external-tee, both sides of it as programs of their own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "evidence/external/external.h"
#include "testing/temporary_directory.h"

extern char** environ;

namespace coffer::evidence::external {
namespace {

namespace json = codec::json;
using namespace std::chrono_literals;
using testing::HasSubstr;

class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (const auto& each : arguments) argv.push_back(const_cast<char*>(each.c_str()));
    argv.push_back(nullptr);
    started_ = ::posix_spawnp(&pid_, argv[0], nullptr, nullptr, argv.data(), environ) == 0;
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (!started_) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  bool started() const { return started_; }

 private:
  pid_t pid_ = 0;
  bool started_ = false;
};

class ExampleTee : public testing::Test {
 protected:
  void SetUp() override {
    directory_.write("key", std::string(32, 'k'));
    directory_.write("program", "the workload");
    const std::string folder = EXTERNAL_TEE_EXAMPLE;
    attester_program_ = std::make_unique<Program>(
        std::vector<std::string>{"python3", folder + "/attester.py", path("attester"), path("key"), path("program")});
    verifier_program_ = std::make_unique<Program>(
        std::vector<std::string>{"python3", folder + "/verifier.py", path("verifier"), path("key")});
    ASSERT_TRUE(attester_program_->started() && verifier_program_->started()) << "python3 is needed";
    for (int turn = 0; turn < 500 && !are_listening(); ++turn) std::this_thread::sleep_for(20ms);
    ASSERT_TRUE(are_listening());
    VerifierOptions options;
    options.config.set("external_verifier", json::Object{{"toy", json::Object{{"socket", path("verifier")}}}});
    verifier_ = *make_verifier(TeeKind::external, options);
    AttesterOptions guest;
    guest.config.set("external_attester", json::Object{{"type", "toy"}, {"socket", path("attester")}});
    attester_ = *make_attester(TeeKind::external, guest);
  }

  std::string path(std::string_view name) const { return (directory_.path() / name).string(); }
  bool are_listening() const {
    for (const auto name : {"attester", "verifier"}) {
      const auto answer = connect_by({.path = path(name)})->exchange("{}");
      if (!answer) return false;
    }
    return true;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Program> attester_program_;
  std::unique_ptr<Program> verifier_program_;
  std::unique_ptr<Verifier> verifier_;
  std::unique_ptr<Attester> attester_;
  const Bytes digest_ = Bytes(48, std::byte{3});
  const Bytes init_digest_ = Bytes(32, std::byte{4});
};

TEST_F(ExampleTee, evidence_of_one_side_is_verified_by_the_other) {
  ASSERT_TRUE(attester_->bind_init_data(init_digest_));
  const auto evidence = attester_->attest(digest_);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  const auto claims = verifier_->verify(*evidence, {digest_, init_digest_}, from_unix_seconds(0));
  ASSERT_TRUE(claims) << to_string(claims.error());
  // SHA-256 of "the workload".
  EXPECT_EQ(json::Value{claims->front().claims}.at_pointer("/toy/measurement")->if_string()->size(), 64U);
  const auto other = verifier_->verify(*evidence, {init_digest_, init_digest_}, from_unix_seconds(0));
  ASSERT_FALSE(other);
  EXPECT_THAT(to_string(other.error()), HasSubstr("not_bound"));
}

TEST_F(ExampleTee, changed_evidence_is_refused_in_the_verifiers_own_words) {
  auto evidence = *attester_->attest(digest_)->if_object();
  evidence.find("evidence")->if_object()->set("measurement", std::string(64, '0'));
  const auto claims = verifier_->verify(json::Value{evidence}, {digest_, {}}, from_unix_seconds(0));
  ASSERT_FALSE(claims);
  EXPECT_THAT(claims.error().message, HasSubstr("bad_mac"));
}

}  // namespace
}  // namespace coffer::evidence::external
