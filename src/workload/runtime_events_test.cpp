#include "workload/runtime_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/eventlog/error.h"
#include "evidence/simulator_root.h"
#include "testing/temporary_directory.h"

namespace coffer::workload {
namespace {

using testing::IsEmpty;

const auto digest = *image::Digest::parse("sha256:" + std::string(64, 'a'));

class Events : public testing::Test {
 protected:
  Events() {
    EXPECT_TRUE(
        evidence::write_simulator_root(directory_.path(), *evidence::make_simulator_root(system_clock().now())));
  }
  Result<evidence::ChosenAttester> machine(std::optional<unsigned> pcr) const {
    return evidence::ChosenAttester::choose(
        {.tee = "simulated:tpm", .simulator_directory = directory_.path(), .event_log_pcr = pcr});
  }
  TemporaryDirectory directory_;
};

TEST_F(Events, are_texts_of_domain_operation_and_content) {
  const auto attester = machine(17);
  ASSERT_TRUE(attester) << to_string(attester.error());
  RuntimeEvents events{&*attester};
  const auto init_data = *evidence::InitData::parse("version = \"0.1.0\"\nalgorithm = \"sha384\"\n[data]\n");
  ASSERT_TRUE(events.init_data(init_data));
  ASSERT_TRUE(events.image("example.com/a:1", digest));
  ASSERT_TRUE(events.workload("oci:a \"b\"", digest));
  ASSERT_EQ(events.texts().size(), 3U);
  EXPECT_TRUE(events.texts()[0].starts_with("coffer InitData {\"algorithm\":\"sha384\", \"digest\":\""));
  // Upstream's bytes: one space, after the comma (guest-components.md 2.6).
  EXPECT_EQ(events.texts()[1],
            "github.com/confidential-containers PullImage {\"image\":\"example.com/a:1\", \"digest\":\"" +
                digest.text() + "\"}");
  EXPECT_EQ(events.texts()[2],
            "coffer StartWorkload {\"image\":\"oci:a \\\"b\\\"\", \"layer\":\"" + digest.text() + "\"}");
}

TEST_F(Events, are_not_measured_where_no_log_is_kept) {
  const auto attester = machine(std::nullopt);
  for (const auto* each : {static_cast<const evidence::ChosenAttester*>(nullptr), &*attester}) {
    RuntimeEvents events{each};
    EXPECT_TRUE(events.image("example.com/a:1", digest));
    EXPECT_THAT(events.texts(), IsEmpty());
  }
}

TEST_F(Events, that_cannot_be_measured_are_an_error) {
  const auto attester = machine(17);
  RuntimeEvents events{&*attester};
  EXPECT_EQ(events.image(std::string(70'000, 'a'), digest).error().code, evidence::eventlog::EventLogError::bad_entry);
  EXPECT_THAT(events.texts(), IsEmpty());
}

}  // namespace
}  // namespace coffer::workload
