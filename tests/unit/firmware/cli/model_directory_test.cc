#include "firmware/cli/model_directory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace hearth::cli {
namespace {

class ModelDirectoryTest : public testing::Test {
 protected:
  ModelDirectoryTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "model-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~ModelDirectoryTest() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  // A file of that header, with so many bytes of tensors after it.
  std::string WriteTensors(const std::string& name, const std::string& header, size_t data_bytes) {
    std::string length(8, '\0');
    for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
    return Write(name, length + header + std::string(data_bytes, 'x'));
  }
  std::string Refusal(const std::string& header, size_t data_bytes) {
    const auto read = ReadSafetensorsHeader(WriteTensors("t.safetensors", header, data_bytes));
    EXPECT_EQ(read.status().code(), StatusCode::kDataLoss);
    return read.status().message();
  }

  std::string directory_;
};

TEST_F(ModelDirectoryTest, AddsUpTheTensorsOfAllShards) {
  Write("config.json", R"({"architectures":["Qwen2ForCausalLM"],"hidden_size":8})");
  WriteTensors("model-00001-of-00002.safetensors",
               R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[3,4],)"
               R"("data_offsets":[0,24]},"b":{"dtype":"F32","shape":[],"data_offsets":[24,28]}})",
               28);
  WriteTensors("model-00002-of-00002.safetensors",
               R"({"c":{"dtype":"BF16","shape":[5],"data_offsets":[0,10]}})", 10);
  const auto model = ReadModelDirectory(directory_);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->total().tensors, 3);
  EXPECT_EQ(model->total().parameters, 12 + 1 + 5);
  EXPECT_EQ(model->total().bytes, 38);
  EXPECT_EQ(model->by_dtype.at("BF16").parameters, 17);
  EXPECT_EQ(model->by_dtype.at("F32").tensors, 1);
  const Json json = ToJson(*model);
  EXPECT_EQ(json["num_parameters"], 18);
  EXPECT_EQ(json["files"].size(), 3u);
  EXPECT_EQ(json["dtypes"]["F32"]["bytes"], 4);
  EXPECT_NE(Describe(*model).find("Qwen2ForCausalLM"), std::string::npos);
}

TEST_F(ModelDirectoryTest, ReadsTheDemoModel) {
  const std::string demo = "packaging/demo-model/model";
  const auto model = ReadModelDirectory(demo);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->total().parameters, 3'936'512);
  EXPECT_EQ(model->by_dtype.begin()->first, "BF16");
}

TEST_F(ModelDirectoryTest, TellsAFileThatIsCutOff) {
  const std::string header = R"({"a":{"dtype":"F16","shape":[8],"data_offsets":[0,16]}})";
  EXPECT_NE(Refusal(header, 15).find("tensor 'a' lies at 0 to 16 of 15 bytes"), std::string::npos);
  EXPECT_NE(ReadSafetensorsHeader(Write("t", "abc")).status().message().find("it has 3 bytes"),
            std::string::npos);
  std::string cut_in_header(8, '\0');
  cut_in_header[0] = 100;
  EXPECT_NE(ReadSafetensorsHeader(Write("t", cut_in_header + "{")).status().message().find(
                "its header would have 100 of 9 bytes"),
            std::string::npos);
}

TEST_F(ModelDirectoryTest, RefusesLengthsThatNoFileHas) {
  EXPECT_EQ(ReadSafetensorsHeader(Write("t", std::string(64, '\xff'))).status().code(),
            StatusCode::kDataLoss);
  // A shape whose product, and one whose size in bits, does not fit.
  EXPECT_NE(Refusal(R"({"a":{"dtype":"F16","shape":[4294967296,4294967296],"data_offsets":[0,2]}})",
                    2)
                .find("has the shape"),
            std::string::npos);
  EXPECT_NE(Refusal(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,8]}})", 8)
                .find("takes 8 bytes"),
            std::string::npos);
}

TEST_F(ModelDirectoryTest, RefusesHeadersThatAreNone) {
  for (const char* header :
       {"[]", "{", "{\"a\":1}", R"({"a":{"dtype":"F16"}})",
        R"({"a":{"dtype":"F16","shape":[-1],"data_offsets":[0,2]}})",
        R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[2,0]}})",
        R"({"a":{"dtype":"F16","shape":[3],"data_offsets":[0,2]}})"}) {
    EXPECT_NE(Refusal(header, 2).find("is no whole safetensors file"), std::string::npos) << header;
  }
}

TEST_F(ModelDirectoryTest, CountsATypeWhoseSizeItDoesNotKnow) {
  const auto facts = ReadSafetensorsHeader(WriteTensors(
      "t", R"({"a":{"dtype":"F5_NEW","shape":[7],"data_offsets":[0,3]}})", 3));
  ASSERT_TRUE(facts.ok()) << facts.status().ToString();
  EXPECT_EQ(facts->by_dtype.at("F5_NEW").parameters, 7);
}

TEST_F(ModelDirectoryTest, SaysWhatIsNoModel) {
  EXPECT_EQ(ReadModelDirectory(directory_).status().code(), StatusCode::kNotFound);
  Write("config.json", "[1]");
  EXPECT_EQ(ReadModelDirectory(directory_).status().code(), StatusCode::kDataLoss);
}

TEST(ParametersText, RoundsToWhatPeopleSay) {
  EXPECT_EQ(ParametersText(512), "512");
  EXPECT_EQ(ParametersText(123'456), "123,456");
  EXPECT_EQ(ParametersText(494'032'768), "494.0 million");
  EXPECT_EQ(ParametersText(7'615'616'512), "7.6 billion");
}

}  // namespace
}  // namespace hearth::cli
