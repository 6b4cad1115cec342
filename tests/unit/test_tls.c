#include "core/tls.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/socket.h"
#include "core/tls_context.h"
#include "core/tls_shard.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/tls_client.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/metrics.h"

#define TLS12 TLS1_2_VERSION
#define TLS13 TLS1_3_VERSION

/* A socket of the gateway and its client. */
static struct sl_metrics metrics;
static uint64_t pinned;
static struct sl_tls_shard *shard;
static struct sl_tls_context *context;
static struct sl_socket server;
static struct tls_client client;
static int client_fd;
static char large[200000];

static void
begin_with(int version, SSL_SESSION *session)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	int fds[2];
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	client_fd = fds[0];
	sl_socket_init(&server, fds[1], &peer);
	memset(&metrics, 0, sizeof metrics);
	pinned = 0;
	CU_ASSERT_EQUAL_FATAL(sl_tls_shard_create(&shard, &metrics, &pinned), 0);
	if (!context)
		context = tls_context_make();
	CU_ASSERT_EQUAL_FATAL(sl_tls_start(&server, shard, context), 0);
	tls_client_open(&client, client_fd, version, session);
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (char)('a' + i % 23);
}

static enum sl_tls_step
shake_hands(void)
{
	enum sl_tls_step step = SL_TLS_WAIT;
	while (step == SL_TLS_WAIT) {
		tls_client_advance(&client);
		if (client.out.len == 0)
			break;
		tls_client_flush(&client);
		step = sl_tls_shake_hands(&server);
		tls_client_read(&client, sizeof large);
	}
	return step;
}

static uint64_t
count(enum sl_counter counter)
{
	return metrics.counters[counter];
}

static void
begin(int version)
{
	begin_with(version, NULL);
	CU_ASSERT_EQUAL_FATAL(shake_hands(), SL_TLS_DONE);
	CU_ASSERT_TRUE_FATAL(client.is_established);
	char byte;
	CU_ASSERT_EQUAL(sl_socket_read(&server, &byte, 1), SL_EAGAIN); /* nothing came behind it */
	CU_ASSERT_FALSE(sl_socket_has_input(&server));
}

/* Whatever happened, nothing is left behind, and both ends count the same. */
static void
end(void)
{
	sl_socket_leave(&server, false);
	CU_ASSERT_EQUAL(pinned, 0);
	tls_client_read(&client, sizeof large * 10);
	sl_socket_finish(&server);
	CU_ASSERT_FALSE(sl_socket_is_secure(&server));
	tls_client_close(&client);
	close(client_fd);
	sl_tls_shard_destroy(shard);
}

static void
say(const char *text)
{
	tls_client_write(&client, text, strlen(text));
}

/* One read, as text. */
static const char *
hear(size_t most)
{
	static char text[70000];
	ssize_t got = sl_socket_read(&server, text, most);
	if (got < 0)
		return got == SL_EAGAIN ? "EAGAIN" : got == SL_ECLOSED ? "ECLOSED" : "EIO";
	text[got] = '\0';
	return text;
}

static ssize_t
tell(const char *text)
{
	struct iovec slice = { .iov_len = strlen(text) };
	memcpy(&slice.iov_base, &text, sizeof text);
	return sl_socket_write(&server, &slice, 1);
}

/* ---- handshakes ---- */

static void
check_handshake(int version)
{
	SSL_SESSION *session;
	begin(version);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKES_FULL), 1);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKE_BYTES_IN), client.sent);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKE_BYTES_OUT), client.received);
	CU_ASSERT_EQUAL(metrics.classes[SL_CLASS_HTTP][SL_CLASS_WIRE_BYTES_IN], client.sent);
	CU_ASSERT_EQUAL(metrics.classes[SL_CLASS_HTTP][SL_CLASS_WIRE_BYTES_OUT], client.received);
	CU_ASSERT_EQUAL(server.secure->uncounted_out, 0);
	session = client.session;
	CU_ASSERT_PTR_NOT_NULL_FATAL(session);
	SSL_SESSION_up_ref(session);
	end();
	begin_with(version, session);
	CU_ASSERT_EQUAL(shake_hands(), SL_TLS_DONE);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKES_FULL), 0);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKES_RESUMED), 1);
	SSL_SESSION_free(session);
	end();
}

static void
test_tls_shakes_hands_and_resumes(void)
{
	check_handshake(TLS13);
	check_handshake(TLS12);
}

static void
check_one_byte_at_a_time(int version)
{
	enum sl_tls_step step = SL_TLS_WAIT;
	begin_with(version, NULL);
	tls_client_advance(&client);
	while (step == SL_TLS_WAIT && client.out.len) {
		tls_client_send(&client, 1);
		step = sl_tls_shake_hands(&server);
		tls_client_read(&client, sizeof large);
	}
	CU_ASSERT_EQUAL(step, SL_TLS_DONE);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKE_BYTES_IN), client.sent);
	say("hello");
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "EAGAIN"); /* what lies here is asked for first */
	CU_ASSERT_STRING_EQUAL(hear(100), "hello");
	end();
}

static void
test_tls_handshake_may_come_byte_by_byte(void)
{
	check_one_byte_at_a_time(TLS13);
	check_one_byte_at_a_time(TLS12);
}

static void
test_tls_data_may_come_with_the_end_of_the_handshake(void)
{
	begin_with(TLS13, NULL);
	tls_client_advance(&client);
	tls_client_flush(&client);
	CU_ASSERT_EQUAL(sl_tls_shake_hands(&server), SL_TLS_WAIT);
	tls_client_read(&client, sizeof large);
	size_t finished = client.out.len;
	say("GET / ");
	size_t data = client.out.len - finished;
	tls_client_flush(&client);
	CU_ASSERT_EQUAL(sl_tls_shake_hands(&server), SL_TLS_DONE);
	CU_ASSERT_TRUE(sl_socket_has_input(&server));
	CU_ASSERT_EQUAL(pinned, data);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKE_BYTES_IN), client.sent - data);
	CU_ASSERT_STRING_EQUAL(hear(100), "GET / ");
	CU_ASSERT_EQUAL(pinned, 0);
	CU_ASSERT_EQUAL(sl_socket_take_wire_in(&server, 6), data);
	CU_ASSERT_FALSE(sl_socket_has_input(&server));
	end();
}

static void
test_tls_bytes_that_were_read_before_are_fed(void)
{
	begin_with(TLS13, NULL);
	tls_client_advance(&client);
	CU_ASSERT_EQUAL(sl_tls_feed(&server, client.out.bytes, client.out.len), 0);
	sl_buffer_clear(&client.out);
	CU_ASSERT_EQUAL(sl_tls_shake_hands(&server), SL_TLS_WAIT);
	tls_client_read(&client, sizeof large);
	CU_ASSERT_EQUAL(shake_hands(), SL_TLS_DONE);
	end();
}

static void
test_tls_plain_http_is_given_back(void)
{
	static char bytes[SL_TLS_INPUT];
	static const char request[] = "GET / HTTP/1.1\r\n\r\n";
	begin_with(TLS13, NULL);
	CU_ASSERT_EQUAL(send(client_fd, request, strlen(request), 0), (ssize_t)strlen(request));
	CU_ASSERT_EQUAL(sl_tls_shake_hands(&server), SL_TLS_PLAIN_HTTP);
	CU_ASSERT_EQUAL(sl_tls_stop(&server, bytes), strlen(request));
	CU_ASSERT_EQUAL(memcmp(bytes, request, strlen(request)), 0);
	CU_ASSERT_FALSE(sl_socket_is_secure(&server));
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_PLAIN_HTTP), 1);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKES_FAILED), 0);
	CU_ASSERT_EQUAL(metrics.classes[SL_CLASS_HTTP][SL_CLASS_WIRE_BYTES_IN], 0); /* not yet */
	CU_ASSERT_EQUAL(tell("clear"), 5);
	CU_ASSERT_EQUAL(recv(client_fd, bytes, sizeof bytes, 0), 5);
	end();
}

static void
test_tls_what_is_neither_fails_with_an_alert(void)
{
	char bytes[64];
	begin_with(TLS13, NULL);
	CU_ASSERT_EQUAL(send(client_fd, "\x16\x03\x01\0\x05hello", 10, 0), 10);
	CU_ASSERT_EQUAL(sl_tls_shake_hands(&server), SL_TLS_FAILED);
	CU_ASSERT_PTR_NOT_NULL(sl_tls_get_failure(&server));
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKES_FAILED), 1);
	ssize_t got = recv(client_fd, bytes, sizeof bytes, 0);
	CU_ASSERT_TRUE(got >= 7);
	CU_ASSERT_EQUAL(bytes[0], SSL3_RT_ALERT);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKE_BYTES_OUT), (uint64_t)got);
	/* From here on it only ends. */
	CU_ASSERT_EQUAL(send(client_fd, "more", 4, 0), 4);
	CU_ASSERT_EQUAL(sl_socket_discard(&server, bytes, sizeof bytes), 4);
	CU_ASSERT_EQUAL(tell("text"), SL_EIO);
	CU_ASSERT_EQUAL(sl_socket_shut(&server), 0);
	CU_ASSERT_EQUAL(recv(client_fd, bytes, sizeof bytes, 0), 0);
	end();
}

static void
test_tls_client_that_says_nothing_has_not_failed(void)
{
	begin_with(TLS13, NULL);
	CU_ASSERT_EQUAL(sl_tls_shake_hands(&server), SL_TLS_WAIT);
	shutdown(client_fd, SHUT_WR);
	CU_ASSERT_EQUAL(sl_tls_shake_hands(&server), SL_TLS_FAILED);
	CU_ASSERT_PTR_NULL(sl_tls_get_failure(&server));
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKES_FAILED), 0);
	end();
	begin_with(TLS13, NULL);
	tls_client_advance(&client);
	tls_client_send(&client, 20);
	CU_ASSERT_EQUAL(sl_tls_shake_hands(&server), SL_TLS_WAIT);
	shutdown(client_fd, SHUT_WR);
	CU_ASSERT_EQUAL(sl_tls_shake_hands(&server), SL_TLS_FAILED);
	CU_ASSERT_STRING_EQUAL(sl_tls_get_failure(&server), "the client has left");
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKES_FAILED), 1);
	end();
}

/* A ClientHello of 100 KB, in records of 16 KB. */
static void
test_tls_handshake_has_a_limit_of_bytes(void)
{
	static char record[5 + 16384];
	enum sl_tls_step step = SL_TLS_WAIT;
	unsigned sent = 0;
	begin_with(TLS13, NULL);
	memcpy(record, "\x16\x03\x01\x40\x00", 5);
	memcpy(record + 5, "\x01\x01\x86\xa0\x03\x03", 6);
	for (; step == SL_TLS_WAIT && sent < 6; sent++) {
		CU_ASSERT_EQUAL(send(client_fd, record, sizeof record, 0), sizeof record);
		step = sl_tls_shake_hands(&server);
	}
	CU_ASSERT_EQUAL(step, SL_TLS_FAILED);
	CU_ASSERT_STRING_EQUAL(sl_tls_get_failure(&server), "the client's handshake is too long");
	CU_ASSERT_EQUAL(sent, 4);
	end();
}

/* ---- reading ---- */

static void
test_tls_two_texts_in_one_record_and_one_in_three(void)
{
	begin(TLS13);
	say("onetwo");
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(3), "one");
	CU_ASSERT_TRUE(sl_socket_has_input(&server)); /* of which no event will tell */
	CU_ASSERT_STRING_EQUAL(hear(100), "two");
	CU_ASSERT_FALSE(sl_socket_has_input(&server));
	say("th");
	say("re");
	say("e");
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "three");
	CU_ASSERT_STRING_EQUAL(hear(100), "EAGAIN");
	CU_ASSERT_EQUAL(sl_socket_take_wire_in(&server, 11), 11 + 4 * 22);
	end();
}

/* More than is asked for at once waits, and counts as held. */
static void
test_tls_what_is_not_asked_for_waits(void)
{
	begin(TLS13);
	for (int i = 0; i < 10; i++)
		say("0123456789");
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(15), "012345678901234");
	CU_ASSERT_EQUAL(pinned, 8 * 32); /* two records are with OpenSSL */
	CU_ASSERT_STRING_EQUAL(hear(15), "567890123456789");
	CU_ASSERT_STRING_EQUAL(hear(50), "01234567890123456789012345678901234567890123456789");
	CU_ASSERT_EQUAL(pinned, 2 * 32);
	CU_ASSERT_TRUE(sl_socket_has_input(&server));
	CU_ASSERT_STRING_EQUAL(hear(50), "01234567890123456789");
	CU_ASSERT_FALSE(sl_socket_has_input(&server));
	CU_ASSERT_EQUAL(sl_socket_take_wire_in(&server, 100), 320);
	end();
}

static void
test_tls_records_of_one_byte_each_sent_byte_by_byte(void)
{
	char all[27] = "";
	begin(TLS13);
	for (char c = 'a'; c <= 'z'; c++)
		tls_client_write(&client, &c, 1);
	while (client.out.len) {
		tls_client_send(&client, 1);
		const char *heard = hear(100);
		if (strcmp(heard, "EAGAIN") != 0)
			strcat(all, heard);
		CU_ASSERT_FALSE(sl_socket_has_input(&server));
	}
	CU_ASSERT_STRING_EQUAL(all, "abcdefghijklmnopqrstuvwxyz");
	CU_ASSERT_EQUAL(pinned, 0);
	end();
}

/* What was counted of a record before its bytes are read is not counted again. */
static void
test_tls_each_byte_of_the_wire_is_counted_once(void)
{
	uint64_t sent_before, counted = 0;
	begin(TLS13);
	sent_before = client.sent;
	tls_client_write(&client, large, 16000);
	tls_client_send(&client, 10000);
	CU_ASSERT_STRING_EQUAL(hear(20000), "EAGAIN");
	counted += sl_socket_take_wire_in(&server, 0);
	CU_ASSERT_EQUAL(counted, 10000);
	tls_client_flush(&client);
	CU_ASSERT_EQUAL(strlen(hear(20000)), 16000);
	counted += sl_socket_take_wire_in(&server, 500);
	CU_ASSERT_EQUAL(counted, 10000); /* 15,500 of them are with the reader still */
	counted += sl_socket_take_wire_in(&server, 15500);
	CU_ASSERT_EQUAL(counted, client.sent - sent_before);
	end();
}

static void
test_tls_close_notify_is_the_end_behind_what_was_said(void)
{
	begin(TLS13);
	say("last words");
	tls_client_say_end(&client);
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(4), "last");
	CU_ASSERT_STRING_EQUAL(hear(100), " words");
	CU_ASSERT_TRUE(server.secure->has_left);
	CU_ASSERT_TRUE(sl_socket_has_input(&server)); /* the end itself */
	CU_ASSERT_STRING_EQUAL(hear(100), "ECLOSED");
	CU_ASSERT_EQUAL(tell("an answer"), 9); /* only its own side is shut */
	tls_client_read(&client, sizeof large);
	CU_ASSERT_STRING_EQUAL(tls_client_take(&client), "an answer");
	end();
	CU_ASSERT_EQUAL(count(SL_COUNTER_PROTOCOL_ERRORS), 0);
}

static void
test_tls_peer_that_goes_without_a_word_is_closed(void)
{
	begin(TLS13);
	say("half of ");
	tls_client_flush(&client);
	shutdown(client_fd, SHUT_WR);
	CU_ASSERT_STRING_EQUAL(hear(100), "half of ");
	CU_ASSERT_STRING_EQUAL(hear(100), "ECLOSED");
	end();
}

static void
test_tls_altered_record_ends_the_connection_with_an_alert(void)
{
	begin(TLS13);
	say("good");
	size_t good = client.out.len;
	say("altered");
	client.out.bytes[good + 8] ^= 1;
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "good");
	CU_ASSERT_TRUE(sl_socket_has_input(&server));
	CU_ASSERT_STRING_EQUAL(hear(100), "EIO");
	tls_client_read(&client, sizeof large);
	CU_ASSERT_EQUAL(client.alert, SSL_AD_BAD_RECORD_MAC);
	CU_ASSERT_EQUAL(tell("text"), SL_EIO);
	end();
}

static void
seal(const char *text)
{
	tls_client_seal(&client, SSL3_RT_APPLICATION_DATA, text, strlen(text));
}

static void
test_tls_records_of_no_bytes_have_a_limit(void)
{
	begin(TLS13);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 32; i++)
			seal("");
		seal("data");
		tls_client_flush(&client);
		CU_ASSERT_STRING_EQUAL(hear(100), "data");
	}
	for (int i = 0; i < 33; i++)
		seal("");
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "EIO");
	end();
}

static void
test_tls_warnings_without_end_are_refused(void)
{
	static const char warning[] = { 1, SSL_AD_USER_CANCELLED };
	begin(TLS13);
	for (int i = 0; i < 20; i++)
		tls_client_seal(&client, SSL3_RT_ALERT, warning, sizeof warning);
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "EIO");
	end();
}

/* ---- keys ---- */

static void
test_tls_keys_may_change_while_data_comes(void)
{
	begin(TLS13);
	for (int i = 0; i < 3 * SL_TLS_KEY_UPDATES; i++) {
		tls_client_update_keys(&client, true);
		if (i % SL_TLS_KEY_UPDATES == 0)
			say("x");
		tls_client_flush(&client);
		CU_ASSERT_STRING_EQUAL(hear(100), i % SL_TLS_KEY_UPDATES == 0 ? "x" : "EAGAIN");
		tls_client_read(&client, sizeof large);
	}
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_KEY_UPDATES_REFUSED), 0);
	CU_ASSERT_EQUAL(tell("still here"), 10);
	tls_client_read(&client, sizeof large);
	CU_ASSERT_STRING_EQUAL(tls_client_take(&client), "still here");
	end();
}

static void
test_tls_flood_of_key_updates_is_refused(void)
{
	begin(TLS13);
	for (int i = 0; i < 600; i++)
		tls_client_update_keys(&client, false);
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "EIO");
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_KEY_UPDATES_REFUSED), 1);
	end();
	begin(TLS13);
	for (int i = 0; i < SL_TLS_KEY_UPDATES; i++)
		tls_client_update_keys(&client, false);
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "EAGAIN");
	tls_client_update_keys(&client, false);
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "EIO");
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_KEY_UPDATES_REFUSED), 1);
	end();
}

static void
test_tls_renegotiation_is_refused(void)
{
	begin(TLS12);
	CU_ASSERT_EQUAL(SSL_renegotiate(client.ssl), 1);
	SSL_do_handshake(client.ssl);
	tls_client_advance(&client);
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "EAGAIN");
	tls_client_read(&client, sizeof large);
	CU_ASSERT_EQUAL(client.alert, SSL_AD_NO_RENEGOTIATION);
	CU_ASSERT_EQUAL(count(SL_COUNTER_TLS_HANDSHAKES_FULL), 1);
	end();
}

/* ---- writing ---- */

/* Lengths of the records that stand in `bytes`, as text. */
static const char *
list_records(const char *bytes, size_t len)
{
	static char text[400];
	text[0] = '\0';
	for (size_t at = 0; at + 5 <= len;) {
		size_t size = (size_t)(unsigned char)bytes[at + 3] << 8 | (unsigned char)bytes[at + 4];
		snprintf(text + strlen(text), sizeof text - strlen(text), "%zu ", size);
		at += 5 + size;
	}
	return text;
}

static void
test_tls_all_slices_of_a_write_are_one_record(void)
{
	char one[] = "one ", two[] = "two ", three[] = "three", none[] = "";
	struct iovec slices[] = { { none, 0 }, { one, 4 }, { two, 4 }, { none, 0 }, { three, 5 } };
	char bytes[200];
	begin(TLS13);
	CU_ASSERT_EQUAL(sl_socket_write(&server, slices, 5), 13);
	ssize_t got = recv(client_fd, bytes, sizeof bytes, MSG_PEEK);
	CU_ASSERT_STRING_EQUAL(list_records(bytes, (size_t)got), "30 "); /* 13, the type, the tag */
	tls_client_read(&client, sizeof large);
	CU_ASSERT_STRING_EQUAL(tls_client_take(&client), "one two three");
	CU_ASSERT_EQUAL(server.secure->uncounted_out, (uint64_t)got);
	CU_ASSERT_EQUAL(server.secure->uncounted_sends, 1);
	end();
}

static void
test_tls_long_writes_are_records_of_16_kib(void)
{
	static char bytes[100000];
	struct iovec slices[] = { { large, 100 }, { large + 100, 40000 } };
	begin(TLS13);
	CU_ASSERT_EQUAL(sl_socket_write(&server, slices, 2), 40100);
	ssize_t got = recv(client_fd, bytes, sizeof bytes, MSG_PEEK);
	CU_ASSERT_STRING_EQUAL(list_records(bytes, (size_t)got), "16401 16401 7349 ");
	tls_client_read(&client, sizeof bytes);
	CU_ASSERT_EQUAL(client.got.len, 40100);
	CU_ASSERT_EQUAL(memcmp(client.got.bytes, large, 40100), 0);
	end();
}

/* Fills the kernel's room; returns what was committed. */
static size_t
write_until_full(void)
{
	struct iovec slice = { large, sizeof large };
	size_t committed = 0;
	ssize_t result;
	while ((result = sl_socket_write(&server, &slice, 1)) > 0) {
		committed += (size_t)result;
		slice.iov_base = large + committed % sizeof large;
		slice.iov_len = sizeof large - committed % sizeof large;
	}
	CU_ASSERT_EQUAL(result, SL_EAGAIN);
	return committed;
}

static void
test_tls_what_is_committed_arrives_though_the_kernel_is_full(void)
{
	begin(TLS13);
	uint64_t received_before = client.received;
	size_t committed = write_until_full();
	CU_ASSERT_TRUE(sl_socket_has_unsent(&server));
	CU_ASSERT_TRUE(server.secure->unsent_bytes <= SL_TLS_RECORD + 22);
	CU_ASSERT_EQUAL(pinned, server.secure->unsent_bytes);
	CU_ASSERT_EQUAL(sl_socket_push(&server), SL_EAGAIN);
	CU_ASSERT_EQUAL(sl_socket_shut(&server), SL_EAGAIN); /* its word is behind the rest */
	CU_ASSERT_EQUAL(sl_socket_shut(&server), SL_EAGAIN);
	while (sl_socket_shut(&server) == SL_EAGAIN)
		CU_ASSERT_TRUE_FATAL(tls_client_read(&client, 1000) > 0);
	CU_ASSERT_FALSE(sl_socket_has_unsent(&server));
	tls_client_read(&client, 10 * sizeof large);
	CU_ASSERT_EQUAL(client.got.len, committed);
	for (size_t i = 0; i < committed; i++)
		if (client.got.bytes[i] != large[i % sizeof large])
			CU_FAIL_FATAL("a byte differs");
	CU_ASSERT_TRUE(client.has_ended && client.has_fin);
	CU_ASSERT_EQUAL(server.secure->uncounted_out, client.received - received_before);
	end();
}

/* What it would have to be answered does not pile up. */
static void
test_tls_client_that_reads_nothing_is_not_answered_for_ever(void)
{
	const char *heard = "EAGAIN";
	unsigned rounds = 0;
	begin(TLS13);
	write_until_full();
	for (; strcmp(heard, "EIO") != 0 && rounds < 10000; rounds++) {
		tls_client_update_keys(&client, true);
		say("x");
		tls_client_flush(&client);
		heard = hear(100);
		CU_ASSERT_TRUE(pinned <= 65536);
	}
	CU_ASSERT_STRING_EQUAL(heard, "EIO");
	end();
}

static char tapped[100];

static void
note(char what, const struct iovec *slices, size_t len)
{
	snprintf(tapped + strlen(tapped), sizeof tapped - strlen(tapped), "%c%.*s|", what,
		(int)len, (const char *)slices->iov_base);
}

static void
on_received(struct sl_socket_tap *tap, const struct iovec *slices, int count, size_t len)
{
	note('>', slices, len);
}

static void
on_sent(struct sl_socket_tap *tap, const struct iovec *slices, int count, size_t len)
{
	note('<', slices, len);
}

static void
on_left(struct sl_socket_tap *tap)
{
	strcat(tapped, "L");
}

static void
on_end(struct sl_socket_tap *tap)
{
}

static void
test_tls_tap_sees_what_is_said_not_what_is_carried(void)
{
	static const struct sl_socket_tap_ops ops = { on_received, on_sent, on_left, on_end };
	struct sl_socket_tap tap = { &ops };
	begin(TLS13);
	tapped[0] = '\0';
	server.tap = &tap;
	say("hello");
	tls_client_say_end(&client);
	tls_client_flush(&client);
	CU_ASSERT_STRING_EQUAL(hear(100), "hello");
	CU_ASSERT_EQUAL(tell("world"), 5);
	CU_ASSERT_STRING_EQUAL(hear(100), "ECLOSED");
	CU_ASSERT_STRING_EQUAL(tapped, ">hello|<world|L");
	end();
}

/* ---- the end ---- */

static void
test_tls_shut_says_close_notify_and_then_the_end(void)
{
	begin(TLS13);
	tell("bye");
	CU_ASSERT_EQUAL(sl_socket_shut(&server), 0);
	tls_client_read(&client, sizeof large);
	CU_ASSERT_STRING_EQUAL(tls_client_take(&client), "bye");
	CU_ASSERT_TRUE(client.has_ended && client.has_fin);
	say("nobody listens");
	tls_client_flush(&client);
	char scratch[100];
	CU_ASSERT_EQUAL(sl_socket_discard(&server, scratch, sizeof scratch), 14 + 22);
	end();
}

static void
test_tls_leaves_with_close_notify_but_not_where_it_aborts(void)
{
	begin(TLS13);
	sl_socket_leave(&server, false);
	tls_client_read(&client, sizeof large);
	CU_ASSERT_TRUE(client.has_ended);
	end();
	begin(TLS13);
	sl_socket_leave(&server, true);
	sl_socket_leave(&server, false);
	tls_client_read(&client, sizeof large);
	CU_ASSERT_FALSE(client.has_ended);
	end();
}

static void
test_tls_start_fails_cleanly_without_memory(void)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	begin(TLS13);
	for_each_failing_allocation(failing) {
		struct sl_socket other;
		sl_socket_init(&other, -1, &peer);
		int err = sl_tls_start(&other, shard, context);
		failing_expect(err);
		CU_ASSERT_EQUAL(sl_socket_is_secure(&other), err == 0);
		sl_socket_finish(&other);
	}
	end();
}

/* Records that were received but cannot be kept, or cannot be sent, end the connection. */
static void
test_tls_without_memory_for_what_it_keeps_it_ends(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		begin(TLS13);
		say("0123456789");
		say("0123456789");
		tls_client_flush(&client);
		failing_again(&failing);
		const char *heard = hear(5);
		bool failed = failing_alloc_has_failed();
		failing_alloc_off();
		CU_ASSERT_STRING_EQUAL(heard, "01234");
		CU_ASSERT_STRING_EQUAL(hear(100), failed ? "EIO" : "567890123456789");
		end();
		failing_expect(failed ? SL_ENOMEM : 0);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_shakes_hands_and_resumes),
		UNIT_TEST(test_tls_handshake_may_come_byte_by_byte),
		UNIT_TEST(test_tls_data_may_come_with_the_end_of_the_handshake),
		UNIT_TEST(test_tls_bytes_that_were_read_before_are_fed),
		UNIT_TEST(test_tls_plain_http_is_given_back),
		UNIT_TEST(test_tls_what_is_neither_fails_with_an_alert),
		UNIT_TEST(test_tls_client_that_says_nothing_has_not_failed),
		UNIT_TEST(test_tls_handshake_has_a_limit_of_bytes),
		UNIT_TEST(test_tls_two_texts_in_one_record_and_one_in_three),
		UNIT_TEST(test_tls_what_is_not_asked_for_waits),
		UNIT_TEST(test_tls_records_of_one_byte_each_sent_byte_by_byte),
		UNIT_TEST(test_tls_each_byte_of_the_wire_is_counted_once),
		UNIT_TEST(test_tls_close_notify_is_the_end_behind_what_was_said),
		UNIT_TEST(test_tls_peer_that_goes_without_a_word_is_closed),
		UNIT_TEST(test_tls_altered_record_ends_the_connection_with_an_alert),
		UNIT_TEST(test_tls_records_of_no_bytes_have_a_limit),
		UNIT_TEST(test_tls_warnings_without_end_are_refused),
		UNIT_TEST(test_tls_keys_may_change_while_data_comes),
		UNIT_TEST(test_tls_flood_of_key_updates_is_refused),
		UNIT_TEST(test_tls_renegotiation_is_refused),
		UNIT_TEST(test_tls_all_slices_of_a_write_are_one_record),
		UNIT_TEST(test_tls_long_writes_are_records_of_16_kib),
		UNIT_TEST(test_tls_what_is_committed_arrives_though_the_kernel_is_full),
		UNIT_TEST(test_tls_client_that_reads_nothing_is_not_answered_for_ever),
		UNIT_TEST(test_tls_tap_sees_what_is_said_not_what_is_carried),
		UNIT_TEST(test_tls_shut_says_close_notify_and_then_the_end),
		UNIT_TEST(test_tls_leaves_with_close_notify_but_not_where_it_aborts),
		UNIT_TEST(test_tls_start_fails_cleanly_without_memory),
		UNIT_TEST(test_tls_without_memory_for_what_it_keeps_it_ends),
		{ NULL, NULL },
	};
	int failed = unit_main("tls", tests);
	sl_tls_context_unref(context);
	tls_context_forget();
	return failed;
}
