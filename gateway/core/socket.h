/* Socket: one accepted client, whoever reads it at the moment.
 * Owner: from accept the front, from handover the connection being served; exactly one.
 * Thread: its shard's. Errors: SL_EAGAIN, SL_ECLOSED, SL_EIO from read and write.
 *
 * Nothing else asks for the descriptor or the address. While libmicrohttpd reads the
 * socket, its bytes are known from TCP_INFO; after handover each read and write counts
 * itself. `charged_*` is what has been charged to some class of wire bytes already. */
#ifndef SL_CORE_SOCKET_H
#define SL_CORE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct sl_socket;

/* How bytes travel: cleartext now, TLS later behind the same calls. */
struct sl_socket_ops {
	/* All mandatory. Return the number of bytes (> 0), SL_EAGAIN, SL_ECLOSED or SL_EIO.
	 * `discard` reads as well, but need not fill `scratch`. */
	ssize_t (*read)(struct sl_socket *socket, void *bytes, size_t len);
	ssize_t (*discard)(struct sl_socket *socket, void *scratch, size_t len);
	ssize_t (*peek)(struct sl_socket *socket, void *bytes, size_t len);
	ssize_t (*write)(struct sl_socket *socket, const struct iovec *slices, int count);
};

/* Somebody who wants to see what the socket carries (demo/tap.h). Embed it; all slots are
 * mandatory. `len` bytes were carried; the slices hold at least their beginning. */
struct sl_socket_tap {
	const struct sl_socket_tap_ops *ops;
};
struct sl_socket_tap_ops {
	void (*on_received)(struct sl_socket_tap *tap, const struct iovec *slices, int count,
		size_t len);
	void (*on_sent)(struct sl_socket_tap *tap, const struct iovec *slices, int count, size_t len);
	void (*on_left)(struct sl_socket_tap *tap); /* the peer has closed; may come twice */
	void (*destroy)(struct sl_socket_tap *tap); /* with its socket */
};

struct sl_address {
	uint8_t bytes[16]; /* IPv6, or IPv4 mapped into it; zero for a Unix socket */
	uint16_t port;
	uint8_t family;    /* AF_INET, AF_INET6 or AF_UNIX */
};

struct sl_socket {
	/* What every write touches stands first, in one cache line. */
	const struct sl_socket_ops *ops;
	int fd;
	bool over_limit;    /* accepted above a soft limit: its next request is refused */
	bool prefers_front; /* its client sends bodies apart from heads: not kept after a publish */
	bool is_opaque;     /* how much was parsed cannot be known: never keep it after a poll */
	struct sl_socket_tap *tap; /* owns; NULL but for what the demo watches */
	uint64_t charged_in, charged_out;
	uint64_t parsed_in; /* bytes of requests understood so far */
	struct sl_address peer;
};

/* Takes an accepted, non-blocking `fd`: returns new, with TCP_NODELAY set, or NULL. */
struct sl_socket *sl_socket_create(int fd, const struct sockaddr_storage *peer);

/* Closes the descriptor and frees. */
void sl_socket_destroy(struct sl_socket *socket);

/* Replaces the descriptor by a duplicate, so that the original may be closed by the one
 * who has it; sets TCP_NOTSENT_LOWAT. Errors: SL_EIO. */
int sl_socket_hand_over(struct sl_socket *socket);

/* What the kernel has seen of a socket so far; bytes received and not yet read are not in
 * `in`. Not known on Unix sockets. */
struct sl_socket_bytes {
	bool is_known;
	uint64_t in, out;
};
struct sl_socket_bytes sl_socket_measure(const struct sl_socket *socket);

/* True when bytes have arrived beyond `parsed_in`, or when that cannot be known. */
bool sl_socket_has_unparsed(const struct sl_socket *socket, struct sl_socket_bytes measured);

/* See struct sl_socket_ops; successful calls are added to the charged counts. */
ssize_t sl_socket_read(struct sl_socket *socket, void *bytes, size_t len);
ssize_t sl_socket_discard(struct sl_socket *socket, void *scratch, size_t len);
ssize_t sl_socket_peek(struct sl_socket *socket, void *bytes, size_t len);
ssize_t sl_socket_write(struct sl_socket *socket, const struct iovec *slices, int count);

/* The peer is told that nothing more comes. */
void sl_socket_shut(struct sl_socket *socket);
/* Both directions, in a way that makes whoever reads it see the end. */
void sl_socket_break(struct sl_socket *socket);
/* The next destroy sends RST. */
void sl_socket_set_abort(struct sl_socket *socket);
/* TCP_USER_TIMEOUT: unacknowledged bytes for so long end the connection (tcp(7)). */
void sl_socket_set_user_timeout(struct sl_socket *socket, unsigned timeout_ms);

/* As sockaddr, for libmicrohttpd; returns its length. */
socklen_t sl_socket_get_sockaddr(const struct sl_socket *socket, struct sockaddr_storage *out);

#define SL_ADDRESS_TEXT_MAX 64
/* "127.0.0.1:4711", "[::1]:4711" or "unix", for logs. */
void sl_address_format(const struct sl_address *address, char out[SL_ADDRESS_TEXT_MAX]);

#endif
