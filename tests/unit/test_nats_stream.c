#include "bus/nats_stream.h"

#include "tests/unit/nats_place.h"

static natsConnection *connection;
static jsCtx *js;
static char error[512];
static unsigned count;
static char bus[16];

/* A configuration for a bus of its own. */
static void
configure_bus(struct sl_config *config, const char *option, const char *value)
{
	const char *const more[] = { "--nats-bus", bus, option, value, NULL };
	snprintf(bus, sizeof bus, "bus-%u", ++count);
	place_configure(config, more);
}

static void
test_nats_stream_is_made_where_there_is_none_and_found_again(void)
{
	struct sl_config config;
	struct sl_nats_stream_state made, found;
	configure_bus(&config, NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(sl_nats_stream_open(js, &config, &made, error, sizeof error), 0);
	CU_ASSERT_EQUAL(made.generation, 1);
	CU_ASSERT_EQUAL(made.last, 0);
	CU_ASSERT_TRUE(made.has_leader);
	CU_ASSERT_TRUE(made.created_ns > 0);
	char subject[64];
	snprintf(subject, sizeof subject, "sluice.%s.a.channel", bus);
	jsPubAck *ack = NULL;
	CU_ASSERT_EQUAL(js_Publish(&ack, js, subject, "{}", 2, NULL, NULL), NATS_OK);
	jsPubAck_Destroy(ack);
	CU_ASSERT_EQUAL_FATAL(sl_nats_stream_open(js, &config, &found, error, sizeof error), 0);
	CU_ASSERT_EQUAL(found.created_ns, made.created_ns);
	CU_ASSERT_EQUAL(found.first, 1);
	CU_ASSERT_EQUAL(found.last, 1);
	sl_config_finish(&config);
}

static void
test_nats_stream_raises_its_generation_once(void)
{
	struct sl_config config;
	struct sl_nats_stream_state state;
	char name[SL_NATS_STREAM_NAME_MAX];
	configure_bus(&config, NULL, NULL);
	sl_nats_stream_name(name, bus);
	CU_ASSERT_EQUAL(sl_nats_stream_raise_generation(js, name, 2, error, sizeof error), SL_EIO);
	CU_ASSERT_EQUAL_FATAL(sl_nats_stream_open(js, &config, &state, error, sizeof error), 0);
	int64_t created_ns = state.created_ns;
	for (unsigned i = 0; i < 2; i++) { /* every node that finds the log rolled back asks for the same */
		CU_ASSERT_EQUAL(sl_nats_stream_raise_generation(js, name, 2, error, sizeof error), 0);
		CU_ASSERT_EQUAL(sl_nats_stream_open(js, &config, &state, error, sizeof error), 0);
		CU_ASSERT_EQUAL(state.generation, 2);
		CU_ASSERT_EQUAL(state.created_ns, created_ns);
	}
	CU_ASSERT_EQUAL(sl_nats_stream_raise_generation(js, name, 1, error, sizeof error), 0);
	CU_ASSERT_EQUAL(sl_nats_stream_open(js, &config, &state, error, sizeof error), 0);
	CU_ASSERT_EQUAL(state.generation, 2);
	sl_config_finish(&config);
}

struct wrong {
	const char *field; /* what the sentence names */
	void (*change)(jsStreamConfig *stream);
	const char *option, *value;
};

static void set_subjects(jsStreamConfig *stream) { stream->Subjects[0] = "other.>"; }
static void set_retention(jsStreamConfig *stream) { stream->Retention = js_WorkQueuePolicy; }
static void set_storage(jsStreamConfig *stream) { stream->Storage = js_MemoryStorage; }
static void set_discard(jsStreamConfig *stream) { stream->Discard = js_DiscardNew; }
static void set_per_subject(jsStreamConfig *stream) { stream->MaxMsgsPerSubject = 5; }
static void set_duplicates(jsStreamConfig *stream) { stream->Duplicates = INT64_C(60000000000); }
static void set_age(jsStreamConfig *stream) { stream->MaxAge = INT64_C(299000000000); }
static void set_bytes(jsStreamConfig *stream) { stream->MaxBytes = 1000000; }
static void set_size(jsStreamConfig *stream) { stream->MaxMsgSize = 1000; }
static void set_no_ack(jsStreamConfig *stream) { stream->NoAck = true; }
static void set_nothing(jsStreamConfig *stream) { }

static const struct wrong wrongs[] = {
	{ "the subjects other.>, but sluice.bus-", set_subjects },
	{ "the retention workqueue, but limits is needed", set_retention },
	{ "the storage memory, but file is needed", set_storage },
	{ "the discard policy new, but old is needed", set_discard },
	{ "max_msgs_per_subject 5, but -1", set_per_subject },
	{ "duplicate_window 60, but 120 s or more is needed", set_duplicates },
	{ "max_age 299, but 300 s or more is needed", set_age },
	{ "max_bytes 1000000, but 268435456 or more is needed", set_bytes },
	{ "max_msg_size 1000, but 66560 or more is needed", set_size },
	{ "acknowledges nothing", set_no_ack },
	{ "num_replicas 1, but 3 is needed", set_nothing, "--nats-replicas", "3" },
};

static void
make_stream(const struct wrong *wrong, const char *name)
{
	char subject[64];
	const char *subjects[] = { subject };
	jsStreamConfig stream;
	snprintf(subject, sizeof subject, "sluice.%s.>", bus);
	jsStreamConfig_Init(&stream);
	stream.Name = name;
	stream.Subjects = subjects;
	stream.SubjectsLen = 1;
	stream.Storage = js_FileStorage;
	stream.Duplicates = INT64_C(120000000000);
	wrong->change(&stream);
	CU_ASSERT_EQUAL_FATAL(js_AddStream(NULL, js, &stream, NULL, NULL), NATS_OK);
}

static void
test_nats_stream_that_cannot_be_a_log_is_refused_in_words(void)
{
	for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		struct sl_config config;
		struct sl_nats_stream_state state;
		char name[SL_NATS_STREAM_NAME_MAX];
		configure_bus(&config, wrongs[i].option, wrongs[i].value);
		sl_nats_stream_name(name, bus);
		make_stream(&wrongs[i], name);
		CU_ASSERT_EQUAL(sl_nats_stream_open(js, &config, &state, error, sizeof error), SL_EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(error, wrongs[i].field));
		CU_ASSERT_PTR_NOT_NULL(strstr(error, name));
		if (!strstr(error, wrongs[i].field))
			printf("\n%s\n", error);
		CU_ASSERT_EQUAL(js_DeleteStream(js, name, NULL, NULL), NATS_OK);
		sl_config_finish(&config);
	}
}

static void
test_nats_stream_of_somebody_else_s_making_is_taken(void)
{
	struct sl_config config;
	struct sl_nats_stream_state state;
	char name[SL_NATS_STREAM_NAME_MAX];
	configure_bus(&config, NULL, NULL);
	sl_nats_stream_name(name, bus);
	make_stream(&(struct wrong){ .change = set_nothing }, name);
	CU_ASSERT_EQUAL(sl_nats_stream_open(js, &config, &state, error, sizeof error), 0);
	CU_ASSERT_EQUAL(state.generation, 0);
	sl_config_finish(&config);
}

/* One server alone cannot hold three copies. */
static void
test_nats_stream_that_cannot_be_made_says_why(void)
{
	struct sl_config config;
	struct sl_nats_stream_state state;
	configure_bus(&config, "--nats-replicas", "3");
	CU_ASSERT_EQUAL(sl_nats_stream_open(js, &config, &state, error, sizeof error), SL_EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "replicas"));
	sl_config_finish(&config);
}

static void
test_nats_stream_without_an_answer_says_so(void)
{
	struct sl_config config;
	struct sl_nats_stream_state state;
	configure_bus(&config, NULL, NULL);
	nats_server_pause(&place_server);
	CU_ASSERT_EQUAL(sl_nats_stream_open(js, &config, &state, error, sizeof error), SL_EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "no answer"));
	nats_server_resume(&place_server);
	sl_config_finish(&config);
}

static void
test_nats_stream_connects(void)
{
	CU_ASSERT_EQUAL_FATAL(natsConnection_ConnectTo(&connection, place_server.url), NATS_OK);
	CU_ASSERT_EQUAL_FATAL(natsConnection_JetStream(&js, connection, NULL), NATS_OK);
}

static void
test_nats_stream_disconnects(void)
{
	jsCtx_Destroy(js);
	natsConnection_Destroy(connection);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_stream_connects),
		UNIT_TEST(test_nats_stream_is_made_where_there_is_none_and_found_again),
		UNIT_TEST(test_nats_stream_raises_its_generation_once),
		UNIT_TEST(test_nats_stream_that_cannot_be_a_log_is_refused_in_words),
		UNIT_TEST(test_nats_stream_of_somebody_else_s_making_is_taken),
		UNIT_TEST(test_nats_stream_that_cannot_be_made_says_why),
		UNIT_TEST(test_nats_stream_without_an_answer_says_so),
		UNIT_TEST(test_nats_stream_disconnects),
		{ NULL, NULL },
	};
	int status = place_main("nats_stream", tests);
	return status;
}
