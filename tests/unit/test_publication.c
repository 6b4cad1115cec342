#include "live/publication.h"

#include <string.h>

#include "bus/message.h"
#include "config/config.h"
#include "live/fanout.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/live_world.h"
#include "tests/unit/somebody.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct live_world world;
static const struct sl_config config = { .max_message_bytes = 20, .max_json_depth = 4 };

/* As the members of {"channel":..,"data":..,"key":..} stand in the text. */
static struct sl_json_member
member(const char *value)
{
	if (!value)
		return (struct sl_json_member){ 0 };
	return (struct sl_json_member){ .value = { value, strlen(value) },
		.kind = *value == '"' ? SL_JSON_STRING : SL_JSON_NUMBER };
}

static int
make(struct sl_publication *out, const char *channel, const char *data, const char *key,
	const char *instead, struct sl_refusal *refusal)
{
	struct sl_publication_members members = { member(channel), member(data), member(key) };
	struct sl_publication_defaults defaults = { .channel = { instead, instead ? strlen(instead) : 0 } };
	*refusal = (struct sl_refusal){ 0 };
	return sl_publication_make(out, &members, &defaults, &config, refusal);
}

static void
test_publication_is_what_its_members_say(void)
{
	struct sl_publication publication;
	struct sl_refusal refusal;
	CU_ASSERT_EQUAL_FATAL(make(&publication, "\"a\\u002eb\"", "[1]", "\"12345678\"", NULL, &refusal), 0);
	CU_ASSERT_STRING_EQUAL(publication.message->channel, "a.b"); /* escapes are decoded */
	CU_ASSERT_TRUE(sl_span_equals(publication.key, "12345678"));
	sl_message_unref(publication.message);
	CU_ASSERT_EQUAL_FATAL(make(&publication, NULL, "1", NULL, "c", &refusal), 0);
	CU_ASSERT_STRING_EQUAL(publication.message->channel, "c");
	CU_ASSERT_PTR_NULL(publication.key.bytes);
	sl_message_unref(publication.message);
}

static void
test_publication_may_be_compressed_unless_it_says_no(void)
{
	static const struct { const char *value; enum sl_json_kind kind; int err; } cases[] = {
		{ NULL, SL_JSON_NULL, 0 }, { "true", SL_JSON_TRUE, 0 }, { "false", SL_JSON_FALSE, 0 },
		{ "0", SL_JSON_NUMBER, SL_EINVAL }, { "\"false\"", SL_JSON_STRING, SL_EINVAL },
		{ "null", SL_JSON_NULL, SL_EINVAL }, { "[]", SL_JSON_ARRAY, SL_EINVAL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_publication_members members = { member("\"a\""), member("1") };
		struct sl_publication publication;
		struct sl_refusal refusal = { 0 };
		const char *value = cases[i].value;
		if (value)
			members.compress = (struct sl_json_member){ .value = { value, strlen(value) },
				.kind = cases[i].kind };
		int err = sl_publication_make(&publication, &members,
			&(struct sl_publication_defaults){ 0 }, &config, &refusal);
		CU_ASSERT_EQUAL(err, cases[i].err);
		if (err != 0) {
			CU_ASSERT_STRING_EQUAL(refusal.code, "bad_request");
			continue;
		}
		CU_ASSERT_EQUAL(publication.message->uncompressed, value && cases[i].kind == SL_JSON_FALSE);
		sl_message_unref(publication.message);
	}
}

static struct sl_span
span_of(const char *text)
{
	return (struct sl_span){ text, text ? strlen(text) : 0 };
}

static void
test_publication_has_the_event_of_its_object_or_else_of_its_request(void)
{
	static const struct {
		const char *event, *args, *data, *default_event, *default_args, *wanted, *code;
		enum sl_args wanted_args;
	} cases[] = {
		{ NULL, NULL, "[1]", NULL, NULL, NULL, NULL, SL_ARGS_ONE },
		{ "\"a\\u0020\\\"b\"", NULL, "[1]", NULL, NULL, "a \"b", NULL, SL_ARGS_ONE },
		{ "\"a\"", "\"list\"", "[1]", NULL, NULL, "a", NULL, SL_ARGS_LIST },
		{ "\"a\"", NULL, "[1]", "b", "list", "a", NULL, SL_ARGS_ONE },
		{ NULL, NULL, "[1]", "b", "list", "b", NULL, SL_ARGS_LIST },
		{ NULL, "\"list\"", "[1]", "b", "list", NULL, "bad_args", SL_ARGS_ONE },
		{ NULL, NULL, "[1]", NULL, "list", NULL, "bad_args", SL_ARGS_ONE },
		{ NULL, NULL, "[1]", "b", "", NULL, "bad_args", SL_ARGS_ONE },
		{ NULL, NULL, "[1]", "", NULL, NULL, "bad_event", SL_ARGS_ONE },
		{ "\"\"", NULL, "1", NULL, NULL, NULL, "bad_event", SL_ARGS_ONE },
		{ "1", NULL, "1", NULL, NULL, NULL, "bad_event", SL_ARGS_ONE },
		{ "\"\\n\"", NULL, "1", NULL, NULL, NULL, "bad_event", SL_ARGS_ONE },
		{ "\"\\ud800\"", NULL, "1", NULL, NULL, NULL, "bad_event", SL_ARGS_ONE },
		{ "\"a\"", "\"one\"", "1", NULL, NULL, NULL, "bad_args", SL_ARGS_ONE },
		{ "\"a\"", "1", "1", NULL, NULL, NULL, "bad_args", SL_ARGS_ONE },
		{ "\"a\"", "\"list\"", "1", NULL, NULL, NULL, "bad_args", SL_ARGS_ONE },
		{ "\"a\"", "\"binary\"", "[]", NULL, NULL, NULL, "bad_args", SL_ARGS_ONE },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_publication publication;
		struct sl_refusal refusal = { 0 };
		struct sl_publication_members members = { member("\"c\""), member(cases[i].data),
			.event = member(cases[i].event), .args = member(cases[i].args) };
		struct sl_publication_defaults defaults = { .event = span_of(cases[i].default_event),
			.args = span_of(cases[i].default_args) };
		int err = sl_publication_make(&publication, &members, &defaults, &config, &refusal);
		CU_ASSERT_EQUAL_FATAL(err, cases[i].code ? SL_EINVAL : 0);
		if (cases[i].code) {
			CU_ASSERT_STRING_EQUAL(refusal.code, cases[i].code);
			continue;
		}
		const char *event = publication.message->event;
		CU_ASSERT_EQUAL(event == NULL, cases[i].wanted == NULL);
		CU_ASSERT_TRUE(!event || strcmp(event, cases[i].wanted) == 0);
		CU_ASSERT_EQUAL(publication.message->args, cases[i].wanted_args);
		sl_message_unref(publication.message);
	}
}

static void
test_publication_refusals_have_the_codes_of_the_protocol(void)
{
	static const struct { const char *channel, *data, *key, *code; } cases[] = {
		{ NULL, "1", NULL, "bad_channel" },
		{ "1", "1", NULL, "bad_channel" },
		{ "\"a.*\"", "1", NULL, "bad_channel" },
		{ "\"a\"", NULL, NULL, "no_data" },
		{ "\"a\"", "\"1234567890123456789\"", NULL, "too_large" },
		{ "\"a\"", "1", "\"short\"", "bad_key" },
		{ "\"a\"", "1", "12345678", "bad_key" },
		{ "\"a\"", "[[[[[1]]]]]", NULL, "too_deep" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_publication publication;
		struct sl_refusal refusal;
		CU_ASSERT_TRUE(make(&publication, cases[i].channel, cases[i].data, cases[i].key, NULL,
			&refusal) < 0);
		CU_ASSERT_PTR_NOT_NULL_FATAL(refusal.code);
		CU_ASSERT_STRING_EQUAL(refusal.code, cases[i].code);
		CU_ASSERT_NOT_EQUAL(refusal.message[0], '\0');
	}
}

static void
test_publication_without_memory_is_refused(void)
{
	for_each_failing_allocation(failing) {
		struct sl_publication publication;
		struct sl_refusal refusal;
		int err = make(&publication, "\"a\\u002eb\"", "[1]", "\"1234567\\u0038\"", NULL, &refusal);
		CU_ASSERT_EQUAL(err == 0, refusal.code == NULL);
		if (err == 0)
			sl_message_unref(publication.message);
	}
}

/* ---- publishing ---- */

static bool sha256_fails;
int __real_sl_crypto_sha256(const void *bytes, size_t len, uint8_t out[SL_SHA256_LEN]);
int __wrap_sl_crypto_sha256(const void *bytes, size_t len, uint8_t out[SL_SHA256_LEN]);

int
__wrap_sl_crypto_sha256(const void *bytes, size_t len, uint8_t out[SL_SHA256_LEN])
{
	return sha256_fails ? SL_EIO : __real_sl_crypto_sha256(bytes, len, out);
}

static uint64_t
publish(struct sl_principal *publisher, const char *channel, const char *key)
{
	struct sl_publication publication = { .class = SL_CLASS_HTTP, .publisher = publisher,
		.key = { key, strlen(key) } };
	struct sl_refusal refusal = { 0 };
	struct sl_publishing pending = { 0 };
	struct sl_cursor id = { 0 };
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&publication.message, channel, strlen(channel), SL_TEXT,
		"x", 1), 0);
	int err = sl_publication_publish(&world.shard, &publication, &pending, &id, &refusal);
	CU_ASSERT_EQUAL(err != 0, refusal.code != NULL);
	return err == 0 ? id.seq : 0;
}

/* No other subject, channel and key make the same text. */
static void
test_publication_keys_of_three_parts_are_told_apart(void)
{
	struct sl_principal a, ab, none;
	somebody_init(&a, "a", NULL, "*");
	somebody_init(&ab, "ab", NULL, "*");
	somebody_init(&none, "", NULL, "*");
	world_open(&world, NULL);
	CU_ASSERT_EQUAL(publish(&a, "bc", "12345678"), 1);
	CU_ASSERT_EQUAL(publish(&ab, "c", "12345678"), 2);
	CU_ASSERT_EQUAL(publish(&a, "b", "c12345678"), 3);
	CU_ASSERT_EQUAL(publish(&none, "a", "12345678"), 4);
	CU_ASSERT_EQUAL(publish(&a, "a", "12345678"), 5);
	CU_ASSERT_EQUAL(publish(&a, "bc", "12345678"), 1);
	CU_ASSERT_EQUAL(publish(&none, "a", "12345678"), 4);
	world_close(&world);
	somebody_finish(&a);
	somebody_finish(&ab);
	somebody_finish(&none);
}

static void
test_publication_with_the_longest_of_everything_has_a_key(void)
{
	static char subject[SL_SUBJECT_MAX + 1], channel[SL_CHANNEL_MAX + 1], key[SL_KEY_MAX + 1];
	struct sl_principal long_one;
	memset(subject, 's', SL_SUBJECT_MAX);
	memset(channel, 'c', SL_CHANNEL_MAX);
	memset(key, 'k', SL_KEY_MAX);
	somebody_init(&long_one, subject, NULL, "*");
	world_open(&world, NULL);
	CU_ASSERT_EQUAL(publish(&long_one, channel, key), 1);
	CU_ASSERT_EQUAL(publish(&long_one, channel, key), 1);
	key[SL_KEY_MAX - 1] = 'l';
	CU_ASSERT_EQUAL(publish(&long_one, channel, key), 2);
	world_close(&world);
	somebody_finish(&long_one);
}

/* Without its key a message is not published: it might be there already. */
static void
test_publication_whose_key_cannot_be_computed_is_refused(void)
{
	world_open(&world, NULL);
	sha256_fails = true;
	long live = failing_alloc_live();
	CU_ASSERT_EQUAL(publish(&sl_principal_everybody, "a", "12345678"), 0);
	CU_ASSERT_EQUAL(failing_alloc_live(), live);
	sha256_fails = false;
	CU_ASSERT_EQUAL(publish(&sl_principal_everybody, "a", "12345678"), 1);
	world_close(&world);
}

static void
test_publication_that_is_forbidden_is_gone(void)
{
	struct sl_principal nobody;
	somebody_init(&nobody, "ann", "*", NULL);
	world_open(&world, NULL);
	long live = failing_alloc_live();
	CU_ASSERT_EQUAL(publish(&nobody, "a", "12345678"), 0);
	CU_ASSERT_EQUAL(publish(NULL, "a", "12345678"), 0);
	CU_ASSERT_EQUAL(failing_alloc_live(), live);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_PUBLISH), 1);
	world_close(&world);
	somebody_finish(&nobody);
}

/* ---- what its owner pays ---- */

static struct sl_owner *owner;

static void
limit(enum sl_limit limit, uint64_t rate)
{
	world_limit_rate(&world, limit, rate);
	owner = sl_owners_get_subject(world.http.owners, "ann");
}

static void
end_limited(void)
{
	sl_owner_unref(owner);
	world_close(&world);
}

static void
fail_if_done(struct sl_publishing *publishing)
{
	(void)publishing;
	CU_FAIL("nothing waits");
}

/* A text of so many bytes, at the cost of `owner`. */
static int
pay_for(const char *channel, const char *key, size_t len, struct sl_refusal *refusal)
{
	static char text[100000];
	struct sl_publication publication = { .class = SL_CLASS_HTTP, .owner = owner,
		.publisher = &sl_principal_everybody, .key = { key, key ? strlen(key) : 0 } };
	struct sl_publishing publishing = { .on_done = fail_if_done };
	struct sl_cursor id;
	memset(text, 'x', sizeof text);
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&publication.message, channel, strlen(channel), SL_TEXT,
		text, len), 0);
	*refusal = (struct sl_refusal){ 0 };
	return sl_publication_publish(&world.shard, &publication, &publishing, &id, refusal);
}

static unsigned
pay_until_refused(const char *channel, size_t len, struct sl_refusal *refusal)
{
	unsigned count = 0;
	while (pay_for(channel, NULL, len, refusal) == 0)
		count++;
	CU_ASSERT_STRING_EQUAL(refusal->code, "rate_limited");
	CU_ASSERT_TRUE(refusal->retry_ms >= 1000);
	return count;
}

static void
test_publication_pays_one_publish_each(void)
{
	struct sl_refusal refusal;
	world_open(&world, NULL);
	limit(SL_LIMIT_PUBLISHES, 10);
	CU_ASSERT_EQUAL(pay_until_refused("a", 5000, &refusal), 20);
	CU_ASSERT_EQUAL(world_head(&world), 20);
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal.message, "--publish-rate"));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_PUBLISHES), 1);
	world_pass(&world, 1000);
	CU_ASSERT_EQUAL(pay_until_refused("a", 1, &refusal), 10);
	sl_owner_unref(owner);
	owner = NULL; /* what nobody pays has no limit */
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(pay_for("a", NULL, 1, &refusal), 0);
	end_limited();
}

/* One who asks for what is forbidden does not do so for nothing. */
static void
test_publication_that_is_forbidden_pays_too(void)
{
	struct sl_principal nobody;
	struct sl_refusal refusal = { 0 };
	unsigned forbidden = 0;
	world_open(&world, NULL);
	limit(SL_LIMIT_PUBLISHES, 10);
	somebody_init(&nobody, "ann", "*", NULL);
	for (int err = SL_EFORBIDDEN; err == SL_EFORBIDDEN && forbidden < 100; forbidden++) {
		struct sl_publication publication = { .class = SL_CLASS_HTTP, .publisher = &nobody,
			.owner = owner };
		struct sl_publishing publishing = { .on_done = fail_if_done };
		struct sl_cursor id;
		CU_ASSERT_EQUAL_FATAL(sl_message_create(&publication.message, "a", 1, SL_TEXT, "x", 1), 0);
		err = sl_publication_publish(&world.shard, &publication, &publishing, &id, &refusal);
	}
	CU_ASSERT_EQUAL(forbidden, 21);
	CU_ASSERT_STRING_EQUAL(refusal.code, "rate_limited");
	somebody_finish(&nobody);
	end_limited();
}

static void
test_publication_pays_its_bytes_and_one_may_be_too_much(void)
{
	struct sl_refusal refusal;
	world_open(&world, NULL);
	limit(SL_LIMIT_PUBLISHED_BYTES, 1000);
	CU_ASSERT_EQUAL(pay_until_refused("a", 100, &refusal), 40);
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal.message, "--publish-bytes"));
	world_pass(&world, 1000);
	CU_ASSERT_EQUAL(pay_until_refused("a", 90000, &refusal), 1);
	CU_ASSERT_EQUAL(refusal.retry_ms, 89001); /* the rest of it has to be earned */
	end_limited();
}

static struct world_client readers[20];

static void
open_readers(void)
{
	for (int i = 0; i < 20; i++)
		client_open_stream(&readers[i], &world, "channels=a");
}

static void
close_readers(void)
{
	for (int i = 0; i < 20; i++)
		client_close(&readers[i]);
	world_settle(&world);
}

static void
test_publication_pays_its_receivers_and_as_many_for_each_kib(void)
{
	struct sl_refusal refusal;
	world_open(&world, NULL);
	limit(SL_LIMIT_DELIVERIES, 200);
	CU_ASSERT_EQUAL(pay_for("a", NULL, 90000, &refusal), 0); /* to nobody */
	open_readers();
	CU_ASSERT_EQUAL(pay_until_refused("a", 1023, &refusal), 10);
	CU_ASSERT_PTR_NOT_NULL(strstr(refusal.message, "--delivery-rate"));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_LIMITED_DELIVERIES), 1);
	world_pass(&world, 1000);
	CU_ASSERT_EQUAL(pay_until_refused("a", 1024, &refusal), 5);
	world_pass(&world, 1000);
	CU_ASSERT_EQUAL(pay_until_refused("a", 65536, &refusal), 1);
	CU_ASSERT_EQUAL(refusal.retry_ms, (20 * 65 - 200) * 1000 / 200 + 1);
	CU_ASSERT_EQUAL(pay_for("nobody", NULL, 1, &refusal), SL_ELIMITED);
	close_readers();
	end_limited();
}

static void
test_publication_with_a_key_that_is_known_pays_no_deliveries(void)
{
	struct sl_refusal refusal;
	world_open(&world, NULL);
	limit(SL_LIMIT_DELIVERIES, 100);
	open_readers();
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(pay_for("a", "12345678", 1, &refusal), 0);
	CU_ASSERT_EQUAL(pay_until_refused("a", 1, &refusal), 4);
	close_readers();
	end_limited();
}

static unsigned done;

static void
count_done(struct sl_publishing *publishing)
{
	CU_ASSERT_PTR_NULL(publishing->owner);
	done++;
}

static int
publish_held(struct sl_publishing *publishing, struct sl_refusal *refusal)
{
	struct sl_publication publication = { .class = SL_CLASS_HTTP, .owner = owner,
		.publisher = &sl_principal_everybody };
	struct sl_cursor id;
	*publishing = (struct sl_publishing){ .on_done = count_done };
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&publication.message, "a", 1, SL_TEXT, "x", 1), 0);
	return sl_publication_publish(&world.shard, &publication, publishing, &id, refusal);
}

/* What waits counts as if it were there, so that many that wait are not too many in the end. */
static void
test_publication_that_waits_has_paid_and_gets_back_what_it_did_not_cause(void)
{
	struct held_backend *held = held_create();
	struct sl_publishing waiting[7];
	struct sl_refusal refusal;
	world_open_over(&world, &held->base, NULL);
	limit(SL_LIMIT_DELIVERIES, 100);
	open_readers();
	done = 0;
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(publish_held(&waiting[i], &refusal), SL_PENDING);
	CU_ASSERT_EQUAL(publish_held(&waiting[5], &refusal), SL_ELIMITED);
	held_answer(held, SL_EBACKEND);
	world_settle(&world);
	CU_ASSERT_EQUAL(done, 1);
	CU_ASSERT_EQUAL(publish_held(&waiting[5], &refusal), SL_PENDING);
	CU_ASSERT_EQUAL(publish_held(&waiting[6], &refusal), SL_ELIMITED);
	for (int i = 0; i < 19; i++)
		sl_fanout_unsubscribe_all(readers[i].subscriber);
	for (int i = 0; i < 5; i++)
		held_answer(held, 0); /* to one each */
	world_settle(&world);
	CU_ASSERT_EQUAL(done, 6);
	CU_ASSERT_EQUAL(sl_owner_get_wait(owner, SL_LIMIT_DELIVERIES, world.shard.loop.now_ms), 0);
	sl_owner_spend(owner, SL_LIMIT_DELIVERIES, 94, world.shard.loop.now_ms);
	CU_ASSERT_EQUAL(sl_owner_get_wait(owner, SL_LIMIT_DELIVERIES, world.shard.loop.now_ms), 0);
	sl_owner_spend(owner, SL_LIMIT_DELIVERIES, 1, world.shard.loop.now_ms);
	CU_ASSERT_TRUE(sl_owner_get_wait(owner, SL_LIMIT_DELIVERIES, world.shard.loop.now_ms) > 0);
	close_readers();
	end_limited();
}

static void
test_publication_that_waits_when_its_shard_goes_lets_its_owner_go(void)
{
	struct held_backend *held = held_create();
	struct sl_publishing waiting;
	struct sl_refusal refusal;
	world_open_over(&world, &held->base, NULL);
	limit(SL_LIMIT_DELIVERIES, 100);
	done = 0;
	CU_ASSERT_EQUAL(publish_held(&waiting, &refusal), SL_PENDING);
	CU_ASSERT_PTR_EQUAL(waiting.owner, owner);
	end_limited();
	CU_ASSERT_EQUAL(done, 1);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_publication_is_what_its_members_say),
		UNIT_TEST(test_publication_may_be_compressed_unless_it_says_no),
		UNIT_TEST(test_publication_has_the_event_of_its_object_or_else_of_its_request),
		UNIT_TEST(test_publication_refusals_have_the_codes_of_the_protocol),
		UNIT_TEST(test_publication_without_memory_is_refused),
		UNIT_TEST(test_publication_keys_of_three_parts_are_told_apart),
		UNIT_TEST(test_publication_with_the_longest_of_everything_has_a_key),
		UNIT_TEST(test_publication_whose_key_cannot_be_computed_is_refused),
		UNIT_TEST(test_publication_that_is_forbidden_is_gone),
		UNIT_TEST(test_publication_pays_one_publish_each),
		UNIT_TEST(test_publication_that_is_forbidden_pays_too),
		UNIT_TEST(test_publication_pays_its_bytes_and_one_may_be_too_much),
		UNIT_TEST(test_publication_pays_its_receivers_and_as_many_for_each_kib),
		UNIT_TEST(test_publication_with_a_key_that_is_known_pays_no_deliveries),
		UNIT_TEST(test_publication_that_waits_has_paid_and_gets_back_what_it_did_not_cause),
		UNIT_TEST(test_publication_that_waits_when_its_shard_goes_lets_its_owner_go),
		{ NULL, NULL },
	};
	return unit_main("publication", tests);
}
