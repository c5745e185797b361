#include "firmware/api/dashboards_api.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/limits.h"
#include "firmware/api/undrawn.h"
#include "recorded_response.h"

namespace hearth::api {
namespace {

namespace fs = std::filesystem;

Json ReadJsonFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const auto json = ParseJson(text.str());
  EXPECT_TRUE(json.ok()) << path << ": " << json.status().ToString();
  return json.ok() ? *json : Json();
}

const Json& Features() {
  static const Json features = ReadJsonFile("webui/drawn_features.json");
  return features;
}

TEST(Undrawn, NamesWhatThePageNames) {
  const Json cases = ReadJsonFile("tests/web/cases/undrawn_cases.json");
  ASSERT_GT(cases.size(), 5u);
  for (const Json& one : cases) {
    EXPECT_EQ(UndrawnJson(UndrawnOf(one["dashboard"], Features())), one["undrawn"]) << one["name"];
  }
}

TEST(Undrawn, TakesAnyJson) {
  for (const char* const text :
       {"null", "[]", "{\"panels\":3}", "{\"panels\":[1,null,[]],\"rows\":[{\"panels\":\"x\"}]}",
        "{\"__elements\":{\"\":{\"model\":{}}},\"panels\":[1]}", "{\"__inputs\":[1],\"templating\":{\"list\":[null]},\"annotations\":[],\"panels\":[{\"type\":"
        "\"stat\",\"targets\":[3],\"fieldConfig\":{\"overrides\":[null]},\"id\":1.5}]}"}) {
    UndrawnOf(*ParseJson(text), Features());
  }
}

class DashboardsApi : public testing::Test {
 protected:
  DashboardsApi() {
    std::string pattern = (fs::temp_directory_path() / "dashboards-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    Open();
  }
  ~DashboardsApi() override {
    store_.reset();
    fs::remove_all(directory_);
  }

  void Open() {
    store_.reset();
    auto opened = DashboardStore::Open(
        path(), Clock::System(),
        {R"({"uid":"box","title":"Box","version":3,"panels":[{"type":"row"},{"type":"stat"}]})"});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = *std::move(opened);
    routes_ = DashboardsRoutes(store_.get(), Features());
  }
  std::string path() const { return directory_ + "/dashboards.db"; }

  RecordedResponse Call(const std::string& method, const std::string& uid, const std::string& body) {
    const std::string pattern = uid.empty()                 ? "/api/dashboards"
                                : uid.ends_with("/export") ? "/api/dashboards/{}/export"
                                                           : "/api/dashboards/{}";
    http::Request request;
    request.method = method;
    request.body = body;
    if (!uid.empty()) request.path_parameters = {uid.substr(0, uid.find('/'))};
    RecordedResponse response;
    for (const http::Route& route : routes_) {
      if (route.method == method && route.pattern == pattern) route.handler(request, response);
    }
    return response;
  }
  RecordedResponse Post(const std::string& body) { return Call("POST", "", body); }
  std::string ErrorOf(const RecordedResponse& response) {
    return response.json()["error"]["message"].get<std::string>();
  }

  std::string directory_;
  std::unique_ptr<DashboardStore> store_;
  std::vector<http::Route> routes_;
};

TEST_F(DashboardsApi, KeepsWhatWasSentAcrossStarts) {
  const std::string sent =
      R"({"uid":"mine","title":"Mine","z":1,"a":[1.5,null,"é"],"panels":[{"id":1,"type":"geomap","title":"Map"}],"version":7})";
  const auto posted = Post(sent);
  EXPECT_EQ(posted.status, 201) << posted.body;
  EXPECT_EQ(posted.body,
            R"({"uid":"mine","url":"/d/mine","title":"Mine","version":1,"undrawn":[{"panel_id":1,"title":"Map","what":"panel type geomap is not drawn"}]})");
  Open();
  const auto got = Call("GET", "mine", "");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.headers.at("Cache-Control"), "no-store");
  EXPECT_EQ(DumpJson(got.json()["dashboard"]), sent);
  EXPECT_EQ(got.json()["meta"]["source"], "uploaded");
  EXPECT_EQ(got.json()["meta"]["undrawn"], posted.json()["undrawn"]);
}

TEST_F(DashboardsApi, ListsTheShippedOnesFirst) {
  Post(R"({"title":"A","tags":["x",3],"description":"words","panels":[]})");
  const Json list = Call("GET", "", "").json()["dashboards"];
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(DumpJson(list[0]),
            R"({"uid":"box","title":"Box","description":"","tags":[],"source":"shipped","version":3,"updated_ms":0,"panels":1})");
  EXPECT_EQ(list[1]["uid"], "a");
  EXPECT_EQ(list[1]["tags"], Json({"x"}));
  EXPECT_EQ(list[1]["description"], "words");
  EXPECT_GT(list[1]["updated_ms"], 0);
}

TEST_F(DashboardsApi, TakesTheFormsOfGrafana) {
  EXPECT_EQ(Post(R"({"dashboard":{"title":"API form","uid":"","panels":[]},"message":"m"})")
                .json()["uid"],
            "api-form");
  EXPECT_EQ(Post(R"({"apiVersion":"dashboard.grafana.app/v1beta1","kind":"Dashboard",
                     "metadata":{"name":"k8s"},"spec":{"title":"Resource","panels":[]}})")
                .json()["uid"],
            "k8s");
  EXPECT_EQ(Post(R"({"title":"Old","rows":[{"panels":[{"type":"graph"}]}]})").status, 201);
  const auto imported = Post(
      R"({"dashboard":{"title":"In","__inputs":[{"name":"VAR_X","type":"constant"},{"name":"DS_PROMETHEUS","type":"datasource"}],
          "panels":[{"type":"stat","datasource":"${DS_PROMETHEUS}","targets":[{"expr":"up{a=\"${VAR_X}\"}"}]}]},
          "inputs":[{"name":"VAR_X","type":"constant","value":"b"},
                    {"name":"DS_PROMETHEUS","type":"datasource","value":"uid"}]})");
  ASSERT_EQ(imported.status, 201) << imported.body;
  const Json in = Call("GET", "in", "").json()["dashboard"];
  EXPECT_EQ(in["panels"][0]["targets"][0]["expr"], "up{a=\"b\"}");
  EXPECT_EQ(in["panels"][0]["datasource"], "${DS_PROMETHEUS}");
  EXPECT_EQ(in["__inputs"].size(), 1u);
}

TEST_F(DashboardsApi, RefusesWhatIsNoDashboardAndSaysWhatToDo) {
  const auto expect = [&](const std::string& body, const std::string& part) {
    const auto refused = Post(body);
    EXPECT_EQ(refused.status, 400) << body;
    EXPECT_NE(ErrorOf(refused).find(part), std::string::npos) << ErrorOf(refused);
  };
  expect("{", "invalid JSON");
  expect("[]", "must be a JSON object");
  expect(R"({"panels":[]})", "'title'");
  expect(R"({"title":"x"})", "no Grafana dashboard");
  expect(R"({"title":"x","panels":{}})", "'panels' must be an array");
  expect(R"({"title":"x","panels":[1]})", "'panels' must be an array of objects");
  expect(R"({"title":"x","uid":"a/b","panels":[]})", "letters, digits");
  expect(R"({"title":"x","uid":")" + std::string(41, 'a') + R"(","panels":[]})", "1 to 40");
  expect(R"({"title":")" + std::string(800, 'a') + R"(","panels":[]})", "limit of 756");
  expect(R"({"dashboard":3})", "'dashboard' must be an object");
  expect(R"({"dashboard":{"title":"x","panels":[]},"overwrite":"yes"})", "'overwrite'");
  expect(R"({"apiVersion":"dashboard.grafana.app/v2beta1","spec":{"elements":{}}})", "version 2");
  expect(R"({"title":"x","elements":{},"layout":{}})", "'Classic'");
  expect(R"({"title":"x","panels":[],"y":")" + std::string(limits::kDashboardBytesMax, 'y') + "\"}",
         "larger than the limit of 1048576");
  Json many{{"title", "x"}, {"panels", Json::array()}};
  for (int i = 0; i <= limits::kDashboardPanelsMax; ++i) many["panels"].push_back(Json::object());
  expect(DumpJson(many), "501 panels");
  EXPECT_EQ(store_->List().size(), 1u);
}

TEST_F(DashboardsApi, InputsCannotMultiplyADashboardWithoutBound) {
  Json body{{"dashboard", {{"title", "x"}, {"panels", Json::array()}, {"t", "${A0}"}}},
            {"inputs", Json::array()}};
  for (int i = 0; i < 20; ++i) {
    std::string value;
    for (int j = 0; j < 30; ++j) value += "${A" + std::to_string(i + 1) + "}";
    body["inputs"].push_back(
        {{"name", "A" + std::to_string(i)}, {"type", "constant"}, {"value", value}});
  }
  const auto refused = Post(DumpJson(body));
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(ErrorOf(refused).find("larger than the limit"), std::string::npos);
}

TEST_F(DashboardsApi, DoesNotReplaceUnasked) {
  const std::string sent = R"({"title":"One","panels":[]})";
  EXPECT_EQ(Post(sent).json()["uid"], "one");
  const auto again = Post(sent);
  EXPECT_EQ(again.status, 409);
  EXPECT_NE(ErrorOf(again).find("\"overwrite\": true"), std::string::npos);
  const auto over =
      Post(R"({"dashboard":{"title":"One","panels":[],"new":1},"overwrite":true})");
  EXPECT_EQ(over.status, 200) << over.body;
  EXPECT_EQ(over.json()["version"], 2);
  EXPECT_EQ(Post(R"({"title":"One","uid":"other","panels":[]})").status, 201);
}

TEST_F(DashboardsApi, ShippedOnesAreReadOnly) {
  const std::string box = R"({"title":"Box","uid":"box","panels":[]})";
  EXPECT_EQ(Post(box).status, 409);
  EXPECT_EQ(Post(R"({"overwrite":true,"dashboard":)" + box + "}").status, 409);
  EXPECT_EQ(Call("PUT", "box", R"({"version":3,"dashboard":)" + box + "}").status, 409);
  EXPECT_EQ(Call("PATCH", "box", R"({"title":"x"})").status, 409);
  const auto deleted = Call("DELETE", "box", "");
  EXPECT_EQ(deleted.status, 409);
  EXPECT_NE(ErrorOf(deleted).find("copy under another uid"), std::string::npos);
  EXPECT_EQ(Call("GET", "box", "").json()["meta"]["source"], "shipped");
}

TEST_F(DashboardsApi, AChangeNamesTheVersionItWasMadeFrom) {
  Post(R"({"title":"T","uid":"u","panels":[]})");
  const std::string changed = R"("dashboard":{"title":"T2","panels":[],"k":1}})";
  const auto put = Call("PUT", "u", R"({"version":1,)" + changed);
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(put.json()["version"], 2);
  EXPECT_EQ(Call("GET", "u", "").json()["dashboard"]["uid"], "u");
  const auto late = Call("PUT", "u", R"({"version":1,)" + changed);
  EXPECT_EQ(late.status, 409);
  EXPECT_NE(ErrorOf(late).find("version 2"), std::string::npos);
  EXPECT_NE(ErrorOf(late).find("version 1"), std::string::npos);
  EXPECT_EQ(Call("PUT", "u", "{" + changed).status, 400);
  EXPECT_EQ(Call("PUT", "nobody", R"({"version":1,)" + changed).status, 409);
  EXPECT_EQ(Call("PUT", "u", R"({"version":2,"dashboard":{"title":"x","uid":"v","panels":[]}})")
                .status,
            400);
}

TEST_F(DashboardsApi, RenamesAndDeletes) {
  Post(R"({"title":"T","uid":"u","keep":{"b":1,"a":2},"panels":[]})");
  const auto renamed = Call("PATCH", "u", R"({"title":"Neu"})");
  EXPECT_EQ(renamed.status, 200) << renamed.body;
  EXPECT_EQ(renamed.json()["version"], 2);
  EXPECT_EQ(DumpJson(Call("GET", "u", "").json()["dashboard"]),
            R"({"title":"Neu","uid":"u","keep":{"b":1,"a":2},"panels":[]})");
  EXPECT_EQ(Call("PATCH", "u", R"({"title":""})").status, 400);
  EXPECT_EQ(Call("PATCH", "u", R"({"tags":[]})").status, 400);
  EXPECT_EQ(Call("PATCH", "v", R"({"title":"x"})").status, 404);
  EXPECT_EQ(Call("DELETE", "u", "").status, 200);
  EXPECT_EQ(Call("DELETE", "u", "").status, 404);
  EXPECT_EQ(Call("GET", "u", "").status, 404);
  EXPECT_EQ(store_->List().size(), 1u);
}

TEST_F(DashboardsApi, ExportsWhatGrafanaImports) {
  const std::string source = R"("panels":[{"datasource":{"uid":"${DS_PROMETHEUS}"}}])";
  Post(R"({"uid":"a","title":"GPU & Memory",)" + source + "}");
  const auto file = Call("GET", "a/export", "");
  EXPECT_EQ(file.headers.at("Content-Disposition"), "attachment; filename=\"gpu-memory.json\"");
  EXPECT_EQ(file.json()["__inputs"][0]["name"], "DS_PROMETHEUS");
  EXPECT_EQ(file.json()["__inputs"][0]["pluginId"], "prometheus");
  // With an input or a variable of that name the file goes out as it came.
  for (const std::string own :
       {R"("__inputs":[{"name":"DS_PROMETHEUS","label":"mine"}])",
        R"("templating":{"list":[{"name":"DS_PROMETHEUS","type":"datasource"}]})"}) {
    const std::string sent = R"({"uid":"b","title":"B",)" + own + "," + source + "}";
    Post(sent);
    EXPECT_EQ(Call("GET", "b/export", "").body, sent);
    Call("DELETE", "b", "");
  }
}

TEST_F(DashboardsApi, ABrokenFileDoesNotStopTheStart) {
  Post(R"({"title":"T","panels":[]})");
  store_.reset();
  std::ofstream(path(), std::ios::trunc) << std::string(8192, 'x');
  fs::remove(path() + "-wal");
  Open();
  ASSERT_EQ(store_->troubles().size(), 1u);
  EXPECT_NE(store_->troubles()[0].find("set aside as"), std::string::npos);
  EXPECT_EQ(store_->List().size(), 1u);
  EXPECT_EQ(Post(R"({"title":"T","panels":[]})").status, 201);
}

TEST(DashboardSlug, IsAUidAndTellsTitlesApart) {
  EXPECT_EQ(SlugOf("GPU  memory (MiB)"), "gpu-memory-mib");
  EXPECT_EQ(SlugOf("GPU  memory (MiB)"), SlugOf("gpu memory mib"));
  EXPECT_NE(SlugOf("温度"), SlugOf("内存"));
  EXPECT_NE(SlugOf(std::string(60, 'a') + "b"), SlugOf(std::string(60, 'a') + "c"));
  for (const std::string title : {"", "温度 of GPU", "---", "x"}) {
    EXPECT_TRUE(CheckDashboard({{"title", "t"}, {"uid", SlugOf(title)}, {"panels", Json::array()}})
                    .ok())
        << SlugOf(title);
  }
  EXPECT_LE(SlugOf(std::string(100, 'a')).size(), limits::kDashboardUidBytesMax);
}

}  // namespace
}  // namespace hearth::api
