#include "base/status.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/result.h"

namespace hearth {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument(std::to_string(value) + " is odd; give an even number");
  return value / 2;
}

Result<int> Quarter(int value) {
  HEARTH_ASSIGN_OR_RETURN(const int half, Half(value));
  return Half(half);
}

TEST(Status, KeepsItsCodeWhenContextIsAdded) {
  const Status status = NotFound("no file 'a'").WithContext("loading model");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "loading model: no file 'a'");
  EXPECT_EQ(status.ToString(), "not found: loading model: no file 'a'");
}

TEST(Status, StaysOkWhenContextIsAdded) { EXPECT_TRUE(Status::Ok().WithContext("x").ok()); }

TEST(Status, TellsAFullDiskFromAMissingFile) {
  EXPECT_EQ(ErrnoStatus("write", ENOSPC).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus("open", ENOENT).code(), StatusCode::kNotFound);
}

TEST(Result, HandsOnTheFirstError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().message(), "3 is odd; give an even number");
}

TEST(ResultDeathTest, AbortsWhenAnErrorIsReadAsAValue) {
  EXPECT_DEATH(Half(1).value(), "1 is odd");
}

}  // namespace
}  // namespace hearth
