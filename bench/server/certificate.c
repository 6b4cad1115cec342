#include "bench/server/certificate.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "util/err.h"

#define VERSION_3 2 /* as it is coded: RFC 5280, section 4.1.2.1 */
#define DAY_S 86400

static int
add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	int err = extension && X509_add_ext(certificate, extension, -1) == 1 ? 0 : SL_ENOMEM;
	X509_EXTENSION_free(extension);
	return err;
}

static int
fill(X509 *certificate, EVP_PKEY *key, const char *ip)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	char names[96];
	snprintf(names, sizeof names, "DNS:localhost,IP:%s", ip);
	if (X509_set_version(certificate, VERSION_3) != 1
		|| ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) != 1
		|| !X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S)
		|| !X509_gmtime_adj(X509_getm_notAfter(certificate), DAY_S)
		|| X509_set_pubkey(certificate, key) != 1
		|| X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			(const unsigned char *)"sluice-bench", -1, -1, 0) != 1
		|| X509_set_issuer_name(certificate, name) != 1)
		return SL_ENOMEM;
	int err = add_extension(certificate, NID_subject_alt_name, names);
	if (!err)
		err = add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	return err || X509_sign(certificate, key, EVP_sha256()) > 0 ? err : SL_ENOMEM;
}

static FILE *
open_private(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	return fd >= 0 ? fdopen(fd, "w") : NULL;
}

static int
end(FILE *file, int written)
{
	if (!file)
		return SL_EIO;
	return fclose(file) == 0 && written == 1 ? 0 : SL_EIO;
}

int
bench_certificate_write(const char *certificate_path, const char *key_path, const char *ip)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	int err = key && certificate ? fill(certificate, key, ip) : SL_ENOMEM;
	if (!err) {
		FILE *file = open_private(key_path);
		err = end(file, file ? PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) : 0);
	}
	if (!err) {
		FILE *file = fopen(certificate_path, "we");
		err = end(file, file ? PEM_write_X509(file, certificate) : 0);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	return err;
}
