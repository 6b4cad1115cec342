/* Config: what the gateway was told, from the command line and a JSON file.
 * Owner: the caller's struct; its strings and lists belong to it until finish. Immutable
 * once parsed; a reload makes a new one. Thread: parse on one, read from any.
 * Errors: SL_EINVAL, SL_ENOMEM; the sentence to tell is in `error` (and was printed).
 *
 * One table in config/options.c is the command line, the keys of the file and --help. The command
 * line wins over the file, the file over the defaults; a list that is given replaces the
 * whole list. Each flag has a `--no-NAME` that unsets it. */
#ifndef SL_CONFIG_H
#define SL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/listen_address.h"
#include "config/raise.h"
#include "util/log.h"
#include "util/network.h"

/* Exit status for a configuration that was refused. */
#define SL_CONFIG_EXIT_REFUSED 2

#define SL_CONFIG_OPTIONS_MAX 128 /* rows of the table, headings among them */

/* What main is to do after a successful parse. */
enum sl_config_action {
	SL_CONFIG_RUN,
	SL_CONFIG_CHECKED, /* --check-config: all is well, exit 0 */
	SL_CONFIG_PRINTED, /* --help or --version was answered, exit 0 */
};

struct sl_origin {
	char *url;             /* owns: scheme://host[:port] as browsers write it */
	const char *authority; /* into url: host[:port], what a Host header says */
};

struct sl_origin_list {
	struct sl_origin *origins; /* owns */
	size_t count;
};

struct sl_text_list {
	char **texts; /* owns, and each */
	size_t count;
};

struct sl_config {
	enum sl_config_action action;

	struct sl_listen_address *listen; /* owns */
	size_t listen_count;
	bool listen_given; /* false: `listen` is the default, `tls_listen` or systemd's sockets replace it */
	uint64_t shards;
	char *base_path; /* owns, as all strings here; begins and ends with '/' */
	char *web;
	char *demo_cluster; /* a file, or NULL */
	char *obstacle; /* a program, "none", or NULL: the one beside this program */
	uint64_t drain_ms;
	enum sl_log_level log_level;
	char *config; /* the file, or NULL */

	struct sl_origin_list public_origin, allow_origin;
	struct sl_network_list trust_proxy; /* whose forwarded fields and PROXY headers count */
	bool allow_anonymous, allow_credentials, demo;
	bool check;          /* serve the check page */
	char *check_reports; /* folder of its reports, or NULL */

	struct sl_listen_address *tls_listen; /* owns */
	size_t tls_listen_count;
	struct sl_text_list tls_cert, tls_key; /* paths */
	char *tls_ticket_keys;                 /* a path, or NULL: they are made here */

	struct sl_text_list token_key; /* paths */
	char *token_issuer, *token_audience, *token_cookie; /* or NULL */
	uint64_t token_max_age_ms;
	struct sl_text_list anonymous_subscribe, anonymous_publish; /* patterns, as they were given */
	char *secret; /* a path, or NULL: one that ends with the process */
	struct sl_listen_address *admin_listen; /* owns */
	size_t admin_listen_count;
	uint64_t max_revocations; /* subjects */
	char *revocations; /* a path, or NULL: they end with the process */

	uint64_t heartbeat_s;
	uint64_t request_timeout_ms;

	char *backend; /* its name */
	uint64_t history_messages, history_bytes, history_age_ms, history_total_bytes;
	uint64_t max_channels_total;
	uint64_t mailbox_messages, idempotency_keys;

	/* Of `--backend nats` alone. */
	struct sl_text_list nats; /* URLs of servers (config/server_url.h) */
	char *nats_bus;
	char *nats_user;
	char *nats_password, *nats_token, *nats_nkey, *nats_creds; /* paths, or NULL */
	char *nats_ca, *nats_cert, *nats_key;                      /* paths, or NULL */
	uint64_t nats_replicas; /* 0: by the number of servers */
	uint64_t nats_connect_timeout_ms, publish_timeout_ms;
	uint64_t pending_publishes, pending_bytes; /* what waits for the log */

	/* Of clients of other libraries. */
	bool engine_io; /* serve them */
	uint64_t engineio_ping_interval_ms, engineio_ping_timeout_ms, engineio_upgrade_timeout_ms;
	uint64_t engineio_max_payload; /* bytes of a POST's body */
	uint64_t socketio_connect_timeout_ms;
	char *socketio_channel; /* of the namespace `/`, or NULL */
	bool socketio_recovery; /* for all, not only for those that ask */
	struct sl_text_list client_publish; /* patterns, as they were given */
	uint64_t max_sessions;

	uint64_t max_message_bytes, max_batch_bytes, max_json_depth, max_fragments;
	uint64_t max_channels; /* a connection */
	uint64_t outbox_bytes, outbox_total_bytes;
	uint64_t kernel_memory; /* bytes that the kernel holds for those that do not read; 0 is no limit */
	uint64_t max_connections, max_connections_per_address; /* per address: 0 is no limit */
	uint64_t reserved_connections; /* percent of max_connections, for addresses that have none */
	uint64_t max_header_bytes;
	bool deflate;
	uint64_t deflate_threshold; /* bytes of a payload */

	/* Of one client (core/owners.h), a second; 0 is no limit. */
	char *limits; /* "on" or "off" */
	uint64_t request_rate, publish_rate, publish_bytes_rate, delivery_rate, subscribe_rate, history_rate,
		token_failure_rate;
	uint64_t max_connections_per_subject; /* streams */
	uint64_t max_sessions_per_client;
	struct sl_raise_list raise_limits;

	/* By an option's place in the table: the file gives it too, but the command line decides. */
	bool overridden[SL_CONFIG_OPTIONS_MAX];
	int argc; /* the command line */
	char **argv; /* borrows, for reread */
	char error[512];
};

/* Fills `config`, whatever it held before, and fits it to the open files. `argv` is borrowed until
 * finish, and put into argp's order. Refusals name the option and what would be right, on standard
 * error and in `config->error`; `config` then needs no finish. */
int sl_config_parse(struct sl_config *config, int argc, char **argv);

/* Also after a failed parse, and twice. */
void sl_config_finish(struct sl_config *config);

/* The same command line and file once more, into a new struct, in which what needs a restart has
 * its old value. Refusals go to the log. */
int sl_config_reread(const struct sl_config *old, struct sl_config *out);

/* Logs what a reload changed from `old` to `now`, and what in the file has no effect since the
 * command line decides it. */
void sl_config_log_changes(const struct sl_config *old, const struct sl_config *now);

/* The same command line and file as they are now, whole and as they say; what is refused is told
 * in `config->error` alone. */
int sl_config_parse_again(struct sl_config *config, const struct sl_config *old);

/* Raises the soft limit of open files to the hard one and lowers max_connections, with a warning,
 * to what that allows. */
void sl_config_fit_open_files(struct sl_config *config);

/* How many connections `open_files` descriptors allow with `shards` shards, at most `wanted`. */
uint64_t sl_config_fit_connections(uint64_t wanted, uint64_t open_files, uint64_t shards);

#endif
