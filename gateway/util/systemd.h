/* Systemd: sockets it passes and states it wants to hear, without its library.
 * Owner: descriptors returned are the caller's. Thread: the main one, at start and end (the
 * environment is read and changed). Errors: as each call says.
 * Sources: sd_listen_fds(3), sd_notify(3). */
#ifndef SL_UTIL_SYSTEMD_H
#define SL_UTIL_SYSTEMD_H

#define SL_SYSTEMD_NAME_MAX 256 /* with the NUL */

struct sl_systemd_socket {
	int fd;
	char name[SL_SYSTEMD_NAME_MAX]; /* its FileDescriptorName; "" without one, cut if too long */
};

/* The listening sockets passed to this process, each now closed on exec. Returns how many
 * (0: none, `*sockets` is NULL; otherwise a new array) and removes the variables, so that
 * neither a second call nor a child takes them again. Errors: SL_EINVAL (variables or
 * descriptors that are none), SL_ENOMEM. */
int sl_systemd_listen_fds(struct sl_systemd_socket **sockets);

/* Sends `state` ("READY=1", "STOPPING=1", lines of them) to the service manager, if there is
 * one. A manager that cannot be reached is none. */
void sl_systemd_notify(const char *state);

#endif
