/* A fault's text that parses stays as it is; the control address's JSON is no harm. */
#include "bench/obstacle/control_json.h"
#include "bench/obstacle/fault.h"
#include "tests/fuzz/fuzz.h"

static void
try_text(const char *bytes, size_t len)
{
	struct ob_fault fault;
	char why[64] = "";
	char *text = malloc(len + 1);
	FUZZ_EXPECT(text);
	memcpy(text, bytes, len);
	text[len] = '\0';
	if (ob_fault_parse(&fault, text, why, sizeof why) == 0) {
		FUZZ_EXPECT(fault.type && strcmp(fault.text, text) == 0);
		FUZZ_EXPECT(strncmp(text, fault.type->name, strlen(fault.type->name)) == 0);
	} else {
		FUZZ_EXPECT(why[0]);
	}
	free(text);
}

static void
try_json(const char *bytes, size_t len)
{
	struct ob_fault_set *set, *again;
	char why[64] = "";
	if (ob_faults_read_json(&set, bytes, len, NULL, 1, why, sizeof why) != 0) {
		FUZZ_EXPECT(why[0]);
		return;
	}
	char *text = ob_faults_write_json(set);
	FUZZ_EXPECT(text && ob_faults_read_json(&again, text, strlen(text), set, 2, why,
		sizeof why) == 0);
	FUZZ_EXPECT(again->count == set->count);
	for (unsigned i = 0; i < set->count; i++)
		FUZZ_EXPECT(again->faults[i].set_ms == 1);
	free(text);
	ob_fault_set_unref(again);
	ob_fault_set_unref(set);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = fuzz_copy(bytes, len);
	try_text(text, len);
	try_json(text, len);
	free(text);
	return 0;
}
