#include "firmware/http/assets_handler.h"

#include <zlib.h>

#include <string>

#include "base/check.h"
#include "firmware/http/negotiation.h"
#include "webui/assets.h"

namespace hearth::http {

namespace {

std::string Inflate(const Asset& asset) {
  std::string body(asset.size, '\0');
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;  // zlib's way of asking for the gzip wrapper
  CHECK(inflateInit2(&stream, kGzipWindow) == Z_OK) << asset.path;
  stream.next_in = const_cast<Bytef*>(asset.gzip.data());
  stream.avail_in = static_cast<uInt>(asset.gzip.size());
  stream.next_out = reinterpret_cast<Bytef*>(body.data());
  stream.avail_out = static_cast<uInt>(body.size());
  const int end = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  CHECK(end == Z_STREAM_END && stream.total_out == asset.size) << asset.path;
  return body;
}

void SendAsset(const Asset& asset, const Request& request, Response& response) {
  response.SetHeader("ETag", "W/" + std::string(asset.etag));  // weak: one tag for both codings
  response.SetHeader("Cache-Control", "no-cache");
  response.SetHeader("Vary", "Accept-Encoding");
  const std::string_view known = request.Header("If-None-Match");
  const bool is_known = known == "*" || known.find(asset.etag) != std::string_view::npos;
  if (is_known) return response.Send(304, "", "");
  if (!AcceptsGzip(request.Header("Accept-Encoding"))) {
    return response.Send(200, asset.content_type, Inflate(asset));
  }
  response.SetHeader("Content-Encoding", "gzip");
  response.Send(200, asset.content_type,
                {reinterpret_cast<const char*>(asset.gzip.data()), asset.gzip.size()});
}

// The addresses a page has for people. A dashboard's own is Grafana's, so that links look familiar.
std::vector<std::string> PageAddresses(std::string_view path) {
  constexpr std::string_view kPage = ".html";
  if (!path.ends_with(kPage)) return {};
  if (path == "/index.html") return {"/", "/d/{}", "/d/{}/{}"};
  return {std::string(path.substr(0, path.size() - kPage.size()))};
}

}  // namespace

std::vector<Route> AssetRoutes() {
  std::vector<Route> routes;
  for (const Asset& asset : AllAssets()) {
    const Handler handler = [&asset](const Request& request, Response& response) {
      SendAsset(asset, request, response);
    };
    routes.push_back({"GET", std::string(asset.path), Scope::kPublic, handler});
    for (std::string& address : PageAddresses(asset.path)) {
      routes.push_back({"GET", std::move(address), Scope::kPublic, handler});
    }
  }
  return routes;
}

std::vector<std::string> AssetTexts(std::string_view prefix) {
  std::vector<std::string> texts;
  for (const Asset& asset : AllAssets()) {
    if (asset.path.starts_with(prefix)) texts.push_back(Inflate(asset));
  }
  return texts;
}

}  // namespace hearth::http
