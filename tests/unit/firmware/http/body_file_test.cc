// Bodies that go to a file: bounded, whole, and gone after the request.
#include "firmware/http/body_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/clock.h"
#include "tests/unit/firmware/http/test_server.h"

namespace hearth::http {
namespace {

namespace fs = std::filesystem;

class BodyFileTest : public ServerTest {
 protected:
  BodyFileTest() {
    std::string pattern = (fs::temp_directory_path() / "body-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    Route route{"POST", "/file", Scope::kAdmin,
                [this](const Request& request, Response& response) {
                  std::ostringstream text;
                  text << std::ifstream(request.body_path).rdbuf();
                  if (keep_) fs::rename(request.body_path, directory_ + "/kept");
                  response.Send(200, "text/plain", text.str() + "|" + request.body);
                }};
    route.body_directory = directory_;
    route.body_bytes_max = size_t{32} << 20;
    router_.Add(std::move(route));
    StartServer();
  }
  ~BodyFileTest() override { fs::remove_all(directory_); }

  std::string Post(const std::string& body) {
    return Exchange("POST /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  size_t Files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory_), {}));
  }
  // The body's file goes when the answer has been sent, which the client may see a moment before.
  size_t FilesLeft() const {
    const double begin = MonotonicSeconds();
    while (Files() > 0 && MonotonicSeconds() - begin < 10) std::this_thread::yield();
    return Files();
  }

  std::string directory_;
  bool keep_ = false;
};

TEST_F(BodyFileTest, HasTheWholeBodyAndIsGoneAfterwards) {
  const std::string body(size_t{20} << 20, 'x');  // more than memory bodies may have
  const std::string answer = Post(body);
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_EQ(BodyOf(answer), body + "|");
  EXPECT_EQ(FilesLeft(), 0u);
}

TEST_F(BodyFileTest, StaysWhereAHandlerMovedIt) {
  keep_ = true;
  EXPECT_EQ(BodyOf(Post("hello")), "hello|");
  EXPECT_EQ(Files(), 1u);
  EXPECT_EQ(fs::file_size(directory_ + "/kept"), 5u);
}

TEST_F(BodyFileTest, TakesChunks) {
  const std::string answer = Exchange(
      "POST /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
  EXPECT_EQ(BodyOf(answer), "hello world|");
  EXPECT_EQ(FilesLeft(), 0u);
}

TEST_F(BodyFileTest, IsRefusedBeyondTheRoutesLimit) {
  const std::string answer = Exchange(
      "POST /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 33554433"
      "\r\n\r\n");
  EXPECT_EQ(StatusOf(answer), 413);
  EXPECT_EQ(FilesLeft(), 0u);
}

TEST_F(BodyFileTest, IsRefusedWithoutSpaceForIt) {
  EXPECT_EQ(BodyFile::Make(directory_, uint64_t{1} << 60).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(FilesLeft(), 0u);
}

TEST_F(BodyFileTest, WhatACrashLeftIsRemoved) {
  std::ofstream(directory_ + "/.hearth-upload-aBcDeF") << "half";
  std::ofstream(directory_ + "/history.db") << "whole";
  BodyFile::RemoveLeftOver(directory_);
  EXPECT_EQ(Files(), 1u);
}

}  // namespace
}  // namespace hearth::http
