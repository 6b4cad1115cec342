#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/server/server.h"
#include "bench/settings.h"
#include "tests/unit/unit.h"

/* ---- a name with two addresses: 127.0.0.2, where nobody listens, and 127.0.0.1 ---- */

static struct sockaddr_in sockaddrs[2];
static struct addrinfo found[2];

int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **out);
void __wrap_freeaddrinfo(struct addrinfo *list);

int
__wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **out)
{
	static const uint32_t hosts[] = { INADDR_LOOPBACK + 1, INADDR_LOOPBACK };
	for (size_t i = 0; i < 2; i++) {
		sockaddrs[i] = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = htons((uint16_t)strtoul(service, NULL, 10)),
			.sin_addr.s_addr = htonl(hosts[i]) };
		found[i] = (struct addrinfo){ .ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
			.ai_addr = (struct sockaddr *)&sockaddrs[i], .ai_addrlen = sizeof sockaddrs[i],
			.ai_next = i == 0 ? &found[1] : NULL };
	}
	*out = found;
	return 0;
}

void
__wrap_freeaddrinfo(struct addrinfo *list)
{
}

static void
expect_address(uint16_t port, uint32_t host)
{
	char url[64];
	struct bench_server server;
	snprintf(url, sizeof url, "http://both.test:%u/push/", port);
	struct bench_settings settings = { .target = url };
	CU_ASSERT_EQUAL_FATAL(bench_server_use_target(&server, &bench_peer_sluice, &settings), 0);
	const struct sockaddr_in *address = (const struct sockaddr_in *)&server.address;
	CU_ASSERT_EQUAL(ntohl(address->sin_addr.s_addr), host);
	CU_ASSERT_EQUAL(ntohs(address->sin_port), port);
	CU_ASSERT_EQUAL(server.address_len, sizeof *address);
	CU_ASSERT_STRING_EQUAL(server.base, "/push");
	bench_server_stop(&server);
}

static void
test_bench_target_is_the_first_address_of_a_name_where_somebody_listens(void)
{
	uint16_t port;
	int fd = bench_listen(&port); /* at 127.0.0.1 */
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	expect_address(port, INADDR_LOOPBACK);
	close(fd);
	expect_address(port, INADDR_LOOPBACK + 1); /* nobody: what is wrong is the first's */
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_bench_target_is_the_first_address_of_a_name_where_somebody_listens),
		{ NULL, NULL },
	};
	return unit_main("bench_target", tests);
}
