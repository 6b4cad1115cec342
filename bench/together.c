#include "bench/together.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/server/process.h"
#include "util/err.h"

struct job {
	const struct bench_step *step;
	const struct bench_settings *settings;
	unsigned repeat;
	struct bench_process process;
	int said[2]; /* a pipe: the repeat as JSON */
};

/* In the job's process. */
static void
measure(const void *argument)
{
	const struct job *job = argument;
	prctl(PR_SET_TIMERSLACK, 1);
	signal(SIGPIPE, SIG_IGN);
	json_t *repeat = bench_scenario_measure(job->step, job->settings, job->repeat);
	FILE *out = fdopen(job->said[1], "w");
	if (!repeat || !out || json_dumpf(repeat, out, JSON_COMPACT) != 0 || fclose(out) != 0)
		_exit(1);
}

static void
begin(struct job *job)
{
	if (pipe2(job->said, O_CLOEXEC) != 0) {
		job->said[0] = -1;
		return;
	}
	bench_process_fork(&job->process, measure, job, job->settings->load_core);
	close(job->said[1]);
}

/* Returns new: what the job has measured, or what became of it. */
static json_t *
end(struct job *job)
{
	json_t *repeat = NULL;
	FILE *in = job->said[0] >= 0 ? fdopen(job->said[0], "r") : NULL;
	if (in) {
		repeat = json_loadf(in, 0, NULL);
		fclose(in);
	}
	bench_process_stop(&job->process);
	return repeat ? repeat : json_pack("{s:s}", "error", "the measurement's process ended early");
}

int
bench_together_measure(const struct bench_step *steps, size_t count,
	const struct bench_settings *settings, unsigned repeat, json_t **repeats)
{
	struct job jobs[BENCH_TOGETHER_MAX];
	int err = 0;
	for (size_t i = 0; i < count; i++) {
		jobs[i] = (struct job){ .step = &steps[i], .settings = settings, .repeat = repeat };
		begin(&jobs[i]);
	}
	for (size_t i = 0; i < count; i++) {
		repeats[i] = end(&jobs[i]);
		err = repeats[i] ? err : SL_ENOMEM;
	}
	return err;
}
