#include "core/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "core/tls_bytes.h"
#include "core/tls_context.h"
#include "core/tls_shard.h"
#include "util/err.h"

static struct sl_tls *
get_tls(const struct sl_socket *socket)
{
	return (struct sl_tls *)socket->secure;
}

/* ---- reading ---- */

/* Called as OpenSSL goes from one state to the next. */
static void
on_state(const SSL *ssl, int where, int result)
{
	struct sl_tls_shard *shard = BIO_get_data(SSL_get_rbio(ssl));
	(void)result;
	if (!(where & SSL_CB_LOOP) || SSL_get_state(ssl) != TLS_ST_SR_KEY_UPDATE)
		return;
	/* Each costs two new keys and an answer; one read may bring six hundred. */
	if (++shard->current->key_updates > SL_TLS_KEY_UPDATES)
		shard->is_shut_off = true;
}

static void
note_end(struct sl_tls *tls, int result)
{
	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		tls->secure.has_input = false;
		break;
	case SSL_ERROR_ZERO_RETURN:
		tls->secure.has_left = true;
		break;
	default:
		tls->is_broken = true;
	}
}

/* Decrypts what is here, up to `len` bytes and `records_max` records. */
static size_t
drain(struct sl_tls *tls, char *bytes, size_t len)
{
	const uint32_t most_records = tls->secure.records_max ? tls->secure.records_max : UINT32_MAX;
	size_t total = 0;
	tls->secure.has_input = true;
	for (tls->secure.records = 0; total < len && tls->secure.records < most_records;) {
		int most = len - total < INT32_MAX ? (int)(len - total) : INT32_MAX;
		int got = SSL_read(sl_tls_bytes_take_up(tls), bytes + total, most);
		if (got <= 0) {
			note_end(tls, got);
			break;
		}
		total += (size_t)got;
		tls->secure.records++;
		tls->idle_bytes = tls->key_updates = 0;
		/* It has read this record and not a byte behind it: to ask once more would say no more, and
		 * cost as much as the record. */
		if (tls->shard->in_len == 0 && !SSL_has_pending(tls->ssl)) {
			tls->secure.has_input = false;
			break;
		}
	}
	tls->secure.uncounted_in -= (int64_t)total;
	tls->secure.added_in -= total;
	return total;
}

static void
judge_idle(struct sl_tls *tls)
{
	struct sl_metrics *metrics = tls->shard->metrics;
	if (tls->is_broken)
		return;
	if (tls->key_updates > SL_TLS_KEY_UPDATES)
		sl_metrics_add(metrics, SL_COUNTER_TLS_KEY_UPDATES_REFUSED, 1);
	else if (tls->idle_bytes > SL_TLS_IDLE_BYTES)
		sl_metrics_add(metrics, SL_COUNTER_PROTOCOL_ERRORS, 1);
	else
		return;
	tls->is_broken = true;
}

static ssize_t
tls_read(struct sl_socket *socket, void *bytes, size_t len)
{
	struct sl_tls *tls = get_tls(socket);
	if (!tls->is_established)
		return SL_EAGAIN;
	if (tls->is_broken || tls->secure.has_left)
		return tls->is_broken ? SL_EIO : SL_ECLOSED;
	ssize_t filled = sl_tls_bytes_fill(socket, tls);
	if (filled < 0)
		return filled;
	size_t got = drain(tls, bytes, len);
	judge_idle(tls);
	if (sl_tls_bytes_keep(tls) != 0)
		tls->is_broken = true;
	int sent = sl_tls_bytes_send(socket, tls); /* answers to KeyUpdate, alerts */
	if (sent < 0 && sent != SL_EAGAIN)
		tls->is_broken = true;
	tls->secure.has_input |= tls->is_broken; /* the next read says so */
	if (got > 0)
		return (ssize_t)got;
	if (tls->is_broken)
		return SL_EIO;
	return tls->secure.has_left ? SL_ECLOSED : SL_EAGAIN;
}

static ssize_t
tls_discard(struct sl_socket *socket, void *scratch, size_t len)
{
	struct sl_tls *tls = get_tls(socket);
	if (tls->is_established && !tls->is_broken && !tls->has_shut)
		return tls_read(socket, scratch, len);
	/* Nothing that still comes is of any use. */
	tls->secure.has_input = false;
	sl_buffer_finish(&tls->unread);
	sl_tls_bytes_pin(tls);
	return tls->below->discard(socket, scratch, len);
}

/* ---- writing ---- */

/* Where in the slices writing has got to. */
struct place {
	const struct iovec *slices;
	int count;
	size_t at; /* in the first */
};

static void
advance(struct place *place, size_t len)
{
	place->at += len;
	while (place->count && place->at >= place->slices->iov_len) {
		place->at -= place->slices->iov_len;
		place->slices++;
		place->count--;
	}
}

/* The next record's bytes: where they stand, or copied together. */
static const char *
gather(char *buffer, const struct place *place, size_t *len)
{
	struct place from = *place;
	const char *first = (const char *)from.slices->iov_base + from.at;
	size_t first_len = from.slices->iov_len - from.at;
	*len = first_len < SL_TLS_RECORD ? first_len : SL_TLS_RECORD;
	if (from.count == 1 || first_len >= SL_TLS_RECORD)
		return first;
	for (*len = 0; from.count && *len < SL_TLS_RECORD;) {
		size_t piece = from.slices->iov_len - from.at;
		piece = piece < SL_TLS_RECORD - *len ? piece : SL_TLS_RECORD - *len;
		memcpy(buffer + *len, (const char *)from.slices->iov_base + from.at, piece);
		*len += piece;
		advance(&from, piece);
	}
	return buffer;
}

static ssize_t
tls_write(struct sl_socket *socket, const struct iovec *slices, int count)
{
	struct sl_tls *tls = get_tls(socket);
	struct place place = { slices, count, 0 };
	ssize_t committed = 0;
	if (!tls->is_established || tls->is_broken || tls->has_shut)
		return SL_EIO;
	int err = sl_tls_bytes_push(socket, tls);
	advance(&place, 0); /* past empty ones */
	while (err == 0 && place.count) {
		size_t len;
		const char *bytes = gather(tls->shard->plaintext, &place, &len);
		int written = SSL_write(sl_tls_bytes_take_up(tls), bytes, (int)len);
		if (written <= 0)
			tls->is_broken = true;
		err = sl_tls_bytes_send(socket, tls);
		if (written <= 0)
			return SL_EIO;
		committed += written;
		tls->secure.added_out -= (size_t)written;
		advance(&place, (size_t)written);
	}
	return err == 0 || (err == SL_EAGAIN && committed) ? committed : err;
}

static int
tls_push(struct sl_socket *socket)
{
	return sl_tls_bytes_push(socket, get_tls(socket));
}

/* ---- the end ---- */

static int
tls_shut(struct sl_socket *socket)
{
	struct sl_tls *tls = get_tls(socket);
	int err = 0;
	if (tls->is_established && !tls->is_broken && !tls->has_shut) {
		tls->has_shut = true;
		SSL_shutdown(sl_tls_bytes_take_up(tls));
		err = sl_tls_bytes_send(socket, tls);
	} else {
		err = sl_tls_bytes_push(socket, tls);
	}
	return err == SL_EAGAIN ? SL_EAGAIN : tls->below->shut(socket);
}

static void
tls_leave(struct sl_socket *socket, bool aborts)
{
	struct sl_tls *tls = get_tls(socket);
	if (!aborts && tls->is_established && !tls->is_broken && !tls->has_shut && !tls->unsent.len) {
		SSL_shutdown(sl_tls_bytes_take_up(tls));
		sl_tls_bytes_send(socket, tls);
	}
	tls->is_broken = true;
	sl_buffer_finish(&tls->unread);
	sl_buffer_finish(&tls->unsent);
	sl_tls_bytes_pin(tls);
}

static void
tls_finish(struct sl_socket *socket)
{
	struct sl_tls *tls = get_tls(socket);
	tls_leave(socket, true);
	socket->ops = tls->below;
	socket->secure = NULL;
	sl_tls_context_free_session(tls->ssl);
	free(tls);
}

static const struct sl_socket_ops tls_ops = {
	.read = tls_read,
	.discard = tls_discard,
	.write = tls_write,
	.push = tls_push,
	.shut = tls_shut,
	.leave = tls_leave,
	.finish = tls_finish,
};

/* ---- the handshake ---- */

int
sl_tls_start(struct sl_socket *socket, struct sl_tls_shard *shard, struct sl_tls_context *context)
{
	struct sl_tls *tls = calloc(1, sizeof *tls);
	SSL *ssl = tls ? sl_tls_context_new_session(context) : NULL;
	if (!ssl) {
		free(tls);
		return SL_ENOMEM;
	}
	/* One for reading, one for writing. */
	BIO_up_ref(shard->bio);
	BIO_up_ref(shard->bio);
	SSL_set0_rbio(ssl, shard->bio);
	SSL_set0_wbio(ssl, shard->bio);
	SSL_set_read_ahead(ssl, 0);
	SSL_set_info_callback(ssl, on_state);
	*tls = (struct sl_tls){
		.below = socket->ops,
		.shard = shard,
		.ssl = ssl,
	};
	socket->ops = &tls_ops;
	socket->secure = &tls->secure;
	return 0;
}

int
sl_tls_feed(struct sl_socket *socket, const char *bytes, size_t len)
{
	struct sl_tls *tls = get_tls(socket);
	sl_buffer_append(&tls->unread, bytes, len);
	sl_tls_bytes_pin(tls);
	return sl_buffer_status(&tls->unread);
}

static enum sl_tls_step
fail(struct sl_tls *tls, const char *why)
{
	tls->is_broken = true;
	tls->failure = why;
	if (why)
		sl_metrics_add(tls->shard->metrics, SL_COUNTER_TLS_HANDSHAKES_FAILED, 1);
	return SL_TLS_FAILED;
}

/* RFC 9110, section 9.1: a method's name; a record of a handshake begins with 22. */
static bool
looks_like_http(const struct sl_tls_shard *shard)
{
	return (shard->in[0] >= 'A' && shard->in[0] <= 'Z') || (shard->in[0] >= 'a' && shard->in[0] <= 'z');
}

static void
establish(struct sl_tls *tls)
{
	bool is_resumed = SSL_session_reused(tls->ssl);
	sl_metrics_add(tls->shard->metrics,
		is_resumed ? SL_COUNTER_TLS_HANDSHAKES_RESUMED : SL_COUNTER_TLS_HANDSHAKES_FULL, 1);
	tls->is_established = true;
	tls->secure.handshake_in = (uint32_t)tls->secure.added_in;
	tls->secure.handshake_out = (uint32_t)tls->secure.added_out;
	tls->secure.has_input = true; /* perhaps: a first read finds out */
	tls->secure.uncounted_in = (int64_t)tls->unread.len;
	tls->idle_bytes = 0;
}

enum sl_tls_step
sl_tls_shake_hands(struct sl_socket *socket)
{
	struct sl_tls *tls = get_tls(socket);
	ssize_t got = sl_tls_bytes_fill(socket, tls);
	if (got == SL_EAGAIN)
		return SL_TLS_WAIT;
	if (got < 0)
		return fail(tls, tls->has_begun ? "the client has left" : NULL);
	if (!tls->has_begun && looks_like_http(tls->shard)) {
		sl_metrics_add(tls->shard->metrics, SL_COUNTER_TLS_PLAIN_HTTP, 1);
		return SL_TLS_PLAIN_HTTP;
	}
	tls->has_begun = true;
	int result = SSL_do_handshake(sl_tls_bytes_take_up(tls));
	int error = SSL_get_error(tls->ssl, result);
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	sl_tls_bytes_count_handshake(tls, SL_COUNTER_TLS_HANDSHAKE_BYTES_IN, SL_CLASS_WIRE_BYTES_IN,
		(size_t)got - tls->shard->in_len);
	int err = sl_tls_bytes_keep(tls), sent = sl_tls_bytes_send(socket, tls);
	if (err != 0 || (sent < 0 && sent != SL_EAGAIN))
		return fail(tls, err != 0 ? sl_strerror(err) : "the client has left");
	if (result != 1 && error != SSL_ERROR_WANT_READ)
		return fail(tls, reason ? reason : "the client's handshake ended early");
	if (result != 1 && tls->idle_bytes > SL_TLS_IDLE_BYTES)
		return fail(tls, "the client's handshake is too long");
	if (result != 1)
		return SL_TLS_WAIT;
	establish(tls);
	return SL_TLS_DONE;
}

size_t
sl_tls_stop(struct sl_socket *socket, char *bytes)
{
	struct sl_tls_shard *shard = get_tls(socket)->shard;
	size_t len = shard->in_len;
	memcpy(bytes, shard->in, len);
	shard->in_len = 0;
	tls_finish(socket);
	return len;
}

const char *
sl_tls_get_failure(const struct sl_socket *socket)
{
	return get_tls(socket)->failure;
}
