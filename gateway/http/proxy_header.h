/* Proxy header: a proxy's header about its client, in front of the first byte of a connection (the PROXY
 * protocol, versions 1 and 2: haproxy, doc/proxy-protocol.txt, 2.8).
 * Owner: values. Thread: any. Errors: SL_PROXY_BAD. */
#ifndef SL_HTTP_PROXY_HEADER_H
#define SL_HTTP_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/socket.h"

#define SL_PROXY_V1_MAX 107              /* section 2.1, with CRLF */
#define SL_PROXY_V2_MAX (16 + 4096)      /* a length could announce up to 65,551 */
#define SL_PROXY_HEADER_MAX SL_PROXY_V2_MAX

enum sl_proxy_verdict {
	SL_PROXY_NONE, /* the bytes are no such header */
	SL_PROXY_MORE, /* they may be one: more bytes are needed */
	SL_PROXY_BAD,  /* a header that is malformed, too long or has a wrong checksum */
	SL_PROXY_DONE,
};

struct sl_proxy_header {
	size_t len;                /* its bytes */
	unsigned version;          /* 1 or 2 */
	bool has_client;           /* false: the peer speaks for itself (LOCAL, UNKNOWN), or its client has no IP address */
	struct sl_address client;  /* with has_client */
	bool is_secure;            /* the client came by TLS (PP2_TYPE_SSL) */
};

/* Reads the header at the start of `bytes`. `*out` is filled for SL_PROXY_DONE. */
enum sl_proxy_verdict sl_proxy_header_read(struct sl_proxy_header *out, const char *bytes,
	size_t len);

#endif
