/* The web service behind Pushpin: it answers every request by asking Pushpin to hold it
 * (https://pushpin.org/docs/usage/, https://pushpin.org/docs/protocols/grip/).
 * Owner: a process of its own. Thread: its one. Errors: ends the process. */
#ifndef SL_BENCH_PEERS_PUSHPIN_ORIGIN_H
#define SL_BENCH_PEERS_PUSHPIN_ORIGIN_H

/* Serves the connections that `listener` accepts; never returns. */
_Noreturn void bench_pushpin_origin_serve(int listener);

#endif
