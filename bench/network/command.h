/* `sluice-bench link`: a network for any program, and what passed it.
 * Owner: nobody. Thread: main, and no other runs. Errors: the exit status. */
#ifndef SL_BENCH_NETWORK_COMMAND_H
#define SL_BENCH_NETWORK_COMMAND_H

/* `argv` begins with the word `link`. Returns the exit status: the one of the program that was run,
 * 1 when there can be no network here, 2 for a command line that makes no sense. */
int bench_link_run(int argc, char **argv);

#endif
