#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

/* The library says `volatile` where it means an atomic: its stop flag is written by one thread and
 * read by all, and what happened before the write must be seen after the read. (Its alternative,
 * STOP_FLAG_NEEDS_LOCK, can overwrite "stopped" with "stop" and then waits for ever.) */
#define volatile _Atomic
#include "civetweb.c" /* Debian's source, unchanged; see packaging/fetch-civetweb.sh */
#undef volatile

#include "firmware/http/civetweb_unit.h"

int hearth_cw_stopping(const struct mg_connection* conn) {
  return !STOP_FLAG_IS_ZERO(&conn->phys_ctx->stop_flag);
}

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

/* The library's own writer takes one buffer, and calls bytes that the kernel has taken an error when
 * the server begins to stop at that moment. */
static int write_plain(struct mg_connection* conn, struct iovec head, struct iovec body,
                       double timeout_s) {
  struct iovec pieces[] = {head, body};
  struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
  const uint64_t begin_ns = mg_get_current_time_ns();
  while (!hearth_cw_stopping(conn)) {
    const ssize_t count = sendmsg(conn->client.sock, &message, MSG_NOSIGNAL);
    if (count > 0) return (int)count;
    if (count < 0 && errno != EAGAIN && errno != EINTR) return -1;
    if ((double)(mg_get_current_time_ns() - begin_ns) > timeout_s * 1e9) return 0;
    struct pollfd writable = {.fd = conn->client.sock, .events = POLLOUT};
    poll(&writable, 1, SOCKET_TIMEOUT_QUANTUM);
  }
  return -1;
}

int hearth_cw_write_some(struct mg_connection* conn, struct iovec head, struct iovec body,
                         double timeout_s) {
  if (conn->ssl == NULL) return write_plain(conn, head, body, timeout_s);
  const struct iovec piece = head.iov_len > 0 ? head : body;
  const int count = push_inner(conn->phys_ctx, NULL, conn->client.sock, conn->ssl, piece.iov_base,
                               (int)piece.iov_len, timeout_s);
  return count < 0 ? -1 : count;
}

int hearth_cw_keeps_alive(const struct mg_connection* conn) { return should_keep_alive(conn); }

void hearth_cw_close_after_answer(struct mg_connection* conn) { conn->must_close = 1; }
