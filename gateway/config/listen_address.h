/* Listen address: where the gateway listens, parsed from `host:port`, `[v6]:port`, `unix:/path`.
 * Owner: a value. Thread: any. Errors: SL_EINVAL from parsing.
 * Hosts are numeric or `localhost`, which is 127.0.0.1 and ::1 (RFC 6761, section 6.3): nothing
 * here asks a name server, so that a start depends on none and a name cannot lead elsewhere. */
#ifndef SL_LISTEN_ADDRESS_H
#define SL_LISTEN_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

enum sl_address_kind { SL_ADDRESS_IPV4, SL_ADDRESS_IPV6, SL_ADDRESS_UNIX, SL_ADDRESS_LOCALHOST };

struct sl_listen_address {
	enum sl_address_kind kind;
	char host[INET6_ADDRSTRLEN];               /* without brackets; "" for unix */
	uint16_t port;                             /* 0: the system chooses */
	char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* "" but for unix */
	struct sockaddr_storage sockaddr;          /* ready for bind(2), but for localhost */
	socklen_t sockaddr_len;
};

#define SL_LISTEN_ADDRESSES_MAX 2 /* that one address stands for */

/* A host in brackets, ':', a port, NUL; or "unix:", a path, NUL. */
#define SL_LISTEN_ADDRESS_MAX 128

/* What sl_listen_address_parse takes, for messages. */
#define SL_LISTEN_ADDRESS_FORMS \
	"127.0.0.1:8080, localhost:8080, [::1]:8080 or unix:/path (numeric hosts, ports 0 to 65535)"

/* Errors: SL_EINVAL, also for a Unix path that is relative or longer than the system takes. */
int sl_listen_address_parse(const char *text, struct sl_listen_address *out);

/* What there is to bind: 127.0.0.1 and ::1 for localhost, else the address itself. Returns how
 * many. */
size_t sl_listen_address_expand(const struct sl_listen_address *address,
	struct sl_listen_address out[SL_LISTEN_ADDRESSES_MAX]);

/* Not for Unix sockets. */
void sl_listen_address_set_port(struct sl_listen_address *address, uint16_t port);

/* True for the same place: two Unix paths, or two numeric hosts with the same port, which is
 * not 0. */
bool sl_listen_address_equals(const struct sl_listen_address *a, const struct sl_listen_address *b);

/* What a socket's name says (getsockname(2)). Errors: SL_EINVAL for another family. */
int sl_listen_address_from_sockaddr(struct sl_listen_address *out,
	const struct sockaddr_storage *sockaddr, socklen_t len);

/* The form that parse takes, NUL-terminated; returns the length. */
size_t sl_listen_address_format(const struct sl_listen_address *address,
	char out[SL_LISTEN_ADDRESS_MAX]);

/* True when only this machine can connect: 127.0.0.0/8, ::1, localhost, a Unix socket. */
bool sl_listen_address_is_loopback(const struct sl_listen_address *address);

/* The same without Unix sockets: what a browser on this machine can reach. */
bool sl_listen_address_is_loopback_tcp(const struct sl_listen_address *address);

#endif
