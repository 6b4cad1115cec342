#include "http/static.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "http/coding.h"
#include "http/connection.h"
#include "http/etag.h"
#include "http/exchange.h"
#include "http/front.h"
#include "http/http.h"
#include "http/request.h"
#include "http/settings.h"
#include "util/crypto.h"
#include "util/err.h"
#include "util/log.h"
#include "util/table.h"

#define FILE_MAX_BYTES (4u << 20)
#define FILES_MAX 500
#define DEPTH_MAX 4
#define PAGE_POLICY "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

/* What is sent: the file as it is, or by gzip. */
struct variant {
	char *bytes; /* owns; NULL: there is none */
	size_t len;
	char etag[24];
};

struct file {
	char *name; /* owns; below the web folder */
	struct variant plain, gzip;
	const char *content_type;
	UT_hash_handle hh;
};

struct sl_static {
	struct file *files;
};

static const char *
get_content_type(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".mjs", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".json", "application/json" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".ts", "text/plain; charset=utf-8" },
		{ ".txt", "text/plain; charset=utf-8" },
	};
	const char *ending = strrchr(name, '.');
	for (size_t i = 0; ending && i < sizeof types / sizeof *types; i++)
		if (strcmp(ending, types[i].ending) == 0)
			return types[i].type;
	return NULL;
}

static void
free_file(struct file *file)
{
	if (!file)
		return;
	free(file->name);
	free(file->plain.bytes);
	free(file->gzip.bytes);
	free(file);
}

static int
read_bytes(const char *path, struct variant *variant)
{
	FILE *stream = fopen(path, "rb");
	struct stat st;
	int err = SL_EIO;
	if (!stream)
		return SL_EIO;
	if (fstat(fileno(stream), &st) != 0)
		goto out;
	err = SL_ETOOBIG;
	if (st.st_size > FILE_MAX_BYTES)
		goto out;
	variant->len = (size_t)st.st_size;
	variant->bytes = malloc(variant->len + 1);
	err = SL_ENOMEM;
	if (!variant->bytes)
		goto out;
	err = fread(variant->bytes, 1, variant->len, stream) == variant->len ? 0 : SL_EIO;
	uint8_t digest[SL_SHA1_LEN];
	sl_crypto_sha1(variant->bytes, variant->len, digest);
	snprintf(variant->etag, sizeof variant->etag, "\"%02x%02x%02x%02x%02x%02x%02x%02x\"", digest[0],
		digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]);
out:
	fclose(stream);
	return err;
}

/* Reads NAME.gz beside NAME. It must have the same content: one that a change left behind is not
 * used. */
static int
read_gzip(const char *plain_path, struct file *file)
{
	struct stat st;
	char path[4096 + 3];
	snprintf(path, sizeof path, "%s.gz", plain_path);
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	int err = read_bytes(path, &file->gzip);
	if (err != 0)
		return err;
	if (sl_coding_is_gzip_of((struct sl_span){ file->gzip.bytes, file->gzip.len },
			(struct sl_span){ file->plain.bytes, file->plain.len }))
		return 0;
	sl_log(SL_LOG_WARNING, "static.other_gzip", "file=\"%s\" reason=\"the size or CRC differs from the "
		"file beside it; compress that file again, or remove this one\"", path);
	free(file->gzip.bytes);
	file->gzip.bytes = NULL;
	return 0;
}

static int
load_file(struct sl_static *files, const char *folder, const char *name)
{
	char path[4096];
	if (HASH_COUNT(files->files) >= FILES_MAX)
		return SL_ETOOBIG;
	struct file *file = calloc(1, sizeof *file);
	if (!file)
		return SL_ENOMEM;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int err = read_bytes(path, &file->plain);
	if (err == 0)
		err = read_gzip(path, file);
	if (err == 0 && !(file->name = strdup(name)))
		err = SL_ENOMEM;
	if (err != 0) {
		free_file(file);
		return err;
	}
	file->content_type = get_content_type(name);
	HASH_ADD_KEYPTR(hh, files->files, file->name, (unsigned)strlen(file->name), file);
	if (sl_table_holds(file, hh))
		return 0;
	free_file(file);
	return SL_ENOMEM;
}

static int
load_folder(struct sl_static *files, const char *folder, const char *name, unsigned depth)
{
	char path[4096];
	if (depth == DEPTH_MAX)
		return SL_ETOOBIG;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : SL_EIO;
	struct dirent *entry;
	int err = 0;
	while (err == 0 && (entry = readdir(dir))) {
		char child[1024];
		struct stat st;
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(child, sizeof child, "%s/%s", name, entry->d_name) >= (int)sizeof child ||
				snprintf(path, sizeof path, "%s/%s", folder, child) >= (int)sizeof path ||
				stat(path, &st) != 0)
			err = SL_EIO;
		else if (S_ISDIR(st.st_mode))
			err = load_folder(files, folder, child, depth + 1);
		else if (S_ISREG(st.st_mode) && get_content_type(child))
			err = load_file(files, folder, child);
	}
	closedir(dir);
	return err;
}

/* A page that may be missing. */
static int
load_page(struct sl_static *files, const char *folder, const char *name)
{
	struct stat st;
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return stat(path, &st) == 0 ? load_file(files, folder, name) : 0;
}

int
sl_static_load(struct sl_static **out, const char *folder)
{
	struct sl_static *files = calloc(1, sizeof *files);
	if (!files)
		return SL_ENOMEM;
	int err = load_page(files, folder, "index.html");
	if (err == 0 && !files->files)
		sl_log(SL_LOG_WARNING, "static.missing", "folder=\"%s\" reason=\"the folder has no index.html, so there is no "
			"page; use --web DIR\"", folder);
	if (err == 0)
		err = load_page(files, folder, "check.html");
	if (err == 0)
		err = load_folder(files, folder, "check", 0);
	if (err == 0)
		err = load_folder(files, folder, "client", 0);
	if (err == 0)
		err = load_folder(files, folder, "demo", 0);
	if (err != 0) {
		sl_static_destroy(files);
		return err;
	}
	*out = files;
	return 0;
}

void
sl_static_destroy(struct sl_static *files)
{
	struct file *file, *next;
	if (!files)
		return;
	HASH_ITER(hh, files->files, file, next) {
		HASH_DEL(files->files, file);
		free_file(file);
	}
	free(files);
}

static struct file *
find_file(const struct sl_exchange *exchange, struct sl_span path)
{
	const struct sl_front *front = exchange->front;
	const char *name = exchange->route->file;
	struct file *file;
	if (name)
		path = (struct sl_span){ name, strlen(name) };
	HASH_FIND(hh, front->settings->files->files, path.bytes, path.len, file);
	return file;
}

/* The fields of a 200 and of a 304. Vary keeps a cache from giving its copy to a page that gets CORS
 * fields, or to a client that does not accept gzip. */
static void
describe(struct sl_reply *reply, const struct sl_exchange *exchange, const struct file *file,
	const struct variant *variant)
{
	/* Those fields have a Vary: Origin already. */
	bool has_cors = exchange->connection && exchange->connection->cors_origin;
	reply->head.cache_control = "no-cache";
	sl_response_add_text(&reply->head, "ETag", variant->etag);
	sl_response_add_text(&reply->head, "X-Content-Type-Options", "nosniff");
	if (file->gzip.bytes)
		sl_response_add_text(&reply->head, "Vary", has_cors ? "Accept-Encoding" :
			"Origin, Accept-Encoding");
	else if (!has_cors)
		sl_response_add_text(&reply->head, "Vary", "Origin");
}

static bool
is_known(const struct sl_head *head, const struct variant *variant)
{
	struct sl_span rest = head->lines, value;
	while (head->count[SL_FIELD_IF_NONE_MATCH] && sl_head_next_of(&rest, "If-None-Match", &value))
		if (sl_etag_matches(value, variant->etag))
			return true;
	return false;
}

static bool
takes_gzip(const struct sl_head *head)
{
	struct sl_coding_weights weights = SL_CODING_WEIGHTS_INIT;
	struct sl_span rest = head->lines, value;
	while (sl_head_next_of(&rest, "Accept-Encoding", &value))
		sl_coding_read(&weights, value);
	return sl_coding_takes_gzip(&weights);
}

/* prepare() leaves a byte in the exchange's body if the client accepts gzip. */
static const struct variant *
choose(const struct sl_exchange *exchange, const struct file *file)
{
	return file->gzip.bytes && exchange->body.len > 0 ? &file->gzip : &file->plain;
}

void
sl_static_prepare(struct sl_exchange *exchange, const struct sl_request *request)
{
	const struct file *file = find_file(exchange,
		(struct sl_span){ request->path, request->path_len });
	if (!file)
		return;
	if (file->gzip.bytes && takes_gzip(request->head))
		sl_buffer_append_char(&exchange->body, 'z');
	const struct variant *variant = choose(exchange, file);
	if (!is_known(request->head, variant))
		return;
	exchange->reply.head.status = 304;
	describe(&exchange->reply, exchange, file, variant);
}

static void
describe_page(struct sl_reply *reply, const struct sl_exchange *exchange)
{
	const char *policy = exchange->route->policy;
	if (!policy)
		policy = exchange->http->page_policy ? exchange->http->page_policy : PAGE_POLICY;
	sl_response_add_text(&reply->head, "Content-Security-Policy", policy);
	sl_response_add_text(&reply->head, "Referrer-Policy", "no-referrer");
}

void
sl_static_serve(struct sl_exchange *exchange)
{
	const struct file *file = find_file(exchange,
		(struct sl_span){ exchange->path, strlen(exchange->path) });
	struct sl_reply *reply = &exchange->reply;
	if (!file) {
		sl_reply_set_error(reply, 404, "not_found", "there is no such file; see / for the pages");
		return;
	}
	const struct variant *variant = choose(exchange, file);
	describe(reply, exchange, file, variant);
	if (variant == &file->gzip)
		sl_response_add_text(&reply->head, "Content-Encoding", "gzip");
	if (strncmp(file->content_type, "text/html", 9) == 0)
		describe_page(reply, exchange);
	reply->head.status = 200;
	reply->head.content_type = file->content_type;
	reply->fixed = (struct sl_span){ variant->bytes, variant->len };
	exchange->settings = sl_settings_ref(exchange->front->settings); /* which has the file */
}
