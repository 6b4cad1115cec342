/* A network namespace with one end of a link in it: a TUN device (Linux, networking/tuntap.rst), up
 * and with an address, beside the loopback device.
 * Owner: the caller owns the descriptors. Thread: the one whose namespace it is. Errors: SL_EIO
 * (errno says why). */
#ifndef SL_BENCH_NETWORK_SPACE_H
#define SL_BENCH_NETWORK_SPACE_H

#define BENCH_LINK_DEVICE "link0" /* in both namespaces */

/* Returns a descriptor of the namespace that the calling thread is in, negative for an error. */
int bench_space_current(void);

/* Makes a namespace, moves the calling thread into it and opens the device there with `address`,
 * on a network of 256. Packets are read from and written to `*tun`, which does not block.
 * Returns the namespace's descriptor. On an error the thread may be in a namespace nobody needs. */
int bench_space_open(const char *address, int *tun);

/* Moves the calling thread. */
int bench_space_enter(int space);

/* Opens a TUN device of another namespace, which somebody has made there. `place` is the
 * namespace's file and the device, "/run/netns/NAME:DEVICE". The calling thread stays where it is.
 * Errors: SL_EINVAL too, for a place that is none. */
int bench_space_attach(const char *place, int *tun);

/* Without the right to make namespaces, makes a user namespace in which the process has that right,
 * and which is its home from then on: with a loopback device and no other network. Does nothing
 * when it is not needed. The process must have one thread. */
int bench_space_prepare(void);

/* NULL when the above works here, else a sentence that says why not. Tries it in a child. */
const char *bench_space_missing(void);

#endif
