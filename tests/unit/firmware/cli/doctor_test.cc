#include "firmware/cli/doctor.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

namespace hearth::cli {
namespace {

namespace fs = std::filesystem;

Account Somebody() { return {.name = "somebody", .uid = 4711, .gids = {4711, 4712}}; }

struct stat Entry(mode_t mode, uid_t uid, gid_t gid) {
  struct stat file {};
  file.st_mode = S_IFDIR | mode;
  file.st_uid = uid;
  file.st_gid = gid;
  return file;
}

TEST(ModeAllows, TakesTheFirstClassThatFits) {
  EXPECT_TRUE(ModeAllows(Entry(0100, 4711, 0), Somebody(), 1));
  EXPECT_FALSE(ModeAllows(Entry(0077, 4711, 4711), Somebody(), 1)) << "the owner is no other";
  EXPECT_TRUE(ModeAllows(Entry(0010, 0, 4712), Somebody(), 1));
  EXPECT_FALSE(ModeAllows(Entry(0707, 0, 4712), Somebody(), 1)) << "nor is the group";
  EXPECT_TRUE(ModeAllows(Entry(0001, 0, 0), Somebody(), 1));
  EXPECT_FALSE(ModeAllows(Entry(0001, 0, 0), Somebody(), 3)) << "all that is needed";
  EXPECT_TRUE(ModeAllows(Entry(0, 4711, 4711), {.name = "root", .uid = 0, .gids = {0}}, 7));
}

class PathTest : public testing::Test {
 protected:
  PathTest() {
    std::string pattern = (fs::temp_directory_path() / "doctor-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::permissions(root_, fs::perms(0755));
    fs::create_directories(root_ + "/open/closed/models");
  }
  ~PathTest() override {
    fs::permissions(root_ + "/open/closed", fs::perms(0755));
    fs::remove_all(root_);
  }

  Finding Check(const std::string& path) { return CheckPermissions("p", path, Somebody()); }

  std::string root_;
};

TEST_F(PathTest, NamesTheComponentThatIsInTheWay) {
  fs::permissions(root_ + "/open/closed", fs::perms(0700));
  const Finding finding = Check(root_ + "/open/closed/models");
  EXPECT_EQ(finding.verdict, Verdict::kProblem);
  EXPECT_NE(finding.found.find("'" + root_ + "/open/closed' (drwx------"), std::string::npos)
      << finding.found;
  EXPECT_NE(finding.found.find("cannot be searched by 'somebody'"), std::string::npos);
  EXPECT_NE(finding.remedy.find("chmod o+x " + root_ + "/open/closed"), std::string::npos);
}

TEST_F(PathTest, FollowsLinksToTheComponentsBehindThem) {
  fs::permissions(root_ + "/open/closed", fs::perms(0700));
  fs::create_symlink("open/../open/closed/models", root_ + "/link");
  EXPECT_NE(Check(root_ + "/link").found.find("/open/closed'"), std::string::npos);
  fs::create_symlink("round", root_ + "/round");
  EXPECT_NE(Check(root_ + "/round").found.find("symbolic links"), std::string::npos);
}

TEST_F(PathTest, WantsTheLastOneWritable) {
  fs::permissions(root_ + "/open/closed/models", fs::perms(0755));
  const Finding read_only = Check(root_ + "/open/closed/models");
  EXPECT_EQ(read_only.verdict, Verdict::kProblem);
  EXPECT_NE(read_only.found.find("cannot be written by 'somebody'"), std::string::npos);
  fs::permissions(root_ + "/open/closed/models", fs::perms(0777));
  EXPECT_EQ(Check(root_ + "/open/closed/models").verdict, Verdict::kOk);
}

TEST_F(PathTest, JudgesWhatIsNotThereByWhereItWouldBeMade) {
  EXPECT_EQ(Check(root_ + "/new/models").verdict, Verdict::kProblem);
  fs::permissions(root_, fs::perms(0777));
  const Finding finding = Check(root_ + "/new/models");
  EXPECT_EQ(finding.verdict, Verdict::kOk) << finding.found;
  EXPECT_NE(finding.found.find("may make it in '" + root_ + "'"), std::string::npos);
}

TEST_F(PathTest, KnowsAFileFromADirectory) {
  EXPECT_NE(Check("/proc/self/status/models").found.find("is no directory"), std::string::npos);
}

TEST(CheckSandbox, KnowsWhatTheUnitHides) {
  Patient patient;
  patient.state_directory = "/var/lib/hearth";
  patient.models_directory = "/var/lib/hearth/models";
  EXPECT_EQ(CheckSandbox(patient, true).verdict, Verdict::kOk);
  patient.models_directory = "/srv/models";
  EXPECT_EQ(CheckSandbox(patient, true).verdict, Verdict::kWarning);
  EXPECT_EQ(CheckSandbox(patient, false).verdict, Verdict::kOk);
  patient.models_directory = "/home/me/models";
  EXPECT_EQ(CheckSandbox(patient, true).verdict, Verdict::kProblem);
  patient.models_directory = "/homestead/models";
  EXPECT_EQ(CheckSandbox(patient, true).verdict, Verdict::kWarning);
}

TEST(CheckDisk, WantsMoreThanThereIs) {
  EXPECT_EQ(CheckDisk("d", "/proc", 0).verdict, Verdict::kProblem) << "nothing is free there";
  const std::string here = fs::temp_directory_path().string();
  EXPECT_EQ(CheckDisk("d", here + "/not/there/yet", uint64_t{1} << 60).verdict, Verdict::kWarning);
}

TEST(ListenersOn, ReadsTheTablesOfTheKernel) {
  const std::string header =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n";
  const std::string v4 = header +
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
      "12345 1 0000000000000000 100 0 0 10 0\n"
      "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 "
      "777 1 0000000000000000 20 4 30 10 -1\n"
      "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
      "99 1 0000000000000000 100 0 0 10 0\n";
  const auto listeners = ListenersOn(8080, v4, false);
  ASSERT_EQ(listeners.size(), 1u) << "a connection to the port is no listener";
  EXPECT_EQ(listeners[0].address, "127.0.0.1");
  EXPECT_EQ(listeners[0].inode, 12345u);
  EXPECT_EQ(ListenersOn(22, v4, false)[0].address, "0.0.0.0");
  const std::string v6 = header +
      "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000  1000        0 55 1 0000000000000000 100 0 0 10 0\n";
  EXPECT_EQ(ListenersOn(8080, v6, true)[0].address, "::1");
  EXPECT_TRUE(ListenersOn(8080, "", false).empty());
  EXPECT_TRUE(ListenersOn(8080, header + "garbage\n 1: x\n", false).empty());
}

TEST(CheckPort, NamesAnotherProgramThatListens) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  Patient patient;
  patient.port = ntohs(address.sin_port);
  const Finding taken = CheckPort(patient);
  EXPECT_EQ(taken.verdict, Verdict::kProblem);
  EXPECT_NE(taken.found.find("(process " + std::to_string(::getpid()) + ") listens on 127.0.0.1:"),
            std::string::npos)
      << taken.found;
  ::close(listener);
  EXPECT_EQ(CheckPort(patient).verdict, Verdict::kOk);
}

TEST(ToJson, CountsVerdicts) {
  const Json json = ToJson({Good("a", "fine"), Warn("b", "hm", "do"), Bad("c", "no", "do")});
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["warnings"], 1);
  EXPECT_EQ(json["problems"], 1);
  EXPECT_EQ(json["checks"][1]["verdict"], "warning");
  EXPECT_EQ(ToJson({Good("a", "fine"), Warn("b", "hm", "do")})["ok"], true);
}

}  // namespace
}  // namespace hearth::cli
