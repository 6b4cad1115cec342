#include "core/tls_bytes.h"

#include <string.h>

#include "core/tls_shard.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* A socket below that gives and takes what the test says. */
static const char *gives;       /* NULL: nothing now */
static ssize_t takes;           /* how many bytes a call takes, or an error */
static char given_to[300000];
static size_t given_len;
static unsigned writes;

static ssize_t
below_read(struct sl_socket *socket, void *bytes, size_t len)
{
	(void)socket;
	if (!gives)
		return SL_EAGAIN;
	size_t count = strlen(gives) < len ? strlen(gives) : len;
	memcpy(bytes, gives, count);
	return (ssize_t)count;
}

static ssize_t
below_write(struct sl_socket *socket, const struct iovec *slices, int count)
{
	(void)socket;
	writes++;
	CU_ASSERT_EQUAL(count, 1);
	if (takes < 0)
		return takes;
	size_t len = slices->iov_len < (size_t)takes ? slices->iov_len : (size_t)takes;
	memcpy(given_to + given_len, slices->iov_base, len);
	given_len += len;
	return (ssize_t)len;
}

static const struct sl_socket_ops below = { .read = below_read, .write = below_write };
static struct sl_metrics metrics;
static uint64_t pinned;
static struct sl_tls_shard *shard;
static struct sl_socket socket_above;
static struct sl_tls tls;

static void
begin(void)
{
	memset(&metrics, 0, sizeof metrics);
	pinned = given_len = writes = 0;
	gives = NULL;
	takes = sizeof given_to;
	CU_ASSERT_EQUAL_FATAL(sl_tls_shard_create(&shard, &metrics, &pinned), 0);
	tls = (struct sl_tls){ .below = &below, .shard = shard, .is_established = true };
	socket_above = (struct sl_socket){ .secure = &tls.secure, .fd = -1 };
}

static void
end(void)
{
	sl_buffer_finish(&tls.unread);
	sl_buffer_finish(&tls.unsent);
	sl_tls_bytes_pin(&tls);
	CU_ASSERT_EQUAL(pinned, 0);
	sl_tls_shard_destroy(shard);
}

static void
write_out(const char *text)
{
	sl_buffer_append_str(&shard->out, text);
}

static void
test_tls_bytes_what_openssl_leaves_comes_first_the_next_time(void)
{
	begin();
	CU_ASSERT_EQUAL(sl_tls_bytes_fill(&socket_above, &tls), SL_EAGAIN);
	gives = "0123456789";
	CU_ASSERT_EQUAL(sl_tls_bytes_fill(&socket_above, &tls), 10);
	CU_ASSERT_EQUAL(tls.secure.uncounted_in, 10);
	shard->in += 3;
	shard->in_len -= 3;
	CU_ASSERT_EQUAL(sl_tls_bytes_keep(&tls), 0);
	CU_ASSERT_EQUAL(pinned, 7);
	CU_ASSERT_EQUAL(sl_tls_bytes_fill(&socket_above, &tls), 7); /* and the socket is not read */
	CU_ASSERT_EQUAL(memcmp(shard->in, "3456789", 7), 0);
	shard->in += 2;
	shard->in_len -= 2;
	CU_ASSERT_EQUAL(sl_tls_bytes_keep(&tls), 0);
	CU_ASSERT_EQUAL(sl_tls_bytes_fill(&socket_above, &tls), 5);
	CU_ASSERT_EQUAL(memcmp(shard->in, "56789", 5), 0);
	shard->in_len = 0;
	CU_ASSERT_EQUAL(sl_tls_bytes_keep(&tls), 0);
	CU_ASSERT_EQUAL(pinned, 0);
	CU_ASSERT_PTR_NULL(tls.unread.bytes);
	tls.secure.has_input = true; /* OpenSSL holds the rest */
	CU_ASSERT_EQUAL(sl_tls_bytes_fill(&socket_above, &tls), 0);
	CU_ASSERT_EQUAL(tls.secure.uncounted_in, 10);
	end();
}

static void
test_tls_bytes_what_the_kernel_does_not_take_is_kept_in_order(void)
{
	begin();
	takes = 4;
	write_out("abcdefgh");
	CU_ASSERT_EQUAL(sl_tls_bytes_send(&socket_above, &tls), SL_EAGAIN);
	CU_ASSERT_EQUAL(tls.secure.unsent_bytes, 4);
	CU_ASSERT_EQUAL(pinned, 4);
	write_out("ijkl");
	CU_ASSERT_EQUAL(sl_tls_bytes_send(&socket_above, &tls), SL_EAGAIN);
	CU_ASSERT_EQUAL(writes, 1); /* it stands behind the others */
	CU_ASSERT_EQUAL(sl_tls_bytes_push(&socket_above, &tls), SL_EAGAIN);
	takes = SL_EAGAIN;
	CU_ASSERT_EQUAL(sl_tls_bytes_push(&socket_above, &tls), SL_EAGAIN);
	takes = 100;
	CU_ASSERT_EQUAL(sl_tls_bytes_push(&socket_above, &tls), 0);
	CU_ASSERT_EQUAL(sl_tls_bytes_push(&socket_above, &tls), 0);
	CU_ASSERT_EQUAL(memcmp(given_to, "abcdefghijkl", 12), 0);
	CU_ASSERT_EQUAL(tls.secure.uncounted_out, 12);
	CU_ASSERT_EQUAL(tls.secure.uncounted_sends, 3);
	CU_ASSERT_EQUAL(tls.secure.unsent_bytes, 0);
	CU_ASSERT_PTR_NULL(tls.unsent.bytes);
	end();
}

static void
test_tls_bytes_of_a_handshake_are_counted_as_such(void)
{
	begin();
	tls.is_established = false;
	write_out("hello");
	CU_ASSERT_EQUAL(sl_tls_bytes_send(&socket_above, &tls), 0);
	CU_ASSERT_EQUAL(metrics.counters[SL_COUNTER_TLS_HANDSHAKE_BYTES_OUT], 5);
	CU_ASSERT_EQUAL(metrics.classes[SL_CLASS_HTTP][SL_CLASS_WIRE_BYTES_OUT], 5);
	CU_ASSERT_EQUAL(tls.secure.uncounted_out, 0);
	gives = "hello";
	CU_ASSERT_EQUAL(sl_tls_bytes_fill(&socket_above, &tls), 5);
	CU_ASSERT_EQUAL(tls.secure.uncounted_in, 0);
	end();
}

static void
test_tls_bytes_errors_of_the_socket_are_told(void)
{
	begin();
	takes = SL_ECLOSED;
	write_out("x");
	CU_ASSERT_EQUAL(sl_tls_bytes_send(&socket_above, &tls), SL_ECLOSED);
	CU_ASSERT_EQUAL(shard->out.len, 0); /* the next socket's */
	takes = SL_EIO;
	write_out("x");
	CU_ASSERT_EQUAL(sl_tls_bytes_send(&socket_above, &tls), SL_EIO);
	takes = SL_EAGAIN;
	write_out("x");
	CU_ASSERT_EQUAL(sl_tls_bytes_send(&socket_above, &tls), SL_EAGAIN);
	takes = SL_ECLOSED;
	CU_ASSERT_EQUAL(sl_tls_bytes_push(&socket_above, &tls), SL_ECLOSED);
	end();
}

static void
test_tls_bytes_that_are_unsent_have_a_limit(void)
{
	int err = SL_EAGAIN;
	unsigned rounds = 0;
	begin();
	takes = SL_EAGAIN;
	for (; err == SL_EAGAIN; rounds++) {
		write_out("0123456789abcdef");
		err = sl_tls_bytes_send(&socket_above, &tls);
	}
	CU_ASSERT_EQUAL(err, SL_EIO);
	CU_ASSERT_EQUAL(rounds, SL_TLS_UNSENT_BYTES / 16 + 1);
	CU_ASSERT_EQUAL(pinned, SL_TLS_UNSENT_BYTES);
	end();
}

static void
test_tls_bytes_without_memory_fail_and_leave_nothing(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		begin();
		takes = 1;
		gives = "0123456789";
		failing_again(&failing);
		write_out("abc");
		int sent = sl_tls_bytes_send(&socket_above, &tls);
		int kept = 0;
		if (sent == SL_EAGAIN && sl_tls_bytes_fill(&socket_above, &tls) > 0)
			kept = sl_tls_bytes_keep(&tls);
		bool failed = sent == SL_EIO || kept == SL_ENOMEM;
		CU_ASSERT_FALSE(shard->out.failed);
		failing_alloc_off();
		end();
		failing_expect(failed ? SL_ENOMEM : 0);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_bytes_what_openssl_leaves_comes_first_the_next_time),
		UNIT_TEST(test_tls_bytes_what_the_kernel_does_not_take_is_kept_in_order),
		UNIT_TEST(test_tls_bytes_of_a_handshake_are_counted_as_such),
		UNIT_TEST(test_tls_bytes_errors_of_the_socket_are_told),
		UNIT_TEST(test_tls_bytes_that_are_unsent_have_a_limit),
		UNIT_TEST(test_tls_bytes_without_memory_fail_and_leave_nothing),
		{ NULL, NULL },
	};
	return unit_main("tls_bytes", tests);
}
