/* What a TLS client says after its handshake reaches the reader as the same bytes and the same end whether the
 * wire brings it whole or byte by byte, nothing of it waits without an event or a sign, each byte of the
 * wire is counted once, and what is written meanwhile arrives.
 * Input: a byte for the kind of client, one for the lengths of reads, then pairs: what the client does, and
 * how much of it. */
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/socket.h"
#include "core/tls.h"
#include "core/tls_context.h"
#include "core/tls_shard.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/tls_client.h"
#include "util/err.h"
#include "util/metrics.h"

#define MAX_BYTES 200
#define READ_MAX 20000

enum kind { KIND_TLS12, KIND_TLS13, KIND_SEALING, KIND_COUNT };

static struct sl_metrics metrics;
static uint64_t pinned;
static struct sl_tls_shard *shard;
static struct sl_tls_context *context;

struct run {
	enum kind kind;
	size_t read_len;
	struct sl_socket server;
	struct tls_client client;
	struct sl_buffer said;  /* by the client, until it did something wrong */
	bool is_damaged;        /* it did */
	bool has_ended;         /* the client said so, and writes no more records */
	struct sl_buffer heard;
	struct sl_buffer told;  /* committed by the server */
	int end;                /* what reading came to: SL_EAGAIN while it goes on */
	uint64_t counted;
};

/* ---- a connection ---- */

static void
begin(struct run *run)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	enum sl_tls_step step = SL_TLS_WAIT;
	int fds[2];
	FUZZ_EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	sl_socket_init(&run->server, fds[1], &peer);
	FUZZ_EXPECT(sl_tls_start(&run->server, shard, context) == 0);
	tls_client_open(&run->client, fds[0],
		run->kind == KIND_TLS12 ? TLS1_2_VERSION : TLS1_3_VERSION, NULL);
	while (step == SL_TLS_WAIT) {
		tls_client_advance(&run->client);
		tls_client_flush(&run->client);
		step = sl_tls_shake_hands(&run->server);
		tls_client_read(&run->client, SIZE_MAX);
	}
	FUZZ_EXPECT(step == SL_TLS_DONE && run->client.is_established);
	run->client.sent = 0;
	run->end = SL_EAGAIN;
}

static void
finish(struct run *run)
{
	sl_socket_leave(&run->server, false);
	run->counted += sl_socket_take_wire_in(&run->server, 0);
	FUZZ_EXPECT(pinned == 0);
	FUZZ_EXPECT(shard->in_len == 0 && shard->out.len == 0);
	sl_socket_finish(&run->server);
	close(run->client.fd);
	tls_client_close(&run->client);
	sl_buffer_finish(&run->told);
}

/* ---- the client ---- */

static void
say(struct run *run, size_t len)
{
	char text[1000];
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + (run->said.len + i) % 26);
	if (run->kind == KIND_SEALING)
		tls_client_seal(&run->client, SSL3_RT_APPLICATION_DATA, text, len);
	else if (len)
		tls_client_write(&run->client, text, len);
	if (!run->is_damaged)
		sl_buffer_append(&run->said, text, len);
}

static void
damage(struct run *run, size_t at)
{
	struct sl_buffer *out = &run->client.out;
	if (out->len == 0)
		sl_buffer_append(out, &at, sizeof at);
	else
		out->bytes[out->len - 1 - at % 16 % out->len] ^= 1; /* of the last record's tag */
	run->is_damaged = true;
}

static void
act(struct run *run, uint8_t what, uint8_t much)
{
	static const uint8_t types[] = { 20, 21, 22, 23, 24, 0 };
	if (run->has_ended && what % 8 < 6)
		return;
	switch (what % 8) {
	case 0: case 1: case 2:
		say(run, what % 8 == 0 ? much % 3u : what % 8 == 1 ? much : 3u * much);
		break;
	case 3:
		if (run->kind == KIND_TLS13)
			tls_client_update_keys(&run->client, much & 1);
		break;
	case 4:
		if (run->kind == KIND_SEALING) {
			tls_client_seal(&run->client, types[much % sizeof types], "\1\0\0\0\0\0", much / 32);
			run->is_damaged = true; /* perhaps: what follows may or may not count */
		}
		break;
	case 5:
		if (run->kind == KIND_SEALING)
			tls_client_seal(&run->client, SSL3_RT_ALERT, "\1\0", 2);
		else
			tls_client_say_end(&run->client);
		run->has_ended = true;
		break;
	case 6:
		damage(run, much);
		break;
	default:
		sl_buffer_append(&run->client.out, &much, 1); /* no record begins so, or not here */
		run->is_damaged = true;
	}
}

/* ---- the server ---- */

static bool
has_event(const struct run *run)
{
	struct pollfd fd = { .fd = run->server.fd, .events = POLLIN };
	return sl_socket_has_input(&run->server) || poll(&fd, 1, 0) == 1;
}

static void
read_all(struct run *run)
{
	static char bytes[READ_MAX];
	while (run->end == SL_EAGAIN && has_event(run)) {
		ssize_t got = sl_socket_read(&run->server, bytes, run->read_len);
		FUZZ_EXPECT(got != 0);
		run->counted += sl_socket_take_wire_in(&run->server, got > 0 ? (uint64_t)got : 0);
		FUZZ_EXPECT(run->counted <= run->client.sent);
		if (got > 0)
			sl_buffer_append(&run->heard, bytes, (size_t)got);
		else
			run->end = (int)got;
	}
}

static void
tell(struct run *run)
{
	char text[] = "told", more[] = " more";
	struct iovec slices[] = { { text, 4 }, { more, 5 } };
	ssize_t committed = sl_socket_write(&run->server, slices, 2);
	FUZZ_EXPECT(committed == 9 || committed == SL_EIO || committed == SL_ECLOSED);
	if (committed > 0)
		sl_buffer_append_str(&run->told, "told more");
}

/* ---- both ---- */

static void
expect_begins(const struct sl_buffer *whole, const struct sl_buffer *part)
{
	FUZZ_EXPECT(part->len <= whole->len);
	FUZZ_EXPECT(part->len == 0 || memcmp(whole->bytes, part->bytes, part->len) == 0);
}

static void
play(struct run *run, const uint8_t *script, size_t len, bool in_pieces)
{
	begin(run);
	for (size_t i = 0; i + 1 < len; i += 2)
		act(run, script[i], script[i + 1]);
	size_t piece = 1 + run->client.out.len / 500; /* a byte, where that does not take too long */
	while (run->client.out.len && run->end == SL_EAGAIN) {
		size_t all = run->client.out.len < 30000 ? run->client.out.len : 30000;
		tls_client_send(&run->client, in_pieces && piece < all ? piece : all);
		read_all(run);
	}
	if (run->end == SL_EAGAIN) {
		FUZZ_EXPECT(run->counted == run->client.sent);
		tell(run);
	}
	if (!run->is_damaged && metrics.counters[SL_COUNTER_TLS_KEY_UPDATES_REFUSED] == 0 && 
			(run->end == SL_EAGAIN || run->end == SL_ECLOSED))
		FUZZ_EXPECT(run->heard.len == run->said.len);
	if (run->heard.len <= run->said.len)
		expect_begins(&run->said, &run->heard);
	else
		expect_begins(&run->heard, &run->said);
	tls_client_read(&run->client, SIZE_MAX);
	FUZZ_EXPECT(run->told.len == 0 || run->client.has_ended || run->client.got.len == run->told.len ||
		run->kind == KIND_SEALING || run->is_damaged);
	finish(run);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len < 2 || len > MAX_BYTES)
		return 0;
	if (!context) {
		context = tls_context_make();
		FUZZ_EXPECT(sl_tls_shard_create(&shard, &metrics, &pinned) == 0);
	}
	struct run whole = { .kind = bytes[0] % KIND_COUNT, .read_len = bytes[1] ? bytes[1] * 3u : READ_MAX };
	struct run pieces = whole;
	memset(&metrics, 0, sizeof metrics);
	play(&whole, bytes + 2, len - 2, false);
	memset(&metrics, 0, sizeof metrics);
	play(&pieces, bytes + 2, len - 2, true);
	FUZZ_EXPECT(whole.end == pieces.end);
	FUZZ_EXPECT(whole.heard.len == pieces.heard.len);
	expect_begins(&whole.heard, &pieces.heard);
	sl_buffer_finish(&whole.said);
	sl_buffer_finish(&whole.heard);
	sl_buffer_finish(&pieces.said);
	sl_buffer_finish(&pieces.heard);
	return 0;
}
