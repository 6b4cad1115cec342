/* A token of any bytes is refused with a sentence, or its payload is the one that was signed. Where the
 * first byte is odd the rest is a header and a payload, with a line feed between, which are signed first:
 * so that claims are read too, and a second reading says the same. */
#include "auth/claims.h"
#include "auth/jws.h"
#include "auth/strict_json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/jose.h"
#include "util/err.h"

#define NOW 1000000

static struct sl_key keys[4];

static void
make_keys(void)
{
	keys[0] = key_of_jwk(RFC_HS256_JWK, SL_JWK_VERIFIES);
	keys[1] = key_of_jwk(RFC_RSA_JWK, SL_JWK_VERIFIES);
	keys[2] = key_of_jwk("{\"kid\":\"one\",\"kty\":\"EC\"," RFC_EC_POINT "}", SL_JWK_VERIFIES);
	keys[3] = key_of_jwk(RFC_OKP_JWK, SL_JWK_VERIFIES);
}

static void
read_claims(struct sl_span payload)
{
	static const struct sl_claim_rules rules = { NULL, NULL, UINT64_C(86400000) };
	struct sl_claims claims;
	struct sl_auth_refusal refusal = { NULL, NULL };
	if (!sl_claims_read(&claims, payload, &rules, NOW, &refusal)) {
		FUZZ_EXPECT(refusal.code && refusal.message);
		return;
	}
	size_t len = strlen(claims.subject);
	FUZZ_EXPECT(len > 0 && len <= SL_SUBJECT_MAX);
	for (size_t i = 0; i < len; i++)
		FUZZ_EXPECT((unsigned char)claims.subject[i] >= ' ' && claims.subject[i] != 0x7f);
	FUZZ_EXPECT(claims.expires_s > NOW && claims.issued_s <= NOW + SL_LEEWAY_S);
	FUZZ_EXPECT(claims.expires_s - SL_LEEWAY_S - claims.issued_s <= 86400);
	for (int act = 0; act < SL_ACTS; act++) {
		FUZZ_EXPECT(claims.may[act].count <= SL_PATTERNS_MAX);
		const char *at = claims.may[act].texts;
		for (size_t i = 0; i < claims.may[act].count; i++, at += strlen(at) + 1)
			FUZZ_EXPECT(sl_pattern_is_valid((struct sl_span){ at, strlen(at) }));
	}
	sl_claims_finish(&claims);
}

/* Returns whether it was opened. */
static bool
open_token(struct sl_span token, struct sl_span expected)
{
	struct sl_buffer payload = SL_BUFFER_INIT;
	const char *why = NULL;
	int err = sl_jws_open(&payload, token, keys, 4, NULL, &why);
	FUZZ_EXPECT(err == 0 || (err == SL_EINVAL && why && payload.len == 0));
	if (err == 0) {
		if (expected.bytes)
			FUZZ_EXPECT(payload.len == expected.len
				&& (payload.len == 0 || memcmp(payload.bytes, expected.bytes, payload.len) == 0));
		read_claims((struct sl_span){ payload.bytes, payload.len });
	}
	sl_buffer_finish(&payload);
	return err == 0;
}

/* No other text of a token counts: each changed character of what was opened is refused. */
static void
expect_one_text(struct sl_buffer *token, size_t seed)
{
	size_t at = seed % token->len;
	char old = token->bytes[at];
	token->bytes[at] = (char)(old ^ (1 + (int)(seed % 127)));
	if (token->bytes[at] != old)
		FUZZ_EXPECT(!open_token((struct sl_span){ token->bytes, token->len }, (struct sl_span){ NULL, 0 }));
	token->bytes[at] = old;
}

static void
try_signed(const char *text, size_t len, size_t seed)
{
	const char *line = len > 0 ? memchr(text, '\n', len) : NULL;
	struct sl_span payload = { line ? line + 1 : text, line ? len - (size_t)(line + 1 - text) : len };
	struct sl_buffer token = SL_BUFFER_INIT, signature = SL_BUFFER_INIT;
	if (line)
		sl_base64url_append(&token, text, (size_t)(line - text));
	else
		sl_base64url_append(&token, "{\"alg\":\"HS256\"}", 15);
	sl_buffer_append_char(&token, '.');
	sl_base64url_append(&token, payload.bytes, payload.len);
	FUZZ_EXPECT(sl_key_sign(&keys[0], (struct sl_span){ token.bytes, token.len }, &signature) == 0);
	sl_buffer_append_char(&token, '.');
	sl_base64url_append(&token, signature.bytes, signature.len);
	bool is_opened = open_token((struct sl_span){ token.bytes, token.len }, payload);
	FUZZ_EXPECT(line || is_opened == (token.len <= SL_TOKEN_MAX));
	if (is_opened)
		expect_one_text(&token, seed * 2654435761u + len);
	sl_buffer_finish(&token);
	sl_buffer_finish(&signature);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t first;
	char *text = fuzz_copy_rest(bytes, &len, &first);
	if (!text)
		return 0;
	if (!keys[0].secret)
		make_keys();
	if (first % 2 == 0) /* one more than the byte */
		try_signed(text, len, first);
	else
		open_token((struct sl_span){ text, len }, (struct sl_span){ NULL, 0 });
	free(text);
	return 0;
}
