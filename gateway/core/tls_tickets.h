/* TLS tickets: the keys that session tickets are sealed with.
 * Owner: the app's; it outlives every context and every session. Thread: any, by a lock of its own.
 * Errors: as each call says.
 * Sources: RFC 5077, section 4 (the ticket), section 5.5 (keys change often).
 *
 * A gateway keeps no sessions: a client carries its own, sealed. All shards use one set of keys,
 * so that it resumes at whichever it reaches. Keys are made here, a new one every 12 hours, and
 * the last two still open; or they are those of a file that several gateways share. */
#ifndef SL_CORE_TLS_TICKETS_H
#define SL_CORE_TLS_TICKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/tls_file.h"

#define SL_TLS_TICKET_NAME_LEN 16
#define SL_TLS_TICKET_IV_LEN 16
#define SL_TLS_TICKET_KEYS_MAX 8    /* of a file */
#define SL_TLS_TICKET_ROTATE_S 43200
#define SL_TLS_TICKET_LIFE_S 86400  /* what a client is told: two old keys open that long */

struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;
struct sl_tls_tickets;

struct sl_tls_ticket_key {
	unsigned char name[SL_TLS_TICKET_NAME_LEN], mac[32], cipher[32];
};

/* The first one seals, each opens. */
struct sl_tls_ticket_keys {
	struct sl_tls_ticket_key keys[SL_TLS_TICKET_KEYS_MAX];
	size_t count;
};

/* Returns new, with a key of its own making, or NULL: no memory, or no randomness. */
struct sl_tls_tickets *sl_tls_tickets_create(void);
void sl_tls_tickets_destroy(struct sl_tls_tickets *tickets);

/* Reads the lines of a file: 160 hex digits each, 16 bytes of name, 32 of the MAC's key, 32 of the
 * cipher's (`openssl rand -hex 80`). Empty lines and those that begin with '#' do not count. The
 * caller wipes `out`. Errors: SL_EINVAL with the sentence to tell, SL_ENOMEM. */
int sl_tls_ticket_keys_read(struct sl_tls_ticket_keys *out, const char *path,
	struct sl_tls_error error);

/* From now on these are the keys; NULL: those that are made here, which go on where they were. */
void sl_tls_tickets_use(struct sl_tls_tickets *tickets, const struct sl_tls_ticket_keys *keys);

/* Prepares the sealing of a ticket: AES-256-CBC and HMAC-SHA256. Writes the key's name and a new
 * IV. Returns false when it cannot. */
bool sl_tls_tickets_seal(struct sl_tls_tickets *tickets,
	unsigned char name[SL_TLS_TICKET_NAME_LEN], unsigned char *iv,
	struct evp_cipher_ctx_st *cipher, struct evp_mac_ctx_st *mac);

enum sl_tls_ticket_age {
	SL_TLS_TICKET_UNKNOWN, /* no key has this name: a full handshake */
	SL_TLS_TICKET_CURRENT,
	SL_TLS_TICKET_OLD,     /* it opens, and the client should get another */
};

/* Prepares the opening of one. */
enum sl_tls_ticket_age sl_tls_tickets_open(struct sl_tls_tickets *tickets,
	const unsigned char name[SL_TLS_TICKET_NAME_LEN], const unsigned char *iv,
	struct evp_cipher_ctx_st *cipher, struct evp_mac_ctx_st *mac);

#endif
