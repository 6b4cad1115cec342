#include "core/tls_shard.h"

#include <openssl/bio.h>
#include <string.h>

#include "core/tls_bytes.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/metrics.h"

static struct sl_metrics metrics;
static uint64_t pinned;
static struct sl_tls_shard *shard;
static struct sl_tls tls;

static void
begin(void)
{
	memset(&metrics, 0, sizeof metrics);
	CU_ASSERT_EQUAL_FATAL(sl_tls_shard_create(&shard, &metrics, &pinned), 0);
	tls = (struct sl_tls){ .shard = shard };
	shard->current = &tls;
}

static void
test_tls_shard_openssl_reads_what_lies_here_and_no_more(void)
{
	char bytes[8] = "";
	begin();
	CU_ASSERT_EQUAL(BIO_read(shard->bio, bytes, 8), -1);
	CU_ASSERT_TRUE(BIO_should_read(shard->bio));
	shard->in = "0123456789";
	shard->in_len = 10;
	CU_ASSERT_EQUAL(BIO_read(shard->bio, bytes, 4), 4);
	CU_ASSERT_EQUAL(memcmp(bytes, "0123", 4), 0);
	CU_ASSERT_EQUAL(shard->in_len, 6);
	shard->is_shut_off = true;
	CU_ASSERT_EQUAL(BIO_read(shard->bio, bytes, 4), -1);
	shard->is_shut_off = false;
	CU_ASSERT_EQUAL(BIO_read(shard->bio, bytes, 8), 6);
	CU_ASSERT_EQUAL(memcmp(bytes, "456789", 6), 0);
	CU_ASSERT_EQUAL(BIO_read(shard->bio, bytes, 8), -1);
	CU_ASSERT_EQUAL(tls.secure.added_in, 10);
	sl_tls_shard_destroy(shard);
}

static void
test_tls_shard_gathers_what_openssl_writes(void)
{
	begin();
	CU_ASSERT_EQUAL(BIO_write(shard->bio, "ab", 2), 2);
	CU_ASSERT_EQUAL(BIO_write(shard->bio, "cde", 3), 3);
	CU_ASSERT_EQUAL(BIO_flush(shard->bio), 1);
	CU_ASSERT_EQUAL(shard->out.len, 5);
	CU_ASSERT_EQUAL(memcmp(shard->out.bytes, "abcde", 5), 0);
	CU_ASSERT_EQUAL(tls.secure.added_out, 5);
	sl_tls_shard_destroy(shard);
}

/* ---- the line ---- */

struct waiter {
	struct sl_tls_turn turn; /* first */
	char name;
	bool comes_again;
};

static char taken[200];
static struct sl_rota_group group;

static void
take(struct sl_tls_turn *turn)
{
	struct waiter *waiter = (struct waiter *)turn;
	taken[strlen(taken)] = waiter->name;
	if (waiter->comes_again)
		sl_tls_shard_queue(shard, &group, turn);
}

static uint64_t
count_waiting(void)
{
	return metrics.gauges[SL_GAUGE_TLS_HANDSHAKES_WAITING];
}

static void
test_tls_shard_takes_eight_steps_a_turn_in_the_order_they_came(void)
{
	struct waiter waiters[20] = { 0 };
	begin();
	memset(taken, 0, sizeof taken);
	sl_rota_group_init(&group);
	CU_ASSERT_FALSE(sl_tls_shard_take_steps(shard));
	for (int i = 0; i < 20; i++) {
		waiters[i] = (struct waiter){ .turn.take = take, .name = (char)('a' + i) };
		sl_tls_shard_queue(shard, &group, &waiters[i].turn);
		sl_tls_shard_queue(shard, &group, &waiters[i].turn); /* is there already */
	}
	CU_ASSERT_EQUAL(count_waiting(), 20);
	sl_tls_shard_cancel(shard, &waiters[2].turn);
	sl_tls_shard_cancel(shard, &waiters[2].turn);
	CU_ASSERT_EQUAL(count_waiting(), 19);
	waiters[0].comes_again = true;
	CU_ASSERT_TRUE(sl_tls_shard_take_steps(shard));
	CU_ASSERT_STRING_EQUAL(taken, "abdefghi");
	CU_ASSERT_EQUAL(count_waiting(), 12);
	waiters[0].comes_again = false;
	CU_ASSERT_TRUE(sl_tls_shard_take_steps(shard));
	CU_ASSERT_FALSE(sl_tls_shard_take_steps(shard));
	CU_ASSERT_STRING_EQUAL(taken, "abdefghijklmnopqrsta"); /* who comes again is last */
	CU_ASSERT_EQUAL(count_waiting(), 0);
	sl_tls_shard_destroy(shard);
}

/* One address with a thousand handshakes delays another's by no turn at all. */
static void
test_tls_shard_lets_addresses_take_turns(void)
{
	static struct waiter crowd[1000];
	struct waiter others[2] = { { .turn.take = take, .name = 'x' }, { .turn.take = take, .name = 'y' } };
	struct sl_rota_group groups[2];
	begin();
	memset(taken, 0, sizeof taken);
	sl_rota_group_init(&group);
	for (int i = 0; i < 1000; i++) {
		crowd[i] = (struct waiter){ .turn.take = take, .name = 'c' };
		sl_tls_shard_queue(shard, &group, &crowd[i].turn);
	}
	CU_ASSERT_TRUE(sl_tls_shard_take_steps(shard));
	for (int i = 0; i < 2; i++) {
		sl_rota_group_init(&groups[i]);
		sl_tls_shard_queue(shard, &groups[i], &others[i].turn);
	}
	CU_ASSERT_TRUE(sl_tls_shard_take_steps(shard));
	CU_ASSERT_STRING_EQUAL(taken, "cccccccccxyccccc");
	for (int i = 0; i < 1000; i++)
		sl_tls_shard_cancel(shard, &crowd[i].turn);
	CU_ASSERT_EQUAL(count_waiting(), 0);
	sl_tls_shard_destroy(shard);
}

static void
test_tls_shard_without_memory_is_none(void)
{
	for_each_failing_allocation(failing) {
		struct sl_tls_shard *made = NULL;
		int err = sl_tls_shard_create(&made, &metrics, &pinned);
		failing_expect(err);
		sl_tls_shard_destroy(made);
	}
	sl_tls_shard_destroy(NULL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_shard_openssl_reads_what_lies_here_and_no_more),
		UNIT_TEST(test_tls_shard_gathers_what_openssl_writes),
		UNIT_TEST(test_tls_shard_takes_eight_steps_a_turn_in_the_order_they_came),
		UNIT_TEST(test_tls_shard_lets_addresses_take_turns),
		UNIT_TEST(test_tls_shard_without_memory_is_none),
		{ NULL, NULL },
	};
	return unit_main("tls_shard", tests);
}
