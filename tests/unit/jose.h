/* Keys and tokens for tests: the vectors of RFC 7515, appendix A, and RFC 8037, appendix A.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_JOSE_H
#define SL_TESTS_JOSE_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwk.h"
#include "auth/jws.h"
#include "util/base64url.h"

/* RFC 7515, A.1: HS256. */
#define RFC_HS256_JWK "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3" \
	"Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}"
#define RFC_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
	"cnVlfQ"
#define RFC_HS256 "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_PAYLOAD \
	".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RFC_CLAIMS "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"

/* RFC 7515, A.2: RS256. */
#define RFC_RSA_N "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Q" \
	"lL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYU" \
	"sLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmou" \
	"dF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RFC_RSA_JWK "{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQAB\"}"
#define RFC_RS256 "eyJhbGciOiJSUzI1NiJ9." RFC_PAYLOAD ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5" \
	"RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO" \
	"75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7n" \
	"oOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

/* RFC 7515, A.3: ES256. */
#define RFC_EC_POINT "\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define RFC_EC_JWK "{\"kty\":\"EC\"," RFC_EC_POINT "}"
#define RFC_EC_PRIVATE "{\"kty\":\"EC\"," RFC_EC_POINT ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"
#define RFC_ES256 "eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8" \
	"ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

/* RFC 8037, A.1, A.4 and A.5: Ed25519. */
#define RFC_OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\""
#define RFC_OKP_X "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define RFC_OKP_JWK "{" RFC_OKP "," RFC_OKP_X "}"
#define RFC_OKP_PRIVATE "{" RFC_OKP "," RFC_OKP_X ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}"
#define RFC_EDDSA "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIb" \
	"QR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
#define RFC_ED_TEXT "Example of Ed25519 signing"

#define SECRET_32 "0123456789abcdef0123456789abcdef"

static inline struct sl_span
span_of(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

/* The key of a JWK in JSON, or abort. */
static inline struct sl_key
key_of_jwk(const char *json, enum sl_jwk_use use)
{
	struct sl_key key;
	const char *why = "this is not JSON";
	json_t *jwk = json_loads(json, 0, NULL);
	if (!jwk || sl_jwk_read(&key, jwk, use, &why) != 0) {
		fprintf(stderr, "%s: %s\n", json, why);
		abort();
	}
	json_decref(jwk);
	return key;
}

/* A token of `header` and `payload` as they are, signed by `key`; the caller frees it. */
static inline char *
sign_raw(const struct sl_key *key, const char *header, const char *payload)
{
	struct sl_buffer token = { 0 }, signature = { 0 };
	sl_base64url_append(&token, header, strlen(header));
	sl_buffer_append_char(&token, '.');
	sl_base64url_append(&token, payload, strlen(payload));
	if (sl_key_sign(key, (struct sl_span){ token.bytes, token.len }, &signature) != 0)
		abort();
	sl_buffer_append_char(&token, '.');
	sl_base64url_append(&token, signature.bytes, signature.len);
	sl_buffer_finish(&signature);
	return sl_buffer_take_string(&token);
}

#endif
