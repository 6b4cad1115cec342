#include "core/tls_shard.h"

#include <openssl/bio.h>
#include <stdlib.h>
#include <string.h>

#include "core/tls_bytes.h"
#include "util/err.h"
#include "util/metrics.h"

/* ---- OpenSSL's side of the buffers ---- */

static int
on_read(BIO *bio, char *bytes, int len)
{
	struct sl_tls_shard *shard = BIO_get_data(bio);
	size_t count = (size_t)len < shard->in_len ? (size_t)len : shard->in_len;
	BIO_clear_retry_flags(bio);
	if (count == 0 || shard->is_shut_off) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(bytes, shard->in, count);
	shard->in += count;
	shard->in_len -= count;
	shard->current->secure.added_in += count;
	return (int)count;
}

static int
on_write(BIO *bio, const char *bytes, int len)
{
	struct sl_tls_shard *shard = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	sl_buffer_append(&shard->out, bytes, (size_t)len);
	shard->current->secure.added_out += (size_t)len;
	return len; /* whoever sends it asks whether there was memory */
}

static long
on_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO *
open_bio(struct sl_tls_shard *shard)
{
	shard->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "sluice");
	if (!shard->method || !BIO_meth_set_read(shard->method, on_read) ||
			!BIO_meth_set_write(shard->method, on_write) ||
			!BIO_meth_set_ctrl(shard->method, on_control))
		return NULL;
	BIO *bio = BIO_new(shard->method);
	if (!bio)
		return NULL;
	BIO_set_data(bio, shard);
	BIO_set_init(bio, 1);
	return bio;
}

/* ---- life ---- */

int
sl_tls_shard_create(struct sl_tls_shard **out, struct sl_metrics *metrics, uint64_t *pinned_bytes)
{
	struct sl_tls_shard *shard = calloc(1, sizeof *shard);
	if (!shard)
		return SL_ENOMEM;
	shard->metrics = metrics;
	shard->pinned_bytes = pinned_bytes;
	sl_rota_init(&shard->turns);
	shard->bio = open_bio(shard);
	if (!shard->bio) {
		sl_tls_shard_destroy(shard);
		return SL_ENOMEM;
	}
	*out = shard;
	return 0;
}

void
sl_tls_shard_destroy(struct sl_tls_shard *shard)
{
	if (!shard)
		return;
	BIO_free(shard->bio);
	BIO_meth_free(shard->method);
	sl_buffer_finish(&shard->out);
	free(shard);
}

/* ---- the line ---- */

void
sl_tls_shard_queue(struct sl_tls_shard *shard, struct sl_rota_group *client,
	struct sl_tls_turn *turn)
{
	if (sl_tls_shard_is_queued(turn))
		return;
	sl_rota_join(&shard->turns, client, &turn->place);
	sl_metrics_raise_gauge(shard->metrics, SL_GAUGE_TLS_HANDSHAKES_WAITING, 1);
}

void
sl_tls_shard_cancel(struct sl_tls_shard *shard, struct sl_tls_turn *turn)
{
	if (!sl_tls_shard_is_queued(turn))
		return;
	sl_rota_leave(&shard->turns, &turn->place);
	sl_metrics_raise_gauge(shard->metrics, SL_GAUGE_TLS_HANDSHAKES_WAITING, -1);
}

bool
sl_tls_shard_take_steps(struct sl_tls_shard *shard)
{
	for (unsigned i = 0; i < SL_TLS_STEPS_PER_TURN && !sl_rota_is_empty(&shard->turns); i++) {
		struct sl_tls_turn *turn = (struct sl_tls_turn *)sl_rota_get_first(&shard->turns);
		sl_rota_pass(&shard->turns);
		sl_tls_shard_cancel(shard, turn);
		turn->take(turn);
	}
	return !sl_rota_is_empty(&shard->turns);
}
