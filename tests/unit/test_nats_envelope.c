#include "bus/nats_envelope.h"

#include <string.h>

#include "bus/message.h"
#include "tests/unit/unit.h"

static natsMsg *
wrap(struct sl_message *message)
{
	natsMsg *envelope;
	CU_ASSERT_EQUAL_FATAL(sl_nats_envelope_create(&envelope, "main", message, "p/12345678/1",
		"_INBOX.x.1"), 0);
	sl_message_unref(message);
	return envelope;
}

static const char *
get(natsMsg *envelope, const char *name)
{
	const char *value;
	return natsMsgHeader_Get(envelope, name, &value) == NATS_OK ? value : NULL;
}

static void
test_nats_envelope_of_json_needs_an_id_alone(void)
{
	struct sl_message *message;
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "a.b", 3, SL_JSON, " [1] ", 5), 0);
	natsMsg *envelope = wrap(message);
	CU_ASSERT_STRING_EQUAL(natsMsg_GetSubject(envelope), "sluice.main.a.b");
	CU_ASSERT_STRING_EQUAL(natsMsg_GetReply(envelope), "_INBOX.x.1");
	CU_ASSERT_EQUAL(natsMsg_GetDataLength(envelope), 5);
	CU_ASSERT_EQUAL(memcmp(natsMsg_GetData(envelope), " [1] ", 5), 0);
	CU_ASSERT_STRING_EQUAL(get(envelope, "Nats-Msg-Id"), "p/12345678/1");
	CU_ASSERT_PTR_NULL(get(envelope, "Sluice-Type"));
	CU_ASSERT_PTR_NULL(get(envelope, "Sluice-Compress"));
	CU_ASSERT_PTR_NULL(get(envelope, "Sluice-Owner"));
	natsMsg_Destroy(envelope);
}

static void
test_nats_envelope_tells_type_owner_and_secrecy(void)
{
	struct sl_message *message;
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "~a", 2, SL_TEXT, "text", 4), 0);
	message->owner = 0xabc;
	message->uncompressed = true;
	natsMsg *envelope = wrap(message);
	CU_ASSERT_STRING_EQUAL(natsMsg_GetSubject(envelope), "sluice.main.=7Ea");
	CU_ASSERT_STRING_EQUAL(get(envelope, "Sluice-Type"), "text");
	CU_ASSERT_STRING_EQUAL(get(envelope, "Sluice-Compress"), "no");
	CU_ASSERT_STRING_EQUAL(get(envelope, "Sluice-Owner"), "0000000000000abc");
	natsMsg_Destroy(envelope);
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "a", 1, SL_BINARY, "\0\xff", 2), 0);
	envelope = wrap(message);
	CU_ASSERT_STRING_EQUAL(get(envelope, "Sluice-Type"), "binary");
	CU_ASSERT_EQUAL(natsMsg_GetDataLength(envelope), 2);
	natsMsg_Destroy(envelope);
}

static void
test_nats_envelope_tells_the_event_and_its_args(void)
{
	struct sl_message *message;
	struct sl_payload payload = { SL_JSON, "[1]", 3, 4, .event = { "chat message", 12 },
		.args = SL_ARGS_LIST };
	CU_ASSERT_EQUAL_FATAL(sl_message_create_from(&message, (struct sl_span){ "a,\" b.", 6 }, &payload), 0);
	natsMsg *envelope = wrap(message);
	CU_ASSERT_STRING_EQUAL(natsMsg_GetSubject(envelope), "sluice.main.a=2C=22=20b=2E");
	CU_ASSERT_STRING_EQUAL(get(envelope, "Sluice-Event"), "chat=20message");
	CU_ASSERT_STRING_EQUAL(get(envelope, "Sluice-Args"), "list");
	natsMsg_Destroy(envelope);
	payload.args = SL_ARGS_ONE;
	CU_ASSERT_EQUAL_FATAL(sl_message_create_from(&message, (struct sl_span){ "a", 1 }, &payload), 0);
	envelope = wrap(message);
	CU_ASSERT_PTR_NULL(get(envelope, "Sluice-Args"));
	natsMsg_Destroy(envelope);
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "a", 1, SL_JSON, "1", 1), 0);
	envelope = wrap(message);
	CU_ASSERT_PTR_NULL(get(envelope, "Sluice-Event"));
	natsMsg_Destroy(envelope);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_envelope_of_json_needs_an_id_alone),
		UNIT_TEST(test_nats_envelope_tells_type_owner_and_secrecy),
		UNIT_TEST(test_nats_envelope_tells_the_event_and_its_args),
		{ NULL, NULL },
	};
	if (nats_Open(-1) != NATS_OK) /* a connection does that otherwise */
		return 1;
	return unit_main("nats_envelope", tests);
}
