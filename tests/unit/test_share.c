#include "live/share.h"

#include <stdlib.h>
#include <string.h>

#include "core/socket.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/metrics.h"

#define LINKS 60
#define ADDRESSES 7

/* A link of a fake shard: what its client sent are numbers, which have to be handled in order. */
struct client {
	struct sl_steps steps; /* first */
	unsigned address;
	unsigned sent, read, handled; /* numbers, so far */
	unsigned handled_in_turn, reads_in_turn;
	unsigned waits_since; /* a turn */
};

static struct sl_metrics metrics;
static struct sl_shares shares;
static struct client clients[LINKS];
static unsigned turn, address_steps[LINKS], longest_wait;

static struct sl_address
address_of(unsigned i)
{
	struct sl_address address;
	const uint8_t ip[16] = { [10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)i };
	sl_address_set_ip(&address, ip, 4711);
	return address;
}

/* As a connection does: handles what was read, then reads on. */
static void
serve(struct sl_steps *steps)
{
	struct client *c = (struct client *)steps;
	if (c->waits_since && turn - c->waits_since > longest_wait)
		longest_wait = turn - c->waits_since;
	c->waits_since = 0;
	while (c->handled < c->sent) {
		while (c->handled < c->read && sl_share_may_serve(steps)) {
			sl_share_take_served(steps);
			c->handled++;
			c->handled_in_turn++;
		}
		if (c->handled < c->read || sl_share_count_left(steps) == 0)
			break;
		unsigned count = sl_share_count_left(steps);
		count = count > 1 ? (unsigned)rand() % count + 1 : 1;
		sl_share_take_read(steps, count);
		address_steps[c->address] += count;
		c->reads_in_turn += count;
		unsigned got = (unsigned)rand() % (30 * count) + 1;
		c->read += got < c->sent - c->read ? got : c->sent - c->read;
	}
	if (c->handled == c->sent)
		return;
	sl_share_wait(steps);
	c->waits_since = turn;
}

static void
begin(unsigned links, unsigned addresses)
{
	memset(&metrics, 0, sizeof metrics);
	memset(clients, 0, sizeof clients);
	memset(address_steps, 0, sizeof address_steps);
	sl_shares_init(&shares, &metrics, serve);
	turn = 1;
	longest_wait = 0;
	for (unsigned i = 0; i < links; i++) {
		struct sl_address address = address_of(i % addresses);
		clients[i].address = i % addresses;
		CU_ASSERT_EQUAL_FATAL(sl_share_join(&shares, &clients[i].steps, &address), 0);
	}
}

static void
end(void)
{
	for (unsigned i = 0; i < LINKS; i++)
		sl_share_leave(&clients[i].steps);
	CU_ASSERT_PTR_NULL(shares.by_key);
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_LINKS_WAITING], 0);
}

static bool
end_turn(void)
{
	turn++;
	for (unsigned i = 0; i < LINKS; i++)
		clients[i].handled_in_turn = clients[i].reads_in_turn = 0;
	memset(address_steps, 0, sizeof address_steps);
	return sl_shares_end_turn(&shares);
}

static void
send_to(struct client *c, unsigned count)
{
	c->sent += count;
	if (!sl_share_is_waiting(&c->steps))
		serve(&c->steps);
}

/* ---- one link ---- */

static void
test_share_gives_a_link_sixteen_steps_a_turn(void)
{
	struct sl_steps *steps = &clients[0].steps;
	begin(1, 1);
	CU_ASSERT_EQUAL(sl_share_count_left(steps), 16);
	for (unsigned i = 0; i < 16; i++) {
		CU_ASSERT_TRUE(sl_share_may_serve(steps));
		sl_share_take_served(steps);
	}
	CU_ASSERT_FALSE(sl_share_may_serve(steps));
	CU_ASSERT_EQUAL(sl_share_count_left(steps), 0);
	sl_share_wait(steps);
	CU_ASSERT_TRUE(sl_shares_end_turn(&shares)); /* so nobody sleeps */
	CU_ASSERT_FALSE(sl_share_may_serve(steps)); /* whoever waits has its turn first */
	sl_share_cancel_wait(steps);
	CU_ASSERT_FALSE(sl_shares_end_turn(&shares));
	CU_ASSERT_EQUAL(sl_share_count_left(steps), 16);
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_TURN_STEPS], 16);
	CU_ASSERT_EQUAL(metrics.counters[SL_COUNTER_STEPS_DEFERRED], 1);
	end();
}

/* Answers are of 256 KiB at most, so one of them is the whole turn of an address that is not alone. */
static void
test_share_what_an_address_is_answered_with_leaves_it_fewer_steps(void)
{
	begin(3, 2); /* the first and the third are of one address */
	struct sl_steps *one = &clients[0].steps, *other = &clients[1].steps, *same = &clients[2].steps;
	sl_share_take_served(other);
	sl_share_take_served(one);
	CU_ASSERT_EQUAL(sl_share_count_left(same), 16);
	sl_share_take_answer(one, 4095 + 55 * 4096);
	CU_ASSERT_EQUAL(sl_share_count_left(same), 64 - 1 - 55);
	sl_share_take_answer(one, 262144);
	CU_ASSERT_EQUAL(sl_share_count_left(one), 0);
	CU_ASSERT_EQUAL(sl_share_count_left(same), 0);
	CU_ASSERT_EQUAL(sl_share_count_left(other), 15);
	sl_shares_end_turn(&shares);
	CU_ASSERT_EQUAL(sl_share_count_left(same), 16);
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_TURN_ADDRESS_STEPS], 1);
	end();
}

static void
test_share_has_a_read_pay_for_what_is_in_it(void)
{
	struct sl_steps *steps = &clients[0].steps;
	begin(1, 1);
	sl_share_take_read(steps, 4);
	for (unsigned i = 0; i < 4; i++)
		sl_share_take_served(steps);
	CU_ASSERT_EQUAL(sl_share_count_left(steps), 12);
	sl_share_take_served(steps);
	CU_ASSERT_EQUAL(sl_share_count_left(steps), 11);
	sl_share_take_read(steps, 11);
	CU_ASSERT_EQUAL(sl_share_count_left(steps), 0);
	CU_ASSERT_TRUE(sl_share_may_serve(steps));
	/* What was paid for and not served is lost with its turn. */
	sl_shares_end_turn(&shares);
	for (unsigned i = 0; i < 16; i++) {
		CU_ASSERT_TRUE(sl_share_may_serve(steps));
		sl_share_take_served(steps);
	}
	CU_ASSERT_FALSE(sl_share_may_serve(steps));
	end();
}

/* ---- addresses ---- */

static unsigned
take_all(unsigned first, unsigned last)
{
	unsigned taken = 0;
	for (unsigned i = first; i < last; i++)
		for (; sl_share_may_serve(&clients[i].steps); taken++)
			sl_share_take_served(&clients[i].steps);
	return taken;
}

static void
test_share_limits_an_address_while_another_is_served(void)
{
	begin(LINKS, 1);
	struct sl_address other = address_of(99);
	CU_ASSERT_EQUAL(take_all(0, LINKS), LINKS * 16); /* nobody else is there */
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_TURN_ADDRESS_STEPS], 0);
	sl_share_move(&clients[0].steps, &other);
	for (int i = 0; i < 3; i++) {
		sl_shares_end_turn(&shares);
		sl_share_take_served(&clients[0].steps);
		CU_ASSERT_EQUAL(take_all(1, LINKS), 64);
	}
	CU_ASSERT_EQUAL(metrics.gauges[SL_GAUGE_TURN_ADDRESS_STEPS], 64);
	sl_shares_end_turn(&shares); /* it was served in the last turn */
	CU_ASSERT_EQUAL(take_all(1, LINKS), 64);
	sl_shares_end_turn(&shares);
	CU_ASSERT_EQUAL(take_all(1, LINKS), (LINKS - 1) * 16);
	end();
}

static void
test_share_limits_an_address_while_another_waits(void)
{
	begin(LINKS, 1);
	struct sl_address other = address_of(99);
	sl_share_move(&clients[0].steps, &other);
	sl_share_wait(&clients[0].steps);
	CU_ASSERT_EQUAL(take_all(1, LINKS), 64);
	end();
}

static void
test_share_counts_a_network_of_ipv6_and_an_address_of_ipv4(void)
{
	struct sl_address a, b, c;
	const uint8_t ips[3][16] = { { 0x20, 1, 0xd, 0xb8, [15] = 1 }, { 0x20, 1, 0xd, 0xb8, [8] = 9 },
		{ 0x20, 1, 0xd, 0xb8, [7] = 1 } };
	struct sl_steps steps[3] = { 0 };
	sl_shares_init(&shares, &metrics, serve);
	sl_address_set_ip(&a, ips[0], 1);
	sl_address_set_ip(&b, ips[1], 2);
	sl_address_set_ip(&c, ips[2], 3);
	CU_ASSERT_EQUAL(sl_share_join(&shares, &steps[0], &a), 0);
	CU_ASSERT_EQUAL(sl_share_join(&shares, &steps[1], &b), 0);
	CU_ASSERT_EQUAL(sl_share_join(&shares, &steps[2], &c), 0);
	CU_ASSERT_PTR_EQUAL(steps[0].share, steps[1].share);
	CU_ASSERT_PTR_NOT_EQUAL(steps[0].share, steps[2].share);
	for (int i = 0; i < 3; i++)
		sl_share_leave(&steps[i]);
	CU_ASSERT_PTR_NULL(shares.by_key);
}

static void
test_share_is_a_connections_own_without_an_address(void)
{
	struct sl_address unix_socket = { .family = 1 };
	struct sl_steps steps[3] = { 0 };
	sl_shares_init(&shares, &metrics, serve);
	CU_ASSERT_EQUAL(sl_share_join(&shares, &steps[0], &unix_socket), 0);
	CU_ASSERT_EQUAL(sl_share_join(&shares, &steps[1], &unix_socket), 0);
	CU_ASSERT_EQUAL(sl_share_join(&shares, &steps[2], NULL), 0);
	CU_ASSERT_PTR_NOT_EQUAL(steps[0].share, steps[1].share);
	CU_ASSERT_PTR_NOT_EQUAL(steps[0].share, steps[2].share);
	struct sl_address address = address_of(1);
	sl_share_wait(&steps[2]);
	sl_share_move(&steps[2], &address); /* it waits there */
	CU_ASSERT_TRUE(sl_share_is_waiting(&steps[2]));
	CU_ASSERT_PTR_NOT_NULL(shares.by_key);
	for (int i = 0; i < 3; i++)
		sl_share_leave(&steps[i]);
	sl_share_leave(&steps[0]); /* it has left */
	CU_ASSERT_PTR_NULL(shares.by_key);
	CU_ASSERT_FALSE(sl_shares_end_turn(&shares));
}

/* ---- the line ---- */

static void
test_share_keeps_steps_for_those_that_waited(void)
{
	begin(LINKS, 2); /* 30 links each */
	for (unsigned i = 0; i < 6; i += 2)
		sl_share_wait(&clients[i].steps);
	sl_share_wait(&clients[1].steps);
	/* Three of its links wait: a fourth one may have what they leave. */
	CU_ASSERT_EQUAL(take_all(6, LINKS), 16 + 48);
	sl_share_wait(&clients[6].steps);
	CU_ASSERT_FALSE(sl_share_may_serve(&clients[8].steps));
	end();
}

static void
test_share_serves_a_light_client_in_the_turn_after_however_many_wait(void)
{
	begin(LINKS, 1);
	struct sl_address other = address_of(99);
	sl_share_move(&clients[0].steps, &other);
	for (unsigned i = 1; i < LINKS; i++)
		send_to(&clients[i], 100000);
	clients[0].sent = 1;
	sl_share_wait(&clients[0].steps); /* as if it had come last */
	end_turn();
	sl_shares_take_turns(&shares);
	CU_ASSERT_EQUAL(clients[0].handled, 1);
	end();
}

static void
test_share_gives_the_line_so_many_steps_and_lets_the_rest_wait(void)
{
	begin(LINKS, LINKS); /* each has an address */
	for (unsigned i = 0; i < LINKS; i++)
		send_to(&clients[i], 1000);
	for (int i = 0; i < 3; i++) {
		end_turn();
		sl_shares_take_turns(&shares);
		CU_ASSERT_TRUE(shares.steps >= SL_STEPS_OF_LINE - SL_STEPS_OF_LINK);
		CU_ASSERT_TRUE(shares.steps < SL_STEPS_OF_LINE + SL_STEPS_OF_LINK);
	}
	end();
}

/* Whatever comes when: no link has more than 16 steps, no address more than 64 while others are there, all is
 * handled, and nobody waits for long. */
static void
expect_fair(unsigned links, unsigned addresses, unsigned seed)
{
	unsigned unfair = 0, lost = 0;
	bool waits = false;
	srand(seed);
	begin(links, addresses);
	for (unsigned i = 0; i < 400 || waits; i++) {
		/* Others are there in each turn. */
		for (unsigned j = 0; j < 2; j++)
			send_to(&clients[j], 1);
		for (unsigned j = 0; i < 400 && j < links / 4; j++)
			send_to(&clients[(unsigned)rand() % links],
				rand() % 8 ? 1 : (unsigned)rand() % 300);
		sl_shares_take_turns(&shares);
		for (unsigned j = 0; j < links; j++)
			unfair += clients[j].handled_in_turn > 16 || clients[j].reads_in_turn > 16;
		for (unsigned j = 0; i > 1 && j < addresses; j++)
			unfair += address_steps[j] > 64; /* of reads alone */
		waits = end_turn();
		CU_ASSERT_FATAL(i < 100000);
	}
	for (unsigned j = 0; j < links; j++)
		lost += clients[j].handled != clients[j].sent;
	CU_ASSERT_EQUAL(unfair, 0);
	CU_ASSERT_EQUAL(lost, 0);
	CU_ASSERT_TRUE(metrics.gauges[SL_GAUGE_TURN_STEPS] <= 16);
	CU_ASSERT_TRUE(metrics.gauges[SL_GAUGE_TURN_ADDRESS_STEPS] <= 64);
	/* Of an address that waits, four links a turn at least; of all of them, sixteen. */
	CU_ASSERT_TRUE(longest_wait <= 1 + links / 4);
	CU_ASSERT_TRUE(links < 10 || metrics.counters[SL_COUNTER_STEPS_DEFERRED] > 100);
	end();
}

static void
test_share_is_fair_whatever_comes(void)
{
	for (unsigned seed = 1; seed <= 10; seed++) {
		expect_fair(2, 2, seed);
		expect_fair(LINKS, 2, seed);
		expect_fair(LINKS, ADDRESSES, seed);
		expect_fair(ADDRESSES, ADDRESSES, seed);
	}
}

/* One that ends what waits, while the line is served. */
static void
leave_all(struct sl_steps *steps)
{
	for (unsigned i = 0; i < LINKS; i++)
		sl_share_cancel_wait(&clients[i].steps);
}

static void
test_share_may_lose_its_line_while_it_is_served(void)
{
	begin(LINKS, 3);
	shares.go_on = leave_all;
	for (unsigned i = 0; i < LINKS; i++)
		sl_share_wait(&clients[i].steps);
	sl_shares_take_turns(&shares);
	CU_ASSERT_FALSE(sl_shares_end_turn(&shares));
	end();
}

static void
test_share_without_memory_is_none(void)
{
	for_each_failing_allocation(failing) {
		struct sl_steps steps = { 0 }, other = { 0 };
		struct sl_address address = address_of(1);
		sl_shares_init(&shares, &metrics, serve);
		int err = sl_share_join(&shares, &steps, &address);
		if (err == 0)
			err = sl_share_join(&shares, &other, NULL);
		failing_expect(err);
		sl_share_leave(&steps);
		sl_share_leave(&other);
		CU_ASSERT_PTR_NULL(shares.by_key);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_share_gives_a_link_sixteen_steps_a_turn),
		UNIT_TEST(test_share_what_an_address_is_answered_with_leaves_it_fewer_steps),
		UNIT_TEST(test_share_has_a_read_pay_for_what_is_in_it),
		UNIT_TEST(test_share_limits_an_address_while_another_is_served),
		UNIT_TEST(test_share_limits_an_address_while_another_waits),
		UNIT_TEST(test_share_counts_a_network_of_ipv6_and_an_address_of_ipv4),
		UNIT_TEST(test_share_is_a_connections_own_without_an_address),
		UNIT_TEST(test_share_keeps_steps_for_those_that_waited),
		UNIT_TEST(test_share_serves_a_light_client_in_the_turn_after_however_many_wait),
		UNIT_TEST(test_share_gives_the_line_so_many_steps_and_lets_the_rest_wait),
		UNIT_TEST(test_share_is_fair_whatever_comes),
		UNIT_TEST(test_share_may_lose_its_line_while_it_is_served),
		UNIT_TEST(test_share_without_memory_is_none),
		{ NULL, NULL },
	};
	return unit_main("share", tests);
}
