// Every bound of the system, with its reason. A bound that is reached is an error somebody sees.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::limits {

// nlohmann's dump() of a value nested 1,007 deep overflows a 100 KiB stack; no client nests 64 deep.
inline constexpr int kJsonDepthMax = 64;

// Keys of one object: our ordered objects look a key up one by one, so a 16 MiB body with a million keys
// would keep a thread for an hour.
inline constexpr int kJsonKeysMax = 16'384;

// A body of text: 16 MiB is about four million tokens, beyond any context served here.
inline constexpr size_t kBodyBytesMax = size_t{16} << 20;

// Request line and headers. Browsers and SDKs stay below 8 KiB.
inline constexpr size_t kHeaderBytesMax = 16 * 1024;
inline constexpr int kHeadersMax = 64;
inline constexpr size_t kUriBytesMax = 8 * 1024;

// One frame between hearthd and an engine: a body with its JSON overhead.
inline constexpr size_t kFrameBytesMax = size_t{64} << 20;

// Requests inside one engine, waiting and running. 1,024 streams are 40 MB of threads in hearthd.
inline constexpr int kRequestsPerEngineMax = 1024;

// Threads of the HTTP server kept free of token streams, for /metrics, /health and the page.
inline constexpr int kHttpReservedThreads = 24;
inline constexpr int kHttpStreamThreads = 256;

// Names of models one hearthd serves in its life: each makes some 500 series that stay.
inline constexpr size_t kModelsMax = 64;

// Engines of one model: each makes some 300 series that stay, and one box has one device to share.
inline constexpr int kReplicasMax = 8;

// Stop strings of one request (OpenAI allows 4) and their length.
inline constexpr int kStopStringsMax = 16;
inline constexpr size_t kStopStringBytesMax = 1024;

// A chat template's rendering: untrusted models bring their own templates.
inline constexpr size_t kTemplateOutputBytesMax = size_t{8} << 20;
inline constexpr int64_t kTemplateStepsMax = 1'000'000;
inline constexpr int kTemplateDepthMax = 64;

// Points of one series in an answer of query_range: Prometheus's own limit.
inline constexpr int kQueryPointsMax = 11'000;
// Bytes of one query. A dashboard's variable with every value of a large fleet spelled out stays
// below it; parsing that much takes milliseconds.
inline constexpr size_t kQueryBytesMax = size_t{256} << 10;
// Samples one query may hold at a time: Prometheus's default --query.max-samples.
inline constexpr int64_t kQuerySamplesMax = 50'000'000;
inline constexpr double kQueryTimeoutS = 30.0;

// One dashboard as compact text, and how many are kept: a panel with its queries takes about 2 KiB,
// and a page draws hundreds of panels at most. Together they stay below what the history may take.
inline constexpr size_t kDashboardBytesMax = size_t{1} << 20;
inline constexpr int kDashboardsMax = 200;
inline constexpr int kDashboardPanelsMax = 500;
// Grafana's own bounds of a uid, and of a title (189 characters) in bytes of UTF-8.
inline constexpr size_t kDashboardUidBytesMax = 40;
inline constexpr size_t kDashboardTitleBytesMax = 4 * 189;

}  // namespace hearth::limits
