#include "core/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/err.h"

#define OWN_KEYS 3 /* the one that seals, and two old ones */
#define OPTION "--tls-ticket-keys"
#define LINE_DIGITS (2 * sizeof(struct sl_tls_ticket_key))
_Static_assert(sizeof(struct sl_tls_ticket_key) == 80, "a line has a digit for each half byte");

struct sl_tls_tickets {
	pthread_mutex_t lock;
	struct sl_tls_ticket_keys own;
	uint64_t made_ms;                /* the first of them */
	struct sl_tls_ticket_keys given; /* a count of 0: there is no file */
	EVP_CIPHER *cipher;              /* owns; fetched once, since fetching takes locks */
};

static bool
make_key(struct sl_tls_ticket_key *key)
{
	return RAND_bytes(key->name, sizeof key->name) == 1 &&
		RAND_priv_bytes(key->mac, sizeof key->mac) == 1 &&
		RAND_priv_bytes(key->cipher, sizeof key->cipher) == 1;
}

struct sl_tls_tickets *
sl_tls_tickets_create(void)
{
	struct sl_tls_tickets *tickets = calloc(1, sizeof *tickets);
	if (!tickets)
		return NULL;
	pthread_mutex_init(&tickets->lock, NULL);
	tickets->made_ms = sl_clock_monotonic_ms();
	tickets->own.count = 1;
	tickets->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (tickets->cipher && make_key(&tickets->own.keys[0]))
		return tickets;
	ERR_clear_error();
	sl_tls_tickets_destroy(tickets);
	return NULL;
}

void
sl_tls_tickets_destroy(struct sl_tls_tickets *tickets)
{
	if (!tickets)
		return;
	pthread_mutex_destroy(&tickets->lock);
	EVP_CIPHER_free(tickets->cipher);
	explicit_bzero(tickets, sizeof *tickets);
	free(tickets);
}

void
sl_tls_tickets_use(struct sl_tls_tickets *tickets, const struct sl_tls_ticket_keys *keys)
{
	pthread_mutex_lock(&tickets->lock);
	if (keys)
		tickets->given = *keys;
	else
		explicit_bzero(&tickets->given, sizeof tickets->given);
	pthread_mutex_unlock(&tickets->lock);
}

/* ---- the file ---- */

static int
value_of(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = digit ? strchr(digits, digit | 0x20) : NULL;
	return at ? (int)(at - digits) : -1;
}

static bool
read_line(struct sl_tls_ticket_key *key, const char *line, size_t len)
{
	unsigned char *bytes = (unsigned char *)key;
	if (len != LINE_DIGITS)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		int high = value_of(line[i]), low = value_of(line[i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i / 2] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static int
parse_keys(struct sl_tls_ticket_keys *out, const char *text, const char *path,
	struct sl_tls_error error)
{
	for (int number = 1; *text; number++) {
		size_t len = strcspn(text, "\n"), used = len;
		const char *line = text;
		while (used > 0 && strchr(" \t\r", line[used - 1]))
			used--;
		text += len + (text[len] == '\n');
		if (used == 0 || *line == '#')
			continue;
		if (out->count == SL_TLS_TICKET_KEYS_MAX)
			return sl_tls_refuse(error, OPTION " %.200s: line %d is one key too many; use at most %d",
				path, number, SL_TLS_TICKET_KEYS_MAX);
		if (!read_line(&out->keys[out->count++], line, used))
			return sl_tls_refuse(error, OPTION " %.200s: line %d is not a key; use 160 hex digits, as "
				"openssl rand -hex 80 prints them", path, number);
	}
	if (out->count == 0)
		return sl_tls_refuse(error, OPTION " %.200s: the file holds no key; use lines of 160 hex digits, "
			"as openssl rand -hex 80 prints them", path);
	return 0;
}

int
sl_tls_ticket_keys_read(struct sl_tls_ticket_keys *out, const char *path,
	struct sl_tls_error error)
{
	struct sl_tls_file file;
	*out = (struct sl_tls_ticket_keys){ .count = 0 };
	int err = sl_tls_file_read_secret(&file, OPTION, path, error);
	if (err == 0)
		err = parse_keys(out, file.bytes, path, error);
	sl_tls_file_finish(&file);
	return err;
}

/* ---- sealing and opening ---- */

/* Makes the keys that are due, and forgets those that may not open any more. Without randomness
 * the old one stays in use. */
static void
rotate(struct sl_tls_tickets *tickets)
{
	struct sl_tls_ticket_keys *own = &tickets->own;
	const uint64_t period_ms = UINT64_C(1000) * SL_TLS_TICKET_ROTATE_S;
	uint64_t due = (sl_clock_monotonic_ms() - tickets->made_ms) / period_ms;
	struct sl_tls_ticket_key fresh;
	if (due == 0 || !make_key(&fresh))
		return;
	/* Where nobody came for long, the one that sealed is older than one change. */
	size_t kept = due >= OWN_KEYS ? 0 : OWN_KEYS - (size_t)due;
	if (kept > own->count)
		kept = own->count;
	memmove(&own->keys[1], &own->keys[0], kept * sizeof *own->keys);
	own->keys[0] = fresh;
	own->count = kept + 1;
	tickets->made_ms += due * period_ms;
	explicit_bzero(&fresh, sizeof fresh);
}

/* Copies a key out: whatever is done with it needs no lock. `name` NULL: the one that seals.
 * Returns its place, or -1. */
static int
find_key(struct sl_tls_tickets *tickets, const unsigned char *name, struct sl_tls_ticket_key *out)
{
	int found = -1;
	pthread_mutex_lock(&tickets->lock);
	rotate(tickets);
	const struct sl_tls_ticket_keys *keys =
		tickets->given.count > 0 ? &tickets->given : &tickets->own;
	for (size_t i = 0; found < 0 && i < keys->count; i++)
		if (!name || memcmp(keys->keys[i].name, name, SL_TLS_TICKET_NAME_LEN) == 0)
			found = (int)i;
	if (found >= 0)
		*out = keys->keys[found];
	pthread_mutex_unlock(&tickets->lock);
	return found;
}

static bool
set_mac_key(EVP_MAC_CTX *mac, struct sl_tls_ticket_key *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

bool
sl_tls_tickets_seal(struct sl_tls_tickets *tickets, unsigned char name[SL_TLS_TICKET_NAME_LEN],
	unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	struct sl_tls_ticket_key key;
	bool is_ready = find_key(tickets, NULL, &key) >= 0 &&
		RAND_bytes(iv, SL_TLS_TICKET_IV_LEN) == 1 &&
		EVP_EncryptInit_ex2(cipher, tickets->cipher, key.cipher, iv, NULL) == 1 &&
		set_mac_key(mac, &key);
	memcpy(name, key.name, sizeof key.name);
	explicit_bzero(&key, sizeof key);
	return is_ready;
}

enum sl_tls_ticket_age
sl_tls_tickets_open(struct sl_tls_tickets *tickets,
	const unsigned char name[SL_TLS_TICKET_NAME_LEN], const unsigned char *iv,
	EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	struct sl_tls_ticket_key key;
	int place = find_key(tickets, name, &key);
	if (place < 0)
		return SL_TLS_TICKET_UNKNOWN;
	bool is_ready = EVP_DecryptInit_ex2(cipher, tickets->cipher, key.cipher, iv, NULL) == 1 &&
		set_mac_key(mac, &key);
	explicit_bzero(&key, sizeof key);
	if (!is_ready)
		return SL_TLS_TICKET_UNKNOWN;
	return place == 0 ? SL_TLS_TICKET_CURRENT : SL_TLS_TICKET_OLD;
}
