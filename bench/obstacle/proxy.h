/* The obstacle: its listener, its connections, the faults in force, its counters.
 * Owner: main. Thread: one, all calls. Errors: SL_EIO with errno, SL_ENOMEM. */
#ifndef SL_BENCH_OBSTACLE_PROXY_H
#define SL_BENCH_OBSTACLE_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/obstacle/address.h"
#include "bench/obstacle/cache.h"
#include "bench/obstacle/fault.h"
#include "core/loop.h"
#include "util/buffer.h"

/* Limits, and what happens there. */
#define OB_HEAD_MAX (128 << 10)     /* of a head: 431 to a client, 502 from an origin */
#define OB_QUEUE_MAX (256 << 10)    /* waiting for one side: the other is not read meanwhile */
#define OB_HELD_MAX (4 << 20)       /* held back by one fault: let go */
#define OB_REPEAT_MAX (256 << 10)   /* of a request: it is not repeated */
#define OB_READ_BYTES (64 << 10)

struct ob_connection;
struct ob_tls;

struct ob_settings {
	struct ob_addresses to;   /* the first of them that answers */
	bool is_forward;          /* absolute URLs and CONNECT are for it */
	bool is_tcp;              /* bytes are bytes, no HTTP is looked for */
	unsigned connections_max; /* above it a connection is closed at accept */
	struct ob_tls *tls;       /* borrowed; what clients speak, NULL: cleartext */
	struct ob_tls *to_tls;    /* the same of what is spoken to the gateway */
};

struct ob_counts {
	uint64_t connections, refused, requests;
	uint64_t bytes[2]; /* by enum ob_way, as read */
};

struct ob_listener {
	struct sl_watch watch; /* first: on_ready gets it */
	struct ob_proxy *proxy;
};

struct ob_proxy {
	struct sl_loop loop;
	struct ob_listener listeners[OB_ADDRESSES_MAX];
	unsigned listener_count;
	struct ob_settings settings;
	unsigned to_at;                      /* the address of `to` that answered last */
	struct ob_fault_set *faults;         /* owns a reference */
	struct ob_connection *first, **last; /* oldest first */
	unsigned open;
	uint64_t random;
	uint64_t timed_out_ms;               /* when an origin last let a request time out */
	struct ob_counts counts;
	struct ob_cache cache;
	struct sl_buffer content, wire;      /* scratch: of one read, of one write */
	char bytes[OB_READ_BYTES];
};

/* Listens at the addresses; `faults` is taken. */
int ob_proxy_open(struct ob_proxy *proxy, const struct ob_settings *settings,
	const struct ob_addresses *addresses, struct ob_fault_set *faults, uint64_t seed);
void ob_proxy_close(struct ob_proxy *proxy);

/* Puts `faults` in force; takes it. */
void ob_proxy_set_faults(struct ob_proxy *proxy, struct ob_fault_set *faults);

/* True with this probability, in millionths; the same sequence for the same seed. */
bool ob_proxy_draw(struct ob_proxy *proxy, uint32_t share);

/* Prints e.g. "listening 127.0.0.1:8080". */
void ob_print_address(const char *word, int fd);

#endif
