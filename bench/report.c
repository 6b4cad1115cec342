#include "bench/report.h"

#include <stdlib.h>
#include <string.h>

#include "bench/results/statistics.h"
#include "util/err.h"

enum { FLOOR, NCHAN, SLUICE }; /* places in bench_peers */

int
bench_report_init(struct bench_report *report, const struct bench_options *options)
{
	*report = (struct bench_report){ .options = options };
	while (bench_rows[report->row_count].name)
		report->row_count++;
	while (bench_peers[report->peer_count])
		report->peer_count++;
	report->samples = calloc((size_t)report->row_count * report->peer_count * options->repeats,
		sizeof *report->samples);
	return report->samples ? 0 : SL_ENOMEM;
}

void
bench_report_finish(struct bench_report *report)
{
	free(report->samples);
}

struct bench_sample *
bench_report_sample(const struct bench_report *report, unsigned row, unsigned peer,
	unsigned repeat)
{
	return &report->samples[((size_t)row * report->peer_count + peer) * report->options->repeats
		+ repeat];
}

static double
value_of(const struct bench_sample *sample)
{
	return sample->value;
}

static double
start_of(const struct bench_sample *sample)
{
	return sample->start_mib;
}

static struct bench_spread
spread_of(const struct bench_report *report, unsigned row, unsigned peer,
	double (*pick)(const struct bench_sample *))
{
	double values[BENCH_REPEATS_MAX];
	size_t count = 0;
	for (unsigned i = 0; i < report->options->repeats; i++) {
		const struct bench_sample *sample = bench_report_sample(report, row, peer, i);
		if (sample->ran)
			values[count++] = pick(sample);
	}
	return bench_spread_of(values, count);
}

/* Of the two measured in the same repeat, so that drift of the machine is in both. */
static struct bench_spread
ratio_of(const struct bench_report *report, unsigned row, unsigned peer, unsigned base_row,
	unsigned base_peer)
{
	double values[BENCH_REPEATS_MAX];
	size_t count = 0;
	for (unsigned i = 0; i < report->options->repeats; i++) {
		const struct bench_sample *sample = bench_report_sample(report, row, peer, i);
		const struct bench_sample *base = bench_report_sample(report, base_row, base_peer, i);
		if (sample->ran && base->ran && base->value > 0)
			values[count++] = sample->value / base->value;
	}
	return bench_spread_of(values, count);
}

static void
print_spread(FILE *out, struct bench_spread spread, const char *unit)
{
	int digits = spread.median < 20 ? 2 : 1;
	if (spread.count == 0)
		fputs("-", out);
	else
		fprintf(out, "%.*f%s (%.*f..%.*f)", digits, spread.median, unit, digits, spread.min,
			digits, spread.max);
}

static void
print_marks(FILE *out, const struct bench_report *report, unsigned row, unsigned peer)
{
	uint64_t lost = 0, unfinished = 0, doubled = 0, unanswered = 0;
	bool overloaded = false, saturated = false, disturbed = false, failed = false;
	for (unsigned i = 0; i < report->options->repeats; i++) {
		const struct bench_sample *sample = bench_report_sample(report, row, peer, i);
		lost += sample->lost;
		unfinished += sample->unfinished;
		doubled += sample->doubled;
		unanswered += sample->unanswered;
		overloaded |= sample->overloaded;
		saturated |= sample->saturated;
		disturbed |= sample->disturbed;
		failed |= sample->error[0] != '\0';
	}
	if (lost)
		fprintf(out, ", lost %llu", (unsigned long long)lost);
	if (unfinished)
		fprintf(out, ", unfinished %llu", (unsigned long long)unfinished);
	if (doubled)
		fprintf(out, ", doubled %llu", (unsigned long long)doubled);
	if (unanswered)
		fprintf(out, ", unanswered %llu", (unsigned long long)unanswered);
	fputs(overloaded ? ", overloaded" : "", out);
	fputs(saturated ? ", generator saturated" : "", out);
	fputs(disturbed ? ", disturbed" : "", out);
	fputs(failed ? ", failed" : "", out);
}

static void
print_line(FILE *out, const struct bench_report *report, unsigned row, const char *title,
	const char *unit, double (*pick)(const struct bench_sample *))
{
	fprintf(out, "| %s, %s |", title, unit);
	for (unsigned peer = 0; peer < report->peer_count; peer++) {
		fputc(' ', out);
		print_spread(out, spread_of(report, row, peer, pick), "");
		if (pick == value_of)
			print_marks(out, report, row, peer);
		fputs(" |", out);
	}
	fputc(' ', out);
	if (pick == value_of)
		print_spread(out, ratio_of(report, row, SLUICE, row, NCHAN), "x");
	fputs(" | ", out);
	if (pick == value_of)
		print_spread(out, ratio_of(report, row, SLUICE, row, FLOOR), "x");
	fputs(" |\n", out);
}

static bool
was_tried(const struct bench_report *report, unsigned row)
{
	for (unsigned peer = 0; peer < report->peer_count; peer++)
		for (unsigned i = 0; i < report->options->repeats; i++) {
			const struct bench_sample *sample = bench_report_sample(report, row, peer, i);
			if (sample->ran || sample->error[0])
				return true;
		}
	return false;
}

/* "x-each" over "x-each-1000", the row after it. */
static void
print_growth(FILE *out, const struct bench_report *report, unsigned row)
{
	struct bench_spread growth = ratio_of(report, row, SLUICE, row + 1, SLUICE);
	if (growth.count == 0)
		return;
	fprintf(out, "Sluice, %s over the same with 1,000: ", bench_rows[row].title);
	print_spread(out, growth, "x");
	fputs("\n", out);
}

static void
print_errors(FILE *out, const struct bench_report *report)
{
	for (unsigned row = 0; row < report->row_count; row++)
		for (unsigned peer = 0; peer < report->peer_count; peer++)
			for (unsigned i = 0; i < report->options->repeats; i++) {
				const struct bench_sample *sample = bench_report_sample(report, row, peer, i);
				if (sample->error[0])
					fprintf(out, "failed: %s, %s, repeat %u: %s\n", bench_rows[row].name,
						bench_peers[peer]->name, i + 1, sample->error);
			}
}

void
bench_report_print(const struct bench_report *report, FILE *out)
{
	fputs("\n| work |", out);
	for (unsigned peer = 0; peer < report->peer_count; peer++)
		fprintf(out, " %s |", bench_peers[peer]->name);
	fputs(" sluice/nchan | sluice/floor |\n|---|", out);
	for (unsigned peer = 0; peer < report->peer_count + 2; peer++)
		fputs("---|", out);
	fputc('\n', out);
	for (unsigned row = 0; row < report->row_count; row++) {
		if (!was_tried(report, row))
			continue;
		print_line(out, report, row, bench_rows[row].title, bench_row_unit(&bench_rows[row]),
			value_of);
		if (bench_rows[row].work == BENCH_MEMORY)
			print_line(out, report, row, "the process before these", "MB", start_of);
	}
	fputc('\n', out);
	for (unsigned row = 0; row + 1 < report->row_count; row++)
		if (bench_rows[row].work == BENCH_OWN_CHANNELS
			&& bench_rows[row + 1].work == BENCH_OWN_CHANNELS
			&& bench_rows[row].transport == bench_rows[row + 1].transport)
			print_growth(out, report, row);
	print_errors(out, report);
	fputs("µs: CPU time of the server a delivery (or an opening); median (lowest..highest) of the "
		"repeats.\noverloaded: deliveries came later than 0.25 s after the schedule's end. lost: "
		"they never came; unfinished:\nstill coming when the bench stopped waiting. generator "
		"saturated: it used over 90 % of its core or\nsent more than 10 ms late at p99, the figure "
		"may be its own. disturbed: others used over 20 % of\na core here meanwhile.\n", out);
}

static void
write_sample(FILE *out, const struct bench_row *row, const struct bench_peer *peer,
	unsigned repeat, const struct bench_sample *sample)
{
	fprintf(out, "{\"row\":\"%s\",\"server\":\"%s\",\"repeat\":%u,\"unit\":\"%s\",",
		row->name, peer->name, repeat + 1, bench_row_unit(row));
	if (sample->error[0])
		fprintf(out, "\"error\":\"%s\",", sample->error);
	fprintf(out, "\"value\":%.4f,\"start_mib\":%.3f,\"deliveries\":%llu,\"lost\":%llu,"
		"\"doubled\":%llu,\"unanswered\":%llu,\"unfinished\":%llu,", sample->value, sample->start_mib,
		(unsigned long long)sample->deliveries, (unsigned long long)sample->lost,
		(unsigned long long)sample->doubled, (unsigned long long)sample->unanswered,
		(unsigned long long)sample->unfinished);
	fprintf(out, "\"window_s\":%.3f,\"overhang_s\":%.3f,\"server_share\":%.3f,"
		"\"own_share\":%.3f,\"others_share\":%.3f,\"late_p99_ms\":%.3f,\"overloaded\":%s,"
		"\"saturated\":%s,\"disturbed\":%s}",
		sample->window_s, sample->overhang_s, sample->server_share, sample->own_share,
		sample->others_share, sample->late_p99_ms, sample->overloaded ? "true" : "false",
		sample->saturated ? "true" : "false", sample->disturbed ? "true" : "false");
}

int
bench_report_write_json(const struct bench_report *report, const char *path)
{
	const char *separator = "\n";
	FILE *out = fopen(path, "we");
	if (!out)
		return SL_EIO;
	fprintf(out, "{\"repeats\":%u,\"seconds\":%.3f,\"samples\":[", report->options->repeats,
		report->options->settings.seconds);
	for (unsigned row = 0; row < report->row_count; row++)
		for (unsigned peer = 0; peer < report->peer_count; peer++)
			for (unsigned i = 0; i < report->options->repeats; i++) {
				const struct bench_sample *sample = bench_report_sample(report, row, peer, i);
				if (!sample->ran && !sample->error[0])
					continue;
				fputs(separator, out);
				write_sample(out, &bench_rows[row], bench_peers[peer], i, sample);
				separator = ",\n";
			}
	fputs("\n]}\n", out);
	return fclose(out) == 0 ? 0 : SL_EIO;
}
