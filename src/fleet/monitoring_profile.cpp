#include "fleet/commands.h"
#include "fleet/detail/members.h"

namespace coffer::fleet {
namespace {

using codec::json::Object;
using codec::json::Value;
using detail::Members;

constexpr std::uint64_t first_nanoseconds = 1'000'000;  // 11 days of seconds, a millisecond of nanoseconds
constexpr std::uint64_t max_nanoseconds = 366ULL * 24 * 3600 * 1'000'000'000;
constexpr std::uint64_t max_history = 1'000'000;

struct FlagMember {
  std::string_view key;
  bool MonitoringProfile::* field;
};
constexpr FlagMember flags[] = {
    {"collect_cpu", &MonitoringProfile::collect_cpu},
    {"collect_memory", &MonitoringProfile::collect_memory},
    {"collect_disk_io", &MonitoringProfile::collect_disk_io},
    {"collect_threads", &MonitoringProfile::collect_threads},
    {"collect_file_descriptors", &MonitoringProfile::collect_file_descriptors},
    {"export_to_mqtt", &MonitoringProfile::export_to_mqtt},
    {"retain_history", &MonitoringProfile::retain_history},
};

Result<std::chrono::milliseconds> read_interval(const Members& members, std::chrono::milliseconds fallback) {
  const auto interval = TRY(members.count("interval"));
  if (interval == 0) return fallback;  // makes upstream's sampler panic
  if (interval < first_nanoseconds) return std::chrono::seconds{interval};
  if (interval > max_nanoseconds) return fail(members.bad("interval", "at most a year", *members.find("interval")));
  return std::chrono::milliseconds{interval / 1'000'000};
}

}  // namespace

Result<MonitoringProfile> read_monitoring_profile(const Value& value) {
  const Object* object = value.if_object();
  if (object == nullptr)
    return fail(FleetError::bad_member,
                "monitoring_profile: expected an object, found " + std::string{value.type_name()});
  const Members members{*object, "monitoring_profile"};
  MonitoringProfile profile;
  profile.enabled = TRY(members.flag("enabled", true));
  profile.interval = TRY(read_interval(members, profile.interval));
  for (const auto& [key, field] : flags) profile.*field = TRY(members.flag(key, true));
  profile.history_size = TRY(members.count("history_size", profile.history_size));
  if (profile.history_size > max_history)
    return fail(members.bad("history_size", "at most a million", *members.find("history_size")));
  return profile;
}

Value write_monitoring_profile(const MonitoringProfile& profile) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(profile.interval).count();
  Object object{{"enabled", profile.enabled}, {"interval", std::max<std::int64_t>(seconds, 1)}};
  for (const auto& [key, field] : flags) object.append(std::string{key}, profile.*field);
  object.append("history_size", profile.history_size);
  return object;
}

}  // namespace coffer::fleet
