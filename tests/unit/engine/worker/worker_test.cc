// The real executable over a real socket, with the demo model's real weights.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/unit/engine/worker/engine_process.h"

namespace hearth::engine {
namespace {

constexpr const char* kModelDir = "packaging/demo-model/model";

protocol::Generate Chat(uint64_t request_id, const std::string& content) {
  protocol::Generate generate;
  generate.request_id = request_id;
  generate.messages = Json::array({Json{{"role", "user"}, {"content", content}}});
  generate.sampling_params.temperature = 0;
  generate.sampling_params.max_tokens = 60;
  return generate;
}

protocol::Generate Endless(uint64_t request_id) {
  protocol::Generate generate = Chat(request_id, "What is a KV cache?");
  generate.sampling_params.max_tokens.reset();
  generate.sampling_params.ignore_eos = true;
  return generate;
}

bool ExitedWith(int wait_status, int exit_status) {
  return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == exit_status;
}

TEST(Worker, LoadsAnswersAndAccountsForEveryToken) {
  EngineProcess engine;
  const protocol::Ready ready = engine.Load(kModelDir);
  EXPECT_EQ(ready.architecture, "Qwen2ForCausalLM");
  EXPECT_GT(ready.num_parameters, 1'000'000);
  EXPECT_GT(ready.num_blocks, 0);
  EXPECT_GT(ready.max_model_len, 0);
  EXPECT_EQ(ready.max_num_seqs, 64);
  EXPECT_EQ(ready.kv_cache_dtype, "float32");
  // The residual stream and the logits alone, for 2048 rows and 64 sequences.
  EXPECT_GT(ready.workspace_bytes, (2048 * 256 + 64 * 3072) * 4);
  EXPECT_LT(ready.workspace_bytes, ready.kv_cache_bytes);
  const Answer answer = engine.Ask(Chat(1, "What is TTFT?"));
  EXPECT_FALSE(answer.text.empty());
  EXPECT_EQ(answer.text.find("<|"), std::string::npos) << "control tokens are no text";
  const protocol::FinishedRequest& finished = answer.finished;
  EXPECT_TRUE(finished.finish_reason == "stop" || finished.finish_reason == "length");
  EXPECT_EQ(finished.num_generation_tokens, static_cast<int>(answer.token_ids.size()));
  EXPECT_EQ(finished.num_prompt_tokens, answer.accepted.num_prompt_tokens);
  EXPECT_LE(finished.queued_time_s, finished.scheduled_time_s);
  EXPECT_LT(finished.scheduled_time_s, finished.first_token_time_s);
  EXPECT_LE(finished.first_token_time_s, finished.last_token_time_s);
  EXPECT_EQ(engine.last_stats.num_blocks_used, 0);
  EXPECT_EQ(engine.last_stats.num_blocks_total, ready.num_blocks);
  EXPECT_EQ(engine.Ask(Chat(2, "What is TTFT?")).text, answer.text);
}

TEST(Worker, AnswersALongPromptFromThePrefixCacheAndSaysSo) {
  protocol::Generate question;
  question.prompt = "";
  for (int i = 0; i < 60; ++i) *question.prompt += "Fact " + std::to_string(i) + ". ";
  question.sampling_params.temperature = 0.8;
  question.sampling_params.seed = 11;
  question.sampling_params.max_tokens = 20;
  const auto ask = [&](EngineProcess& engine, uint64_t request_id) {
    question.request_id = request_id;
    return engine.Ask(question);
  };
  EngineProcess engine;
  EXPECT_TRUE(engine.Load(kModelDir).enable_prefix_caching);
  const Answer cold = ask(engine, 1);
  const int num_prompt_tokens = cold.finished.num_prompt_tokens;
  ASSERT_GT(num_prompt_tokens, 100);
  EXPECT_EQ(cold.num_cached_tokens, 0);
  EXPECT_EQ(engine.num_queries, num_prompt_tokens);
  EXPECT_EQ(engine.num_hits, 0);
  const Answer warm = ask(engine, 2);
  const int num_cached_tokens = (num_prompt_tokens - 1) / 16 * 16;
  EXPECT_EQ(warm.num_cached_tokens, num_cached_tokens);
  EXPECT_EQ(warm.finished.num_cached_tokens, num_cached_tokens);
  EXPECT_EQ(engine.num_queries, 2 * num_prompt_tokens);
  EXPECT_EQ(engine.num_hits, num_cached_tokens);
  EXPECT_EQ(engine.last_stats.num_blocks_used, 0);
  EXPECT_EQ(warm.token_ids, cold.token_ids);
  EXPECT_EQ(warm.text, cold.text);

  EngineProcess without;
  EXPECT_FALSE(without.Load(kModelDir, 0, /*enable_prefix_caching=*/false).enable_prefix_caching);
  EXPECT_EQ(ask(without, 1).token_ids, cold.token_ids);
  const Answer again = ask(without, 2);
  EXPECT_EQ(again.token_ids, cold.token_ids);
  EXPECT_EQ(again.finished.num_cached_tokens, 0);
  EXPECT_EQ(without.num_queries, 0);
}

TEST(Worker, EstimatesWhatItsStepsCost) {
  EngineProcess engine;
  const protocol::Ready ready = engine.Load(kModelDir);
  engine.Ask(Chat(1, "What is TTFT?"));
  const protocol::StepStats& decode = engine.last_stats;
  ASSERT_EQ(decode.num_generation_tokens, 1);
  // Two operations for each weight, and the embedding is the tied lm_head; attention to the few
  // tokens of this context adds a little, norms are not counted.
  EXPECT_NEAR(decode.estimated_flops / (2.0 * static_cast<double>(ready.num_parameters)), 1, 0.1);
  EXPECT_NEAR(decode.estimated_read_bytes / static_cast<double>(ready.weight_bytes), 1, 0.2);
  EXPECT_GT(decode.estimated_write_bytes, ready.vocab_size * 4);
}

TEST(Worker, EndsAtAStopStringThatSpansTokens) {
  EngineProcess engine;
  engine.Load(kModelDir);
  const Answer whole = engine.Ask(Chat(1, "What is TTFT?"));
  ASSERT_GT(whole.text.size(), 20u);
  const std::string stop = whole.text.substr(whole.text.size() / 2, 7);
  protocol::Generate generate = Chat(2, "What is TTFT?");
  generate.sampling_params.stop = {"never in it", stop};
  const Answer cut = engine.Ask(generate);
  EXPECT_EQ(cut.text, whole.text.substr(0, whole.text.find(stop)));
  EXPECT_EQ(cut.finished.finish_reason, "stop");
  EXPECT_EQ(cut.finished.stop_reason, stop);
  EXPECT_EQ(cut.finished.num_generation_tokens, static_cast<int>(cut.token_ids.size()));
  EXPECT_LT(cut.token_ids.size(), whole.token_ids.size());
  EXPECT_GT(cut.finished.scheduled_time_s, 0);
  engine.ExpectPoolToEmpty();

  generate.request_id = 3;
  generate.sampling_params.include_stop_str_in_output = true;
  EXPECT_EQ(engine.Ask(generate).text, cut.text + stop);
}

TEST(Worker, FreesTheBlocksOfAnAbortedStream) {
  EngineProcess engine;
  engine.Load(kModelDir);
  ASSERT_TRUE(engine.channel().Send(Endless(1)).ok());
  engine.Next<protocol::Accepted>();
  EXPECT_GT(engine.Next<protocol::StepOutput>().stats.num_blocks_used, 0);
  ASSERT_TRUE(engine.channel().Send(protocol::Abort{1}).ok());
  const std::vector<Answer> answers = engine.Collect(1);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].finished.finish_reason, "abort");
  EXPECT_GT(answers[0].finished.num_generation_tokens, 0);
  EXPECT_EQ(engine.last_stats.num_blocks_used, 0);
  EXPECT_EQ(engine.last_stats.num_requests_running, 0);
}

TEST(Worker, GivesThirtyTwoStreamsTheTextsOfSingleOnes) {
  EngineProcess engine;
  engine.Load(kModelDir);
  const auto request = [](uint64_t id) {
    protocol::Generate generate = Chat(id, "Question " + std::to_string(id) + ": what is a token?");
    generate.sampling_params.temperature = id % 2 == 0 ? 0.0 : 0.8;
    generate.sampling_params.seed = static_cast<int64_t>(id);
    generate.sampling_params.max_tokens = 20;
    return generate;
  };
  constexpr uint64_t kNumStreams = 32;
  std::vector<Answer> alone;
  for (uint64_t id = 1; id <= kNumStreams; ++id) alone.push_back(engine.Ask(request(id)));
  for (uint64_t id = 1; id <= kNumStreams; ++id) {
    ASSERT_TRUE(engine.channel().Send(request(id)).ok());
  }
  const std::vector<Answer> together = engine.Collect(kNumStreams);
  ASSERT_EQ(together.size(), alone.size());
  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(together[i].token_ids, alone[i].token_ids) << i;
    EXPECT_EQ(together[i].text, alone[i].text) << i;
  }
}

TEST(Worker, RefusesWhatItCannotServeAndServesOn) {
  EngineProcess engine;
  const protocol::Ready ready = engine.Load(kModelDir, 64);
  EXPECT_EQ(ready.max_model_len, 64);
  const auto refusal = [&](const protocol::Generate& generate) {
    EXPECT_TRUE(engine.channel().Send(generate).ok());
    return engine.Next<protocol::Refused>();
  };
  protocol::Generate too_long;
  too_long.request_id = 1;
  too_long.prompt_token_ids.assign(64, 5);
  const protocol::Refused refused = refusal(too_long);
  EXPECT_EQ(refused.request_id, 1u);
  EXPECT_EQ(refused.status_code, static_cast<int>(StatusCode::kInvalidArgument));
  EXPECT_EQ(refused.code, "context_length_exceeded");
  EXPECT_EQ(refused.param, "prompt");
  EXPECT_EQ(refused.message,
            "This model's maximum context length is 64 tokens. However, your request has 64 input "
            "tokens and needs room for at least one more; shorten the input.");

  protocol::Generate too_much = Chat(2, "Hi");
  too_much.sampling_params.max_tokens = 64;
  EXPECT_EQ(refusal(too_much).param, "messages");
  protocol::Generate outside;
  outside.prompt_token_ids = {ready.vocab_size};
  EXPECT_EQ(refusal(outside).param, "prompt");
  protocol::Generate empty;
  empty.prompt = "";
  EXPECT_NE(refusal(empty).message.find("empty"), std::string::npos);
  protocol::Generate cold = Chat(3, "Hi");
  cold.sampling_params.temperature = -0.5;
  EXPECT_EQ(refusal(cold).param, "temperature");
  protocol::Generate broken = Chat(4, "Hi");
  broken.messages = Json::array({Json{{"content", "no role"}}});
  EXPECT_EQ(refusal(broken).param, "messages");

  protocol::Generate fitting;
  fitting.request_id = 1;  // a refused id is free
  fitting.prompt_token_ids.assign(63, 5);
  const Answer answer = engine.Ask(fitting);
  EXPECT_EQ(answer.finished.num_generation_tokens, 1);
}

TEST(Worker, SaysInOneSentenceWhyAModelCannotBeServed) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("hearth-worker-" + std::to_string(getpid()));
  std::filesystem::copy(kModelDir, directory);
  std::filesystem::resize_file(directory / "model.safetensors", 1'000'000);
  for (const std::string& model : {directory.string(), std::string("/nowhere/at-all")}) {
    EngineProcess engine;
    protocol::Load load;
    load.model = model;
    ASSERT_TRUE(engine.channel().Send(load).ok());
    const std::string message = engine.Next<protocol::Failed>().message;
    EXPECT_NE(message.find(model), std::string::npos) << message;
    EXPECT_TRUE(ExitedWith(engine.WaitStatus(), 1));
  }
  std::filesystem::remove_all(directory);
}

TEST(Worker, AbortsWhatRunsAndExitsOnShutdown) {
  EngineProcess engine;
  engine.Load(kModelDir);
  ASSERT_TRUE(engine.channel().Send(Endless(1)).ok());
  engine.Next<protocol::Accepted>();
  ASSERT_TRUE(engine.channel().Send(protocol::Shutdown{}).ok());
  EXPECT_EQ(engine.Collect(1).front().finished.finish_reason, "abort");
  EXPECT_TRUE(ExitedWith(engine.WaitStatus(), 0));
}

TEST(Worker, ExitsWhenTheChannelCloses) {
  EngineProcess idle;
  idle.Load(kModelDir);
  idle.CloseChannel();
  EXPECT_TRUE(ExitedWith(idle.WaitStatus(), 0));
  EngineProcess busy;
  busy.Load(kModelDir);
  ASSERT_TRUE(busy.channel().Send(Endless(1)).ok());
  busy.Next<protocol::Accepted>();
  busy.CloseChannel();
  EXPECT_TRUE(ExitedWith(busy.WaitStatus(), 0));
}

// hearthd's end stays open here, so only the parent's death can end the engine.
TEST(Worker, DiesWithItsParent) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // the orphan becomes this process's child
  const auto fds = protocol::MakeSocketPair();
  ASSERT_TRUE(fds.ok());
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const pid_t engine = SpawnEngine({"--fd", std::to_string(fds->second)}, fds->second);
    if (write(report[1], &engine, sizeof engine) != sizeof engine) _exit(1);
    pause();
    _exit(0);
  }
  close(fds->second);
  protocol::Channel channel(fds->first);
  pid_t engine = -1;
  ASSERT_EQ(read(report[0], &engine, sizeof engine), ssize_t{sizeof engine});
  protocol::Load load;
  load.model = kModelDir;
  ASSERT_TRUE(channel.Send(load).ok());
  ASSERT_TRUE(channel.Receive().ok());  // it lives and reads its model
  kill(parent, SIGKILL);
  int status = 0;
  EXPECT_EQ(waitpid(parent, &status, 0), parent);
  EXPECT_EQ(waitpid(engine, &status, 0), engine);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  close(report[0]);
  close(report[1]);
}

TEST(Worker, ExplainsItselfWhenRunByHand) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{}, {"--fd"}, {"--fd", "x"}, {"--fd", "2"}}) {
    int output[2];
    ASSERT_EQ(pipe(output), 0);
    const pid_t pid = SpawnEngine(arguments, -1, output[1]);
    close(output[1]);
    std::string text(1'000, '\0');
    const ssize_t size = read(output[0], text.data(), text.size());
    close(output[0]);
    ASSERT_GT(size, 0);
    EXPECT_NE(text.find("started by hearthd"), std::string::npos) << text;
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(ExitedWith(status, 2)) << status;
  }
}

}  // namespace
}  // namespace hearth::engine
