#include "bench/server/signer.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "util/err.h"

#define SECRET_BYTES 32
#define RSA_BITS 2048
#define ES256_HALF 32      /* bytes of R and of S: RFC 7518, section 3.4 */
#define SIGNATURE_MAX 512
#define CLAIMS_MAX 1024

const char *const bench_algorithm_names[BENCH_ALGORITHM_COUNT] = {
	[BENCH_NO_ALGORITHM] = "", [BENCH_HS256] = "HS256", [BENCH_RS256] = "RS256",
	[BENCH_ES256] = "ES256", [BENCH_EDDSA] = "EdDSA",
};

struct bench_signer {
	enum bench_algorithm algorithm;
	EVP_PKEY *key;             /* owns; NULL of HS256 */
	EVP_MD_CTX *context;       /* owns */
	char secret[2 * SECRET_BYTES + 1];
	uint64_t next_id;
};

int64_t
bench_wall_clock_s(void)
{
	return (int64_t)time(NULL);
}

static int
make_secret(struct bench_signer *signer)
{
	unsigned char bytes[SECRET_BYTES];
	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return SL_EIO;
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(signer->secret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

int
bench_signer_create(struct bench_signer **out, enum bench_algorithm algorithm)
{
	struct bench_signer *signer = calloc(1, sizeof *signer);
	*out = NULL;
	if (!signer)
		return SL_ENOMEM;
	signer->algorithm = algorithm;
	signer->context = EVP_MD_CTX_new();
	if (algorithm == BENCH_RS256)
		signer->key = EVP_RSA_gen(RSA_BITS);
	else if (algorithm == BENCH_ES256)
		signer->key = EVP_EC_gen("P-256");
	else if (algorithm == BENCH_EDDSA)
		signer->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int err = signer->context && (signer->key || algorithm == BENCH_HS256) ? 0 : SL_ENOMEM;
	if (!err && algorithm == BENCH_HS256)
		err = make_secret(signer);
	if (err)
		bench_signer_destroy(signer);
	else
		*out = signer;
	return err;
}

void
bench_signer_destroy(struct bench_signer *signer)
{
	if (!signer)
		return;
	EVP_MD_CTX_free(signer->context);
	EVP_PKEY_free(signer->key);
	free(signer);
}

int
bench_signer_write_key(const struct bench_signer *signer, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!file)
		return SL_EIO;
	int written = signer->key ? PEM_write_PUBKEY(file, signer->key)
		: fprintf(file, "%s\n", signer->secret) > 0;
	return fclose(file) == 0 && written == 1 ? 0 : SL_EIO;
}

/* The alphabet of RFC 4648, section 5, without padding, as RFC 7515, section 2 wants it. */
static void
append_base64url(struct sl_buffer *out, const unsigned char *bytes, size_t len)
{
	unsigned char text[2 * CLAIMS_MAX];
	int written = EVP_EncodeBlock(text, bytes, (int)len);
	while (written > 0 && text[written - 1] == '=')
		written--;
	for (int i = 0; i < written; i++)
		sl_buffer_append_char(out, text[i] == '+' ? '-' : text[i] == '/' ? '_' : (char)text[i]);
}

/* OpenSSL's signature is DER: SEQUENCE of two INTEGERs. */
static size_t
flatten(unsigned char *signature, size_t len)
{
	const unsigned char *at = signature;
	ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)len);
	bool is_flat = parts && BN_bn2binpad(ECDSA_SIG_get0_r(parts), signature, ES256_HALF) > 0
		&& BN_bn2binpad(ECDSA_SIG_get0_s(parts), signature + ES256_HALF, ES256_HALF) > 0;
	ECDSA_SIG_free(parts);
	return is_flat ? 2 * ES256_HALF : 0;
}

/* Returns the signature's length; 0: it cannot be made. */
static size_t
sign(struct bench_signer *signer, const unsigned char *bytes, size_t len,
	unsigned char signature[SIGNATURE_MAX])
{
	unsigned mac_len = 0;
	size_t signature_len = SIGNATURE_MAX;
	const EVP_MD *digest = signer->algorithm == BENCH_EDDSA ? NULL : EVP_sha256();
	if (signer->algorithm == BENCH_HS256)
		return HMAC(digest, signer->secret, (int)strlen(signer->secret), bytes, len, signature,
			&mac_len) ? mac_len : 0;
	EVP_MD_CTX_reset(signer->context);
	if (EVP_DigestSignInit(signer->context, NULL, digest, NULL, signer->key) != 1
		|| EVP_DigestSign(signer->context, signature, &signature_len, bytes, len) != 1)
		return 0;
	return signer->algorithm == BENCH_ES256 ? flatten(signature, signature_len) : signature_len;
}

int
bench_signer_append(struct bench_signer *signer, const struct bench_grant *grant,
	struct sl_buffer *out)
{
	char head[64], claims[CLAIMS_MAX];
	unsigned char signature[SIGNATURE_MAX];
	size_t start = out->len;
	int head_len = snprintf(head, sizeof head, "{\"alg\":\"%s\",\"typ\":\"JWT\"}",
		bench_algorithm_names[signer->algorithm]);
	int claims_len = snprintf(claims, sizeof claims, "{\"sub\":\"%s\",\"iat\":%lld,\"exp\":%lld,"
		"\"jti\":\"%llu\",\"sluice\":{\"subscribe\":[\"%s\"],\"publish\":[\"%s\"]%s}}", grant->subject,
		(long long)grant->issued_s, (long long)grant->expires_s,
		(unsigned long long)signer->next_id++, grant->channels, grant->channels,
		grant->is_admin ? ",\"admin\":true" : "");
	if (claims_len < 0 || claims_len >= CLAIMS_MAX)
		return SL_ENOMEM;
	append_base64url(out, (const unsigned char *)head, (size_t)head_len);
	sl_buffer_append_char(out, '.');
	append_base64url(out, (const unsigned char *)claims, (size_t)claims_len);
	if (sl_buffer_status(out) != 0)
		return SL_ENOMEM;
	size_t len = sign(signer, (const unsigned char *)out->bytes + start, out->len - start, signature);
	sl_buffer_append_char(out, '.');
	append_base64url(out, signature, len);
	return len ? sl_buffer_status(out) : SL_EIO;
}

char *
bench_signer_make_field(struct bench_signer *signer, const struct bench_grant *grant)
{
	struct sl_buffer field = SL_BUFFER_INIT;
	sl_buffer_append_str(&field, "Authorization: Bearer ");
	int err = bench_signer_append(signer, grant, &field);
	sl_buffer_append_str(&field, "\r\n");
	char *text = err ? NULL : sl_buffer_take_string(&field);
	sl_buffer_finish(&field);
	return text;
}
