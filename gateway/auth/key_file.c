#include "auth/key_file.h"

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwk.h"
#include "auth/strict_json.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/log.h"

#define WHERE_SIZE 300

static const char pem_begin[] = "-----BEGIN ";

enum form { FORM_PEM, FORM_JSON, FORM_SECRET };

static enum form
form_of(struct sl_span content)
{
	size_t at = 0;
	if (content.len >= sizeof pem_begin - 1
		&& memcmp(content.bytes, pem_begin, sizeof pem_begin - 1) == 0)
		return FORM_PEM;
	while (at < content.len && memchr(" \t\r\n", content.bytes[at], 4))
		at++;
	return at < content.len && content.bytes[at] == '{' ? FORM_JSON : FORM_SECRET;
}

/* ---- secrets ---- */

/* Is it a key or certificate in DER? */
static bool
is_der(const uint8_t *bytes, size_t len)
{
	const uint8_t *at[3] = { bytes, bytes, bytes };
	EVP_PKEY *public = d2i_PUBKEY(NULL, &at[0], (long)len);
	X509 *certificate = d2i_X509(NULL, &at[1], (long)len);
	EVP_PKEY *private = d2i_AutoPrivateKey(NULL, &at[2], (long)len);
	bool is_found = public || certificate || private;
	EVP_PKEY_free(public);
	X509_free(certificate);
	EVP_PKEY_free(private);
	ERR_clear_error();
	return is_found;
}

/* The same in base64, as between the lines of PEM. Errors: SL_ENOMEM. */
static int
find_der_in_base64(bool *is_found, struct sl_span content)
{
	EVP_ENCODE_CTX *decoder = EVP_ENCODE_CTX_new();
	uint8_t *out = malloc(content.len + 4);
	int len = 0, rest = 0;
	bool is_complete = decoder && out;
	*is_found = false;
	if (is_complete) {
		EVP_DecodeInit(decoder);
		if (EVP_DecodeUpdate(decoder, out, &len, (const uint8_t *)content.bytes, (int)content.len) >= 0
			&& EVP_DecodeFinal(decoder, out + len, &rest) >= 0)
			*is_found = is_der(out, (size_t)(len + rest));
		explicit_bzero(out, content.len + 4);
	}
	EVP_ENCODE_CTX_free(decoder);
	free(out);
	return is_complete ? 0 : SL_ENOMEM;
}

/* What is known to others, and what somebody took for a key file, must not become a secret. What it is,
 * or NULL. */
static const char *
judge_form(struct sl_span content)
{
	static const char *const starts[] = { "ssh-", "ecdsa-sha2-", "---- BEGIN SSH2" };
	if (memmem(content.bytes, content.len, pem_begin, sizeof pem_begin - 1))
		return "there are bytes before -----BEGIN; use a file in PEM that begins with -----BEGIN";
	if (content.len >= 3 && memcmp(content.bytes, "\xef\xbb\xbf", 3) == 0)
		return "the file begins with a byte order mark; use a file without one";
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (content.len >= strlen(starts[i])
			&& memcmp(content.bytes, starts[i], strlen(starts[i])) == 0)
			return "this is a key of SSH; use ssh-keygen -e -m PKCS8 -f FILE to convert it";
	if (is_der((const uint8_t *)content.bytes, content.len))
		return "this is a key or certificate in DER; use openssl pkey -inform DER -pubin -in FILE to"
			" convert it";
	return content.bytes[0] == '[' && sl_json_check(content.bytes, content.len, SL_STRICT_JSON_DEPTH) == 0
		? "this is a JSON array; use a JWKS, {\"keys\":[...]}" : NULL;
}

static int
judge_secret(struct sl_span content, const char **why)
{
	bool is_found;
	*why = judge_form(content);
	if (*why)
		return SL_EINVAL;
	int err = find_der_in_base64(&is_found, content);
	if (err != 0 || !is_found)
		return err;
	*why = "this is the base64 of a key or certificate alone; use it with its lines -----BEGIN and -----END";
	return SL_EINVAL;
}

static int
read_secret(struct sl_key *out, struct sl_span content, const char *where,
	struct sl_tls_error error)
{
	const char *why;
	int err = content.len > 0 ? judge_secret(content, &why) : 0;
	if (err == SL_EINVAL)
		return sl_tls_refuse(error, "%s: %s", where, why);
	if (err != 0)
		return err;
	if (content.len > 0 && content.bytes[content.len - 1] == '\n')
		content.len--;
	if (content.len > 0 && content.bytes[content.len - 1] == '\r')
		content.len--;
	err = sl_key_init_secret(out, content.bytes, content.len);
	return err != SL_EINVAL ? err : sl_tls_refuse(error, "%s: an HMAC secret of %zu bytes is too short; use "
		"%d or more, as openssl rand -base64 48 prints them", where, content.len, SL_KEY_SECRET_MIN);
}

/* ---- PEM ---- */

/* Why a PEM file that holds no public key is refused, and what to do. */
static const struct {
	const char *label, *why;
} refusals[] = {
	{ "RSA PUBLIC KEY", "this is an RSA PUBLIC KEY; use openssl rsa -RSAPublicKey_in -in FILE -pubout "
		"to convert it" },
	{ "PRIVATE KEY", "this is a private key; use its public part, as openssl pkey -in FILE -pubout prints it" },
	{ "CERTIFICATE", "this is a certificate; use its key, as openssl x509 -in FILE -noout -pubkey prints it" },
	{ "", "this is not a public key; use a file that begins with -----BEGIN PUBLIC KEY-----" },
};

static struct sl_span
label_of(struct sl_span content)
{
	const char *start = content.bytes + sizeof pem_begin - 1, *end = content.bytes + content.len;
	const char *dashes = memmem(start, (size_t)(end - start), "-----", 5);
	return (struct sl_span){ start, dashes ? (size_t)(dashes - start) : 0 };
}

/* A password is never asked for. */
static int
refuse_password(char *out, int size, int is_writing, void *unused)
{
	return -1;
}

static int
read_pem(struct sl_key *out, struct sl_span content, const char *where, struct sl_tls_error error)
{
	struct sl_span label = label_of(content);
	const char *why;
	for (size_t i = 0; !sl_span_equals(label, "PUBLIC KEY"); i++)
		if (memmem(label.bytes, label.len, refusals[i].label, strlen(refusals[i].label)))
			return sl_tls_refuse(error, "%s: %s", where, refusals[i].why);
	if (memmem(label.bytes, content.len - sizeof pem_begin + 1, pem_begin, sizeof pem_begin - 1))
		return sl_tls_refuse(error, "%s: the file holds more than one block of PEM; use one file for each key",
			where);
	BIO *bio = BIO_new_mem_buf(content.bytes, (int)content.len);
	if (!bio)
		return SL_ENOMEM;
	EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, refuse_password, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		return sl_tls_refuse(error, "%s: the public key is damaged or incomplete; use a new copy of the file", where);
	int err = sl_key_init_pkey(out, pkey, &why);
	return err == SL_EINVAL ? sl_tls_refuse(error, "%s: %s", where, why) : err;
}

/* ---- JSON ---- */

static int
add(struct sl_keys *keys, struct sl_key *key, const char *where, struct sl_tls_error error)
{
	if (keys->count < SL_KEYS_MAX) {
		keys->list[keys->count++] = *key;
		return 0;
	}
	sl_key_finish(key);
	return sl_tls_refuse(error, "%s: there are more than %d keys in total; use fewer, without the old ones", where,
		SL_KEYS_MAX);
}

static int
add_jwk(struct sl_keys *keys, const json_t *jwk, const char *where, struct sl_tls_error error)
{
	const char *why;
	struct sl_key key;
	int err = sl_jwk_read(&key, jwk, SL_JWK_VERIFIES, &why);
	if (err == 0)
		return add(keys, &key, where, error);
	if (err == SL_EINVAL)
		return sl_tls_refuse(error, "%s: %s", where, why);
	if (err == SL_ENOENT)
		sl_log(SL_LOG_INFO, "tokens.key_skipped", "where=\"%s\" reason=\"%s\"", where, why);
	return err;
}

static int
add_set(struct sl_keys *keys, const json_t *set, const char *where, struct sl_tls_error error)
{
	size_t before = keys->count;
	for (size_t i = 0; i < json_array_size(set); i++) {
		char which[WHERE_SIZE + 32];
		snprintf(which, sizeof which, "%s: key %zu of the JWKS", where, i + 1);
		int err = add_jwk(keys, json_array_get(set, i), which, error);
		if (err != 0 && err != SL_ENOENT)
			return err;
	}
	if (keys->count > before)
		return 0;
	return sl_tls_refuse(error, "%s: no key of the JWKS is usable; use one of HS256, RS256, ES256 or EdDSA",
		where);
}

static int
load_json(json_t **out, struct sl_span content, const char *where, struct sl_tls_error error)
{
	const char *why;
	int err = sl_strict_json_load(out, content, &why);
	return err == SL_EINVAL
		? sl_tls_refuse(error, "%s: the file %s; use a JWKS or one JWK", where, why) : err;
}

static int
read_json(struct sl_keys *keys, struct sl_span content, const char *where,
	struct sl_tls_error error)
{
	json_t *root = NULL;
	int err = load_json(&root, content, where, error);
	if (err != 0)
		return err;
	const json_t *set = json_object_get(root, "keys");
	if (set && !json_is_array(set))
		err = sl_tls_refuse(error, "%s: the member keys is not an array; use {\"keys\":[...]}", where);
	else if (set)
		err = add_set(keys, set, where, error);
	else
		err = add_jwk(keys, root, where, error);
	if (err == SL_ENOENT)
		err = sl_tls_refuse(error, "%s: the key is not usable; use one of HS256, RS256, ES256 or EdDSA", where);
	json_decref(root);
	return err;
}

/* ---- files ---- */

int
sl_keys_read(struct sl_keys *keys, struct sl_span content, const char *where,
	struct sl_tls_error error)
{
	struct sl_key key = { 0 };
	enum form form = form_of(content);
	if (form == FORM_JSON)
		return read_json(keys, content, where, error);
	int err = form == FORM_PEM ? read_pem(&key, content, where, error)
		: read_secret(&key, content, where, error);
	if (err == 0)
		return add(keys, &key, where, error);
	sl_key_finish(&key);
	return err;
}

/* True where the file held a secret. */
static bool
has_secret(const struct sl_keys *keys, size_t first)
{
	for (size_t i = first; i < keys->count; i++)
		if (keys->list[i].alg == SL_ALG_HS256)
			return true;
	return false;
}

int
sl_keys_load(struct sl_keys *keys, const char *option, const char *path,
	struct sl_tls_error error)
{
	struct sl_tls_file file = { 0 };
	char where[WHERE_SIZE];
	size_t first = keys->count;
	snprintf(where, sizeof where, "%s %.200s", option, path);
	int err = sl_tls_file_read(&file, option, path, error);
	if (err == 0)
		err = sl_keys_read(keys, (struct sl_span){ file.bytes, file.len }, where, error);
	if (err == 0 && has_secret(keys, first))
		sl_tls_file_warn(&file, option, path);
	sl_tls_file_finish(&file);
	return err;
}

void
sl_keys_finish(struct sl_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		sl_key_finish(&keys->list[i]);
	keys->count = 0;
}

/* ---- signing ---- */

static int
read_private_pem(struct sl_key *out, struct sl_span content, const char *where,
	struct sl_tls_error error)
{
	const char *why;
	BIO *bio = BIO_new_mem_buf(content.bytes, (int)content.len);
	if (!bio)
		return SL_ENOMEM;
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, refuse_password, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		return sl_tls_refuse(error, "%s: the file holds no private key that sluice can read; use one "
			"without a password in PEM, as openssl genpkey -algorithm ed25519 prints it", where);
	int err = sl_key_init_pkey(out, pkey, &why);
	return err == SL_EINVAL ? sl_tls_refuse(error, "%s: %s", where, why) : err;
}

static int
read_private_jwk(struct sl_key *out, struct sl_span content, const char *where,
	struct sl_tls_error error)
{
	json_t *root = NULL;
	const char *why;
	int err = load_json(&root, content, where, error);
	if (err != 0)
		return err;
	if (json_object_get(root, "keys")) {
		err = sl_tls_refuse(error, "%s: this is a JWKS; use one private JWK of it", where);
	} else {
		err = sl_jwk_read(out, root, SL_JWK_SIGNS, &why);
		if (err == SL_EINVAL || err == SL_ENOENT)
			err = sl_tls_refuse(error, "%s: %s", where, why);
	}
	json_decref(root);
	return err;
}

int
sl_key_load_signing(struct sl_key *out, const char *option, const char *path,
	struct sl_tls_error error)
{
	static int (*const readers[])(struct sl_key *, struct sl_span, const char *,
		struct sl_tls_error) = {
		[FORM_PEM] = read_private_pem, [FORM_JSON] = read_private_jwk, [FORM_SECRET] = read_secret,
	};
	struct sl_tls_file file = { 0 };
	char where[WHERE_SIZE];
	*out = (struct sl_key){ 0 };
	snprintf(where, sizeof where, "%s %.200s", option, path);
	int err = sl_tls_file_read(&file, option, path, error);
	struct sl_span content = { file.bytes, file.len };
	if (err == 0)
		err = readers[form_of(content)](out, content, where, error);
	sl_tls_file_finish(&file);
	return err;
}
