/* A notice of another node: what is taken for a revocation jansson reads there too, three members and no other,
 * with a subject that a token can have. */
#include "http/revocation.h"

#include <jansson.h>

#include "auth/principal.h"
#include "bus/bus.h"
#include "tests/fuzz/fuzz.h"
#include "util/buffer.h"

#define NAME "revoked.0000000000000000000000000000000000000000000000000000000000000000"

static void
expect_revocation(const struct sl_revocation *revocation, const char *text, size_t len)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	FUZZ_EXPECT(root && json_object_size(root) == 3);
	const json_t *subject = json_object_get(root, "subject");
	FUZZ_EXPECT(json_is_string(subject) && json_string_length(subject) == revocation->subject.len);
	FUZZ_EXPECT(memcmp(json_string_value(subject), revocation->subject.bytes,
		revocation->subject.len) == 0);
	FUZZ_EXPECT(revocation->subject.len > 0 && revocation->subject.len <= SL_SUBJECT_MAX);
	FUZZ_EXPECT(json_integer_value(json_object_get(root, "until")) == revocation->until_s);
	FUZZ_EXPECT(json_integer_value(json_object_get(root, "kept")) == revocation->kept_s);
	FUZZ_EXPECT(revocation->until_s >= 0 && revocation->kept_s >= 0);
	json_decref(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_buffer room = SL_BUFFER_INIT;
	struct sl_revocation revocation;
	char *text = fuzz_copy(bytes, len);
	const struct sl_notice notice = { { NAME, sizeof NAME - 1 }, { text, len }, 1 };
	if (sl_revocation_read(&revocation, &room, &notice) == 0)
		expect_revocation(&revocation, text, len);
	free(text);
	sl_buffer_finish(&room);
	return 0;
}
