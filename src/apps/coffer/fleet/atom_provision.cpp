#include "apps/coffer/fleet/atom_provision.h"

#include <unistd.h>

#include <filesystem>

#include "codec/json_secret.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

Result<std::string> text(const Object& object, std::string_view key) {
  return std::string {
    TRY(codec::json::string_member(object, key, "progress"))
  };
}

Object to_json(const Member& member) {
  return {{"section", member.section},
          {"name", member.name},
          {"entity", member.entity},
          {"key", member.key},
          {"permission_block", member.permission_block},
          {"connected", member.connected}};
}

Result<Member> read_member(const Value& value) {
  const auto& object = *TRY(value.as_object("progress.members[]"));
  Member member {
    .section = TRY(text(object, "section"))
    , .name = TRY(text(object, "name"))
  };
  member.entity = TRY(text(object, "entity"));
  member.key = TRY(text(object, "key"));
  member.permission_block = TRY(text(object, "permission_block"));
  const auto* connected = object.find("connected");
  member.connected = connected != nullptr && connected->if_bool() != nullptr && *connected->if_bool();
  return member;
}

Object to_json(const AtomPlan& plan) {
  Array members;
  for (const auto& member : plan.members) members.emplace_back(to_json(member));
  return {{"tenant_name", plan.tenant_name},
          {"channel_name", plan.channel_name},
          {"tenant", plan.tenant},
          {"channel", plan.channel},
          {"members", std::move(members)}};
}

Result<AtomPlan> read_plan(const std::string& file) {
  const auto content = TRY(read_secret_file(file));
  const codec::json::SecretDocument document {
    TRY(codec::json::parse(as_text(content.expose())))
  };
  const auto& object = *TRY(document->as_object("progress"));
  AtomPlan plan;
  plan.tenant_name = TRY(text(object, "tenant_name"));
  plan.channel_name = TRY(text(object, "channel_name"));
  plan.tenant = TRY(text(object, "tenant"));
  plan.channel = TRY(text(object, "channel"));
  const auto* members = object.find("members");
  for (const auto& member : members == nullptr ? Array{} : *TRY(members->as_array("progress.members"))) {
    plan.members.push_back(TRY(read_member(member)));
  }
  return plan;
}

}  // namespace

Result<AtomProvision> AtomProvision::begin(AtomPlan plan, std::string progress_file) {
  if (!std::filesystem::exists(progress_file)) return AtomProvision{std::move(plan), std::move(progress_file), false};
  auto begun = read_plan(progress_file);
  if (begun) return AtomProvision{*std::move(begun), std::move(progress_file), true};
  return fail(CliError::file, progress_file + " is what an earlier run left, and cannot be read: " +
                                  begun.error().message + "; remove it to begin anew");
}

// Written beside and moved into place: a crash leaves the one before.
Result<> AtomProvision::save() const {
  const auto next = file_ + ".new";
  ::unlink(next.c_str());
  Value document{to_json(plan_)};
  auto content = to_bytes(codec::json::serialize(document));
  codec::json::wipe(document);
  const auto written = write_file(next, content, 0600);
  wipe(content);
  TRY(written);
  std::error_code error;
  std::filesystem::rename(next, file_, error);
  if (error) return fail(CliError::file, file_ + " cannot be written: " + error.message());
  return {};
}

void AtomProvision::forget() const {
  ::unlink(file_.c_str());
}

Result<> AtomProvision::make_tenant(AtomClient& atom) {
  if (!plan_.tenant.empty()) return {};
  const auto present = TRY(atom.find_tenant(plan_.tenant_name));
  plan_.tenant = present ? *present : TRY(atom.create_tenant(plan_.tenant_name));
  return save();
}

Result<> AtomProvision::make_member(AtomClient& atom, Member& member) {
  if (member.entity.empty()) {
    member.entity = TRY(atom.create_service_entity(member.name, plan_.tenant));
    TRY(save());
  }
  if (!member.key.empty()) return {};
  const auto kind = member.section.starts_with("proplet") ? std::string{"proplet"} : member.section;
  member.key = TRY(atom.create_access_token(member.entity, kind + "-mqtt"));
  return save();
}

Result<> AtomProvision::connect(AtomClient& atom, Member& member) {
  if (member.connected) return {};
  if (member.permission_block.empty()) {
    member.permission_block = TRY(atom.create_permission_block(plan_.tenant, plan_.channel));
    TRY(save());
  }
  TRY(atom.create_direct_policy(plan_.tenant, member.entity, member.permission_block));
  member.connected = true;
  return save();
}

Result<> AtomProvision::make_all(AtomClient& atom) {
  TRY(make_tenant(atom));
  for (auto& member : plan_.members) TRY(make_member(atom, member));
  if (plan_.channel.empty()) {
    plan_.channel = TRY(atom.create_channel(plan_.channel_name, plan_.tenant));
    TRY(save());
  }
  for (auto& member : plan_.members) TRY(connect(atom, member));
  return {};
}

std::string AtomProvision::made() const {
  std::string out;
  const auto add = [&](const std::string& what) { out += (out.empty() ? "" : ", ") + what; };
  if (!plan_.tenant.empty()) add("tenant " + plan_.tenant_name + " (" + plan_.tenant + ")");
  for (const auto& member : plan_.members) {
    if (!member.entity.empty()) add(member.section + " " + member.name + " (" + member.entity + ")");
  }
  if (!plan_.channel.empty()) add("channel " + plan_.channel);
  return out;
}

Result<> AtomProvision::run(AtomClient& atom) {
  auto done = make_all(atom);
  if (done) return done;
  auto error = std::move(done).error();
  if (!std::filesystem::exists(file_)) return fail(std::move(error));
  error.context.emplace_back("made so far", made());
  error.context.emplace_back("next", "the same command goes on from there, as " + file_ + " says");
  return fail(std::move(error));
}

}  // namespace coffer::cli
