#include <sys/stat.h>
#include <unistd.h>

#include "image/testing/archives.h"
#include "image/testing/expect.h"
#include "image/testing/temp_dir.h"
#include "image/unpack/entry_path.h"
#include "image/unpack/module_tar.h"
#include "image/unpack/tar_file.h"
#include "image/unpack/tree_writer.h"
#include "image/unpack/untar.h"

namespace coffer::image::unpack {
namespace {

namespace fs = std::filesystem;
using image::testing::expect_error;
using image::testing::expect_success;
using image::testing::read_text;
using image::testing::TarBuilder;

class Unpack : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directory(root_); }
  Result<UntarCount> untar(ByteView tar, const UntarOptions& options = {}) {
    return unpack::untar(image::testing::chunks_of(tar, 700), root_, options);
  }
  Result<UntarCount> untar(const TarBuilder& tar, const UntarOptions& options = {}) {
    return untar(tar.build(), options);
  }
  Result<UntarCount> layers(std::initializer_list<TarBuilder> tars) {
    const auto tree = TRY(TreeWriter::open(root_, {}));
    UntarCount count;
    for (const auto& tar : tars) TRY(unpack::untar(image::testing::chunks_of(tar.build()), *tree, {}, count));
    TRY(tree->finish());
    return count;
  }
  mode_t mode_of(const fs::path& path) const {
    struct stat status{};
    ::lstat(path.c_str(), &status);
    return status.st_mode & 07777U;
  }

  image::testing::TempDir temp_;
  fs::path root_ = temp_ / "root";
};

TEST_F(Unpack, files_directories_and_links_are_written) {
  const auto count =
      untar(TarBuilder{}.directory("a", 0750).file("a/f", "hello", 0640).symlink("a/s", "f").hard_link("h", "a/f"));
  ASSERT_TRUE(count) << to_string(count.error());
  EXPECT_EQ(count->entries, 4U);
  EXPECT_EQ(read_text(root_ / "h"), "hello");
  EXPECT_EQ(fs::read_symlink(root_ / "a/s"), "f");
  EXPECT_EQ(mode_of(root_ / "a"), 0750U);
  EXPECT_EQ(mode_of(root_ / "a/f"), 0640U);
  struct stat status{};
  ::stat((root_ / "a/f").c_str(), &status);
  EXPECT_EQ(status.st_mtime, 1'000'000'000);
  EXPECT_EQ(status.st_nlink, 2U);
  ::stat((root_ / "a").c_str(), &status);
  EXPECT_EQ(status.st_mtime, 1'000'000'000) << "writing into the directory must not show in its time";
}

TEST_F(Unpack, leading_dots_missing_parents_and_the_root_entry_are_fine) {
  expect_success(untar(TarBuilder{}.directory("./", 0755).file("./x/y//z", "1")));
  EXPECT_EQ(read_text(root_ / "x/y/z"), "1");
}

TEST_F(Unpack, read_only_directories_get_their_mode_last) {
  expect_success(untar(TarBuilder{}.directory("ro", 0500).file("ro/f", "1")));
  EXPECT_EQ(mode_of(root_ / "ro"), 0500U);
  ::chmod((root_ / "ro").c_str(), 0700);
}

TEST_F(Unpack, set_id_bits_are_dropped_where_owners_are_not_restored) {
  expect_success(untar(TarBuilder{}.file("su", "x", 04755)));
  EXPECT_EQ(mode_of(root_ / "su"), 0755U);
}

TEST_F(Unpack, utf8_names_survive) {
  expect_success(untar(TarBuilder{}.file("größe/日本", "1")));
  EXPECT_EQ(read_text(root_ / "größe/日本"), "1");
}

TEST_F(Unpack, zero_blocks_in_the_middle_are_no_end) {
  expect_success(untar(TarBuilder{}.file("a", "1").zero_blocks(2).file("b", "2")));
  EXPECT_EQ(read_text(root_ / "b"), "2");
}

TEST_F(Unpack, an_empty_layer_is_fine) {
  EXPECT_EQ(untar(TarBuilder{})->entries, 0U);
}

TEST_F(Unpack, paths_that_leave_the_tree_are_refused) {
  for (const auto* name : {"../evil", "a/../../evil", "/etc/evil", "a/..", "..", "//evil"}) {
    expect_error(untar(TarBuilder{}.file(name, "x")), ImageError::bad_path);
  }
  EXPECT_FALSE(fs::exists(temp_ / "evil"));
}

TEST_F(Unpack, control_characters_and_very_deep_paths_are_refused) {
  expect_error(untar(TarBuilder{}.file("a\nb", "x")), ImageError::bad_path);
  expect_error(clean_entry_path(std::string(5000, 'a')), ImageError::bad_path);
  expect_error(clean_entry_path("a/" + std::string(256, 'b')), ImageError::bad_path);
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "d/";
  expect_error(clean_entry_path(deep + "f"), ImageError::bad_path);
  expect_error(clean_entry_path(std::string_view{"a\0b", 3}), ImageError::bad_path);
}

TEST_F(Unpack, writing_through_a_link_out_of_the_tree_is_refused) {
  const auto outside = temp_ / "outside";
  fs::create_directory(outside);
  expect_error(untar(TarBuilder{}.symlink("out", outside.string()).file("out/f", "x")), ImageError::link_escape);
  expect_error(untar(TarBuilder{}.symlink("up", "../outside").file("up/f", "x")), ImageError::link_escape);
  expect_error(untar(TarBuilder{}.symlink("d", "..").symlink("e", "d/outside").file("e/f", "x")),
               ImageError::link_escape);
  EXPECT_TRUE(fs::is_empty(outside));
}

TEST_F(Unpack, a_link_that_stays_inside_may_be_written_through) {
  expect_success(untar(TarBuilder{}.directory("usr/lib").symlink("lib", "usr/lib").file("lib/f", "1")));
  EXPECT_EQ(read_text(root_ / "usr/lib/f"), "1");
}

TEST_F(Unpack, links_in_a_circle_are_refused) {
  expect_error(untar(TarBuilder{}.symlink("a", "b").symlink("b", "a").file("a/f", "x")), ImageError::link_escape);
}

TEST_F(Unpack, a_file_replaces_a_link_and_never_follows_it) {
  std::ofstream{temp_ / "target"} << "old";
  expect_success(untar(TarBuilder{}.symlink("f", (temp_ / "target").string()).file("f", "new")));
  EXPECT_EQ(read_text(root_ / "f"), "new");
  EXPECT_EQ(read_text(temp_ / "target"), "old");
}

TEST_F(Unpack, hard_links_out_of_the_tree_are_refused) {
  std::ofstream{temp_ / "secret"} << "s";
  for (const auto& target : {std::string{"../secret"}, (temp_ / "secret").string()}) {
    expect_error(untar(TarBuilder{}.hard_link("h", target)), ImageError::link_escape);
  }
  expect_error(untar(TarBuilder{}.symlink("up", "..").hard_link("h", "up/secret")), ImageError::link_escape);
  EXPECT_FALSE(fs::exists(root_ / "h"));
}

TEST_F(Unpack, hard_links_to_nothing_or_to_directories_are_refused) {
  expect_error(untar(TarBuilder{}.hard_link("h", "missing")), ImageError::bad_tar);
  expect_error(untar(TarBuilder{}.directory("d").hard_link("h", "d")), ImageError::bad_tar);
}

TEST_F(Unpack, device_nodes_are_refused_unless_allowed) {
  expect_error(untar(TarBuilder{}.character_device("null")), ImageError::device_node);
  expect_error(untar(TarBuilder{}.fifo("pipe")), ImageError::device_node);
  EXPECT_TRUE(fs::is_empty(root_));
  expect_success(untar(TarBuilder{}.fifo("pipe"), {.allow_devices = true}));
  EXPECT_TRUE(fs::is_fifo(root_ / "pipe"));
}

TEST_F(Unpack, a_file_where_a_directory_is_needed_is_told) {
  expect_error(untar(TarBuilder{}.file("a", "x").file("a/b", "x")), ImageError::bad_tar);
}

TEST_F(Unpack, broken_and_cut_tars_are_refused) {
  expect_error(untar(as_bytes(std::string(2000, 'x'))), ImageError::bad_tar);
  const auto whole = TarBuilder{}.file("a", std::string(5000, 'x')).unfinished();
  expect_error(untar(ByteView{whole}.first(2000)), ImageError::bad_tar);
}

TEST_F(Unpack, counts_and_sizes_are_limited_before_anything_is_written) {
  expect_error(untar(TarBuilder{}.file("a", "").file("b", ""), {.max_entries = 1}), ImageError::limit_exceeded);
  expect_error(untar(TarBuilder{}.claimed_file("big", 1ULL << 32).unfinished(), {.max_size = 1U << 20}),
               ImageError::limit_exceeded);
  EXPECT_FALSE(fs::exists(root_ / "big"));
}

TEST_F(Unpack, a_source_that_fails_keeps_its_error) {
  const auto broken = []() -> Result<ByteView> { return fail(ImageError::incomplete, "gone"); };
  expect_error(unpack::untar(broken, root_, {}), ImageError::incomplete);
}

TEST_F(Unpack, whiteouts_remove_what_lower_layers_made) {
  expect_success(layers({TarBuilder{}.file("a/x", "1").file("a/y", "1").file("b/z", "1").symlink("l", "a"),
                         TarBuilder{}.file("a/.wh.x", "").file(".wh.b", "").file(".wh.l", "").file(".wh.never", "")}));
  EXPECT_FALSE(fs::exists(root_ / "a/x"));
  EXPECT_TRUE(fs::exists(root_ / "a/y"));
  EXPECT_FALSE(fs::exists(root_ / "b"));
  EXPECT_FALSE(fs::exists(fs::symlink_status(root_ / "l")));
}

TEST_F(Unpack, an_opaque_directory_keeps_what_its_own_layer_made_in_any_order) {
  expect_success(layers({TarBuilder{}.file("d/old", "1").file("d/sub/old", "1"),
                         TarBuilder{}.file("d/sub/new", "2").file("d/.wh..wh..opq", "").file("d/late", "2")}));
  EXPECT_FALSE(fs::exists(root_ / "d/old"));
  EXPECT_FALSE(fs::exists(root_ / "d/sub/old"));
  EXPECT_EQ(read_text(root_ / "d/sub/new"), "2");
  EXPECT_EQ(read_text(root_ / "d/late"), "2");
}

TEST_F(Unpack, a_whiteout_beside_its_replacement_removes_the_old_one_alone) {
  expect_success(layers({TarBuilder{}.file("d/old", "1"), TarBuilder{}.file("d/new", "2").file(".wh.d", "")}));
  EXPECT_FALSE(fs::exists(root_ / "d/old"));
  EXPECT_EQ(read_text(root_ / "d/new"), "2");
}

TEST_F(Unpack, whiteouts_cannot_climb) {
  std::ofstream{temp_ / "keep"} << "1";
  expect_error(untar(TarBuilder{}.file(".wh...", "")), ImageError::bad_path);
  expect_error(untar(TarBuilder{}.file(".wh.", "")), ImageError::bad_path);
  expect_error(untar(TarBuilder{}.symlink("up", "..").file("up/.wh.keep", "")), ImageError::link_escape);
  EXPECT_TRUE(fs::exists(temp_ / "keep"));
  expect_error(untar(TarBuilder{}.file(".wh.x", ""), {.apply_whiteouts = false}), ImageError::bad_tar);
}

TEST_F(Unpack, later_layers_replace_files_directories_and_links) {
  expect_success(
      layers({TarBuilder{}.file("f", "1").directory("d").file("d/x", "1").symlink("l", "d"),
              TarBuilder{}.directory("f").file("f/in", "2").file("d", "2").directory("l").file("l/y", "2")}));
  EXPECT_EQ(read_text(root_ / "f/in"), "2");
  EXPECT_EQ(read_text(root_ / "d"), "2");
  EXPECT_EQ(read_text(root_ / "l/y"), "2");
  EXPECT_FALSE(fs::is_symlink(root_ / "l"));
}

TEST_F(Unpack, our_own_tar_of_one_file_is_read) {
  const auto frame = frame_of_file("module.wasm", 5).value();
  const auto tar = concat({frame.before, as_bytes("hello"), frame.after});
  EXPECT_EQ(tar.size() % 512, 0U);
  expect_success(untar(tar));
  EXPECT_EQ(read_text(root_ / "module.wasm"), "hello");
  expect_error(frame_of_file(std::string(101, 'a'), 1), ImageError::limit_exceeded);
}

Result<ModuleCollector::Found> module_of(std::initializer_list<TarBuilder> tars, const Limits& limits = {}) {
  ModuleCollector collector{limits};
  for (const auto& tar : tars) TRY(collector.add_layer(image::testing::chunks_of(tar.build(), 600)));
  return collector.take();
}

TEST(module_tar, the_only_wasm_file_is_the_module) {
  const auto found = module_of({TarBuilder{}.file("etc/x", "1").file("app/add.wasm", "wasm")}).value();
  EXPECT_EQ(found.path, "app/add.wasm");
  EXPECT_EQ(as_text(found.module.expose()), "wasm");
}

TEST(module_tar, among_several_the_named_one_is_taken) {
  EXPECT_EQ(module_of({TarBuilder{}.file("a.wasm", "1").file("x/module.wasm", "2")})->path, "x/module.wasm");
  EXPECT_EQ(module_of({TarBuilder{}.file("x/module.wasm", "1").file("module.wasm", "2")})->path, "module.wasm");
}

TEST(module_tar, several_without_a_named_one_are_an_error) {
  expect_error(module_of({TarBuilder{}.file("a.wasm", "1").file("b.wasm", "2")}), ImageError::several_modules);
  expect_error(module_of({TarBuilder{}.file("x/module.wasm", "1").file("y/module.wasm", "2")}),
               ImageError::several_modules);
  TarBuilder many;
  for (int i = 0; i < 65; ++i) many.file(std::to_string(i) + ".wasm", "x");
  expect_error(module_of({many}), ImageError::several_modules);
}

TEST(module_tar, without_one_that_is_told) {
  expect_error(module_of({TarBuilder{}.file("a.txt", "1").directory("b.wasm").symlink("c.wasm", "a.txt")}),
               ImageError::no_module);
}

TEST(module_tar, later_layers_replace_and_white_out) {
  EXPECT_EQ(as_text(module_of({TarBuilder{}.file("a.wasm", "1"), TarBuilder{}.file("a.wasm", "2")})->module.expose()),
            "2");
  EXPECT_EQ(
      module_of({TarBuilder{}.file("a.wasm", "1").file("b.wasm", "2"), TarBuilder{}.file(".wh.a.wasm", "")})->path,
      "b.wasm");
  expect_error(module_of({TarBuilder{}.file("d/a.wasm", "1"), TarBuilder{}.file("d/.wh..wh..opq", "")}),
               ImageError::no_module);
  expect_error(module_of({TarBuilder{}.file("d/a.wasm", "1"), TarBuilder{}.file(".wh.d", "")}), ImageError::no_module);
  expect_error(module_of({TarBuilder{}.file("d/a.wasm", "1"), TarBuilder{}.file(".wh..wh..opq", "")}),
               ImageError::no_module);
}

TEST(module_tar, sizes_counts_and_paths_are_limited) {
  expect_error(module_of({TarBuilder{}.file("a.wasm", "123456")}, {.max_module_size = 5}), ImageError::limit_exceeded);
  expect_error(module_of({TarBuilder{}.file("a.wasm", "123").file("b.wasm", "456")}, {.max_module_size = 5}),
               ImageError::limit_exceeded);
  expect_error(module_of({TarBuilder{}.file("a", "").file("b", "")}, {.max_entries = 1}), ImageError::limit_exceeded);
  expect_error(module_of({TarBuilder{}.file("../a.wasm", "1")}), ImageError::bad_path);
}

}  // namespace
}  // namespace coffer::image::unpack
