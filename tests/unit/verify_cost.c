/* Prints what verifying a token costs of each algorithm, in processor time; no test. Run
 * `make tests/unit/verify_cost && tests/unit/verify_cost` on a machine of your own. */
#include <openssl/rsa.h>
#include <time.h>

#include "auth/claims.h"
#include "tests/unit/jose.h"

#define CLAIMS "{\"sub\":\"ann\",\"iat\":1000000,\"exp\":1000060," \
	"\"sluice\":{\"subscribe\":[\"chat.*\",\"news\"],\"publish\":[\"chat.42\"]}}"
#define ROUNDS 200
#define SECONDS 1.0

static double
now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
verify(const struct sl_key *key, struct sl_span token)
{
	static const struct sl_claim_rules rules = { NULL, NULL, UINT64_C(86400000) };
	struct sl_buffer payload = SL_BUFFER_INIT;
	struct sl_claims claims;
	struct sl_auth_refusal refusal;
	const char *why;
	if (sl_jws_open(&payload, token, key, 1, NULL, &why) != 0 || !sl_claims_read(&claims,
			(struct sl_span){ payload.bytes, payload.len }, &rules, 1000000, &refusal))
		abort();
	sl_claims_finish(&claims);
	sl_buffer_finish(&payload);
}

static void
measure(struct sl_key *key)
{
	struct sl_buffer token = SL_BUFFER_INIT;
	double began_s = now(), took_s;
	unsigned count = 0;
	if (sl_jws_append(&token, key, "JWT", span_of(CLAIMS)) != 0)
		abort();
	do {
		for (int i = 0; i < ROUNDS; i++)
			verify(key, (struct sl_span){ token.bytes, token.len });
		count += ROUNDS;
		took_s = now() - began_s;
	} while (took_s < SECONDS);
	printf("%s: %.1f us for a token of %zu bytes\n", sl_alg_name(key->alg), took_s / count * 1e6,
		token.len);
	sl_buffer_finish(&token);
	sl_key_finish(key);
}

int
main(void)
{
	const char *why;
	struct sl_key keys[SL_ALGS] = { key_of_jwk(RFC_HS256_JWK, SL_JWK_SIGNS), { 0 },
		key_of_jwk(RFC_EC_PRIVATE, SL_JWK_SIGNS), key_of_jwk(RFC_OKP_PRIVATE, SL_JWK_SIGNS) };
	if (sl_key_init_pkey(&keys[1], EVP_RSA_gen(2048), &why) != 0)
		return 1;
	for (int i = 0; i < SL_ALGS; i++)
		measure(&keys[i]);
	return 0;
}
