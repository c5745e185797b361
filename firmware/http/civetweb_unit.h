/* What CivetWeb knows about a connection but does not tell through civetweb.h.
 *
 * civetweb_unit.c compiles the library as one translation unit together with these accessors, so
 * the library's source stays exactly as Debian ships it. */
#ifndef HEARTH_FIRMWARE_HTTP_CIVETWEB_UNIT_H_
#define HEARTH_FIRMWARE_HTTP_CIVETWEB_UNIT_H_

#include <stddef.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mg_connection;

/* The connected socket; valid while the connection's callback runs. */
int hearth_cw_socket(const struct mg_connection* conn);

/* The request's head as the parser left it: the delimiters it found are overwritten by NUL bytes.
 * Length 0 when no head could be read. */
const char* hearth_cw_head(const struct mg_connection* conn, size_t* length);

/* Did the head fill the whole buffer (max_request_size) without ending? */
int hearth_cw_head_overflowed(const struct mg_connection* conn);

/* Bytes of the body: those that arrived with the head first, then the socket's. Returns their
 * number, 0 after timeout_s without any, -1 when the peer has closed, on errors and when the server
 * stops. */
int hearth_cw_read_some(struct mg_connection* conn, char* buffer, int length, double timeout_s);

/* One write of head and then body, as far as the socket takes them; under TLS of the first that is
 * not empty. Returns as hearth_cw_read_some. */
int hearth_cw_write_some(struct mg_connection* conn, struct iovec head, struct iovec body,
                         double timeout_s);

/* Will the connection take another request after this one? */
int hearth_cw_keeps_alive(const struct mg_connection* conn);

void hearth_cw_close_after_answer(struct mg_connection* conn);

/* Is the server shutting down? */
int hearth_cw_stopping(const struct mg_connection* conn);

#ifdef __cplusplus
}
#endif

#endif /* HEARTH_FIRMWARE_HTTP_CIVETWEB_UNIT_H_ */
