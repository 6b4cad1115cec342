#include "auth/auth.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/claims.h"
#include "auth/jws.h"
#include "auth/key_file.h"
#include "auth/secret.h"
#include "bus/message.h"
#include "config/config.h"
#include "core/tls_file.h"
#include "util/err.h"

struct sl_auth {
	_Atomic unsigned refs;
	struct sl_keys keys;
	struct sl_claim_rules rules; /* into the texts below */
	char *issuer, *audience;     /* owns, or NULL */
	struct sl_patterns anonymous[SL_ACTS];
	uint8_t ticket_key[SL_DERIVED_KEY_LEN];
};

/* ---- making ---- */

/* The first option that means nothing without a token key, or NULL. Somebody who gives one believes that
 * tokens are asked for. */
static const char *
find_stray_option(const struct sl_config *config)
{
	if (config->anonymous_subscribe.count > 0)
		return "anonymous-subscribe";
	if (config->anonymous_publish.count > 0)
		return "anonymous-publish";
	if (config->token_issuer)
		return "token-issuer";
	if (config->token_audience)
		return "token-audience";
	return config->token_cookie ? "token-cookie" : NULL;
}

/* A token of HTTP (RFC 6265, section 4.1.1). */
static bool
is_cookie_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"!#$%&'*+-.^_`|~";
	return name[strspn(name, allowed)] == '\0';
}

static int
load_keys(struct sl_keys *keys, const struct sl_config *config, struct sl_tls_error error)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < config->token_key.count; i++)
		err = sl_keys_load(keys, "--token-key", config->token_key.texts[i], error);
	return err;
}

static int
add_patterns(struct sl_patterns *out, const struct sl_text_list *texts, const char *option,
	struct sl_tls_error error)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < texts->count; i++) {
		err = sl_patterns_add(out, (struct sl_span){ texts->texts[i], strlen(texts->texts[i]) });
		if (err == SL_EINVAL)
			sl_tls_refuse(error, "%s: \"%.80s\" is not a pattern; use the name of a channel, prefix.* or *",
				option, texts->texts[i]);
		else if (err == SL_EFULL)
			err = sl_tls_refuse(error, "%s: \"%.80s\" is one pattern too many; use at most %d, and "
				"prefix.* for several channels", option, texts->texts[i], SL_PATTERNS_MAX);
	}
	return err;
}

/* Those that are no permission of a token, and that config/ cannot judge. */
static int
check_patterns(const struct sl_config *config, struct sl_tls_error error)
{
	struct sl_patterns patterns = { 0 };
	const char *channel = config->socketio_channel;
	if (channel && (*channel == '~' || !sl_channel_name_valid(channel, strlen(channel))))
		return sl_tls_refuse(error, "--socketio-channel: \"%.80s\" is not the name of a channel; use 1 to 255 "
			"bytes of UTF-8 without control characters, without * and without a ~ at the start", channel);
	int err = add_patterns(&patterns, &config->client_publish, "--client-publish", error);
	sl_patterns_finish(&patterns);
	return err;
}

static int
copy_text(char **out, const char *text)
{
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : SL_ENOMEM;
}

static int
fill(struct sl_auth *auth, const struct sl_config *config, const struct sl_secret *secret,
	struct sl_tls_error error)
{
	int err = load_keys(&auth->keys, config, error);
	if (err == 0)
		err = add_patterns(&auth->anonymous[SL_ACT_SUBSCRIBE], &config->anonymous_subscribe,
			"--anonymous-subscribe", error);
	if (err == 0)
		err = add_patterns(&auth->anonymous[SL_ACT_PUBLISH], &config->anonymous_publish,
			"--anonymous-publish", error);
	if (err == 0)
		err = copy_text(&auth->issuer, config->token_issuer);
	if (err == 0)
		err = copy_text(&auth->audience, config->token_audience);
	if (err == 0)
		err = sl_secret_derive(secret, "ticket", auth->ticket_key);
	auth->rules = (struct sl_claim_rules){ auth->issuer, auth->audience, config->token_max_age_ms };
	return err;
}

int
sl_auth_create(struct sl_auth **out, const struct sl_config *config,
	const struct sl_secret *secret, char *error, size_t error_size)
{
	struct sl_tls_error where = { error, error_size };
	*out = NULL;
	int err = check_patterns(config, where);
	if (err != 0)
		return err;
	if (config->token_key.count == 0) {
		const char *stray = find_stray_option(config);
		return stray ? sl_tls_refuse(where, "--%s: without a token key everybody may do everything; use "
			"--token-key FILE too", stray) : 0;
	}
	if (config->token_cookie && !is_cookie_name(config->token_cookie))
		return sl_tls_refuse(where, "--token-cookie: \"%.80s\" is not the name of a cookie; use letters, "
			"digits, - and _", config->token_cookie);
	if (config->allow_anonymous)
		return sl_tls_refuse(where, "--allow-anonymous: --token-key is there already, which allows every "
			"address; use --anonymous-subscribe PATTERN for channels that need no token instead");
	struct sl_auth *auth = calloc(1, sizeof *auth);
	err = SL_ENOMEM;
	if (auth) {
		auth->refs = 1;
		err = fill(auth, config, secret, where);
	}
	if (err == 0) {
		*out = auth;
		return 0;
	}
	if (err != SL_EINVAL)
		snprintf(error, error_size, "--token-key: %s", sl_strerror(err));
	sl_auth_unref(auth);
	return err;
}

struct sl_auth *
sl_auth_ref(struct sl_auth *auth)
{
	atomic_fetch_add(&auth->refs, 1);
	return auth;
}

void
sl_auth_unref(struct sl_auth *auth)
{
	if (!auth || atomic_fetch_sub(&auth->refs, 1) > 1)
		return;
	sl_keys_finish(&auth->keys);
	for (int i = 0; i < SL_ACTS; i++)
		sl_patterns_finish(&auth->anonymous[i]);
	free(auth->issuer);
	free(auth->audience);
	explicit_bzero(auth->ticket_key, sizeof auth->ticket_key);
	free(auth);
}

/* ---- using ---- */

bool
sl_auth_verify_token(const struct sl_auth *auth, struct sl_span token, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal)
{
	struct sl_buffer payload = SL_BUFFER_INIT;
	const char *why = NULL;
	int err = sl_jws_open(&payload, token, auth->keys.list, auth->keys.count, NULL, &why);
	bool is_good = err == 0 && sl_claims_read(out, (struct sl_span){ payload.bytes, payload.len },
		&auth->rules, now_s, refusal);
	if (err == SL_EINVAL)
		*refusal = (struct sl_auth_refusal){ "unauthorized", why };
	else if (err != 0)
		*refusal = (struct sl_auth_refusal){ "internal", "out of memory; try again later" };
	sl_buffer_finish(&payload);
	return is_good;
}

const struct sl_patterns *
sl_auth_get_anonymous(const struct sl_auth *auth, enum sl_act act)
{
	return &auth->anonymous[act];
}

size_t
sl_auth_count_keys(const struct sl_auth *auth)
{
	return auth ? auth->keys.count : 0;
}

const uint8_t *
sl_auth_get_ticket_key(const struct sl_auth *auth)
{
	return auth->ticket_key;
}

int64_t
sl_auth_get_max_age_s(const struct sl_auth *auth)
{
	return (int64_t)((auth->rules.age_max_ms + 999) / 1000);
}
