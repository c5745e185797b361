#include "civetweb.c" /* Debian's source, unchanged; see packaging/fetch-civetweb.sh */

#include "firmware/http/civetweb_unit.h"

int hearth_cw_socket(const struct mg_connection* conn) { return conn->client.sock; }

const char* hearth_cw_head(const struct mg_connection* conn, size_t* length) {
  *length = conn->request_len > 0 ? (size_t)conn->request_len : 0;
  return conn->buf;
}

int hearth_cw_head_overflowed(const struct mg_connection* conn) {
  return conn->request_len <= 0 && conn->data_len >= conn->buf_size;
}

int hearth_cw_read_some(struct mg_connection* conn, char* buffer, int length, double timeout_s) {
  /* Without a head everything in the buffer has been looked at. */
  const int64_t begin =
      conn->request_len > 0 ? conn->request_len + conn->consumed_content : conn->data_len;
  const int64_t buffered = conn->data_len - begin;
  int count;
  if (buffered > 0) {
    count = buffered < length ? (int)buffered : length;
    memcpy(buffer, conn->buf + begin, (size_t)count);
  } else {
    count = pull_inner(NULL, conn, buffer, length, timeout_s);
    if (count < 0) return count == -1 ? 0 : -1; /* pull_inner: -1 timeout, -2 closed or broken */
  }
  conn->consumed_content += count;
  return count;
}

int hearth_cw_write_some(struct mg_connection* conn, const char* data, int length,
                         double timeout_s) {
  const int count =
      push_inner(conn->phys_ctx, NULL, conn->client.sock, conn->ssl, data, length, timeout_s);
  if (count > 0) conn->num_bytes_sent += count;
  return count < 0 ? -1 : count;
}

int hearth_cw_keeps_alive(const struct mg_connection* conn) { return should_keep_alive(conn); }

void hearth_cw_close_after_answer(struct mg_connection* conn) { conn->must_close = 1; }

int hearth_cw_stopping(const struct mg_connection* conn) {
  return !STOP_FLAG_IS_ZERO(&conn->phys_ctx->stop_flag);
}
