#include "core/tls_pair.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

#define CERT "--tls-cert"
#define KEY "--tls-key"

/* ---- the files ---- */

/* Nobody sits at a gateway's terminal to be asked. */
static int
refuse_password(char *out, int size, int is_writing, void *was_asked)
{
	*(bool *)was_asked = true;
	return -1;
}

/* A line behind the last complete certificate that begins like another one's first. */
static bool
ends_in_mid_line(const struct sl_tls_file *file)
{
	const char *at = file->bytes, *end;
	while ((end = strstr(at, "-----END ")))
		at = end + 1;
	while ((at = strchr(at, '\n')))
		if (*++at == '-')
			return true;
	return false;
}

static int
read_chain(struct sl_tls_pair *pair, BIO *bio)
{
	bool was_asked;
	X509 *next;
	while ((next = PEM_read_bio_X509(bio, NULL, refuse_password, &was_asked)))
		if (sk_X509_push(pair->chain, next) == 0) {
			X509_free(next);
			return SL_ENOMEM;
		}
	return 0;
}

static int
parse_certificates(struct sl_tls_pair *pair, const struct sl_tls_file *file, const char *path,
	struct sl_tls_error error)
{
	bool was_asked;
	BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->len);
	pair->chain = sk_X509_new_null();
	if (!bio || !pair->chain) {
		BIO_free(bio);
		return SL_ENOMEM;
	}
	pair->leaf = PEM_read_bio_X509_AUX(bio, NULL, refuse_password, &was_asked);
	int err = pair->leaf ? read_chain(pair, bio) : 0;
	bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	BIO_free(bio);
	if (err != 0)
		return err;
	if (!pair->leaf && is_at_end)
		return sl_tls_refuse(error, CERT " %.200s: the file holds no certificate in PEM; use one that "
			"begins with -----BEGIN CERTIFICATE-----", path);
	if (!is_at_end || ends_in_mid_line(file))
		return sl_tls_refuse(error, CERT " %.200s: certificate %d of the file is damaged or "
			"incomplete; use a complete copy of it", path, pair->leaf ? sk_X509_num(pair->chain) + 2 : 1);
	return 0;
}

static int
parse_key(struct sl_tls_pair *pair, const struct sl_tls_file *file, const char *path,
	struct sl_tls_error error)
{
	bool was_asked = false;
	BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->len);
	if (!bio)
		return SL_ENOMEM;
	pair->key = PEM_read_bio_PrivateKey(bio, NULL, refuse_password, &was_asked);
	bool has_key = strstr(file->bytes, "PRIVATE KEY-----") != NULL;
	BIO_free(bio);
	if (pair->key)
		return 0;
	if (was_asked)
		return sl_tls_refuse(error, KEY " %.200s: the key has a password, which sluice cannot ask for; "
			"use a key without one, as openssl pkey -in FILE -out NEW writes it", path);
	return sl_tls_refuse(error, has_key ? KEY " %.200s: the key is damaged, incomplete or of an unknown "
		"kind; use a complete key of RSA, EC, Ed25519 or Ed448" : KEY " %.200s: the file holds no private "
		"key in PEM; use one that begins with -----BEGIN PRIVATE KEY-----", path);
}

static int
check_match(const struct sl_tls_pair *pair, const char *cert_path, const char *key_path,
	struct sl_tls_error error)
{
	if (X509_check_private_key(pair->leaf, pair->key) == 1)
		return 0;
	for (int i = 0; i < sk_X509_num(pair->chain); i++)
		if (X509_check_private_key(sk_X509_value(pair->chain, i), pair->key) == 1)
			return sl_tls_refuse(error, CERT " %.200s: certificate %d of the file belongs to " KEY
				" %.200s; use a file in which that certificate is the first one", cert_path, i + 2, key_path);
	return sl_tls_refuse(error, KEY " %.200s: the key does not belong to the first certificate of " CERT
		" %.200s; use the key with which that certificate was made", key_path, cert_path);
}

/* ---- what a certificate says ---- */

static int
set_label(struct sl_tls_pair *pair, const char *text, size_t len)
{
	if (pair->label)
		return 0;
	pair->label = strndup(text, len);
	return pair->label ? 0 : SL_ENOMEM;
}

/* A name that DNS does not have is no SNI's, and does not harm. */
static int
take_name(struct sl_tls_pair *pair, const ASN1_STRING *string)
{
	const char *text = (const char *)ASN1_STRING_get0_data(string);
	size_t len = (size_t)ASN1_STRING_length(string);
	int err = sl_tls_names_add(&pair->names, text, len);
	return err == 0 ? set_label(pair, text, len) : err == SL_EINVAL ? 0 : err;
}

static int
take_address(struct sl_tls_pair *pair, const ASN1_OCTET_STRING *string)
{
	char text[INET6_ADDRSTRLEN];
	int family = ASN1_STRING_length(string) == 4 ? AF_INET : AF_INET6;
	if (family == AF_INET6 && ASN1_STRING_length(string) != 16)
		return 0;
	inet_ntop(family, ASN1_STRING_get0_data(string), text, sizeof text);
	return set_label(pair, text, strlen(text));
}

static int
take_alternative_names(struct sl_tls_pair *pair, const GENERAL_NAMES *names)
{
	int err = 0;
	for (int i = 0; err == 0 && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_DNS)
			err = take_name(pair, name->d.dNSName);
		else if (name->type == GEN_IPADD)
			err = take_address(pair, name->d.iPAddress);
	}
	return err;
}

static int
take_common_name(struct sl_tls_pair *pair, bool is_name)
{
	X509_NAME *subject = X509_get_subject_name(pair->leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at < 0)
		return set_label(pair, "", 0);
	unsigned char *text;
	int err = 0, len = ASN1_STRING_to_UTF8(&text,
		X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (len < 0)
		return set_label(pair, "", 0);
	if (is_name)
		err = sl_tls_names_add(&pair->names, (const char *)text, (size_t)len);
	if (err == 0 || err == SL_EINVAL)
		err = set_label(pair, (const char *)text, strnlen((const char *)text, (size_t)len));
	OPENSSL_free(text);
	return err;
}

/* The common name is one to connect to only where there is no SAN at all (RFC 6125, section
 * 6.4.4). */
static int
read_names(struct sl_tls_pair *pair, const char *path, struct sl_tls_error error)
{
	int found;
	GENERAL_NAMES *names = X509_get_ext_d2i(pair->leaf, NID_subject_alt_name, &found, NULL);
	if (!names && found != -1)
		return sl_tls_refuse(error, CERT " %.200s: the certificate's list of names "
			"(subjectAltName) is malformed; use a certificate that openssl x509 -text can print", path);
	int err = names ? take_alternative_names(pair, names) : 0;
	sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
	return err == 0 ? take_common_name(pair, found == -1) : err;
}

static int64_t
seconds_of(const ASN1_TIME *time)
{
	struct tm tm;
	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void
read_times(struct sl_tls_pair *pair, const char *path)
{
	int64_t now_s = sl_clock_wall_us() / 1000000;
	pair->begins_s = seconds_of(X509_get0_notBefore(pair->leaf));
	pair->expires_s = seconds_of(X509_get0_notAfter(pair->leaf));
	if (pair->expires_s <= now_s)
		sl_log(SL_LOG_WARNING, "tls.expired", "file=\"%s\" name=\"%s\" since_s=%lld", path,
			pair->label, (long long)(now_s - pair->expires_s));
	else if (pair->begins_s > now_s)
		sl_log(SL_LOG_WARNING, "tls.not_valid_yet", "file=\"%s\" name=\"%s\" in_s=%lld", path,
			pair->label, (long long)(pair->begins_s - now_s));
}

static const char *
kind_of(const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA: return "rsa";
	case EVP_PKEY_RSA_PSS: return "rsa-pss";
	case EVP_PKEY_EC: return "ecdsa";
	case EVP_PKEY_ED25519: return "ed25519";
	case EVP_PKEY_ED448: return "ed448";
	default: return NULL;
	}
}

/* ---- both ---- */

static int
read_pair(struct sl_tls_pair *pair, struct sl_tls_file files[2], const char *cert_path,
	const char *key_path, struct sl_tls_error error)
{
	int err = sl_tls_file_read(&files[0], CERT, cert_path, error);
	if (err == 0)
		err = parse_certificates(pair, &files[0], cert_path, error);
	if (err == 0)
		err = sl_tls_file_read_secret(&files[1], KEY, key_path, error);
	if (err == 0)
		err = parse_key(pair, &files[1], key_path, error);
	if (err == 0)
		err = check_match(pair, cert_path, key_path, error);
	if (err != 0)
		return err;
	pair->kind = kind_of(pair->key);
	if (!pair->kind)
		return sl_tls_refuse(error, KEY " %.200s: a TLS server has no use for a key of this kind; use "
			"RSA, EC, Ed25519 or Ed448", key_path);
	err = read_names(pair, cert_path, error);
	if (err == 0)
		read_times(pair, cert_path);
	return err;
}

int
sl_tls_pair_read(struct sl_tls_pair *out, const char *cert_path, const char *key_path,
	struct sl_tls_error error)
{
	struct sl_tls_file files[2] = { 0 };
	*out = (struct sl_tls_pair){ 0 };
	ERR_clear_error();
	int err = read_pair(out, files, cert_path, key_path, error);
	ERR_clear_error();
	sl_tls_file_finish(&files[0]);
	sl_tls_file_finish(&files[1]);
	return err;
}

void
sl_tls_pair_finish(struct sl_tls_pair *pair)
{
	X509_free(pair->leaf);
	sk_X509_pop_free(pair->chain, X509_free);
	EVP_PKEY_free(pair->key);
	sl_tls_names_finish(&pair->names);
	free(pair->label);
	*pair = (struct sl_tls_pair){ 0 };
}
