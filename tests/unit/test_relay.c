#include "http/relay.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/exchange.h"
#include "tests/unit/http_client.h"

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

static void
test_relay_answers_more_requests_at_once_than_it_has_pairs(void)
{
	enum { CLIENTS = 3 * SL_RELAY_PAIRS + 3 };
	static struct world_client clients[CLIENTS];
	begin();
	for (unsigned i = 0; i < CLIENTS; i++)
		http_connect(&clients[i], &world);
	for (unsigned round = 1; round <= 3; round++) {
		for (unsigned i = 0; i < CLIENTS; i++)
			client_send(&clients[i], GET("/healthz"), sizeof GET("/healthz") - 1);
		for (unsigned i = 0; i < CLIENTS; i++)
			CU_ASSERT_TRUE(http_is(http_take(&clients[i], &world), 200));
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RELAYED), round * CLIENTS);
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_RELAY_QUEUED),
			round * (CLIENTS - SL_RELAY_PAIRS));
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	end();
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
		UNIT_TEST(test_relay_answers_more_requests_at_once_than_it_has_pairs),
		UNIT_TEST(test_relay_replaces_the_pairs_that_libmicrohttpd_closes),
		UNIT_TEST(test_relay_brings_a_large_file_whole),
		UNIT_TEST(test_relay_forgets_a_client_that_leaves_in_the_middle),
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
