/* Tokens for tests: rules of one HMAC key, made as the test runs, and tokens signed with it.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_TOKENS_H
#define SL_TESTS_TOKENS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/jws.h"
#include "auth/secret.h"
#include "config/config.h"
#include "util/buffer.h"

#define TOKENS_NOW_S 1000000000 /* of those who judge by a clock of their own */

static struct sl_config tokens_config;
static struct sl_auth *tokens_auth;
static struct sl_secret *tokens_secret;

static inline void
tokens_require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "tokens: %s\n", what);
	abort();
}

#define TOKENS_KEY "a secret of thirty-two bytes or more"

/* Rules with up to six options more, ended by NULL. */
static inline void
tokens_open(const char *const *options)
{
	char path[] = "/tmp/sluice-test-key-XXXXXX", option[64], text[6][96], name[] = "sluice";
	char error[512] = "";
	char *argv[9] = { name, option };
	int argc = 2, fd = mkstemp(path);
	tokens_require(fd >= 0 && write(fd, TOKENS_KEY, strlen(TOKENS_KEY)) ==
		(ssize_t)strlen(TOKENS_KEY) && close(fd) == 0, "key file");
	snprintf(option, sizeof option, "--token-key=%s", path);
	for (; options && options[argc - 2]; argc++) {
		snprintf(text[argc - 2], sizeof text[0], "%s", options[argc - 2]);
		argv[argc] = text[argc - 2];
	}
	tokens_require(sl_config_parse(&tokens_config, argc, argv) == 0, "options");
	tokens_require(sl_secret_create(&tokens_secret, NULL, error, sizeof error) == 0, error);
	tokens_require(sl_auth_create(&tokens_auth, &tokens_config, tokens_secret, error,
		sizeof error) == 0, error);
	unlink(path);
}

static inline void
tokens_close(void)
{
	sl_auth_unref(tokens_auth);
	sl_secret_destroy(tokens_secret);
	sl_config_finish(&tokens_config);
}

/* A token for a minute from `now_s`, whose `sluice` is what `rights` says; kept until the tenth
 * call after it. */
static inline const char *
tokens_mint(const char *subject, int64_t now_s, const char *rights)
{
	static char kept[10][1024];
	static unsigned next;
	char *out = kept[next++ % 10], payload[512];
	struct sl_buffer token = SL_BUFFER_INIT;
	struct sl_key key = { .alg = SL_ALG_HS256 };
	int len = snprintf(payload, sizeof payload, "{\"sub\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"sluice\":%s}",
		subject, (long long)now_s, (long long)now_s + 60, rights);
	tokens_require(sl_key_init_secret(&key, TOKENS_KEY, strlen(TOKENS_KEY)) == 0 &&
		sl_jws_append(&token, &key, "JWT", (struct sl_span){ payload, (size_t)len }) == 0 &&
		token.len < sizeof kept[0], "signing");
	memcpy(out, token.bytes, token.len);
	out[token.len] = '\0';
	sl_buffer_finish(&token);
	sl_key_finish(&key);
	return out;
}

#endif
