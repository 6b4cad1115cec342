#include "bus/nats_login.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bus/nats_nkey.h"
#include "config/config.h"
#include "config/server_url.h"
#include "util/err.h"

#define FILE_MAX 4096 /* of a password, a token or a seed */

struct refusal {
	char *text;
	size_t size;
};

static int __attribute__((format(printf, 2, 3)))
refuse(struct refusal refusal, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(refusal.text, refusal.size, format, args);
	va_end(args);
	return SL_EINVAL;
}

/* The whole file and a NUL. */
static int
read_file(char out[FILE_MAX], const char *option, const char *path, struct refusal refusal)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return refuse(refusal, "%s %s: cannot read the file (%s); use the path of a file that sluice may read",
			option, path, strerror(errno));
	size_t len = fread(out, 1, FILE_MAX - 1, file);
	bool is_whole = feof(file) && !ferror(file);
	fclose(file);
	out[len] = '\0';
	if (!is_whole || strlen(out) != len)
		return refuse(refusal, "%s %s: the file is too large or holds a zero byte; use a text of at most %d bytes", option, path,
			FILE_MAX - 1);
	return 0;
}

/* What stands in the file's first line. */
static int
read_line(char out[FILE_MAX], const char *option, const char *path, struct refusal refusal)
{
	int err = read_file(out, option, path, refusal);
	out[err ? 0 : strcspn(out, "\r\n")] = '\0';
	if (err == 0 && *out == '\0')
		return refuse(refusal, "%s %s: the first line is empty; use a file with the secret in its first line",
			option, path);
	return err;
}

/* ---- who logs in ---- */

static int
set_user(natsOptions *options, const struct sl_config *config, struct refusal refusal)
{
	char password[FILE_MAX];
	int err = read_line(password, "--nats-password", config->nats_password, refusal);
	if (err == 0 && natsOptions_SetUserInfo(options, config->nats_user, password) != NATS_OK)
		err = SL_ENOMEM;
	explicit_bzero(password, sizeof password);
	return err;
}

static int
set_token(natsOptions *options, const struct sl_config *config, struct refusal refusal)
{
	char token[FILE_MAX];
	int err = read_line(token, "--nats-token", config->nats_token, refusal);
	if (err == 0 && natsOptions_SetToken(options, token) != NATS_OK)
		err = SL_ENOMEM;
	explicit_bzero(token, sizeof token);
	return err;
}

static int
set_nkey(natsOptions *options, const struct sl_config *config, struct refusal refusal)
{
	char text[FILE_MAX], key[SL_NATS_NKEY_LEN + 1];
	struct sl_span seed = { NULL, 0 };
	int err = read_file(text, "--nats-nkey", config->nats_nkey, refusal);
	if (err == 0) {
		err = sl_nats_nkey_find(&seed, (struct sl_span){ text, strlen(text) });
		if (err == 0)
			err = sl_nats_nkey_public(key, seed);
		if (err != 0)
			refuse(refusal, "--nats-nkey %s: the file holds no seed of a user; use %d characters "
				"that begin with SU", config->nats_nkey, SL_NATS_SEED_LEN);
	}
	explicit_bzero(text, sizeof text);
	if (err == 0 && natsOptions_SetNKeyFromSeed(options, key, config->nats_nkey) != NATS_OK)
		err = SL_ENOMEM;
	return err;
}

static int
set_creds(natsOptions *options, const struct sl_config *config, struct refusal refusal)
{
	char text[FILE_MAX];
	struct sl_span seed = { NULL, 0 };
	int err = read_file(text, "--nats-creds", config->nats_creds, refusal);
	if (err == 0 && (!strstr(text, "NATS USER JWT") ||
			sl_nats_nkey_find(&seed, (struct sl_span){ text, strlen(text) }) != 0))
		err = refuse(refusal, "--nats-creds %s: the file holds no JWT and seed of a user; use a file "
			"of nsc generate creds", config->nats_creds);
	explicit_bzero(text, sizeof text);
	if (err == 0 && natsOptions_SetUserCredentialsFromFiles(options, config->nats_creds, NULL) != NATS_OK)
		err = SL_ENOMEM;
	return err;
}

static int
set_login(natsOptions *options, const struct sl_config *config, const struct sl_server_url *url,
	struct refusal refusal)
{
	natsStatus status = NATS_OK;
	if (config->nats_user)
		return set_user(options, config, refusal);
	if (config->nats_token)
		return set_token(options, config, refusal);
	if (config->nats_nkey)
		return set_nkey(options, config, refusal);
	if (config->nats_creds)
		return set_creds(options, config, refusal);
	if (url->has_password)
		status = natsOptions_SetUserInfo(options, url->user, url->password);
	else if (url->user[0])
		status = natsOptions_SetToken(options, url->user);
	return status == NATS_OK ? 0 : SL_ENOMEM;
}

/* ---- TLS ---- */

static int
refuse_tls(struct refusal refusal, const char *option, const char *path, natsStatus status)
{
	const char *text = nats_GetLastError(&status);
	return refuse(refusal, "%s %s: TLS cannot use this (%.200s); use a file in PEM, and a key without "
		"a password", option, path,
		text ? text : natsStatus_GetText(status));
}

/* The server's certificate must have the name, or the address, that is in its URL; also where the server asks for
 * TLS though the URL does not. */
static int
set_tls(natsOptions *options, const struct sl_config *config, const struct sl_server_url *url,
	struct refusal refusal)
{
	natsStatus status = NATS_OK;
	if (url->is_secure || config->nats_ca || config->nats_cert)
		status = natsOptions_SetSecure(options, true);
	if (status == NATS_OK)
		status = natsOptions_SetExpectedHostname(options, url->host);
	if (status != NATS_OK)
		return refuse_tls(refusal, "--nats", url->address, status);
	if (config->nats_ca)
		status = natsOptions_LoadCATrustedCertificates(options, config->nats_ca);
	if (status != NATS_OK)
		return refuse_tls(refusal, "--nats-ca", config->nats_ca, status);
	if (config->nats_cert)
		status = natsOptions_LoadCertificatesChain(options, config->nats_cert, config->nats_key);
	if (status != NATS_OK)
		return refuse_tls(refusal, "--nats-cert", config->nats_cert, status);
	return 0;
}

/* ---- all of it ---- */

int
sl_nats_login_create(natsOptions **out, const struct sl_config *config, size_t index, char *error,
	size_t error_size)
{
	const struct refusal refusal = { error, error_size };
	struct sl_server_url url;
	char address[sizeof url.address + 8];
	natsOptions *options;
	if (natsOptions_Create(&options) != NATS_OK)
		return SL_ENOMEM;
	int err = sl_server_url_parse(config->nats.texts[index], &url);
	snprintf(address, sizeof address, "nats://%s", url.address);
	if (err == 0 && natsOptions_SetURL(options, address) != NATS_OK)
		err = SL_ENOMEM;
	if (err == 0)
		err = set_login(options, config, &url, refusal);
	if (err == 0)
		err = set_tls(options, config, &url, refusal);
	explicit_bzero(&url, sizeof url);
	if (err == 0) {
		*out = options;
		return 0;
	}
	if (err != SL_EINVAL)
		snprintf(error, error_size, "%s", sl_strerror(err));
	natsOptions_Destroy(options);
	return err;
}

static int
check_pair(struct refusal refusal, const char *first, const char *first_value, const char *second,
	const char *second_value)
{
	if (!first_value == !second_value)
		return 0;
	return refuse(refusal, "%s: %s is missing; use both", first_value ? first : second,
		first_value ? second : first);
}

static int
check_logins(const struct sl_config *config, struct refusal refusal)
{
	const struct { const char *option, *value; } ways[] = {
		{ "--nats-user", config->nats_user }, { "--nats-token", config->nats_token },
		{ "--nats-nkey", config->nats_nkey }, { "--nats-creds", config->nats_creds },
	};
	const char *chosen = NULL;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (ways[i].value && chosen)
			return refuse(refusal, "%s: %s is there already; use one of them", ways[i].option, chosen);
		if (ways[i].value)
			chosen = ways[i].option;
	}
	for (size_t i = 0; chosen && i < config->nats.count; i++)
		if (strchr(config->nats.texts[i], '@'))
			return refuse(refusal, "%s: a URL of --nats has a login already; use one of them", chosen);
	return 0;
}

int
sl_nats_login_check(const struct sl_config *config, char *error, size_t error_size)
{
	const struct refusal refusal = { error, error_size };
	int err = check_pair(refusal, "--nats-user", config->nats_user, "--nats-password",
		config->nats_password);
	if (err == 0)
		err = check_pair(refusal, "--nats-cert", config->nats_cert, "--nats-key", config->nats_key);
	if (err == 0)
		err = check_logins(config, refusal);
	if (err == 0 && config->nats.count == 0)
		err = refuse(refusal, "--nats: \"\" names no server; use nats://HOST:PORT");
	for (size_t i = 0; err == 0 && i < config->nats.count; i++) {
		natsOptions *options = NULL;
		err = sl_nats_login_create(&options, config, i, error, error_size);
		natsOptions_Destroy(options);
	}
	return err;
}
