#include "clients/socket_io/sio_connect.h"

#include "auth/principals.h"
#include "core/owners.h"
#include "clients/socket_io/sio_client.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/tokens.h"
#include "tests/unit/sio_world.h"
#include "util/clock.h"

static struct world_client client;

static void
begin_with(const char *const *options, const char *query)
{
	sio_begin(options);
	sio_open(&client, query);
}

static void
end(void)
{
	client_close(&client);
	sio_end();
}

/* The id is another one each time. */
static const char *
without_id(const char *frames)
{
	static char text[4096];
	snprintf(text, sizeof text, "%s", frames);
	for (char *at = text; (at = strstr(at, "\"sid\":\"")); at += 8)
		memset(at + 7, 'S', SL_SIO_ID_LEN);
	return text;
}

#define ID "SSSSSSSSSSSSSSSSSSSS"

static void
test_sio_connect_answers_to_the_byte(void)
{
	begin_with(NULL, "");
	SIO_IS(without_id(sio_talk(&client, "40")), "`40{\"sid\":\"" ID "\"}`");
	SIO_IS(without_id(sio_talk(&client, "40/admin,{}")), "`40/admin,{\"sid\":\"" ID "\"}`");
	SIO_IS(without_id(sio_talk(&client, "40/a b/\xc3\xa4,{\"x\":[1]}")), "`40/a b/\xc3\xa4,{\"sid\":\"" ID "\"}`");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_CONNECTS), 3);
	end();
}

static void
test_sio_connect_has_a_pid_with_recovery_alone(void)
{
	static const char *const options[] = { "--socketio-recovery", NULL };
	static const char *const queries[] = { "recovery=0&", "recovery=&", "x=1&" };
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		begin_with(NULL, queries[i]);
		CU_ASSERT_PTR_NULL(strstr(sio_talk(&client, "40"), "pid"));
		end();
	}
	begin_with(NULL, "recovery=1&");
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40"), "\",\"pid\":\""));
	end();
	begin_with(options, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40"), "\",\"pid\":\""));
	end();
}

static void
test_sio_connect_refuses_a_namespace_that_is_no_name(void)
{
	static const char *const names[] = { "/*", "/a*b", "/a\x7f", "/\xc2\x80", "/\x01" };
	char text[600], expected[600];
	begin_with(NULL, "");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(text, sizeof text, "40%s,", names[i]);
		snprintf(expected, sizeof expected, "`44%s,{\"message\":\"Invalid namespace\"}`", names[i]);
		SIO_IS(sio_talk(&client, text), expected);
	}
	memset(text, 'x', sizeof text);
	memcpy(text, "40/", 3);
	text[3 + SL_CHANNEL_MAX + 1] = '\0';
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, text), "Invalid namespace"));
	text[3 + SL_CHANNEL_MAX] = '\0';
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, text), "\"sid\""));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_CONNECT_ERRORS), sizeof names / sizeof *names + 1);
	end();
}

static void
test_sio_connect_subscribes_to_what_is_named(void)
{
	static const char *const options[] = { "--socketio-channel=main", NULL };
	begin_with(options, "channels=q1,q2&");
	sio_talk(&client, "40{\"channels\":\"a,b\"}");
	CU_ASSERT_EQUAL(world.shard.fanout.position, 0);
	for (int i = 0; i < 5; i++)
		sio_publish(((const char *const[]){ "main", "q1", "q2", "a", "b" })[i], "n", "1");
	SIO_IS(sio_take(&client), "`42[\"n\",1]``42[\"n\",1]``42[\"n\",1]``42[\"n\",1]``42[\"n\",1]`");
	sio_talk(&client, "40/x,{\"channels\":[\"a\",\"c,d\"]}"); /* the query is the first one's */
	for (int i = 0; i < 4; i++)
		sio_publish(((const char *const[]){ "x", "q1", "a", "c,d" })[i], "n", i % 2 ? "1" : "2");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",2]``42[\"n\",1]``42[\"n\",2]``42/x,[\"n\",2]``42/x,[\"n\",1]`");
	end();
}

static void
test_sio_connect_is_refused_with_a_code(void)
{
	static const struct { const char *packet, *start; } cases[] = {
		{ "40{\"channels\":1}", "`44{\"message\":\"" }, { "40/x,{\"channels\":[\"*\"]}", "`44/x,{\"message\":\"" },
		{ "40{\"channels\":\"a,\"}", "`44{\"message\":\"" }, { "40{\"channels\":{}}", "`44{\"message\":\"" },
	};
	begin_with(NULL, "");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *frames = sio_talk(&client, cases[i].packet);
		CU_ASSERT_EQUAL(strncmp(frames, cases[i].start, strlen(cases[i].start)), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(frames, "\",\"data\":{\"code\":\"bad_channel\"}}`"));
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40{\"channels\":null,\"token\":null,\"pid\":1}"), "sid"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/y,{\"token\":\"\\ud800\"}"), "\"code\":\"bad_request\""));
	end();
}

static void
test_sio_connect_is_refused_for_more_channels_than_there_may_be(void)
{
	static const char *const options[] = { "--max-channels=2", NULL };
	begin_with(options, "");
	SIO_IS(sio_talk(&client, "40/x,{\"channels\":\"a,b\"}"), "`44/x,{\"message\":\"the connection has too many channels; see limits.channels in /transports\","
		"\"data\":{\"code\":\"too_many_channels\"}}`");
	sio_talk(&client, "40/x,{\"channels\":\"a\"}");
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/y,"), "too_many_channels"));
	sio_talk(&client, "41/x,");
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/y,"), "sid"));
	end();
}

static void
test_sio_connect_bounds_the_namespaces_of_a_socket(void)
{
	char text[32];
	begin_with(NULL, "");
	for (int i = 0; i < SL_SIO_NAMESPACES_MAX; i++) {
		snprintf(text, sizeof text, "40/n%d,", i);
		CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, text), "sid"));
	}
	SIO_IS(sio_talk(&client, "40/more,"), "`44/more,{\"message\":\"the connection has too many namespaces; use at most 16\","
		"\"data\":{\"code\":\"too_many_namespaces\"}}`");
	sio_talk(&client, "41/n3,");
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/more,"), "sid"));
	end();
}

/* ---- tokens ---- */

static void
begin_with_tokens(void)
{
	static const char *const options[] = { "--anonymous-subscribe=open", NULL };
	tokens_open(options);
	sio_begin(NULL);
	sl_principals_set_auth(world.shard.principals, tokens_auth);
	sio_open(&client, "");
}

static void
end_with_tokens(void)
{
	end();
	tokens_close();
}

static const char *
connect_as(const char *nsp, const char *subject, const char *subscribe)
{
	char text[2048], rights[128];
	snprintf(rights, sizeof rights, "{\"subscribe\":[\"%s\"]}", subscribe);
	snprintf(text, sizeof text, "40%s{\"token\":\"%s\"}", nsp,
		tokens_mint(subject, sl_clock_wall_us() / 1000000, rights));
	return sio_talk(&client, text);
}

static void
test_sio_connect_takes_a_token_of_the_auth_object(void)
{
	begin_with_tokens();
	SIO_IS(sio_talk(&client, "40/x,"), "`44/x,{\"message\":\"without a token a client may not subscribe to x; use a token\","
		"\"data\":{\"code\":\"unauthorized\"}}`");
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/open,"), "sid"));
	sio_talk(&client, "41/open,");
	SIO_IS(connect_as("/y,", "ann", "x"), "`44/y,{\"message\":\"this token may not subscribe to y\",\"data\":{\"code\":\"forbidden\"}}`");
	CU_ASSERT_PTR_NOT_NULL(strstr(connect_as("/x,", "ann", "x"), "sid"));
	sio_publish("x", "n", "1");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",1]`");
	end_with_tokens();
}

static void
test_sio_connect_makes_it_a_stream_of_its_subject(void)
{
	struct world_client first;
	begin_with_tokens();
	sl_owners_set_limits(world.http.owners, &(struct sl_limits){ .max_connections = 100, .max_per_subject = 1 });
	CU_ASSERT_PTR_NOT_NULL(strstr(connect_as("/x,", "ann", "*"), "sid"));
	CU_ASSERT_PTR_NOT_NULL(strstr(connect_as("/y,", "ann", "*"), "sid")); /* the same one */
	first = client;
	sio_open(&client, "");
	SIO_IS(connect_as("/x,", "ann", "*"), "(1013)"); /* it comes back by itself */
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_CONNECTIONS), 1);
	client_close(&client);
	sio_open(&client, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(connect_as("/x,", "bob", "*"), "sid"));
	client_close(&first);
	world_settle(&world);
	sio_talk(&client, "41/x,");
	CU_ASSERT_PTR_NOT_NULL(strstr(connect_as("/x,", "ann", "*"), "sid"));
	end_with_tokens();
}

static void
test_sio_connect_of_another_subject_is_refused(void)
{
	begin_with_tokens();
	CU_ASSERT_PTR_NOT_NULL(strstr(connect_as("/x,", "ann", "*"), "sid"));
	SIO_IS(connect_as("/y,", "bob", "*"), "`44/y,{\"message\":\"the token names another subject than the connection; use a token of the same subject\","
		"\"data\":{\"code\":\"forbidden\"}}`");
	CU_ASSERT_PTR_NOT_NULL(strstr(connect_as("/y,", "ann", "*"), "sid"));
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/z,"), "sid")); /* the first one's counts */
	end_with_tokens();
}

static void
test_sio_connect_refuses_a_token_that_does_not_count(void)
{
	begin_with_tokens();
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/open,{\"token\":\"x.y.z\"}"), "\"data\":{\"code\":\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/open,"), "sid"));
	end_with_tokens();
}

/* However often the subject may be wrong, the address pays, and the subject does not. */
static void
test_sio_connect_charges_the_address_for_a_token_that_does_not_count(void)
{
	uint64_t now_ms;
	struct sl_owner *ann;
	begin_with_tokens();
	sl_owners_set_limits(world.http.owners, &(struct sl_limits){ .max_connections = 100,
		.rates = { [SL_LIMIT_TOKEN_FAILURES] = 1 } });
	sio_own(&client);
	CU_ASSERT_PTR_NOT_NULL(strstr(connect_as("/x,", "ann", "*"), "sid"));
	for (int i = 0; i < 100 && !strstr(sio_talk(&client, "40/y,{\"token\":\"x.y.z\"}"), "rate_limited"); i++)
		continue;
	now_ms = world.shard.loop.now_ms;
	ann = sl_owners_get_subject(world.http.owners, "ann");
	CU_ASSERT_EQUAL(sl_owner_get_wait(ann, SL_LIMIT_TOKEN_FAILURES, now_ms), 0);
	CU_ASSERT(sl_owner_get_wait(client.link->owner, SL_LIMIT_TOKEN_FAILURES, now_ms) > 0);
	sl_owner_unref(ann);
	end_with_tokens();
}

static void
test_sio_connect_without_memory_is_refused_or_closes(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		begin_with(NULL, "recovery=1&channels=q&");
		failing_again(&failing);
		sio_say(&client, "40/x,{\"channels\":[\"a\",\"b\"],\"token\":\"\\u0061\"}");
		world_settle(&world);
		failing_alloc_off();
		CU_ASSERT_PTR_NULL(strstr(sio_take(&client), "`41"));
		end();
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_connect_answers_to_the_byte),
		UNIT_TEST(test_sio_connect_has_a_pid_with_recovery_alone),
		UNIT_TEST(test_sio_connect_refuses_a_namespace_that_is_no_name),
		UNIT_TEST(test_sio_connect_subscribes_to_what_is_named),
		UNIT_TEST(test_sio_connect_is_refused_with_a_code),
		UNIT_TEST(test_sio_connect_is_refused_for_more_channels_than_there_may_be),
		UNIT_TEST(test_sio_connect_bounds_the_namespaces_of_a_socket),
		UNIT_TEST(test_sio_connect_takes_a_token_of_the_auth_object),
		UNIT_TEST(test_sio_connect_makes_it_a_stream_of_its_subject),
		UNIT_TEST(test_sio_connect_of_another_subject_is_refused),
		UNIT_TEST(test_sio_connect_refuses_a_token_that_does_not_count),
		UNIT_TEST(test_sio_connect_charges_the_address_for_a_token_that_does_not_count),
		UNIT_TEST(test_sio_connect_without_memory_is_refused_or_closes),
		{ NULL, NULL },
	};
	return unit_main("sio_connect", tests);
}
