#include "clients/socket_io/sio_recovery.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/base64url.h"
#include "util/crypto.h"
#include "util/err.h"

static const uint8_t key[SL_SIO_KEY_LEN] = "one", other_key[SL_SIO_KEY_LEN] = "another";

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static struct sl_sio_pid
get_pid(void)
{
	struct sl_sio_pid pid = {
		.id = { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't' },
		.cursor = { 0x9f3a1c07, 4182 }, .nsp = span("/chat"), .subject = span("ann"), .count = 2,
		.channels = { span("chat"), span("news, \"all\" \xc3\xa4") },
	};
	return pid;
}

static void
write_pid(struct sl_buffer *text)
{
	const struct sl_sio_pid pid = get_pid();
	CU_ASSERT_EQUAL_FATAL(sl_sio_recovery_append_pid(text, &pid, key), 0);
}

static void
test_sio_recovery_pid_says_what_was_true_at_connect(void)
{
	struct sl_buffer text = SL_BUFFER_INIT, space = SL_BUFFER_INIT;
	struct sl_sio_pid pid;
	write_pid(&text);
	CU_ASSERT_EQUAL_FATAL(sl_sio_recovery_read_pid(&pid, &space, (struct sl_span){ text.bytes, text.len }, key), 0);
	CU_ASSERT_EQUAL(memcmp(pid.id, "abcdefghijklmnopqrst", SL_SIO_ID_LEN), 0);
	CU_ASSERT_EQUAL(pid.cursor.epoch, 0x9f3a1c07);
	CU_ASSERT_EQUAL(pid.cursor.seq, 4182);
	CU_ASSERT_TRUE(sl_span_equals(pid.nsp, "/chat"));
	CU_ASSERT_TRUE(sl_span_equals(pid.subject, "ann"));
	CU_ASSERT_EQUAL_FATAL(pid.count, 2);
	CU_ASSERT_TRUE(sl_span_equals(pid.channels[0], "chat"));
	CU_ASSERT_TRUE(sl_span_equals(pid.channels[1], "news, \"all\" \xc3\xa4"));
	sl_buffer_finish(&text);
	sl_buffer_finish(&space);
}

/* Made with Python's hmac, so that gateways of any version agree. */
static void
test_sio_recovery_pid_is_the_same_for_every_version(void)
{
	static const char known[] = "YWJjZGVmZ2hpamtsbW5vcHFyc3QKOWYzYTFjMDctNDE4MgovCgpjaGF0CpvV491UsPaFhCTgaExDAXo";
	static const uint8_t known_key[SL_SIO_KEY_LEN] = { 0 };
	struct sl_buffer space = SL_BUFFER_INIT;
	struct sl_sio_pid pid;
	CU_ASSERT_EQUAL_FATAL(sl_sio_recovery_read_pid(&pid, &space, span(known), known_key), 0);
	CU_ASSERT_TRUE(sl_span_equals(pid.nsp, "/"));
	CU_ASSERT_TRUE(sl_span_equals(pid.subject, ""));
	CU_ASSERT_EQUAL_FATAL(pid.count, 1);
	CU_ASSERT_TRUE(sl_span_equals(pid.channels[0], "chat"));
	sl_buffer_finish(&space);
}

static void
test_sio_recovery_pid_that_was_changed_is_none(void)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+";
	struct sl_buffer text = SL_BUFFER_INIT, space = SL_BUFFER_INIT;
	struct sl_sio_pid pid;
	write_pid(&text);
	struct sl_span whole = { text.bytes, text.len };
	CU_ASSERT_EQUAL(sl_sio_recovery_read_pid(&pid, &space, whole, other_key), SL_EINVAL);
	for (size_t i = 0; i < text.len; i++)
		for (const char *letter = letters; *letter; letter++) {
			char before = text.bytes[i];
			text.bytes[i] = *letter;
			int err = sl_sio_recovery_read_pid(&pid, &space, whole, key);
			CU_ASSERT_EQUAL(err, *letter == before ? 0 : SL_EINVAL);
			text.bytes[i] = before;
		}
	for (size_t len = 0; len < text.len; len++)
		CU_ASSERT_EQUAL(sl_sio_recovery_read_pid(&pid, &space, (struct sl_span){ text.bytes, len }, key), SL_EINVAL);
	sl_buffer_finish(&text);
	sl_buffer_finish(&space);
}

/* What another version signed is no reason to read on where nothing is. */
static void
test_sio_recovery_pid_of_another_form_is_none(void)
{
	static const char *const others[] = {
		"", "\n", "abcdefghijklmnopqrst\n", "abcdefghijklmnopqrst\n9f3a1c07-1\n/\n", "abcdefghijklmnopqrst\n9f3a1c07-1\n/\n\na",
		"abcdefghijklmnopqrs\n9f3a1c07-1\n/\n\n", "abcdefghijklmnopqrst\n9f3a1c07\n/\n\n",
		"abcdefghijklmnopqrst\n9f3a1c07-1\n/\n\n\n", "abcdefghijklmnopqrst\n9f3a1c07-1\n/\n\na*\n",
	};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct sl_buffer bytes = SL_BUFFER_INIT, text = SL_BUFFER_INIT, space = SL_BUFFER_INIT;
		struct sl_sio_pid pid;
		uint8_t mac[SL_SHA256_LEN];
		CU_ASSERT_EQUAL_FATAL(sl_crypto_hmac(key, sizeof key, others[i], strlen(others[i]), mac), 0);
		sl_buffer_append_str(&bytes, others[i]);
		sl_buffer_append(&bytes, mac, 16);
		sl_base64url_append(&text, bytes.bytes, bytes.len);
		CU_ASSERT_EQUAL(sl_sio_recovery_read_pid(&pid, &space, (struct sl_span){ text.bytes, text.len }, key),
			SL_EINVAL);
		sl_buffer_finish(&bytes);
		sl_buffer_finish(&text);
		sl_buffer_finish(&space);
	}
}

static void
test_sio_recovery_pid_has_room_for_the_most(void)
{
	char name[SL_CHANNEL_MAX];
	struct sl_sio_pid pid = get_pid();
	struct sl_buffer text = SL_BUFFER_INIT, space = SL_BUFFER_INIT;
	memset(name, 'x', sizeof name);
	for (pid.count = 0; pid.count < SL_CHANNELS_MAX; pid.count++)
		pid.channels[pid.count] = (struct sl_span){ name, sizeof name };
	CU_ASSERT_EQUAL_FATAL(sl_sio_recovery_append_pid(&text, &pid, key), 0);
	CU_ASSERT_EQUAL(sl_sio_recovery_read_pid(&pid, &space, (struct sl_span){ text.bytes, text.len }, key), 0);
	CU_ASSERT_EQUAL(pid.count, SL_CHANNELS_MAX);
	sl_buffer_finish(&text);
	sl_buffer_finish(&space);
}

static void
test_sio_recovery_offset_is_a_cursor_and_stars(void)
{
	static const char *const bad[] = { "", "*", "9f3a1c07-4182 *", "9f3a1c07-*", "x", "9f3a1c07-1*2", "*9f3a1c07-1",
		"9f3a1c07-1.tagg**********", "9f3a1c07-1*", "9f3a1c07-1.tagg", "9f3a1c07-1.tag*", "9f3a1c07-1tagg*", ".tagg*",
		"tagg*" };
	struct sl_span tag;
	struct sl_cursor cursor;
	unsigned stars;
	CU_ASSERT_EQUAL(sl_sio_recovery_read_offset(span("9f3a1c07-4182"), &cursor, &tag, &stars), 0);
	CU_ASSERT_EQUAL(cursor.seq, 4182);
	CU_ASSERT_EQUAL(stars, 0);
	CU_ASSERT_PTR_NULL(tag.bytes);
	CU_ASSERT_EQUAL(sl_sio_recovery_read_offset(span("9f3a1c07-4183.tagg*"), &cursor, &tag, &stars), 0);
	CU_ASSERT_EQUAL(cursor.seq, 4183);
	CU_ASSERT_EQUAL(stars, 1);
	CU_ASSERT_TRUE(sl_span_equals(tag, "tagg"));
	CU_ASSERT_EQUAL(sl_sio_recovery_read_offset(span("9f3a1c07-1.tagg*********"), &cursor, &tag, &stars), 0);
	CU_ASSERT_EQUAL(stars, SL_SIO_STARS_MAX);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(sl_sio_recovery_read_offset(span(bad[i]), &cursor, &tag, &stars), SL_EINVAL);
}

static void
test_sio_recovery_ids_are_new_each_time(void)
{
	char one[SL_SIO_ID_LEN], two[SL_SIO_ID_LEN];
	CU_ASSERT_EQUAL(sl_sio_recovery_make_id(one), 0);
	CU_ASSERT_EQUAL(sl_sio_recovery_make_id(two), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(one, two, sizeof one), 0);
	for (size_t i = 0; i < sizeof one; i++)
		CU_ASSERT_PTR_NOT_NULL(memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", one[i], 64));
}

static void
test_sio_recovery_without_memory_says_so(void)
{
	for_each_failing_allocation(failing) {
		struct sl_buffer text = SL_BUFFER_INIT, space = SL_BUFFER_INIT;
		struct sl_sio_pid pid = get_pid();
		char id[SL_SIO_ID_LEN];
		int err = sl_sio_recovery_make_id(id);
		if (err == 0)
			err = sl_sio_recovery_append_pid(&text, &pid, key);
		if (err == 0)
			err = sl_sio_recovery_read_pid(&pid, &space, (struct sl_span){ text.bytes, text.len }, key);
		failing_expect(err);
		sl_buffer_finish(&text);
		sl_buffer_finish(&space);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_recovery_pid_says_what_was_true_at_connect),
		UNIT_TEST(test_sio_recovery_pid_is_the_same_for_every_version),
		UNIT_TEST(test_sio_recovery_pid_that_was_changed_is_none),
		UNIT_TEST(test_sio_recovery_pid_of_another_form_is_none),
		UNIT_TEST(test_sio_recovery_pid_has_room_for_the_most),
		UNIT_TEST(test_sio_recovery_offset_is_a_cursor_and_stars),
		UNIT_TEST(test_sio_recovery_ids_are_new_each_time),
		UNIT_TEST(test_sio_recovery_without_memory_says_so),
		{ NULL, NULL },
	};
	return unit_main("sio_recovery", tests);
}
