/* The body of /admin/disconnect: what it takes for a subject jansson reads there too, as the only member,
 * and a token could have it. */
#include "http/api_admin.h"

#include <jansson.h>

#include "auth/principal.h"
#include "tests/fuzz/fuzz.h"
#include "util/buffer.h"
#include "util/span.h"

/* A subject of several members of one name is refused by the gateway and not by jansson. */
static void
expect_subject(const struct sl_buffer *subject, const char *body, size_t len)
{
	json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	FUZZ_EXPECT(root && json_object_size(root) == 1);
	const json_t *member = json_object_get(root, "subject");
	FUZZ_EXPECT(json_is_string(member) && json_string_length(member) == subject->len);
	FUZZ_EXPECT(memcmp(json_string_value(member), subject->bytes, subject->len) == 0);
	FUZZ_EXPECT(subject->len > 0 && subject->len <= SL_SUBJECT_MAX);
	for (size_t i = 0; i < subject->len; i++)
		FUZZ_EXPECT((unsigned char)subject->bytes[i] >= ' ' && subject->bytes[i] != 0x7f);
	json_decref(root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_buffer subject = SL_BUFFER_INIT;
	char *body = fuzz_copy(bytes, len);
	if (sl_api_admin_read_subject(&subject, (struct sl_span){ body, len }) == 0)
		expect_subject(&subject, body, len);
	free(body);
	sl_buffer_finish(&subject);
	return 0;
}
