/* A page load: the gateway's page with all its files, over as many kept connections as a browser
 * opens to one host, and what that costs the gateway. */
#include <stdlib.h>

#include "bench/load/exchanges.h"
#include "bench/load/files.h"
#include "bench/load/schedule.h"
#include "bench/load/usage.h"
#include "bench/scenario.h"
#include "util/err.h"

#define CONNECTIONS 6
#define SECONDS 1.0
#define QUICK_SECONDS 0.3
#define WARM_UP 3

/* As long as a browser's. */
#define BROWSER_HEAD "Connection: keep-alive\r\n" \
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " \
	"Chrome/131.0.0.0 Safari/537.36\r\n" \
	"sec-ch-ua: \"Chromium\";v=\"131\", \"Not_A Brand\";v=\"24\"\r\n" \
	"sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nAccept: */*\r\n" \
	"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: script\r\n" \
	"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"

struct browser {
	const struct bench_files *files;
	struct bench_exchanges exchanges;
	const struct bench_file *asked[CONNECTIONS]; /* what is under way */
	struct sl_buffer request;
	size_t next, loaded; /* files */
};

static json_t *
page_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i}]", "connections", CONNECTIONS);
}

/* Asks for the next file, if there is one. */
static int
ask(struct browser *browser, unsigned index)
{
	struct sl_buffer *request = &browser->request;
	const char *host = browser->exchanges.server->host;
	if (browser->next == browser->files->count)
		return 0;
	browser->asked[index] = &browser->files->list[browser->next++];
	sl_buffer_clear(request);
	sl_buffer_printf(request, "GET %s HTTP/1.1\r\nHost: %s\r\n" BROWSER_HEAD
		"Referer: %s://%s/\r\n\r\n", browser->asked[index]->path, host,
		browser->exchanges.server->tls ? "https" : "http", host);
	int err = sl_buffer_status(request);
	return err ? err
		: bench_exchanges_ask(&browser->exchanges, index, request->bytes, request->len);
}

/* The page names the others: they are asked for on all connections once it is there. */
static int
take_file(struct browser *browser, unsigned index)
{
	const struct bench_exchange *exchange = &browser->exchanges.list[index];
	int err = 0;
	if (exchange->http.status != 200 || exchange->body_len != browser->asked[index]->len)
		return SL_EPROTO;
	if (++browser->loaded > 1)
		return ask(browser, index);
	for (unsigned i = 0; i < CONNECTIONS && !err; i++)
		err = ask(browser, i);
	return err;
}

static int
load_page(struct browser *browser)
{
	unsigned index;
	browser->next = browser->loaded = 0;
	int err = ask(browser, 0);
	while (!err && browser->loaded < browser->files->count) {
		err = bench_exchanges_await(&browser->exchanges, &index);
		if (!err)
			err = take_file(browser, index);
	}
	return err;
}

/* Each load begins with no connection and a server that rests. */
static int
load_pages(struct browser *browser, double seconds, unsigned at_least, struct bench_histogram *times)
{
	uint64_t end = bench_now_ns() + (uint64_t)(seconds * 1e9);
	int err = 0;
	for (unsigned i = 0; !err && (i < at_least || bench_now_ns() < end); i++) {
		uint64_t start = bench_now_ns();
		err = load_page(browser);
		bench_histogram_record(times, bench_now_ns() - start);
		bench_exchanges_close(&browser->exchanges);
		bench_usage_settle(browser->exchanges.server, &browser->exchanges.wait);
	}
	return err;
}

static int
measure(struct browser *browser, double seconds, struct bench_histogram *times, json_t *repeat)
{
	const struct bench_server *server = browser->exchanges.server;
	const struct bench_wait *wait = &browser->exchanges.wait;
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	int err = load_pages(browser, 0, WARM_UP, times);
	if (err)
		return err;
	*times = (struct bench_histogram){ 0 };
	struct bench_usage before = bench_usage_take(server);
	struct bench_effort own = { 0 }, own_before = bench_effort_now(wait);
	err = load_pages(browser, seconds, 1, times);
	bench_effort_add(&own, &own_before, wait);
	struct bench_usage after = bench_usage_take(server);
	if (err)
		return err;
	double pages = (double)times->count;
	bench_histogram_set_figures(times, figures);
	json_object_set_new(repeat, "histogram", bench_histogram_json(times));
	json_object_set_new(figures, "files", json_integer((json_int_t)browser->files->count));
	json_object_set_new(figures, "cpu_us_per_page",
		json_real((double)(after.server_ns - before.server_ns) / 1e3 / pages));
	bench_usage_set_wakeups(figures, "page", own.wakeups, &before, &after, pages);
	struct bench_generator_use use = { .busy_polls = wait->busy_polls };
	bench_generator_use_add(&use, &own);
	bench_usage_set_generator(repeat, &use, NULL, false);
	return 0;
}

static int
page_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct bench_files files;
	struct browser browser = { .files = &files };
	struct bench_histogram *times = calloc(1, sizeof *times);
	int err = times ? bench_files_list(&files, run->settings->web_folder) : SL_ENOMEM;
	if (err)
		goto out;
	err = bench_exchanges_init(&browser.exchanges, run, CONNECTIONS);
	if (!err)
		err = measure(&browser, bench_scenario_seconds(run->settings, SECONDS, QUICK_SECONDS),
			times, repeat);
	bench_exchanges_finish(&browser.exchanges);
	sl_buffer_finish(&browser.request);
	bench_files_finish(&files);
out:
	free(times);
	return err;
}

const struct bench_scenario bench_scenario_page = {
	.name = "page",
	.title = "page: loading the gateway's page with all its files",
	.busy_polling = true,
	.instead_of_transport = "http",
	.needs_page = true,
	.why_no_target = "the bench does not know the files of a target",
	.cases = page_cases,
	.measure = page_measure,
};
