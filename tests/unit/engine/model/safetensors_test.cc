#include "engine/model/safetensors.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/model/temp_dir.h"

namespace hearth::engine {
namespace {

std::string LittleEndian64(uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

std::string FileOf(const std::string& header, size_t data_bytes) {
  return LittleEndian64(header.size()) + header + std::string(data_bytes, '\1');
}

const char kTwoTensors[] =
    R"({"__metadata__": {"format": "pt"},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [12, 20]},
        "a": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}})";

// Opens a file with these bytes, which must be refused, and returns the message.
Status Refusal(const std::string& bytes) {
  const TempDir dir;
  dir.Write("model.safetensors", bytes);
  const Result<SafetensorsFile> file = SafetensorsFile::Open(dir.path() + "/model.safetensors");
  EXPECT_FALSE(file.ok());
  EXPECT_NE(file.status().message().find("model.safetensors"), std::string::npos);
  return file.status();
}

void ExpectRefusal(const std::string& header, size_t data_bytes, const std::string& part) {
  const Status status = Refusal(FileOf(header, data_bytes));
  EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirData) {
  const TempDir dir;
  dir.Write("model.safetensors", FileOf(kTwoTensors, 20));
  const Result<SafetensorsFile> file = SafetensorsFile::Open(dir.path() + "/model.safetensors");
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_EQ(file->tensors().size(), 2u);
  const SafetensorsTensor& a = file->tensors()[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.weight_dtype(), DType::kBFloat16);
  EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(a.ShapeText(), "[2, 3]");
  EXPECT_EQ(file->data(file->tensors()[1]) - file->data(a), 12);
}

TEST(Safetensors, SaysWhichTensorATruncatedFileCutsAndHowManyBytesAreLeft) {
  const Status status = Refusal(FileOf(kTwoTensors, 15));
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(status.message().find("truncated: tensor 'b' ends at byte 20 of the data, but the file "
                                  "has only 15"),
            std::string::npos)
      << status.message();
}

TEST(Safetensors, RefusesAFileThatEndsInItsHeader) {
  const std::string whole = FileOf(kTwoTensors, 20);
  for (const size_t size : {size_t{0}, size_t{3}, size_t{8}, size_t{50}}) {
    EXPECT_EQ(Refusal(whole.substr(0, size)).code(), StatusCode::kDataLoss) << size;
  }
}

TEST(Safetensors, RefusesALyingHeaderLength) {
  for (const uint64_t length :
       {uint64_t{100'000'001}, UINT64_MAX, UINT64_MAX - 7, uint64_t{1} << 63}) {
    const Status status = Refusal(LittleEndian64(length) + std::string(100, ' '));
    EXPECT_NE(status.message().find("at most 100000000"), std::string::npos) << status.message();
  }
}

TEST(Safetensors, RefusesOverlapAndGap) {
  ExpectRefusal(R"({"a": {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]},
                    "b": {"dtype": "U8", "shape": [8], "data_offsets": [4, 12]}})",
                12, "tensor 'b' overlaps tensor 'a'");
  ExpectRefusal(R"({"a": {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]},
                    "b": {"dtype": "U8", "shape": [8], "data_offsets": [9, 17]}})",
                17, "tensor 'b' leaves 1 bytes");
  ExpectRefusal(R"({"a": {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}})", 9,
                "have 8 bytes, but the file has 9");
}

TEST(Safetensors, RefusesASizeThatIsNotTheShapes) {
  ExpectRefusal(R"({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 8]}})", 8,
                "F32 [2, 2] must have 16 bytes, but its data_offsets span 8");
  // 2^32 x 2^31 x 4 bytes is 2^65: the product must not wrap to the span.
  ExpectRefusal(R"({"a": {"dtype": "F32", "shape": [4294967296, 2147483648],
                          "data_offsets": [0, 0]}})",
                0, "impossible shape");
  ExpectRefusal(R"({"a": {"dtype": "U8", "shape": [-8], "data_offsets": [0, 8]}})", 8,
                "impossible shape");
}

TEST(Safetensors, RefusesImpossibleOffsets) {
  ExpectRefusal(R"({"a": {"dtype": "U8", "shape": [8], "data_offsets": [8, 0]}})", 8,
                "data_offsets");
  ExpectRefusal(R"({"a": {"dtype": "U8", "shape": [8], "data_offsets": [-8, 0]}})", 8,
                "data_offsets");
  ExpectRefusal(R"({"a": {"dtype": "U8", "shape": [8],
                          "data_offsets": [18446744073709551608, 18446744073709551616]}})",
                8, "data_offsets");
  ExpectRefusal(R"({"a": {"dtype": "U8", "shape": [8], "data_offsets": [0]}})", 8, "data_offsets");
}

TEST(Safetensors, RefusesDuplicateNames) {
  ExpectRefusal(R"({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
                    "a": {"dtype": "U8", "shape": [4], "data_offsets": [4, 8]}})",
                8, "same name twice");
  ExpectRefusal(R"({"a": {"dtype": "F32", "dtype": "U8", "shape": [4], "data_offsets": [0, 4]}})",
                4, "same name twice");
}

TEST(Safetensors, RefusesWhatIsNoHeader) {
  ExpectRefusal("[]", 0, "JSON object");
  ExpectRefusal("{", 0, "the header");
  ExpectRefusal(std::string(1000, '['), 0, "the header");
  ExpectRefusal(R"({"a": 1})", 0, "tensor 'a' must have");
  ExpectRefusal(R"({"a": {"dtype": "F31", "shape": [], "data_offsets": [0, 4]}})", 4, "'F31'");
}

TEST(Checkpoint, FindsTensorsInTheShardsOfAnIndex) {
  const TempDir dir;
  dir.Write("one.safetensors",
            FileOf(R"({"a": {"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1));
  dir.Write("two.safetensors",
            FileOf(R"({"b": {"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 2));
  dir.Write("model.safetensors.index.json",
            R"({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})");
  const Result<Checkpoint> checkpoint = Checkpoint::Open(dir.path());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().message();
  EXPECT_EQ(checkpoint->Find("b")->tensor->shape, std::vector<int64_t>{2});
  EXPECT_EQ(checkpoint->Find("c").status().code(), StatusCode::kNotFound);
}

TEST(Checkpoint, RefusesATensorThatTwoShardsHave) {
  const TempDir dir;
  const std::string shard = FileOf(R"({"a": {"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1);
  dir.Write("one.safetensors", shard);
  dir.Write("two.safetensors", shard);
  dir.Write("model.safetensors.index.json",
            R"({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})");
  EXPECT_FALSE(Checkpoint::Open(dir.path()).ok());
}

TEST(Checkpoint, RefusesAnIndexThatLeavesItsDirectory) {
  const TempDir dir;
  for (const std::string shard : {"../model.safetensors", "/etc/passwd", "", ".hidden"}) {
    dir.Write("model.safetensors.index.json", R"({"weight_map": {"a": ")" + shard + "\"}}");
    const Status status = Checkpoint::Open(dir.path()).status();
    EXPECT_NE(status.message().find("file beside it"), std::string::npos) << status.message();
  }
}

TEST(Checkpoint, SaysWhatADirectoryLacks) {
  const TempDir dir;
  EXPECT_EQ(Checkpoint::Open(dir.path()).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace hearth::engine
