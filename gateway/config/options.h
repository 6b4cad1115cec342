/* Config options: the one table behind the command line, the file's keys and --help.
 * Owner: constants. Thread: any. Errors: as sl_config_option_set says.
 *
 * A new option is a field in struct sl_config and a row in config/options.c; config/option_values.c
 * reads and writes the fields. Unless the row says that it needs a restart, a reload must change it
 * wherever it is used: what keeps a copy is told in app.c. Values go into the log at a reload, so a
 * secret may not become an option as it is; that of a server's URL is redacted before. */
#ifndef SL_CONFIG_OPTIONS_H
#define SL_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_config;

enum sl_config_kind {
	SL_CONFIG_HEADING,  /* of --help, no option */
	SL_CONFIG_COUNT,    /* whole number */
	SL_CONFIG_SIZE,     /* bytes, takes K, M, G */
	SL_CONFIG_DURATION, /* seconds, decimals allowed; kept in ms */
	SL_CONFIG_FLAG,     /* --no-NAME unsets it */
	SL_CONFIG_TEXT,
	SL_CONFIG_CHOICE,   /* one of the words in `choices` */
	SL_CONFIG_LEVEL,    /* of the log */
	SL_CONFIG_PATH,     /* base path */
	SL_CONFIG_LISTEN,   /* list of addresses */
	SL_CONFIG_FILES,    /* list of paths */
	SL_CONFIG_PATTERNS, /* list of channel patterns, which auth/ checks */
	SL_CONFIG_ORIGIN,   /* list of origins; `min` is an enum sl_origin_schemes */
	SL_CONFIG_NETWORK,  /* list of networks, and `unix` */
	SL_CONFIG_NAME,     /* of a bus */
	SL_CONFIG_SERVERS,  /* list of servers of NATS (config/server_url.h) */
	SL_CONFIG_RAISES,   /* list of clients and their factors (config/raise.h) */
	SL_CONFIG_ACTION,   /* command line only; `min` is an enum sl_config_action */
};

struct sl_config_option {
	const char *name;
	enum sl_config_kind kind;
	char letter;          /* short form, 0 for none */
	const char *arg;      /* what --help calls the value, NULL for none */
	size_t field;         /* offset in struct sl_config */
	uint64_t min, max;    /* COUNT, SIZE, DURATION (in ms) */
	const char *fallback; /* the default as text; NULL: none, or worked out at start */
	const char *choices;  /* separated by '|' */
	const char *help;
	bool needs_restart;   /* a reload does not change it; the manual says so too */
};

extern const struct sl_config_option sl_config_options[];
extern const size_t sl_config_option_count;

/* The choices of `--backend`. Not of config/: the file with the program's table of backends defines
 * them (bus/backends.h), since config/ knows none. */
extern const char sl_config_backends[];

/* What a refusal says behind them: how to have those that this build lacks. May be empty. */
extern const char sl_config_backends_note[];

/* NULL when there is none. */
const struct sl_config_option *sl_config_option_find(const char *name);

/* Appends to a list, replaces anything else. Errors: SL_EINVAL, SL_ETOOBIG, SL_ENOMEM. */
int sl_config_option_set(struct sl_config *config, const struct sl_config_option *option,
	const char *text);

/* Empties a list; nothing for other kinds. */
void sl_config_option_clear(struct sl_config *config, const struct sl_config_option *option);

/* True for LISTEN, FILES, PATTERNS, ORIGIN, NETWORK, SERVERS and RAISES. */
bool sl_config_option_is_list(const struct sl_config_option *option);

/* The option's value as set() takes it, a list's with commas between. Returns new, NULL when
 * memory ran out. */
char *sl_config_option_text(const struct sl_config *config,
	const struct sl_config_option *option);

/* Replaces what is secret in such a text, before it is shown. */
void sl_config_option_redact(const struct sl_config_option *option, char *text);

/* Gives the field of `to` the value that it has in `from`. Errors: SL_ENOMEM. */
int sl_config_option_copy(struct sl_config *to, const struct sl_config *from,
	const struct sl_config_option *option);

/* Frees what the option's field owns. */
void sl_config_option_finish(struct sl_config *config, const struct sl_config_option *option);

/* "1 to 64", or the words, or "" for an option that has neither bounds nor words. Returns new,
 * NULL when memory ran out. */
char *sl_config_option_range(const struct sl_config_option *option);

/* What is right for the option, as it follows "use": "a whole number from 4 to 60 (seconds)".
 * `is_range`: the value has the right form and is too small or too large: "4 to 60 (seconds)".
 * Returns new, NULL when memory ran out. */
char *sl_config_option_expects(const struct sl_config_option *option, bool is_range);

#endif
