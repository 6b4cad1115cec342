#include "clients/engine_io/eio_moved.h"

#include "live/fanout.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "tests/unit/eio_world.h"
#include "tests/unit/somebody.h"

/* A socket is taken from a session of the other shard, by hand, and put on a stream of this one's. */
static struct world_client stream;
static struct sl_eio_session *session;
static struct sl_eio_moved *moved;
static char id[SL_SESSION_ID_LEN + 1];
static unsigned sent;

static bool
note_sent(struct sl_eio_socket *socket, struct sl_span data, bool is_binary)
{
	(void)socket, (void)data, (void)is_binary;
	sent++;
	return true;
}

static const struct sl_eio_carrier carrier = { .send = note_sent };

static void
begin(void)
{
	sent = 0;
	eio_begin(NULL);
	session = eio_open_other(sl_eio_raw_family.user, NULL, id);
}

static void
subscribe(const char *channel, const char *label)
{
	struct sl_span name = { channel, strlen(channel) };
	struct sl_verbs_subscription subscription = { .channels = &name, .count = 1,
		.label = { label, label ? strlen(label) : 0 } };
	struct sl_refusal refusal;
	CU_ASSERT_EQUAL_FATAL(sl_verbs_subscribe_as(&session->session.subscriber, &subscription, false, NULL,
		&refusal), 0);
}

static void
pack(void)
{
	moved = sl_eio_moved_create(session);
	CU_ASSERT_PTR_NOT_NULL_FATAL(moved);
	CU_ASSERT_EQUAL(sl_session_move_away(&session->session), 0);
	sl_eio_moved_lift(moved, session);
	CU_ASSERT_PTR_NULL(session->socket);
}

/* Returns the socket, or NULL where it cannot join. */
static struct sl_eio_socket *
join(struct sl_buffer *frames)
{
	struct sl_eio_socket *socket;
	client_open_stream(&stream, &world, "channels=elsewhere");
	sl_fanout_unsubscribe_all(stream.subscriber);
	return sl_eio_moved_join(moved, &carrier, stream.subscriber, frames, &socket) == 0 ? socket : NULL;
}

static void
end(struct sl_eio_socket *socket)
{
	sl_eio_socket_destroy(socket, &world.shard, true);
	client_close(&stream);
	eio_end();
}

static void
expect_subscription(size_t index, const char *channel, const char *label)
{
	struct sl_span text = sl_fanout_get_label(stream.subscriber, index);
	CU_ASSERT_STRING_EQUAL(sl_fanout_get_name(stream.subscriber->subscriptions[index].channel), channel);
	CU_ASSERT(label ? sl_span_equals(text, label) : !text.bytes);
}

static void
test_channels_go_with_their_labels_and_from_where_they_were(void)
{
	struct sl_buffer frames = SL_BUFFER_INIT;
	begin();
	world_publish(&world, "a", "before");
	eio_settle();
	subscribe("a", NULL);
	subscribe("a", "n/x");
	subscribe("b", "n/y");
	uint64_t after = session->session.subscriber.subscriptions[2].after;
	world_publish(&world, "a", "between");
	eio_settle();
	pack();
	struct sl_eio_socket *socket = join(&frames);
	CU_ASSERT_PTR_NOT_NULL_FATAL(socket);
	CU_ASSERT_EQUAL_FATAL(stream.subscriber->subscription_count, 3);
	expect_subscription(0, "a", NULL);
	expect_subscription(1, "a", "n/x");
	expect_subscription(2, "b", "n/y");
	CU_ASSERT_EQUAL(stream.subscriber->subscriptions[2].after, after);
	CU_ASSERT_EQUAL(stream.subscriber->state, SL_SUBSCRIBER_BEHIND);
	eio_settle();
	const char *text = client_take_text(&stream, &world);
	CU_ASSERT_EQUAL(http_count(text, "\"between\""), 2);
	CU_ASSERT_EQUAL(http_count(text, "\"before\""), 0);
	CU_ASSERT_TRUE(sl_eio_socket_send(socket, "x", 1, false));
	CU_ASSERT_EQUAL(sent, 1);
	CU_ASSERT_TRUE(sl_session_has_moved(&other, (struct sl_span){ id, SL_SESSION_ID_LEN }));
	CU_ASSERT_EQUAL(frames.len, 0);
	end(socket);
}

static void
test_what_is_queued_goes_as_frames(void)
{
	static const char expected[] = "\x81\x02" "4a" "\x82\x03\1\2\3" "\x81\x01" "2";
	struct sl_buffer frames = SL_BUFFER_INIT;
	begin();
	sl_eio_socket_send(session->socket, "a", 1, false);
	sl_eio_socket_send(session->socket, "\1\2\3", 3, true);
	sl_session_queue(&session->session, "\x1e" "2", 2);
	pack();
	struct sl_eio_socket *socket = join(&frames);
	CU_ASSERT_EQUAL_FATAL(frames.len, sizeof expected - 1);
	CU_ASSERT_EQUAL(memcmp(frames.bytes, expected, frames.len), 0);
	sl_buffer_finish(&frames);
	end(socket);
}

static void
test_whoever_it_is_goes_with_it(void)
{
	struct sl_principal somebody;
	struct sl_buffer frames = SL_BUFFER_INIT;
	begin();
	somebody_init(&somebody, "ann", "a", "b.*");
	sl_subscriber_set_principal(&session->session.subscriber, &somebody);
	subscribe("a", NULL);
	pack();
	struct sl_eio_socket *socket = join(&frames);
	CU_ASSERT_PTR_NOT_NULL_FATAL(socket);
	const struct sl_principal *principal = stream.subscriber->holder.principal;
	CU_ASSERT_PTR_NOT_EQUAL(principal, &somebody);
	CU_ASSERT_STRING_EQUAL(sl_principal_get_claims(principal)->subject, "ann");
	CU_ASSERT_TRUE(sl_principal_may(principal, SL_ACT_PUBLISH, (struct sl_span){ "b.1", 3 }));
	CU_ASSERT_FALSE(sl_principal_may(principal, SL_ACT_SUBSCRIBE, (struct sl_span){ "b.1", 3 }));
	somebody_finish(&somebody);
	end(socket);
}

static void
test_one_that_nobody_takes_closes(void)
{
	begin();
	subscribe("a", NULL);
	sl_eio_socket_send(session->socket, "a", 1, false);
	pack();
	sl_eio_moved_drop(moved, &world.shard);
	eio_settle();
	eio_end();
}

static void
test_one_that_does_not_come_to_it_stays(void)
{
	begin();
	subscribe("a", NULL);
	moved = sl_eio_moved_create(session);
	sl_eio_moved_abandon(moved);
	sl_eio_moved_abandon(NULL);
	CU_ASSERT_TRUE(sl_eio_socket_send(session->socket, "a", 1, false));
	eio_end();
}

static void
test_the_clock_of_pings_goes_with_it(void)
{
	begin();
	uint64_t opened_ms = other.loop.now_ms;
	eio_pass(9000); /* its first GET is due after 10 s */
	moved = sl_eio_moved_create(session);
	CU_ASSERT_EQUAL(sl_eio_moved_get_last_beat_ms(moved), opened_ms);
	sl_eio_moved_abandon(moved);
	eio_end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_channels_go_with_their_labels_and_from_where_they_were),
		UNIT_TEST(test_what_is_queued_goes_as_frames),
		UNIT_TEST(test_whoever_it_is_goes_with_it),
		UNIT_TEST(test_one_that_nobody_takes_closes),
		UNIT_TEST(test_one_that_does_not_come_to_it_stays),
		UNIT_TEST(test_the_clock_of_pings_goes_with_it),
		{ NULL, NULL },
	};
	return unit_main("eio_moved", tests);
}
