#include "bench/network/space.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/network/pipe.h"
#include "util/err.h"

#define TUN_PATH "/dev/net/tun"
#define TUN_MAJOR 10
#define TUN_MINOR 200
#define QUEUE_PACKETS 10000 /* the device's own; the link's queue is the one that shall be full */

/* Where the child that tries stopped; its exit status. */
enum { MADE, NO_SPACE, NO_DEVICE_FILE, NO_DEVICE_RIGHT, NO_DEVICE, NO_ADDRESS };

int
bench_space_current(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int
bench_space_enter(int space)
{
	return setns(space, CLONE_NEWNET) == 0 ? 0 : SL_EIO;
}

/* What cannot be written is left as it is: /proc may be read-only. */
static void
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		errno = 0;
	close(fd);
}

static struct ifreq
request_of(const char *device)
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
	return request;
}

static void
set_request_address(struct ifreq *request, in_addr_t address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = address };
	memcpy(&request->ifr_addr, &in, sizeof in);
}

/* Switches a device on, with an address when it shall have one (netdevice(7)). */
static int
raise_device(const char *device, const char *address)
{
	struct ifreq request = request_of(device);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), failed = fd < 0;
	if (address && !failed) {
		set_request_address(&request, inet_addr(address));
		failed = ioctl(fd, SIOCSIFADDR, &request);
		set_request_address(&request, htonl(0xffffff00));
		failed = failed || ioctl(fd, SIOCSIFNETMASK, &request);
		request.ifr_mtu = BENCH_MTU;
		failed = failed || ioctl(fd, SIOCSIFMTU, &request);
	}
	failed = failed || ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	failed = failed || ioctl(fd, SIOCSIFFLAGS, &request);
	if (fd >= 0)
		close(fd);
	return failed ? SL_EIO : 0;
}

/* By rtnetlink(7), since the ioctl() wants the right outside of the user namespace too. */
static int
set_queue(const char *device)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
		struct rtattr attribute;
		uint32_t packets;
	} ask = {
		.head = { .nlmsg_len = sizeof ask, .nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.link = { .ifi_index = (int)if_nametoindex(device) },
		.attribute = { .rta_len = RTA_LENGTH(sizeof ask.packets), .rta_type = IFLA_TXQLEN },
		.packets = QUEUE_PACKETS,
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[1024];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return SL_EIO;
	bool is_done = send(fd, &ask, sizeof ask, 0) == (ssize_t)sizeof ask
		&& recv(fd, &answer, sizeof answer, 0) >= (ssize_t)(sizeof answer.head + sizeof answer.error)
		&& answer.head.nlmsg_type == NLMSG_ERROR && answer.error.error == 0;
	close(fd);
	return is_done ? 0 : SL_EIO;
}

/* A container may be without the file though its kernel has the device. */
static void
make_device_file(void)
{
	if (access(TUN_PATH, F_OK) == 0)
		return;
	mkdir("/dev/net", 0755);
	mknod(TUN_PATH, S_IFCHR | 0600, makedev(TUN_MAJOR, TUN_MINOR));
}

static int
open_device(const char *device)
{
	struct ifreq request = request_of(device);
	request.ifr_flags = IFF_TUN | IFF_NO_PI;
	make_device_file();
	int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (ioctl(fd, TUNSETIFF, &request) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Connections of one measurement shall not begin with what those before have learned of the path,
 * and only what is measured shall be on the link. */
static void
set_kernel(void)
{
	write_text("/proc/sys/net/ipv4/tcp_no_metrics_save", "1");
	write_text("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	write_text("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
}

/* Returns one of the exit statuses above. */
static int
fill(const char *address, int *tun)
{
	set_kernel();
	*tun = open_device(BENCH_LINK_DEVICE);
	if (*tun < 0)
		return errno == EPERM || errno == EACCES ? NO_DEVICE_RIGHT
			: access(TUN_PATH, F_OK) == 0 ? NO_DEVICE : NO_DEVICE_FILE;
	if (raise_device("lo", NULL) == 0 && set_queue(BENCH_LINK_DEVICE) == 0
		&& raise_device(BENCH_LINK_DEVICE, address) == 0)
		return MADE;
	close(*tun);
	return NO_ADDRESS;
}

int
bench_space_open(const char *address, int *tun)
{
	if (unshare(CLONE_NEWNET) != 0)
		return SL_EIO;
	int space = bench_space_current();
	if (space < 0)
		return SL_EIO;
	if (fill(address, tun) == MADE)
		return space;
	close(space);
	return SL_EIO;
}

/* In a child, since who may is best found out by trying. */
static bool
may_make_spaces(void)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWNET) != 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int
bench_space_prepare(void)
{
	char map[32];
	if (may_make_spaces())
		return 0;
	unsigned user = geteuid(), group = getegid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return SL_EIO;
	write_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "0 %u 1", user);
	write_text("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "0 %u 1", group);
	write_text("/proc/self/gid_map", map);
	return raise_device("lo", NULL);
}

static int
attach_in(const char *file, const char *device, int *tun)
{
	int space = open(file, O_RDONLY | O_CLOEXEC);
	if (space < 0)
		return SL_EIO;
	int err = bench_space_enter(space);
	close(space);
	if (err)
		return err;
	if (if_nametoindex(device) == 0) /* else it would be made */
		return SL_EIO;
	*tun = open_device(device);
	return *tun < 0 ? SL_EIO : 0;
}

int
bench_space_attach(const char *place, int *tun)
{
	char file[256];
	const char *colon = strrchr(place, ':');
	if (!colon || colon == place || colon[1] == '\0' || strlen(colon + 1) >= IFNAMSIZ
		|| snprintf(file, sizeof file, "%.*s", (int)(colon - place), place) >= (int)sizeof file)
		return SL_EINVAL;
	int home = bench_space_current();
	if (home < 0)
		return SL_EIO;
	int err = attach_in(file, colon + 1, tun), saved = errno;
	if (bench_space_enter(home) != 0)
		err = SL_EIO;
	close(home);
	errno = saved;
	return err;
}

static const char *
describe(int stopped)
{
	switch (stopped) {
	case MADE:
		return NULL;
	case NO_SPACE:
		return "network namespaces need root (CAP_SYS_ADMIN) or unprivileged user namespaces";
	case NO_DEVICE_FILE:
		return "there is no /dev/net/tun; as root: mkdir -p /dev/net && mknod /dev/net/tun c 10 200";
	case NO_DEVICE_RIGHT:
		return "no permission to use /dev/net/tun; run as root, or allow it (CAP_NET_ADMIN, chmod 666)";
	case NO_DEVICE:
		return "/dev/net/tun does not work; the kernel needs CONFIG_TUN (modprobe tun)";
	default:
		return "the TUN device accepts no address in a new network namespace";
	}
}

const char *
bench_space_missing(void)
{
	int status, tun;
	pid_t pid = fork();
	if (pid == 0) {
		if (bench_space_prepare() != 0 || unshare(CLONE_NEWNET) != 0)
			_exit(NO_SPACE);
		_exit(fill("10.0.0.1", &tun));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return describe(NO_SPACE);
	return describe(WEXITSTATUS(status));
}
