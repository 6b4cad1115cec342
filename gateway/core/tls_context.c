#include "core/tls_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/tls_groups.h"
#include "core/tls_pair.h"
#include "core/tls_tickets.h"
#include "util/err.h"
#include "util/log.h"

#define CIPHERS_12 \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define CIPHERS_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define CURVES "X25519:P-256:P-384"

struct sl_tls_context {
	_Atomic unsigned refs;
	struct sl_tls_tickets *tickets; /* borrows */
	struct sl_tls_pair *pairs;      /* owns */
	struct sl_tls_certificate *certificates; /* owns; of the pairs */
	size_t count;
	struct sl_tls_groups groups;
	SSL_CTX **ctxs; /* owns; one for each group */
};

static struct sl_tls_context *
context_of(const SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* ---- what OpenSSL asks in a handshake ---- */

/* Reads the one host name of the extension (RFC 6066, section 3); OpenSSL refuses what is malformed
 * when its own turn comes. Returns false where there is none. */
static bool
read_asked_name(SSL *ssl, char out[SL_TLS_NAME_MAX])
{
	const unsigned char *bytes;
	size_t len;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &len) != 1)
		return false;
	/* The list's length in two bytes, the name's kind in one, the name's length in two. */
	if (len < 5 || bytes[2] != TLSEXT_NAMETYPE_host_name)
		return false;
	size_t name_len = (size_t)bytes[3] << 8 | bytes[4];
	return name_len <= len - 5 &&
		sl_tls_name_normalize((const char *)bytes + 5, name_len, false, out) == 0;
}

/* Early, so that the chosen SSL_CTX says too which sessions may resume. */
static int
handle_client_hello(SSL *ssl, int *alert, void *arg)
{
	struct sl_tls_context *context = arg;
	char name[SL_TLS_NAME_MAX];
	size_t group = 0;
	if (read_asked_name(ssl, name) && sl_tls_groups_find(&context->groups, name, &group) &&
			group != 0 && !SSL_set_SSL_CTX(ssl, context->ctxs[group])) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_CLIENT_HELLO_ERROR;
	}
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* Tells the client whether its name counted (RFC 6066, section 3, the server's empty extension). */
static int
handle_server_name(SSL *ssl, int *alert, void *arg)
{
	struct sl_tls_context *context = arg;
	const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	char name[SL_TLS_NAME_MAX];
	size_t group;
	bool is_known = asked && sl_tls_name_normalize(asked, strlen(asked), false, name) == 0 &&
		sl_tls_groups_find(&context->groups, name, &group);
	return is_known ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* Who offers protocols and not ours gets the alert no_application_protocol (RFC 7301, section
 * 3.2). */
static int
handle_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *offered, unsigned offered_len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, offered, offered_len) !=
			OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* Returns as SSL_CTX_set_tlsext_ticket_key_evp_cb(3) says: 1 it is done, 2 and the client gets a new
 * ticket, 0 a full handshake, -1 an error. Clients of TLS 1.3 use each ticket once, so that nobody
 * can tell that two connections are one client's (RFC 8446, appendix C.4). */
static int
handle_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int is_sealing)
{
	struct sl_tls_tickets *tickets = context_of(ssl)->tickets;
	if (is_sealing)
		return sl_tls_tickets_seal(tickets, name, iv, cipher, mac) ? 1 : -1;
	switch (sl_tls_tickets_open(tickets, name, iv, cipher, mac)) {
	case SL_TLS_TICKET_UNKNOWN: return 0;
	case SL_TLS_TICKET_CURRENT: return SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
	case SL_TLS_TICKET_OLD: break;
	}
	return 2;
}

/* ---- making ---- */

static bool
set_policy(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, SL_TLS_TICKET_LIFE_S);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
		SSL_CTX_set_max_proto_version(ctx, 0) == 1 &&
		SSL_CTX_set_cipher_list(ctx, CIPHERS_12) == 1 &&
		SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) == 1 &&
		SSL_CTX_set1_groups_list(ctx, CURVES) == 1 && SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
		SSL_CTX_set_max_early_data(ctx, 0) == 1;
}

static void
set_callbacks(SSL_CTX *ctx, struct sl_tls_context *context)
{
	SSL_CTX_set_app_data(ctx, context);
	SSL_CTX_set_client_hello_cb(ctx, handle_client_hello, context);
	SSL_CTX_set_tlsext_servername_callback(ctx, handle_server_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, context);
	SSL_CTX_set_alpn_select_cb(ctx, handle_protocols, NULL);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, handle_ticket);
}

/* Sessions of a group are told apart by its names, which other gateways and later certificates of
 * the same names share. */
static bool
set_session_names(SSL_CTX *ctx, const struct sl_tls_group *group)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len;
	return EVP_Digest(group->text, strlen(group->text), hash, &len, EVP_sha256(), NULL) == 1 &&
		SSL_CTX_set_session_id_context(ctx, hash, len) == 1;
}

static int
add_pair(SSL_CTX *ctx, const struct sl_tls_pair *pair, const char *path,
	struct sl_tls_error error)
{
	if (SSL_CTX_use_cert_and_key(ctx, pair->leaf, pair->key, pair->chain, 1) == 1)
		return 0;
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	return sl_tls_refuse(error, "--tls-cert %.200s: OpenSSL refuses the certificate (%s); use another "
		"one, such as RSA of 2048 bits or EC on P-256", path,
		reason ? reason : "no reason given");
}

static int
create_ctx(struct sl_tls_context *context, size_t index, const struct sl_text_list *paths,
	struct sl_tls_error error)
{
	const struct sl_tls_group *group = &context->groups.groups[index];
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		return SL_ENOMEM;
	context->ctxs[index] = ctx;
	set_callbacks(ctx, context);
	if (!set_policy(ctx) || !set_session_names(ctx, group))
		return sl_tls_refuse(error, "--tls-listen: OpenSSL lacks a cipher or curve for TLS (%s); use a "
			"build of OpenSSL 3 with the default provider",
			ERR_reason_error_string(ERR_peek_last_error()));
	int err = 0;
	for (size_t i = 0; err == 0 && i < group->count; i++)
		err = add_pair(ctx, &context->pairs[group->members[i]], paths->texts[group->members[i]],
			error);
	return err;
}

static int
read_pairs(struct sl_tls_context *context, const struct sl_config *config,
	struct sl_tls_error error)
{
	size_t count = config->tls_cert.count;
	if (count != config->tls_key.count)
		return sl_tls_refuse(error, "--tls-cert: certificates: %zu, keys (--tls-key): %zu; use one "
			"key for each certificate, in the same order", count, config->tls_key.count);
	if (count == 0 || count > SL_TLS_CERTIFICATES_MAX)
		return sl_tls_refuse(error, "--tls-cert: there are %zu certificates; use 1 to %d",
			count, SL_TLS_CERTIFICATES_MAX);
	context->pairs = calloc(count, sizeof *context->pairs);
	context->certificates = calloc(count, sizeof *context->certificates);
	if (!context->pairs || !context->certificates)
		return SL_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct sl_tls_pair *pair = &context->pairs[i];
		context->count = i + 1;
		int err = sl_tls_pair_read(pair, config->tls_cert.texts[i], config->tls_key.texts[i], error);
		if (err != 0)
			return err;
		context->certificates[i] =
			(struct sl_tls_certificate){ pair->label, pair->kind, pair->expires_s };
	}
	return 0;
}

static int
fill(struct sl_tls_context *context, const struct sl_config *config, struct sl_tls_error error)
{
	int err = read_pairs(context, config, error);
	if (err == 0)
		err = sl_tls_groups_make(&context->groups, context->pairs, context->count);
	if (err != 0)
		return err;
	context->ctxs = calloc(context->groups.count, sizeof(SSL_CTX *));
	if (!context->ctxs)
		return SL_ENOMEM;
	for (size_t i = 0; err == 0 && i < context->groups.count; i++)
		err = create_ctx(context, i, &config->tls_cert, error);
	for (size_t i = 0; err == 0 && i < context->count; i++)
		if (!sl_tls_groups_use(&context->groups, i))
			sl_log(SL_LOG_WARNING, "tls.unused", "file=\"%s\" reason=\"certificates that are "
				"listed before it cover all of its names\"", config->tls_cert.texts[i]);
	return err;
}

int
sl_tls_context_create(struct sl_tls_context **out, const struct sl_config *config,
	struct sl_tls_tickets *tickets, char *error, size_t error_size)
{
	struct sl_tls_context *context = calloc(1, sizeof *context);
	if (!context)
		return SL_ENOMEM;
	context->refs = 1;
	context->tickets = tickets;
	ERR_clear_error();
	int err = fill(context, config, (struct sl_tls_error){ error, error_size });
	ERR_clear_error();
	if (err == 0)
		*out = context;
	else
		sl_tls_context_unref(context);
	return err;
}

struct sl_tls_context *
sl_tls_context_ref(struct sl_tls_context *context)
{
	atomic_fetch_add(&context->refs, 1);
	return context;
}

void
sl_tls_context_unref(struct sl_tls_context *context)
{
	if (!context || atomic_fetch_sub(&context->refs, 1) > 1)
		return;
	for (size_t i = 0; context->ctxs && i < context->groups.count; i++)
		SSL_CTX_free(context->ctxs[i]);
	free(context->ctxs);
	sl_tls_groups_finish(&context->groups);
	for (size_t i = 0; i < context->count; i++)
		sl_tls_pair_finish(&context->pairs[i]);
	free(context->pairs);
	free(context->certificates);
	free(context);
}

/* ---- sessions ---- */

SSL *
sl_tls_context_new_session(struct sl_tls_context *context)
{
	SSL *ssl = SSL_new(context->ctxs[0]);
	if (!ssl)
		return NULL;
	SSL_set_accept_state(ssl);
	sl_tls_context_ref(context);
	return ssl;
}

void
sl_tls_context_free_session(SSL *session)
{
	if (!session)
		return;
	struct sl_tls_context *context = context_of(session);
	SSL_free(session);
	sl_tls_context_unref(context);
}

const struct sl_tls_certificate *
sl_tls_context_certificates(const struct sl_tls_context *context, size_t *count)
{
	*count = context->count;
	return context->certificates;
}
