// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
#pragma once

#include <string>
#include <string_view>

#include "firmware/http/http.h"

namespace hearth::http {

// Proxies must neither keep nor collect the events.
inline void BeginEventStream(Response& response) {
  response.SetHeader("Cache-Control", "no-cache");
  response.SetHeader("X-Accel-Buffering", "no");
  response.BeginStream(200, "text/event-stream; charset=utf-8");
}

// "data: <payload>\n\n". `payload` is one line; JSON without line breaks is.
inline std::string Event(std::string_view payload) {
  std::string event;
  event.reserve(payload.size() + 8);
  event += "data: ";
  event += payload;
  event += "\n\n";
  return event;
}

inline bool SendEvent(Response& response, std::string_view payload) {
  return response.Write(Event(payload));
}

// Ends an OpenAI stream; every client waits for this line.
inline constexpr std::string_view kDoneEvent = "data: [DONE]\n\n";

}  // namespace hearth::http
