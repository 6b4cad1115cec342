/* Socket: one accepted client's descriptor, and how bytes travel on it.
 * Owner: the link that embeds it (live/link.h). Thread: its shard's. Errors: SL_EAGAIN, SL_ECLOSED,
 * SL_EIO from read and write.
 *
 * Nothing else asks for the descriptor or the address. */
#ifndef SL_CORE_SOCKET_H
#define SL_CORE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct sl_socket;

/* How bytes travel: in the clear, or in TLS (core/tls.h). All mandatory. */
struct sl_socket_ops {
	/* Return the number of bytes (> 0), SL_EAGAIN, SL_ECLOSED or SL_EIO. `discard` reads as well,
	 * but need not fill `scratch`. What `write` returns is committed: it goes out before
	 * anything that is written later, and may not be taken back. */
	ssize_t (*read)(struct sl_socket *socket, void *bytes, size_t len);
	ssize_t (*discard)(struct sl_socket *socket, void *scratch, size_t len);
	ssize_t (*write)(struct sl_socket *socket, const struct iovec *slices, int count);
	/* Return 0, SL_EAGAIN, SL_ECLOSED or SL_EIO: see sl_socket_push() and sl_socket_shut(). */
	int (*push)(struct sl_socket *socket);
	int (*shut)(struct sl_socket *socket);
	/* The descriptor is about to be closed; `aborts`: with RST. */
	void (*leave)(struct sl_socket *socket, bool aborts);
	void (*finish)(struct sl_socket *socket);
};

/* What is known of a socket that speaks TLS, beside its ops. */
struct sl_socket_secure {
	bool has_input;        /* bytes, or the peer's end, are here already: no event tells of them */
	bool has_left;         /* the peer has said that it sends nothing more (close_notify) */
	uint32_t records_max;  /* a read opens no more records, or pieces of one; 0: as many as fit */
	uint32_t records;      /* as many the last one has opened */
	uint32_t unsent_bytes; /* ciphertext that is committed and not with the kernel yet */
	int64_t uncounted_in;  /* what the wire carried beyond what was read; less, while bytes of a
	                        * record that was counted before are read */
	uint64_t uncounted_out;
	uint32_t uncounted_sends;
	uint32_t handshake_in, handshake_out; /* bytes of the wire before the first of data */
	uint64_t added_in;  /* bytes of all records so far less the data in them, and handshakes; while
	                     * `has_input`, of records that are not read whole too much */
	uint64_t added_out;
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
	const struct sl_socket_ops *ops;
	struct sl_socket_tap *tap; /* owns; NULL but for what the demo watches */
	int fd;
	struct sl_address peer;
	struct sl_socket_secure *secure; /* owned by the ops; NULL in the clear */
};

/* Takes an accepted, non-blocking `fd`. */
void sl_socket_init(struct sl_socket *socket, int fd, const struct sockaddr_storage *peer);

/* Closes the descriptor. */
void sl_socket_finish(struct sl_socket *socket);

/* See struct sl_socket_ops. */
ssize_t sl_socket_read(struct sl_socket *socket, void *bytes, size_t len);
ssize_t sl_socket_discard(struct sl_socket *socket, void *scratch, size_t len);
ssize_t sl_socket_write(struct sl_socket *socket, const struct iovec *slices, int count);

/* Reads without telling the tap, whoever reads requests tells of them (http/observer.h). */
ssize_t sl_socket_read_quietly(struct sl_socket *socket, void *bytes, size_t len);

/* Tells the tap afterwards, of bytes so read that were no request's; or, with SL_ECLOSED as
 * `result`, that the peer was seen to have closed. */
void sl_socket_tell_tap(struct sl_socket *socket, const void *bytes, ssize_t result);

/* Sends what is committed and not with the kernel yet. 0: all of it is there. */
int sl_socket_push(struct sl_socket *socket);

/* The peer is told that nothing more comes. SL_EAGAIN: not yet, once the socket is writable it is to be
 * called again. */
int sl_socket_shut(struct sl_socket *socket);
/* The next finish sends RST. */
void sl_socket_set_abort(struct sl_socket *socket);
/* Says a last word where the protocol has one, as far as the kernel takes it; before finish. */
void sl_socket_leave(struct sl_socket *socket, bool aborts);
/* TCP_USER_TIMEOUT: unacknowledged bytes for so long end the connection (tcp(7)). */
void sl_socket_set_user_timeout(struct sl_socket *socket, unsigned timeout_ms);

static inline bool
sl_socket_is_secure(const struct sl_socket *socket)
{
	return socket->secure;
}

/* True when a read would bring something of which no event will tell. */
static inline bool
sl_socket_has_input(const struct sl_socket *socket)
{
	return socket->secure && socket->secure->has_input;
}

/* True while committed bytes are not with the kernel: they wait for it to be writable. */
static inline bool
sl_socket_has_unsent(const struct sl_socket *socket)
{
	return socket->secure && socket->secure->unsent_bytes;
}

/* Bytes of memory that the kernel holds for it: of what the peer has not taken, and of what nobody has read. 0
 * where it does not say. */
uint64_t sl_socket_get_kernel_bytes(const struct sl_socket *socket);

/* What the wire carried for `len` bytes that were read: these, in the clear. Each byte of the wire is
 * told of once, at the latest when all that was read was asked for. */
uint64_t sl_socket_take_wire_in(struct sl_socket *socket, uint64_t len);

/* Whom limits of an address count: an IPv4 address, or the /64 network of an IPv6 address, since whoever
 * has one has all of it. False for a Unix socket, which has neither. */
bool sl_address_get_owner(const struct sl_address *address, uint8_t out[16]);

/* An address that somebody tells; 0 for a port that is not told. */
void sl_address_set_ip(struct sl_address *address, const uint8_t ip[16], uint16_t port);

#define SL_ADDRESS_TEXT_MAX 64
/* "127.0.0.1:4711", "[::1]:4711" or "unix", for logs; without a port that is 0. */
void sl_address_format(const struct sl_address *address, char out[SL_ADDRESS_TEXT_MAX]);

#endif
