/* Certificates that a test makes for itself, in files of a folder that goes with the program.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_CERTIFICATES_H
#define SL_TESTS_CERTIFICATES_H

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CERTIFICATES_PATH_MAX 128

/* What is not set is: ECDSA, no SAN, valid from a day ago for 30 days. */
struct certificate {
	const char *file; /* NAME.crt and NAME.key are written */
	const char *kind; /* "rsa", "ecdsa", "ed25519" */
	const char *common_name, *san;
	long begins_s, ends_s; /* from now */
};

static char certificates_folder[64];

static inline void
certificates_remove(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", certificates_folder);
	if (system(command) != 0)
		perror(command);
}

static inline void
certificates_require(bool is_right, const char *what)
{
	if (is_right)
		return;
	fprintf(stderr, "certificates: %s failed\n", what);
	abort();
}

/* The path of a file in the folder; four are good at a time. */
static inline const char *
certificates_path(const char *file)
{
	static char paths[4][CERTIFICATES_PATH_MAX];
	static unsigned next;
	if (certificates_folder[0] == '\0') {
		strcpy(certificates_folder, "/tmp/sluice-certificates-XXXXXX");
		certificates_require(mkdtemp(certificates_folder) != NULL, "mkdtemp");
		atexit(certificates_remove);
	}
	char *path = paths[next++ % 4];
	snprintf(path, CERTIFICATES_PATH_MAX, "%s/%s", certificates_folder, file);
	return path;
}

/* Returns the path. */
static inline const char *
certificates_write(const char *file, const void *bytes, size_t len)
{
	const char *path = certificates_path(file);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	certificates_require(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && close(fd) == 0, path);
	return path;
}

static inline const char *
certificates_write_text(const char *file, const char *text)
{
	return certificates_write(file, text, strlen(text));
}

/* Returns new, with a NUL behind. */
static inline char *
certificates_read(const char *file, size_t *len)
{
	FILE *from = fopen(certificates_path(file), "r");
	char *text = calloc(1, 65536);
	certificates_require(from && text, file);
	*len = fread(text, 1, 65535, from);
	fclose(from);
	return text;
}

static inline EVP_PKEY *
certificates_make_key(const char *kind)
{
	if (kind && strcmp(kind, "rsa") == 0)
		return EVP_RSA_gen(2048);
	if (kind && strcmp(kind, "ed25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_EC_gen("P-256");
}

static inline void
certificates_add_san(X509 *x509, const char *san)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	certificates_require(extension && X509_add_ext(x509, extension, -1) == 1, san);
	X509_EXTENSION_free(extension);
}

static inline X509 *
certificates_sign(const struct certificate *what, EVP_PKEY *key)
{
	static long serial = 1;
	X509 *x509 = X509_new();
	const char *name = what->common_name ? what->common_name : what->file;
	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
	X509_gmtime_adj(X509_getm_notBefore(x509), what->begins_s ? what->begins_s : -86400);
	X509_gmtime_adj(X509_getm_notAfter(x509), what->ends_s ? what->ends_s : 30 * 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x509, X509_get_subject_name(x509));
	X509_set_pubkey(x509, key);
	if (what->san)
		certificates_add_san(x509, what->san);
	bool has_digest = !what->kind || strcmp(what->kind, "ed25519") != 0;
	certificates_require(X509_sign(x509, key, has_digest ? EVP_sha256() : NULL) > 0, "X509_sign");
	return x509;
}

/* Writes the certificate, signed by itself, and its key. */
static inline void
certificates_make(struct certificate what)
{
	char name[64];
	EVP_PKEY *key = certificates_make_key(what.kind);
	X509 *x509 = certificates_sign(&what, key);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;
	certificates_require(PEM_write_bio_X509(bio, x509) == 1, "PEM_write_bio_X509");
	snprintf(name, sizeof name, "%s.crt", what.file);
	len = BIO_get_mem_data(bio, &text);
	certificates_write(name, text, (size_t)len);
	BIO_reset(bio);
	certificates_require(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1,
		"PEM_write_bio_PrivateKey");
	snprintf(name, sizeof name, "%s.key", what.file);
	len = BIO_get_mem_data(bio, &text);
	certificates_write(name, text, (size_t)len);
	BIO_free(bio);
	X509_free(x509);
	EVP_PKEY_free(key);
}

#endif
