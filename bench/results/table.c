#include "bench/results/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/results/figure.h"
#include "bench/results/networks.h"
#include "bench/results/summary.h"

#define COLUMNS_MAX 12
#define GAP 2

/* The results of one case of one scenario, and the figures that some of them have. */
struct block {
	const json_t *results[128];
	size_t row_count;
	const struct bench_figure *columns[COLUMNS_MAX];
	size_t column_count;
	bool with_servers, inline_spread;
	size_t label_width, width[COLUMNS_MAX];
};

struct bench_styles
bench_styles_of(FILE *out)
{
	const char *none = getenv("NO_COLOR");
	if (!isatty(fileno(out)) || (none && *none))
		return (struct bench_styles){ "", "", "", "" };
	return (struct bench_styles){ "\033[1m", "\033[2m", "\033[33m", "\033[0m" };
}

static const char *
text_of(const json_t *result, const char *key)
{
	const char *text = json_string_value(json_object_get(result, key));
	return text ? text : "";
}

static void
write_label(char out[BENCH_CELL_MAX], const struct block *block, const json_t *result)
{
	snprintf(out, BENCH_CELL_MAX, "%-*s%s%s", block->with_servers ? 14 : 0, text_of(result, "transport"),
		block->with_servers ? text_of(result, "server") : "",
		json_object_get(result, "doubtful") ? " !" : "");
}

struct bench_cell
bench_cell_of(const json_t *result, const struct bench_figure *figure)
{
	struct bench_cell cell = { "–", "" };
	char low[BENCH_CELL_MAX / 4], high[BENCH_CELL_MAX / 4], number[BENCH_CELL_MAX];
	const json_t *spread = json_object_get(json_object_get(result, "summary"), figure->name);
	if (!spread)
		return cell;
	double median = json_number_value(json_object_get(spread, "median"));
	const char *suffix = bench_figure_suffix(figure->unit, median);
	bench_figure_write(number, figure->unit, median, median);
	snprintf(cell.value, sizeof cell.value, "%.40s%s%s", number, *suffix ? " " : "", suffix);
	if (json_integer_value(json_object_get(spread, "count")) < 2)
		return cell;
	bench_figure_write(number, figure->unit, json_number_value(json_object_get(spread, "min")), median);
	snprintf(low, sizeof low, "%.15s", number);
	bench_figure_write(number, figure->unit, json_number_value(json_object_get(spread, "max")), median);
	snprintf(high, sizeof high, "%.15s", number);
	if (strcmp(low, high) != 0)
		snprintf(cell.spread, sizeof cell.spread, "%s–%s", low, high);
	return cell;
}

static bool
block_has(const struct block *block, const struct bench_figure *figure)
{
	double median, sum = 0;
	bool found = false;
	for (size_t i = 0; i < block->row_count; i++)
		if (bench_result_median(block->results[i], figure->name, &median)) {
			found = true;
			sum += median;
		}
	/* Without TLS there is no column of zeroes for it. */
	return found && (sum != 0 || !strstr(figure->name, "_tls"));
}

static size_t
cell_width(const struct block *block, const struct bench_cell *cell)
{
	size_t value = bench_text_width(cell->value), spread = bench_text_width(cell->spread);
	if (block->inline_spread)
		return value + (spread ? spread + 3 : 0);
	return value > spread ? value : spread;
}

/* Returns the width of a line. */
static size_t
measure(struct block *block)
{
	char label[BENCH_CELL_MAX];
	size_t line = 0;
	block->label_width = 0;
	for (size_t row = 0; row < block->row_count; row++) {
		write_label(label, block, block->results[row]);
		if (bench_text_width(label) > block->label_width)
			block->label_width = bench_text_width(label);
	}
	for (size_t i = 0; i < block->column_count; i++) {
		block->width[i] = bench_text_width(block->columns[i]->heading);
		for (size_t row = 0; row < block->row_count; row++) {
			struct bench_cell cell = bench_cell_of(block->results[row], block->columns[i]);
			size_t width = cell_width(block, &cell);
			if (width > block->width[i])
				block->width[i] = width;
		}
		line += GAP + block->width[i];
	}
	return 2 + block->label_width + line;
}

static void
lay_out(struct block *block, const char *scenario)
{
	for (const struct bench_figure *figure = bench_figures; figure->name; figure++)
		if (figure->in_table && strcmp(figure->scenario, scenario) == 0
			&& block->column_count < COLUMNS_MAX && block_has(block, figure))
			block->columns[block->column_count++] = figure;
	block->inline_spread = true;
	if (measure(block) <= BENCH_TABLE_WIDTH)
		return;
	block->inline_spread = false;
	measure(block);
}

static void
print_padding(FILE *out, size_t width, size_t used)
{
	fprintf(out, "%*s", (int)(width > used ? width - used : 0), "");
}

static void
print_label(FILE *out, const struct block *block, const char *label)
{
	fprintf(out, "  %s", label);
	print_padding(out, block->label_width, bench_text_width(label));
}

static void
print_inline(FILE *out, const struct block *block, const json_t *result, const struct bench_styles *styles)
{
	for (size_t i = 0; i < block->column_count; i++) {
		struct bench_cell cell = bench_cell_of(result, block->columns[i]);
		print_padding(out, block->width[i] + GAP, cell_width(block, &cell));
		fputs(cell.value, out);
		if (cell.spread[0])
			fprintf(out, " %s(%s)%s", styles->dim, cell.spread, styles->end);
	}
	fputc('\n', out);
}

static void
print_in_two_lines(FILE *out, const struct block *block, const json_t *result,
	const struct bench_styles *styles)
{
	bool spread = false;
	for (size_t i = 0; i < block->column_count; i++) {
		struct bench_cell cell = bench_cell_of(result, block->columns[i]);
		print_padding(out, block->width[i] + GAP, bench_text_width(cell.value));
		fputs(cell.value, out);
		spread |= cell.spread[0] != '\0';
	}
	fputc('\n', out);
	if (!spread)
		return;
	fputs(styles->dim, out);
	print_label(out, block, "");
	for (size_t i = 0; i < block->column_count; i++) {
		struct bench_cell cell = bench_cell_of(result, block->columns[i]);
		print_padding(out, block->width[i] + GAP, bench_text_width(cell.spread));
		fputs(cell.spread, out);
	}
	fprintf(out, "%s\n", styles->end);
}

/* Why there are no figures, in words. */
static bool
print_refusal(FILE *out, const json_t *result, const struct bench_styles *styles)
{
	struct bench_doubts doubts = bench_summary_doubts(result);
	const char *refused = json_string_value(json_object_get(result, "refused"));
	if (json_object_size(json_object_get(result, "summary")))
		return false;
	if (refused)
		fprintf(out, "  %s%s: no figures, because they would be of less work%s\n", styles->mark, refused,
			styles->end);
	else if (doubts.failed)
		fprintf(out, "  %sfailed: %.70s%s\n", styles->mark, doubts.error, styles->end);
	else
		fprintf(out, "  %snot measured: %.70s%s\n", styles->dim,
			doubts.skipped ? doubts.skipped : "no figures", styles->end);
	return true;
}

static void
print_block(FILE *out, const struct block *block, const struct bench_styles *styles)
{
	char label[BENCH_CELL_MAX];
	print_label(out, block, "");
	for (size_t i = 0; i < block->column_count; i++) {
		print_padding(out, block->width[i] + GAP, bench_text_width(block->columns[i]->heading));
		fprintf(out, "%s%s%s", styles->bold, block->columns[i]->heading, styles->end);
	}
	fputc('\n', out);
	for (size_t row = 0; row < block->row_count; row++) {
		write_label(label, block, block->results[row]);
		print_label(out, block, label);
		if (print_refusal(out, block->results[row], styles))
			continue;
		if (block->inline_spread)
			print_inline(out, block, block->results[row], styles);
		else
			print_in_two_lines(out, block, block->results[row], styles);
	}
}

static bool
has_several_servers(const json_t *results)
{
	size_t i;
	json_t *result;
	json_array_foreach(results, i, result)
		if (strcmp(text_of(result, "server"), text_of(json_array_get(results, 0), "server")) != 0)
			return true;
	return false;
}

static bool
same_block(const json_t *one, const json_t *other)
{
	return strcmp(text_of(one, "scenario"), text_of(other, "scenario")) == 0
		&& json_equal(json_object_get(one, "case"), json_object_get(other, "case"))
		&& strcmp(bench_network_name_of(one), bench_network_name_of(other)) == 0;
}

/* The results of the case of result `first`, unless an earlier result began it. */
static bool
take_block(struct block *block, const json_t *results, size_t first)
{
	const json_t *begin = json_array_get(results, first);
	size_t i;
	json_t *result;
	*block = (struct block){ .with_servers = has_several_servers(results) };
	json_array_foreach(results, i, result) {
		if (!same_block(begin, result))
			continue;
		if (i < first)
			return false;
		if (block->row_count < sizeof block->results / sizeof *block->results)
			block->results[block->row_count++] = result;
	}
	return true;
}

static void
print_sentences(FILE *out, const json_t *list, const char *title, const struct bench_styles *styles,
	const char *style)
{
	size_t i;
	json_t *sentence;
	if (json_array_size(list) == 0)
		return;
	fprintf(out, "\n%s%s%s\n", styles->bold, title, styles->end);
	json_array_foreach(list, i, sentence) {
		fprintf(out, "  %s", style);
		bench_text_wrap(out, json_string_value(sentence), 2);
		fputs(styles->end, out);
	}
}

void
bench_table_print_warnings(const struct bench_report *report, FILE *out)
{
	const struct bench_styles styles = bench_styles_of(out);
	print_sentences(out, json_object_get(report->root, "warnings"), "Warnings", &styles, styles.mark);
}

void
bench_table_print_sentences(const struct bench_report *report, FILE *out)
{
	const struct bench_styles styles = bench_styles_of(out);
	bench_table_print_warnings(report, out);
	print_sentences(out, json_object_get(report->root, "not_measured"), "Not measured", &styles,
		styles.dim);
}

void
bench_table_print(const struct bench_report *report, FILE *out)
{
	const json_t *results = json_object_get(report->root, "results");
	const json_t *titles = json_object_get(report->root, "titles");
	const struct bench_styles styles = bench_styles_of(out);
	const char *scenario = "";
	char words[160];
	size_t i;
	json_t *result;
	json_array_foreach(results, i, result) {
		struct block block;
		if (bench_networks_shows(result) || !take_block(&block, results, i))
			continue;
		if (strcmp(scenario, text_of(result, "scenario")) != 0) {
			scenario = text_of(result, "scenario");
			const char *title = json_string_value(json_object_get(titles, scenario));
			fprintf(out, "\n%s%s%s\n", styles.bold, title ? title : scenario, styles.end);
		}
		bench_case_write(words, sizeof words, json_object_get(result, "case"));
		const char *network = bench_network_name_of(result);
		fprintf(out, "  %s%s%s\n", words, *network ? ", on " : "", network);
		lay_out(&block, scenario);
		print_block(out, &block, &styles);
	}
	bench_networks_print(report, out);
	bench_table_print_sentences(report, out);
}
