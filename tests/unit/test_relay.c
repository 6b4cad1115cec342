#include "http/relay.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/exchange.h"
#include "tests/unit/http_client.h"
#include "util/err.h"

#define BIG_BYTES (2u << 20) /* more than a socket pair takes at a time */

static struct live_world world;
static char folder[] = "/tmp/sluice-relay-XXXXXX";

static void
begin(void)
{
	char option[64];
	const char *options[] = { option, NULL };
	snprintf(option, sizeof option, "--web=%s", folder);
	world_open(&world, options);
}

static void
write_file(const char *name, size_t len)
{
	char path[64];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	if (!file)
		abort();
	for (size_t i = 0; i < len; i++)
		fputc('a' + (int)(i % 23), file);
	fclose(file);
}

static void
end(void)
{
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(sl_relay_count_busy(world.front.relay), 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	world_close(&world);
}

/* All at once, of connections made in the opposite order: they are served as they came. */
static void
answer_at_once(unsigned count)
{
	static struct world_client clients[100];
	begin();
	for (unsigned i = count; i-- > 0;)
		http_connect(&clients[i], &world);
	for (unsigned round = 1; round <= 3; round++) {
		for (unsigned i = 0; i < count; i++) {
			client_send(&clients[i], GET("/healthz"), sizeof GET("/healthz") - 1);
			world_dispatch(&world); /* so that they come in this order */
		}
		CU_ASSERT_EQUAL(sl_relay_count_busy(world.front.relay), count);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RELAYED),
			(round - 1) * count + SL_RELAY_PAIRS);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RELAY_QUEUED),
			round * (count - SL_RELAY_PAIRS));
		unsigned before = count; /* how many had no answer yet, those at the end */
		for (unsigned turns = 0; before > 0 && turns < 100; turns++) {
			unsigned answered = 0;
			world_turn(&world);
			for (unsigned i = 0; i < count; i++) {
				bool has_answer = clients[i].link->outbox.queued_bytes == 0 &&
					!clients[i].connection->exchange;
				CU_ASSERT_TRUE(!has_answer || answered == i);
				answered += has_answer;
			}
			before = count - answered;
		}
		CU_ASSERT_EQUAL(before, 0);
		for (unsigned i = 0; i < count; i++)
			CU_ASSERT_TRUE(http_is(http_take(&clients[i], &world), 200));
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RELAYED), round * count);
	}
	for (unsigned i = 0; i < count; i++)
		client_close(&clients[i]);
	end();
}

static void
test_relay_answers_more_requests_at_once_than_it_has_pairs_in_their_order(void)
{
	answer_at_once(SL_RELAY_PAIRS + 1);
	answer_at_once(100);
}

static void
test_relay_replaces_the_pairs_that_libmicrohttpd_closes(void)
{
	static const char closing[] =
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	struct world_client client;
	begin();
	for (unsigned i = 0; i < 3 * SL_RELAY_PAIRS; i++) {
		http_connect(&client, &world);
		const char *answer = http_ask(&client, &world, closing);
		CU_ASSERT_TRUE(http_is(answer, 200));
		CU_ASSERT_EQUAL(http_count(answer, "Connection: close"), 1);
		CU_ASSERT_TRUE(client.ended);
		client_close(&client);
	}
	end();
}

static void
test_relay_brings_a_large_file_whole(void)
{
	struct world_client client;
	begin();
	http_connect(&client, &world);
	client_send(&client, GET("/client/big.js"), sizeof GET("/client/big.js") - 1);
	size_t got = 0, head_len = 0;
	bool is_right = true;
	for (unsigned i = 0; i < 1000 && got < head_len + BIG_BYTES; i++) {
		world_settle(&world);
		client_read(&client);
		if (!head_len && client.got.len) {
			const char *end = memmem(client.got.bytes, client.got.len, "\r\n\r\n", 4);
			CU_ASSERT_PTR_NOT_NULL_FATAL(end);
			head_len = (size_t)(end - client.got.bytes) + 4;
		}
		got = client.got.len;
	}
	CU_ASSERT_EQUAL_FATAL(got, head_len + BIG_BYTES);
	for (size_t i = 0; i < BIG_BYTES; i++)
		is_right &= client.got.bytes[head_len + i] == 'a' + (int)(i % 23);
	CU_ASSERT_TRUE(is_right);
	client_close(&client);
	end();
}

static void
test_relay_forgets_a_client_that_leaves_in_the_middle(void)
{
	struct world_client clients[SL_RELAY_PAIRS + 4];
	begin();
	for (unsigned i = 0; i < SL_RELAY_PAIRS + 4; i++) {
		http_connect(&clients[i], &world);
		client_send(&clients[i], GET("/client/big.js"), sizeof GET("/client/big.js") - 1);
	}
	world_dispatch(&world); /* read and begun, none answered */
	CU_ASSERT_EQUAL(sl_relay_count_busy(world.front.relay), SL_RELAY_PAIRS + 4);
	for (unsigned i = 0; i < SL_RELAY_PAIRS + 4; i++) {
		sl_link_abort(clients[i].link);
		client_close(&clients[i]);
	}
	end();
}

static void
test_relay_forgets_clients_that_have_left_before_during_and_behind_their_answer(void)
{
	static struct world_client clients[3 * SL_RELAY_PAIRS];
	const unsigned count = sizeof clients / sizeof *clients;
	for (unsigned turns = 0; turns < 8; turns++) {
		begin();
		for (unsigned i = 0; i < count; i++) {
			client_connect(&clients[i], &world, &(struct world_request){ .query = "",
				.send_buffer = 4096 });
			client_send(&clients[i], GET("/client/big.js"), sizeof GET("/client/big.js") - 1);
		}
		world_dispatch(&world);
		for (unsigned i = 0; i < turns; i++)
			world_turn(&world);
		for (unsigned i = 0; i < count; i += 2)
			client_close(&clients[i]);
		world_settle(&world);
		CU_ASSERT_EQUAL(sl_relay_count_busy(world.front.relay), 0);
		CU_ASSERT_EQUAL(http_links(&world), count / 2);
		client_read(&clients[1]); /* whose neighbours' leaving is nothing to it */
		CU_ASSERT_TRUE(clients[1].got.len > 12 &&
			memcmp(clients[1].got.bytes, "HTTP/1.1 200", 12) == 0);
		for (unsigned i = 1; i < count; i += 2)
			client_close(&clients[i]);
		end();
	}
}

static void
test_relay_an_answer_that_nobody_takes_is_cut_off_where_there_is_no_room(void)
{
	char web[64];
	const char *options[] = { web, "--outbox-total=1048576", NULL };
	struct world_client client;
	snprintf(web, sizeof web, "--web=%s", folder);
	world_open(&world, options);
	http_connect(&client, &world);
	client_send(&client, GET("/client/big.js"), sizeof GET("/client/big.js") - 1);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_OUTBOX_PINNED_EVICTIONS), 1);
	client_read(&client);
	CU_ASSERT_TRUE(client.got.len < BIG_BYTES);
	client_close(&client);
	end();
}

static void
test_relay_what_is_under_way_when_it_ends_is_dropped(void)
{
	struct world_client clients[2 * SL_RELAY_PAIRS];
	for (unsigned turns = 0; turns < 3; turns++) {
		begin();
		for (unsigned i = 0; i < 2 * SL_RELAY_PAIRS; i++) {
			http_connect(&clients[i], &world);
			client_send(&clients[i], GET("/client/big.js"), sizeof GET("/client/big.js") - 1);
		}
		world_dispatch(&world);
		for (unsigned i = 0; i < turns; i++)
			world_turn(&world);
		world_close(&world);
		for (unsigned i = 0; i < 2 * SL_RELAY_PAIRS; i++)
			client_close(&clients[i]);
	}
}

/* No descriptor can be opened from here on. */
static void
set_room(bool has_room)
{
	static struct rlimit normal;
	if (normal.rlim_cur == 0)
		CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &normal), 0);
	struct rlimit limit = normal;
	if (!has_room)
		limit.rlim_cur = 3;
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
test_relay_makes_a_pair_later_that_cannot_be_made_now(void)
{
	static const char closing[] =
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	struct world_client clients[SL_RELAY_PAIRS + 1];
	begin();
	for (unsigned i = 0; i < SL_RELAY_PAIRS + 1; i++) {
		http_connect(&clients[i], &world);
		client_send(&clients[i], closing, sizeof closing - 1);
	}
	set_room(false);
	world_settle(&world); /* each answer costs a pair */
	CU_ASSERT_EQUAL(sl_relay_count_busy(world.front.relay), 1);
	set_room(true);
	world_settle(&world);
	CU_ASSERT_EQUAL(sl_relay_count_busy(world.front.relay), 1);
	sl_relay_sweep(world.front.relay);
	for (unsigned i = 0; i < SL_RELAY_PAIRS + 1; i++) {
		CU_ASSERT_TRUE(http_is(http_take(&clients[i], &world), 200));
		client_close(&clients[i]);
	}
	end();
}

static void
test_relay_without_descriptors_is_none(void)
{
	struct sl_relay *relay;
	begin();
	set_room(false);
	int err = sl_relay_create(&relay, &world.front);
	set_room(true);
	CU_ASSERT_EQUAL(err, SL_EIO);
	end();
}

static void
test_relay_refuses_what_has_waited_for_too_long(void)
{
	struct world_client clients[SL_RELAY_PAIRS + 1];
	begin();
	for (unsigned i = 0; i < SL_RELAY_PAIRS + 1; i++) {
		http_connect(&clients[i], &world);
		client_send(&clients[i], GET("/healthz"), sizeof GET("/healthz") - 1);
	}
	world_dispatch(&world);
	world.shard.loop.now_ms += 10000; /* as if libmicrohttpd had not come to it */
	sl_relay_sweep(world.front.relay);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RELAY_REFUSED), 1);
	unsigned refused = 0;
	for (unsigned i = 0; i < SL_RELAY_PAIRS + 1; i++) {
		const char *answer = http_take(&clients[i], &world);
		refused += http_is(answer, 429);
		CU_ASSERT_TRUE(http_is(answer, 200) || http_is(answer, 429));
		client_close(&clients[i]);
	}
	CU_ASSERT_EQUAL(refused, 1);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_relay_answers_more_requests_at_once_than_it_has_pairs_in_their_order),
		UNIT_TEST(test_relay_replaces_the_pairs_that_libmicrohttpd_closes),
		UNIT_TEST(test_relay_brings_a_large_file_whole),
		UNIT_TEST(test_relay_forgets_a_client_that_leaves_in_the_middle),
		UNIT_TEST(test_relay_forgets_clients_that_have_left_before_during_and_behind_their_answer),
		UNIT_TEST(test_relay_an_answer_that_nobody_takes_is_cut_off_where_there_is_no_room),
		UNIT_TEST(test_relay_what_is_under_way_when_it_ends_is_dropped),
		UNIT_TEST(test_relay_makes_a_pair_later_that_cannot_be_made_now),
		UNIT_TEST(test_relay_without_descriptors_is_none),
		UNIT_TEST(test_relay_refuses_what_has_waited_for_too_long),
		{ NULL, NULL },
	};
	char path[64];
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/client", folder);
	mkdir(path, 0700);
	write_file("index.html", 10);
	write_file("client/big.js", BIG_BYTES);
	int status = unit_main("relay", tests);
	snprintf(path, sizeof path, "%s/client/big.js", folder);
	unlink(path);
	snprintf(path, sizeof path, "%s/client", folder);
	rmdir(path);
	snprintf(path, sizeof path, "%s/index.html", folder);
	unlink(path);
	rmdir(folder);
	return status;
}
