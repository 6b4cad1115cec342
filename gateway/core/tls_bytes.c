#include "core/tls_bytes.h"

#include <openssl/err.h>

#include "core/tls_shard.h"
#include "util/err.h"

/* OpenSSL's queue of errors is the thread's: what another connection left would be taken for ours. */
struct ssl_st *
sl_tls_bytes_take_up(struct sl_tls *tls)
{
	tls->shard->current = tls;
	ERR_clear_error();
	return tls->ssl;
}

/* ---- what is counted ---- */

void
sl_tls_bytes_pin(struct sl_tls *tls)
{
	uint32_t pinned = (uint32_t)(tls->unread.len + tls->unsent.len);
	*tls->shard->pinned_bytes += (uint64_t)pinned - tls->pinned;
	tls->pinned = pinned;
	tls->secure.unsent_bytes = (uint32_t)tls->unsent.len;
}

void
sl_tls_bytes_count_handshake(struct sl_tls *tls, enum sl_counter counter, enum sl_class_counter wire, size_t len)
{
	sl_metrics_add(tls->shard->metrics, counter, len);
	sl_metrics_add_class(tls->shard->metrics, SL_CLASS_HTTP, wire, len);
}

static void
count_out(struct sl_tls *tls, size_t len)
{
	if (!tls->is_established) {
		sl_tls_bytes_count_handshake(tls, SL_COUNTER_TLS_HANDSHAKE_BYTES_OUT, SL_CLASS_WIRE_BYTES_OUT, len);
		return;
	}
	tls->secure.uncounted_out += len;
	tls->secure.uncounted_sends++;
}

/* ---- ciphertext ---- */

ssize_t
sl_tls_bytes_fill(struct sl_socket *socket, struct sl_tls *tls)
{
	struct sl_tls_shard *shard = tls->shard;
	shard->is_shut_off = false;
	shard->in_len = 0;
	if (tls->unread.len) {
		shard->in = tls->unread.bytes;
		shard->in_len = tls->unread.len;
		return (ssize_t)shard->in_len;
	}
	if (tls->secure.has_input) /* all of it is OpenSSL's already */
		return 0;
	ssize_t got = tls->below->read(socket, shard->ciphertext, sizeof shard->ciphertext);
	if (got < 0)
		return got;
	shard->in = shard->ciphertext;
	shard->in_len = (size_t)got;
	tls->idle_bytes += (uint32_t)got;
	if (tls->is_established)
		tls->secure.uncounted_in += got;
	return got;
}

int
sl_tls_bytes_keep(struct sl_tls *tls)
{
	struct sl_tls_shard *shard = tls->shard;
	if (tls->unread.len)
		sl_buffer_consume(&tls->unread, tls->unread.len - shard->in_len);
	else
		sl_buffer_append(&tls->unread, shard->in, shard->in_len);
	int err = sl_buffer_status(&tls->unread);
	if (tls->unread.len == 0)
		sl_buffer_finish(&tls->unread);
	shard->in_len = 0;
	sl_tls_bytes_pin(tls);
	return err;
}

static ssize_t
send_bytes(struct sl_socket *socket, struct sl_tls *tls, char *bytes, size_t len)
{
	struct iovec slice = { bytes, len };
	ssize_t sent = tls->below->write(socket, &slice, 1);
	if (sent > 0)
		count_out(tls, (size_t)sent);
	return sent;
}

int
sl_tls_bytes_push(struct sl_socket *socket, struct sl_tls *tls)
{
	ssize_t sent = 0;
	if (tls->unsent.len == 0)
		return 0;
	sent = send_bytes(socket, tls, tls->unsent.bytes, tls->unsent.len);
	if (sent < 0)
		return (int)sent;
	sl_buffer_consume(&tls->unsent, (size_t)sent);
	if (tls->unsent.len == 0)
		sl_buffer_finish(&tls->unsent);
	sl_tls_bytes_pin(tls);
	return tls->unsent.len ? SL_EAGAIN : 0;
}

int
sl_tls_bytes_send(struct sl_socket *socket, struct sl_tls *tls)
{
	struct sl_buffer *out = &tls->shard->out;
	ssize_t sent = 0;
	int err = sl_buffer_status(out);
	if (err == 0 && out->len && tls->unsent.len == 0)
		sent = send_bytes(socket, tls, out->bytes, out->len);
	if (sent < 0 && sent != SL_EAGAIN)
		err = (int)sent;
	size_t done = sent > 0 ? (size_t)sent : 0;
	if (err == 0 && tls->unsent.len + (out->len - done) > SL_TLS_UNSENT_BYTES)
		err = SL_EIO; /* a client that reads nothing has us answer it again and again */
	if (err == 0 && done < out->len)
		sl_buffer_append(&tls->unsent, out->bytes + done, out->len - done);
	if (err == 0)
		err = sl_buffer_status(&tls->unsent);
	if (sl_buffer_status(out) != 0)
		sl_buffer_finish(out);
	sl_buffer_clear(out);
	sl_tls_bytes_pin(tls);
	if (err != 0)
		return err == SL_ECLOSED ? SL_ECLOSED : SL_EIO;
	return tls->unsent.len ? SL_EAGAIN : 0;
}
