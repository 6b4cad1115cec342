#include "token_command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/claims.h"
#include "auth/jws.h"
#include "auth/key_file.h"
#include "config/config.h"
#include "util/clock.h"
#include "util/err.h"

#define TTL_DEFAULT_S 3600
#define TTL_MAX_S UINT64_C(315360000) /* of --token-max-age */

static const char help[] =
	"Usage: sluice token --key FILE --sub NAME [OPTION...]\n"
	"Prints a token (a JWT) for trials. In production your own backend makes tokens.\n\n"
	"  --key FILE           sign with the key in FILE: an HMAC secret, a private key in PEM,\n"
	"                       or a private JWK\n"
	"  --sub NAME           name the bearer (the subject)\n"
	"  --subscribe PATTERN  let the bearer read these channels; repeatable\n"
	"  --publish PATTERN    let the bearer publish to these channels; repeatable\n"
	"  --admin              let the bearer use /stats, /metrics and /admin\n"
	"  --ttl TIME           let the token live for TIME, such as 90s, 15m, 1h, 1d (default 1h)\n"
	"  --iss TEXT           name the issuer\n"
	"  --aud TEXT           name the audience\n"
	"  --alg NAME           fail if the key is for another algorithm: HS256, RS256, ES256 or EdDSA\n"
	"  --kid NAME           name the key in the token's header\n"
	"  --help               print this help\n";

enum { OPTION_KEY, OPTION_SUB, OPTION_SUBSCRIBE, OPTION_PUBLISH, OPTION_ADMIN, OPTION_TTL,
	OPTION_ISS, OPTION_AUD, OPTION_ALG, OPTION_KID, OPTION_HELP, OPTIONS };

static const struct option options[] = {
	{ "key", required_argument, NULL, OPTION_KEY }, { "sub", required_argument, NULL, OPTION_SUB },
	{ "subscribe", required_argument, NULL, OPTION_SUBSCRIBE },
	{ "publish", required_argument, NULL, OPTION_PUBLISH }, { "admin", no_argument, NULL, OPTION_ADMIN },
	{ "ttl", required_argument, NULL, OPTION_TTL }, { "iss", required_argument, NULL, OPTION_ISS },
	{ "aud", required_argument, NULL, OPTION_AUD }, { "alg", required_argument, NULL, OPTION_ALG },
	{ "kid", required_argument, NULL, OPTION_KID }, { "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

/* What the command line asks for. */
struct wish {
	const char *texts[OPTIONS]; /* the last of each; borrows */
	struct sl_buffer lists[SL_ACTS]; /* JSON arrays without their end */
	bool is_admin, is_for_help;
	uint64_t ttl_s;
};

/* ---- the command line ---- */

/* A count and a letter; a count alone is seconds. */
static bool
parse_ttl(const char *text, uint64_t *out)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t len = strlen(text);
	uint64_t unit_s = 1, count;
	for (size_t i = 0; len > 0 && i < sizeof units / sizeof *units; i++)
		if (text[len - 1] == units[i].letter) {
			unit_s = units[i].seconds;
			len--;
			break;
		}
	if (!sl_span_to_number((struct sl_span){ text, len }, TTL_MAX_S / unit_s, &count) || count == 0)
		return false;
	*out = count * unit_s;
	return true;
}

static int
add_pattern(struct sl_buffer *list, const char *name, const char *text, struct sl_tls_error error)
{
	if (!sl_pattern_is_valid((struct sl_span){ text, strlen(text) }))
		return sl_tls_refuse(error, "--%s: \"%.80s\" is not a pattern; use the name of a channel, prefix.* or *",
			name, text);
	sl_buffer_append_char(list, list->len > 0 ? ',' : '[');
	sl_buffer_append_json_string(list, text, strlen(text));
	return sl_buffer_status(list);
}

static int
take_option(struct wish *wish, int number, const char *text, struct sl_tls_error error)
{
	switch (number) {
	case OPTION_SUBSCRIBE: return add_pattern(&wish->lists[SL_ACT_SUBSCRIBE], "subscribe", text, error);
	case OPTION_PUBLISH: return add_pattern(&wish->lists[SL_ACT_PUBLISH], "publish", text, error);
	case OPTION_ADMIN: wish->is_admin = true; return 0;
	case OPTION_HELP: wish->is_for_help = true; return 0;
	case OPTION_TTL:
		if (parse_ttl(text, &wish->ttl_s))
			return 0;
		return sl_tls_refuse(error, "--ttl: \"%.80s\" is not a time; use 1s to 3650d, such as 90s, 15m, 1h, 1d",
			text);
	default:
		if (*text == '\0')
			return sl_tls_refuse(error, "--%s: \"\" is empty; use a text, or omit the option",
				options[number].name);
		wish->texts[number] = text;
		return 0;
	}
}

static int
parse(struct wish *wish, int argc, char **argv, struct sl_tls_error error)
{
	int number, err = 0;
	optind = 0;
	opterr = 0;
	while (err == 0 && (number = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		if (number == ':')
			return sl_tls_refuse(error, "%.80s: the value is missing; use %.80s VALUE (see sluice token --help)", argv[optind - 1],
				argv[optind - 1]);
		if (number == '?')
			return sl_tls_refuse(error, "%.80s: there is no such option; use one of those in sluice token --help",
				argv[optind - 1]);
		err = take_option(wish, number, optarg, error);
	}
	if (err != 0 || wish->is_for_help)
		return err;
	if (optind < argc)
		return sl_tls_refuse(error, "argument \"%.80s\" belongs to no option; use --NAME VALUE (see sluice token "
			"--help)", argv[optind]);
	if (!wish->texts[OPTION_KEY])
		return sl_tls_refuse(error, "--key: the option is missing; use --key FILE with the key that signs");
	if (!wish->texts[OPTION_SUB])
		return sl_tls_refuse(error, "--sub: the option is missing; use --sub NAME to name the bearer");
	return 0;
}

/* ---- the token ---- */

static int
load_key(struct sl_key *key, const struct wish *wish, struct sl_tls_error error)
{
	const char *alg = wish->texts[OPTION_ALG], *kid = wish->texts[OPTION_KID];
	int err = sl_key_load_signing(key, "--key", wish->texts[OPTION_KEY], error);
	if (err == 0 && alg && strcmp(alg, sl_alg_name(key->alg)) != 0)
		err = sl_tls_refuse(error, "--alg: \"%.80s\" is not the algorithm of the key; use %s", alg,
			sl_alg_name(key->alg));
	if (err == 0 && kid) {
		free(key->kid);
		key->kid = strdup(kid);
		err = key->kid ? 0 : SL_ENOMEM;
	}
	return err;
}

static void
append_text(struct sl_buffer *out, const char *name, const char *text)
{
	if (!text)
		return;
	sl_buffer_printf(out, ",\"%s\":", name);
	sl_buffer_append_json_string(out, text, strlen(text));
}

static int
append_claims(struct sl_buffer *out, const struct wish *wish, int64_t now_s)
{
	static const char *const names[SL_ACTS] = { "subscribe", "publish" };
	sl_buffer_append_str(out, "{\"sub\":");
	sl_buffer_append_json_string(out, wish->texts[OPTION_SUB], strlen(wish->texts[OPTION_SUB]));
	sl_buffer_printf(out, ",\"iat\":%lld,\"exp\":%lld", (long long)now_s,
		(long long)now_s + (long long)wish->ttl_s);
	append_text(out, "iss", wish->texts[OPTION_ISS]);
	append_text(out, "aud", wish->texts[OPTION_AUD]);
	sl_buffer_append_str(out, ",\"sluice\":{");
	const char *comma = "";
	for (int act = 0; act < SL_ACTS; act++) {
		if (wish->lists[act].len == 0)
			continue;
		sl_buffer_printf(out, "%s\"%s\":", comma, names[act]);
		sl_buffer_append(out, wish->lists[act].bytes, wish->lists[act].len);
		sl_buffer_append_char(out, ']');
		comma = ",";
	}
	if (wish->is_admin)
		sl_buffer_printf(out, "%s\"admin\":true", comma);
	sl_buffer_append_str(out, "}}");
	return sl_buffer_status(out);
}

/* Would a gateway with that key accept it? */
static int
judge(struct sl_span token, const struct sl_key *key, const struct wish *wish, int64_t now_s,
	struct sl_tls_error error)
{
	const struct sl_claim_rules rules = { wish->texts[OPTION_ISS], wish->texts[OPTION_AUD],
		TTL_MAX_S * 1000 };
	struct sl_buffer payload = SL_BUFFER_INIT;
	struct sl_claims claims;
	struct sl_auth_refusal refusal = { "", NULL };
	const char *why = NULL;
	int err = sl_jws_open(&payload, token, key, 1, NULL, &why);
	if (err == 0 && sl_claims_read(&claims, (struct sl_span){ payload.bytes, payload.len }, &rules, now_s,
			&refusal))
		sl_claims_finish(&claims);
	sl_buffer_finish(&payload);
	if (!why)
		why = refusal.message;
	return err == SL_ENOMEM || !why ? err
		: sl_tls_refuse(error, "a gateway would refuse this token: %s", why);
}

static int
make(struct sl_buffer *out, const struct wish *wish, int64_t now_s, struct sl_tls_error error)
{
	struct sl_key key = { 0 };
	struct sl_buffer claims = SL_BUFFER_INIT;
	size_t start = out->len;
	int err = load_key(&key, wish, error);
	if (err == 0)
		err = append_claims(&claims, wish, now_s);
	if (err == 0) {
		err = sl_jws_append(out, &key, "JWT", (struct sl_span){ claims.bytes, claims.len });
		if (err == SL_EINVAL)
			sl_tls_refuse(error, "--key %.200s: this key cannot sign; use a private key or an HMAC secret", wish->texts[OPTION_KEY]);
	}
	if (err == 0)
		err = judge((struct sl_span){ out->bytes + start, out->len - start }, &key, wish, now_s, error);
	sl_buffer_finish(&claims);
	sl_key_finish(&key);
	return err;
}

int
sl_token_command_make(struct sl_buffer *out, int argc, char **argv, int64_t now_s,
	struct sl_tls_error error)
{
	struct wish wish = { .ttl_s = TTL_DEFAULT_S };
	int err = parse(&wish, argc, argv, error);
	if (err == 0 && wish.is_for_help)
		sl_buffer_append_str(out, help);
	else if (err == 0)
		err = make(out, &wish, now_s, error);
	if (err == 0 && !wish.is_for_help)
		sl_buffer_append_char(out, '\n');
	for (int act = 0; act < SL_ACTS; act++)
		sl_buffer_finish(&wish.lists[act]);
	return err == 0 ? sl_buffer_status(out) : err;
}

int
sl_token_command_run(int argc, char **argv)
{
	char error[512] = "";
	struct sl_buffer out = SL_BUFFER_INIT;
	int err = sl_token_command_make(&out, argc, argv, sl_clock_wall_us() / 1000000,
		(struct sl_tls_error){ error, sizeof error });
	if (err == 0 && (fwrite(out.bytes, 1, out.len, stdout) != out.len || fflush(stdout) != 0))
		err = SL_EIO;
	if (err != 0)
		fprintf(stderr, "sluice token: %s\n", err == SL_EINVAL ? error : sl_strerror(err));
	sl_buffer_finish(&out);
	if (err == 0)
		return 0;
	return err == SL_EINVAL ? SL_CONFIG_EXIT_REFUSED : 1;
}
