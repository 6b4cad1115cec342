/* What a measurement is told: sizes, cores, where the programs are.
 * Owner: the caller (bench/options.h holds one); strings are borrowed from argv.
 * Thread: read only once parsed. Errors: none. */
#ifndef SL_BENCH_SETTINGS_H
#define SL_BENCH_SETTINGS_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

struct bench_settings {
	bool full;             /* more cases, more samples */
	bool quick;            /* a look, not a measurement */
	double seconds;        /* of each measured window; 0: as long as the scenario thinks fit */
	unsigned subscribers;  /* of the fan-out; 0: as the scenario thinks fit */
	unsigned connections;  /* of the idle scenario; 0 as above */
	unsigned threads;      /* of the generator; 0: one a core, without the server's */
	cpu_set_t cores;       /* that may be used */
	bool busy_polling;     /* the generator polls its cores where that matters */
	int server_core;
	int load_core;         /* of the generator's first thread */
	const char *target;    /* URL of a running gateway; NULL: one is started */
	pid_t target_pid;      /* the target's process on this machine; 0: not measured */
	bool insecure;         /* the target's certificate is not checked */
	const char *ca_file;   /* PEM, trusted beside the system's; NULL for none */
	const char *against_path; /* a second gateway to measure against; NULL: none */
	const char *sluice_path, *nginx_path, *nchan_module, *node_path, *pushpin_path;
	bool compresses;       /* the gateway is started with permessage-deflate */
	const char *web_folder;   /* the gateway's page; NULL: it is not here */
	const char *peers_folder; /* of configurations */
	const char *node_folder;  /* where `make peers` put the servers on Node.js */
};

#endif
