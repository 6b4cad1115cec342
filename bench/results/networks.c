#include "bench/results/networks.h"

#include <string.h>

#include "bench/peer.h"
#include "bench/results/figure.h"
#include "bench/results/table.h"

#define COLUMNS_MAX 9
#define LABEL_WIDTH 10
#define GAP 2
#define NETWORKS_MAX 32
#define TIE_SHARE 0.05 /* apart by less, two medians are a tie */

/* A figure of one case of a scenario. */
struct column {
	const char *heading, *scenario, *figure;
	const char *axis; /* of the case; NULL: it has one case */
	int value;
};

static const struct column latency_columns[] = {
	{ "1/s p50", "net-latency", "latency_p50_us", "rate", 1 },
	{ "p99", "net-latency", "latency_p99_us", "rate", 1 },
	{ "10/s p50", "net-latency", "latency_p50_us", "rate", 10 },
	{ "p90", "net-latency", "latency_p90_us", "rate", 10 },
	{ "p99", "net-latency", "latency_p99_us", "rate", 10 },
	{ "100/s p50", "net-latency", "latency_p50_us", "rate", 100 },
	{ "p99", "net-latency", "latency_p99_us", "rate", 100 },
	{ 0 },
};

static const struct column other_columns[] = {
	{ "connect", "net-connect", "connect_p50_us", NULL, 0 },
	{ "first", "net-connect", "first_fresh_p50_us", NULL, 0 },
	{ "resumed", "net-connect", "first_resumed_p50_us", NULL, 0 },
	{ "publish", "net-publish", "publish_p50_us", NULL, 0 },
	{ "cut 1 s", "net-recovery", "recovery_us", "cut_s", 1 },
	{ "cut 10 s", "net-recovery", "recovery_us", "cut_s", 10 },
	{ "down", "net-bytes", "link_bytes_down_per_message", NULL, 0 },
	{ "up", "net-bytes", "link_bytes_up_per_message", NULL, 0 },
	{ "again", "net-bytes", "link_retransmitted_bytes_per_message", NULL, 0 },
	{ 0 },
};

/* What is printed: rows of transports. */
struct grid {
	const struct column *columns[COLUMNS_MAX];
	struct bench_cell cells[BENCH_TRANSPORT_COUNT][COLUMNS_MAX];
	size_t width[COLUMNS_MAX], count;
};

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

const char *
bench_network_name_of(const json_t *result)
{
	return text_of(json_object_get(result, "network"), "name");
}

bool
bench_networks_shows(const json_t *result)
{
	return json_object_get(result, "network") && strncmp(text_of(result, "scenario"), "net-", 4) == 0;
}

void
bench_network_write(char *out, size_t size, const struct bench_network_kind *kind)
{
	char jitter[32] = "", loss[32] = "", rate[64] = "";
	if (kind->jitter_ms > 0)
		snprintf(jitter, sizeof jitter, ", %g ms jitter", kind->jitter_ms);
	if (kind->loss > 0)
		snprintf(loss, sizeof loss, ", %g %% loss", 100 * kind->loss);
	if (kind->down_mbit > 0 || kind->up_mbit > 0)
		snprintf(rate, sizeof rate, ", %g/%g Mbit/s", kind->down_mbit, kind->up_mbit);
	snprintf(out, size, "%g ms%s%s%s", kind->rtt_ms, jitter, loss, rate);
}

static struct bench_network_kind
kind_of(const json_t *network)
{
	return (struct bench_network_kind){
		.rtt_ms = json_number_value(json_object_get(network, "rtt_ms")),
		.jitter_ms = json_number_value(json_object_get(network, "jitter_ms")),
		.loss = json_number_value(json_object_get(network, "loss")),
		.down_mbit = json_number_value(json_object_get(network, "down_mbit")),
		.up_mbit = json_number_value(json_object_get(network, "up_mbit")),
	};
}

static const json_t *
find(const json_t *results, const char *network, const struct column *column, const char *transport)
{
	size_t i;
	json_t *result;
	json_array_foreach(results, i, result)
		if (strcmp(bench_network_name_of(result), network) == 0
			&& strcmp(text_of(result, "scenario"), column->scenario) == 0
			&& strcmp(text_of(result, "transport"), transport) == 0
			&& (!column->axis || json_number_value(json_object_get(json_object_get(result, "case"),
			column->axis)) == column->value))
			return result;
	return NULL;
}

/* Figures of less work are none: the cell says so, and a warning says more. */
static struct bench_cell
cell_of(const json_t *result, const struct column *column)
{
	struct bench_cell cell = bench_cell_of(result, bench_figure_find(column->scenario, column->figure));
	if (json_object_get(result, "refused"))
		strcpy(cell.value, "lost");
	else if (json_object_get(result, "doubtful") && strlen(cell.value) + 2 < sizeof cell.value)
		strcat(cell.value, " !");
	return cell;
}

/* Adds the column, unless no transport has its figure. */
static void
add_column(struct grid *grid, const json_t *results, const char *network,
	const struct column *column)
{
	size_t at = grid->count;
	bool found = false;
	grid->width[at] = bench_text_width(column->heading);
	for (unsigned i = 0; i < BENCH_TRANSPORT_COUNT; i++) {
		const json_t *result = find(results, network, column, bench_transport_names[i]);
		struct bench_cell cell = cell_of(result, column);
		size_t value = bench_text_width(cell.value), spread = bench_text_width(cell.spread);
		size_t width = value > spread ? value : spread;
		grid->cells[i][at] = cell;
		grid->width[at] = width > grid->width[at] ? width : grid->width[at];
		found = found || (result && strcmp(cell.value, "–") != 0);
	}
	grid->columns[at] = column;
	grid->count += found;
}

static void
print_padded(FILE *out, const char *text, size_t width)
{
	size_t used = bench_text_width(text);
	fprintf(out, "%*s%s", (int)(width > used ? width - used : 0), "", text);
}

static void
print_row(FILE *out, const struct grid *grid, unsigned transport, const struct bench_styles *styles)
{
	bool spread = false, measured = false;
	for (size_t i = 0; i < grid->count; i++) {
		spread |= grid->cells[transport][i].spread[0] != '\0';
		measured |= strcmp(grid->cells[transport][i].value, "–") != 0;
	}
	if (!measured)
		return;
	fprintf(out, "  %-*s", LABEL_WIDTH, bench_transport_names[transport]);
	for (size_t i = 0; i < grid->count; i++)
		print_padded(out, grid->cells[transport][i].value, grid->width[i] + GAP);
	fputc('\n', out);
	if (!spread)
		return;
	fprintf(out, "%s  %-*s", styles->dim, LABEL_WIDTH, "");
	for (size_t i = 0; i < grid->count; i++)
		print_padded(out, grid->cells[transport][i].spread, grid->width[i] + GAP);
	fprintf(out, "%s\n", styles->end);
}

static void
print_grid(FILE *out, const json_t *results, const char *network, const struct column *columns,
	const struct bench_styles *styles)
{
	struct grid grid = { .count = 0 };
	for (const struct column *column = columns; column->heading; column++)
		add_column(&grid, results, network, column);
	if (grid.count == 0)
		return;
	fprintf(out, "  %-*s", LABEL_WIDTH, "");
	for (size_t i = 0; i < grid.count; i++) {
		print_padded(out, "", grid.width[i] + GAP - bench_text_width(grid.columns[i]->heading));
		fprintf(out, "%s%s%s", styles->bold, grid.columns[i]->heading, styles->end);
	}
	fputc('\n', out);
	for (unsigned i = 0; i < BENCH_TRANSPORT_COUNT; i++)
		print_row(out, &grid, i, styles);
}

/* ---- which transport is fastest where ---- */

static const struct column ranked = { "", "net-latency", "latency_p50_us", "rate", 10 };

static const json_t *
spread_of(const json_t *results, const char *network, unsigned transport)
{
	const json_t *result = find(results, network, &ranked, bench_transport_names[transport]);
	return json_object_get(json_object_get(result, "summary"), ranked.figure);
}

static double
number_of(const json_t *spread, const char *name)
{
	return json_number_value(json_object_get(spread, name));
}

/* Those that the repeats do not tell from the fastest. */
static void
write_fastest(char *out, size_t size, const json_t *results, const char *network)
{
	const json_t *best = NULL;
	size_t len = 0;
	*out = '\0';
	for (unsigned i = 0; i < BENCH_TRANSPORT_COUNT; i++) {
		const json_t *spread = spread_of(results, network, i);
		if (spread && (!best || number_of(spread, "median") < number_of(best, "median")))
			best = spread;
	}
	for (unsigned i = 0; i < BENCH_TRANSPORT_COUNT && len < size; i++) {
		const json_t *spread = spread_of(results, network, i);
		if (spread && (number_of(spread, "min") <= number_of(best, "max")
			|| number_of(spread, "median") <= number_of(best, "median") * (1 + TIE_SHARE)))
			len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "",
				bench_transport_names[i]);
	}
}

static void
print_ranking(FILE *out, const json_t *results, const char *const *networks, size_t count,
	const struct bench_styles *styles)
{
	char fastest[96];
	bool begun = false;
	for (size_t i = 0; i < count; i++) {
		write_fastest(fastest, sizeof fastest, results, networks[i]);
		if (*fastest && !begun)
			fprintf(out, "\n%sFastest at 10 messages per second, by p50%s\n", styles->bold, styles->end);
		begun = begun || *fastest;
		if (*fastest)
			fprintf(out, "  %-24s  %s\n", networks[i], fastest);
	}
}

static size_t
list_networks(const json_t *results, const char *networks[NETWORKS_MAX])
{
	size_t i, count = 0;
	json_t *result;
	json_array_foreach(results, i, result) {
		bool known = !bench_networks_shows(result) || count == NETWORKS_MAX;
		for (size_t at = 0; at < count && !known; at++)
			known = strcmp(networks[at], bench_network_name_of(result)) == 0;
		if (!known)
			networks[count++] = bench_network_name_of(result);
	}
	return count;
}

static void
print_heading(FILE *out, const json_t *results, const char *network, const struct bench_styles *styles)
{
	char words[160];
	struct bench_network_kind kind = { 0 };
	size_t i;
	json_t *result;
	json_array_foreach(results, i, result)
		if (strcmp(bench_network_name_of(result), network) == 0)
			kind = kind_of(json_object_get(result, "network"));
	bench_network_write(words, sizeof words, &kind);
	fprintf(out, "\n%s%s: %s%s\n", styles->bold, network, words, styles->end);
}

void
bench_networks_print(const struct bench_report *report, FILE *out)
{
	const json_t *results = json_object_get(report->root, "results");
	const struct bench_styles styles = bench_styles_of(out);
	const char *networks[NETWORKS_MAX];
	size_t count = list_networks(results, networks);
	for (size_t i = 0; i < count; i++) {
		print_heading(out, results, networks[i], &styles);
		print_grid(out, results, networks[i], latency_columns, &styles);
		print_grid(out, results, networks[i], other_columns, &styles);
	}
	print_ranking(out, results, networks, count, &styles);
}
