/* What a stranger may send to /check/report: what is accepted is written again as a report that is
 * accepted too and comes out the same, without a control character; a refusal has a message. The
 * same bytes as a code, and as the value of a Via: never longer than before. */
#include "check/report.h"

#include "check/texts.h"
#include "tests/fuzz/fuzz.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/utf8.h"

static void
expect_stable(const struct sl_report *report)
{
	struct sl_report again;
	char error[SL_REPORT_ERROR_MAX];
	size_t len = report->text.len - 1; /* without its line feed */
	FUZZ_EXPECT(report->text.bytes[len] == '\n' && len <= SL_REPORT_BYTES_MAX);
	FUZZ_EXPECT(sl_json_check(report->text.bytes, len, 4) == 0);
	FUZZ_EXPECT(sl_utf8_valid(report->text.bytes, len));
	for (size_t i = 0; i < len; i++)
		FUZZ_EXPECT((unsigned char)report->text.bytes[i] >= 0x20 && report->text.bytes[i] != 0x7f);
	FUZZ_EXPECT(sl_report_read(&again, report->text.bytes, len, error) == 0);
	FUZZ_EXPECT(again.text.len == report->text.len);
	FUZZ_EXPECT(memcmp(again.text.bytes, report->text.bytes, again.text.len) == 0);
	FUZZ_EXPECT(strcmp(again.code, report->code) == 0);
	for (int i = 0; i < SL_CODE_TRANSPORTS; i++)
		FUZZ_EXPECT(again.verdicts[i] == report->verdicts[i] && again.verdicts[i] < SL_VERDICT_COUNT);
	sl_report_finish(&again);
}

static void
read_report(const char *text, size_t len)
{
	struct sl_report report;
	char error[SL_REPORT_ERROR_MAX] = "";
	int err = sl_report_read(&report, text, len, error);
	FUZZ_EXPECT(err == 0 || err == SL_EINVAL);
	FUZZ_EXPECT((err == 0) == !error[0]);
	if (err == 0)
		expect_stable(&report);
	sl_report_finish(&report);
}

static void
hide_addresses(const char *text, size_t len)
{
	struct sl_buffer via = SL_BUFFER_INIT, hidden = SL_BUFFER_INIT, again = SL_BUFFER_INIT;
	if (len > 0 && sl_utf8_valid(text, len) && sl_texts_is_plain((struct sl_span){ text, len }, 400)) {
		sl_buffer_append_str(&via, "Via: ");
		sl_buffer_append(&via, text, len);
		FUZZ_EXPECT(sl_texts_is_proxy((struct sl_span){ via.bytes, via.len }));
		sl_texts_append_proxy(&hidden, (struct sl_span){ via.bytes, via.len });
		FUZZ_EXPECT(hidden.len <= via.len && hidden.len > 5);
		sl_texts_append_proxy(&again, (struct sl_span){ hidden.bytes, hidden.len });
		FUZZ_EXPECT(again.len == hidden.len && memcmp(again.bytes, hidden.bytes, again.len) == 0);
	}
	sl_buffer_finish(&via);
	sl_buffer_finish(&hidden);
	sl_buffer_finish(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_code code;
	char *text = fuzz_copy(bytes, len);
	read_report(text, len);
	hide_addresses(text, len);
	if (sl_code_read(&code, (struct sl_span){ text, len }) == 0)
		FUZZ_EXPECT(len == SL_CODE_LEN && code.version < 8 && code.choice < 8 && code.silence < 8);
	free(text);
	return 0;
}
