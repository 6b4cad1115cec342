#include "check/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/err.h"
#include "util/log.h"
#include "util/metrics.h"

#define TIDY_MS 3600000
#define RETRY_MS 10000
#define MODE 0640 /* less what the umask takes */
#define NUMBERS 100

#define TEMPORARY ".check-report.new"
#define TEMPORARY_MAX_S 60 /* an older one is left over from a gateway that was killed */

/* A name and its terminator; '0' stands for a digit, 'A' for a character of a code. */
static const char form[] = "check-00000000T000000Z-AAAA-AAAA-AAAA-00.json";
#define NAME_SIZE sizeof form
#define TIME_AT 6
#define TIME_LEN 16

struct waiting {
	struct sl_buffer text; /* owns */
	char code[SL_CODE_LEN + 1];
	int64_t time_s;
};

struct sl_store {
	char *folder;
	void (*wake)(void);
	uint64_t known_files; /* that the metrics tell of */

	pthread_mutex_t lock; /* of what follows; the first is main's while it is written */
	struct waiting queue[SL_STORE_QUEUE];
	unsigned first, count;
};

/* ---- names ---- */

static bool
is_own(const char *name)
{
	if (strlen(name) != NAME_SIZE - 1)
		return false;
	for (size_t i = 0; i < NAME_SIZE - 1; i++) {
		bool is_digit = name[i] >= '0' && name[i] <= '9';
		bool is_capital = name[i] >= 'A' && name[i] <= 'Z';
		if (form[i] == '0' ? !is_digit : form[i] == 'A' ? !is_digit && !is_capital
				: name[i] != form[i])
			return false;
	}
	return true;
}

static void
format_time(char out[TIME_LEN + 1], int64_t time_s)
{
	time_t time = (time_t)time_s;
	struct tm tm;
	gmtime_r(&time, &tm);
	strftime(out, TIME_LEN + 1, "%Y%m%dT%H%M%SZ", &tm);
}

/* The first name that no file has, from the report's second on. */
static void
find_name(char out[NAME_SIZE], int folder, const struct waiting *waiting)
{
	struct stat st;
	for (unsigned n = 0;; n++) {
		char time[TIME_LEN + 1];
		format_time(time, waiting->time_s + n / NUMBERS);
		snprintf(out, NAME_SIZE, "check-%s-%s-%02u.json", time, waiting->code, n % NUMBERS);
		if (fstatat(folder, out, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return; /* whatever else is wrong, writing tells */
	}
}

/* ---- files ---- */

static int
open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Another gateway that writes into the same folder has it for a moment. */
static int
open_temporary(int folder)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd = openat(folder, TEMPORARY, flags, MODE);
	if (fd >= 0 || errno != EEXIST || fstatat(folder, TEMPORARY, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return fd;
	errno = EEXIST;
	if (time(NULL) - st.st_mtime <= TEMPORARY_MAX_S || unlinkat(folder, TEMPORARY, 0) != 0)
		return -1;
	return openat(folder, TEMPORARY, flags, MODE);
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, bytes, len);
		if (written < 0 && errno != EINTR)
			return false;
		bytes += written > 0 ? written : 0;
		len -= written > 0 ? (size_t)written : 0;
	}
	return true;
}

/* Whole or not at all, whenever the machine stops. Errors: SL_EIO. */
static int
write_file(int folder, const struct waiting *waiting)
{
	char name[NAME_SIZE];
	int fd = open_temporary(folder);
	if (fd < 0)
		return SL_EIO;
	bool is_written = write_all(fd, waiting->text.bytes, waiting->text.len) && fsync(fd) == 0;
	is_written = close(fd) == 0 && is_written;
	find_name(name, folder, waiting);
	if (is_written && renameat(folder, TEMPORARY, folder, name) == 0)
		return 0;
	int error = errno;
	unlinkat(folder, TEMPORARY, 0);
	errno = error;
	return SL_EIO;
}

/* Errors: SL_EIO. */
static int
try_folder(const char *path)
{
	int folder = open_folder(path);
	if (folder < 0)
		return SL_EIO;
	int fd = open_temporary(folder), error = errno;
	if (fd >= 0) {
		close(fd);
		unlinkat(folder, TEMPORARY, 0);
	}
	close(folder);
	errno = error;
	return fd >= 0 || error == EEXIST ? 0 : SL_EIO;
}

/* ---- the queue ---- */

int
sl_store_create(struct sl_store **out, const char *folder, void (*wake)(void))
{
	struct sl_store *store = calloc(1, sizeof *store);
	if (!store)
		return SL_ENOMEM;
	pthread_mutex_init(&store->lock, NULL);
	store->wake = wake;
	store->folder = strdup(folder);
	int err = store->folder ? try_folder(folder) : SL_ENOMEM;
	if (err != 0) {
		int error = errno;
		sl_store_destroy(store);
		errno = error;
		return err;
	}
	*out = store;
	return 0;
}

void
sl_store_destroy(struct sl_store *store)
{
	if (!store)
		return;
	if (store->count > 0)
		sl_log(SL_LOG_ERROR, "check.reports_lost", "count=%u folder=\"%s\"", store->count,
			store->folder);
	for (unsigned i = 0; i < SL_STORE_QUEUE; i++)
		sl_buffer_finish(&store->queue[i].text);
	pthread_mutex_destroy(&store->lock);
	free(store->folder);
	free(store);
}

bool
sl_store_has_room(struct sl_store *store)
{
	pthread_mutex_lock(&store->lock);
	bool has_room = store->count < SL_STORE_QUEUE;
	pthread_mutex_unlock(&store->lock);
	return has_room;
}

int
sl_store_push(struct sl_store *store, struct sl_buffer *text, const char code[SL_CODE_LEN + 1],
	int64_t now_us)
{
	pthread_mutex_lock(&store->lock);
	bool is_full = store->count == SL_STORE_QUEUE;
	if (!is_full) {
		struct waiting *waiting = &store->queue[(store->first + store->count++) % SL_STORE_QUEUE];
		*waiting = (struct waiting){ .text = *text, .time_s = now_us / 1000000 };
		memcpy(waiting->code, code, sizeof waiting->code);
		sl_buffer_init(text);
	}
	pthread_mutex_unlock(&store->lock);
	if (!is_full)
		store->wake();
	return is_full ? SL_EFULL : 0;
}

/* Main alone takes out, so the first stays where it is without the lock. */
static struct waiting *
find_first(struct sl_store *store)
{
	pthread_mutex_lock(&store->lock);
	struct waiting *waiting = store->count > 0 ? &store->queue[store->first] : NULL;
	pthread_mutex_unlock(&store->lock);
	return waiting;
}

static void
drop_first(struct sl_store *store)
{
	pthread_mutex_lock(&store->lock);
	sl_buffer_finish(&store->queue[store->first].text);
	store->first = (store->first + 1) % SL_STORE_QUEUE;
	store->count--;
	pthread_mutex_unlock(&store->lock);
}

/* ---- what is kept ---- */

struct names {
	char (*names)[NAME_SIZE]; /* owns */
	size_t count, room;
};

static bool
add_name(struct names *names, const char *name)
{
	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 64;
		void *more = realloc(names->names, room * sizeof *names->names);
		if (!more)
			return false;
		names->names = more;
		names->room = room;
	}
	memcpy(names->names[names->count++], name, NAME_SIZE);
	return true;
}

/* False when not all could be read. */
static bool
list_names(struct names *names, int folder)
{
	int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own >= 0 ? fdopendir(own) : NULL;
	bool is_whole = stream;
	if (own >= 0 && !stream)
		close(own);
	for (const struct dirent *entry; is_whole && (entry = readdir(stream));)
		if (is_own(entry->d_name))
			is_whole = add_name(names, entry->d_name);
	if (stream)
		closedir(stream);
	return is_whole;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* By the time in its name: to copy a file does not make it younger. */
static bool
is_too_old(const char *name, int64_t now_s)
{
	char limit[TIME_LEN + 1];
	format_time(limit, now_s - INT64_C(86400) * SL_STORE_DAYS_MAX);
	return memcmp(name + TIME_AT, limit, TIME_LEN) < 0;
}

/* Names sort by time. Somebody else may remove files too: what is told is what is there. */
static void
tidy(struct sl_store *store, struct sl_metrics *metrics, int folder, int64_t now_s)
{
	struct names names = { 0 };
	if (list_names(&names, folder)) {
		if (names.count > 0)
			qsort(names.names, names.count, sizeof *names.names, compare);
		uint64_t left = names.count;
		for (size_t i = 0; i < names.count; i++)
			if (left > SL_STORE_FILES_MAX || is_too_old(names.names[i], now_s))
				left -= unlinkat(folder, names.names[i], 0) == 0;
		uint64_t known = store->known_files;
		sl_metrics_add(metrics, SL_COUNTER_CHECK_REPORT_FILES_ADDED,
			names.count > known ? names.count - known : 0);
		known = names.count > known ? names.count : known;
		sl_metrics_add(metrics, SL_COUNTER_CHECK_REPORT_FILES_REMOVED, known - left);
		store->known_files = left;
	}
	free(names.names);
}

/* False when something still waits. */
static bool
write_waiting(struct sl_store *store, struct sl_metrics *metrics, int folder)
{
	for (struct waiting *waiting; (waiting = find_first(store)); drop_first(store))
		if (folder < 0 || write_file(folder, waiting) != 0) {
			sl_metrics_add(metrics, SL_COUNTER_CHECK_REPORT_WRITES_FAILED, 1);
			sl_log_limited(SL_LOG_ERROR, "check.report_not_written",
				"folder=\"%s\" error=\"%s\" retry_s=%d", store->folder, strerror(errno),
				RETRY_MS / 1000);
			return false;
		}
	return true;
}

uint64_t
sl_store_run(struct sl_store *store, struct sl_metrics *metrics, int64_t now_us)
{
	int folder = open_folder(store->folder);
	bool is_done = write_waiting(store, metrics, folder);
	if (folder >= 0) {
		tidy(store, metrics, folder, now_us / 1000000);
		close(folder);
	}
	return is_done ? TIDY_MS : RETRY_MS;
}
