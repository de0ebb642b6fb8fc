// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic for the bench: one process, no waiting, the same each time.
 *
 * usage: load connect COUNT [SERVER-NETNS]	connect, accept, close, close
 *	  load write COUNT BYTES [SERVER-NETNS]	writes over one connection
 *	  load flood COUNT SERVER-NETNS		spoofed SYNs to a listener
 *	  load churn SECONDS [SERVER-NETNS]	connections as fast as they come
 *
 * SERVER-NETNS is a file (/run/netns/NAME): there the listener is, and the rest is
 * where load was started; then the addresses are 192.0.2.1 and .2, else 127.0.0.1.
 * The listener's port is $PORT, or 7100.
 *
 * After a quarter of COUNT as a warm-up it prints "ready" and waits for a line;
 * then it works, prints "done" and waits for the end of its input. churn has no
 * warm-up, and prints how many there were before "done"; it goes round PORTS
 * listeners, so that the ports of a minute's connections do not run out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG		128
#define WRITE_MAX	65536
#define PORTS		64

static struct sockaddr_in server = {
	.sin_family = AF_INET,
};

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

static void netns_enter(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", file);
	close(fd);
}

/* Listeners on ports in sequence, in the other network namespace if there is one. */
static void servers_listen(const char *netns, int *fds, int count)
{
	int fd, one = 1, own, i, port = atoi(getenv("PORT") ?: "7100");

	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		err(1, "/proc/self/ns/net");
	if (netns)
		netns_enter(netns);
	server.sin_addr.s_addr = inet_addr(netns ? "192.0.2.2" : "127.0.0.1");
	for (i = count - 1; i >= 0; i--) {
		server.sin_port = htons(port + i);
		fd = tcp_socket();
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (struct sockaddr *)&server, sizeof(server)) ||
		    listen(fd, BACKLOG))
			err(1, "listen");
		fds[i] = fd;
	}
	if (setns(own, CLONE_NEWNET))
		err(1, "back to the first network namespace");
	close(own);
}

static int server_listen(const char *netns)
{
	int fd;

	servers_listen(netns, &fd, 1);
	return fd;
}

static void connections(int listener, int count)
{
	int client, child;

	while (count--) {
		client = tcp_socket();
		if (connect(client, (struct sockaddr *)&server, sizeof(server)))
			err(1, "connect");
		child = accept(listener, NULL, NULL);
		if (child < 0)
			err(1, "accept");
		close(client);
		close(child);
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Return: how many there were. */
static long churn(const int *listeners, double duration)
{
	const in_port_t first = server.sin_port;
	double end = seconds() + duration;
	long count;

	for (count = 0; seconds() < end; count++) {
		server.sin_port = htons(ntohs(first) + count % PORTS);
		connections(listeners[count % PORTS], 1);
	}
	return count;
}

static void writes(int client, int child, int count, ssize_t size)
{
	static char buffer[WRITE_MAX];
	ssize_t got, more;

	while (count--) {
		if (send(client, buffer, size, 0) != size)
			err(1, "send");
		for (got = 0; got < size; got += more) {
			more = recv(child, buffer, size, 0);
			if (more <= 0)
				err(1, "recv");
		}
	}
}

static uint16_t tcp_checksum(const struct tcphdr *th, uint32_t from, uint32_t to)
{
	const uint16_t *word = (const uint16_t *)th;
	uint32_t sum = (from & 0xffff) + (from >> 16) + (to & 0xffff) + (to >> 16) +
		       htons(IPPROTO_TCP) + htons(sizeof(*th));
	unsigned int i;

	for (i = 0; i < sizeof(*th) / 2; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* Each SYN from another address and port, of 198.18.0.0/15 (RFC 2544). */
static void flood(int raw, int count)
{
	static uint32_t number;
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} packet;

	while (count--) {
		number++;
		memset(&packet, 0, sizeof(packet));
		packet.ip.version = 4;
		packet.ip.ihl = 5;
		packet.ip.ttl = 64;
		packet.ip.protocol = IPPROTO_TCP;
		packet.ip.tot_len = htons(sizeof(packet));
		packet.ip.saddr = htonl(0xc6120000 + number % 100000);
		packet.ip.daddr = server.sin_addr.s_addr;
		packet.tcp.source = htons(1024 + number % 60000);
		packet.tcp.dest = server.sin_port;
		packet.tcp.seq = htonl(number * 7919);
		packet.tcp.doff = 5;
		packet.tcp.syn = 1;
		packet.tcp.window = htons(65535);
		packet.tcp.check = tcp_checksum(&packet.tcp, packet.ip.saddr,
						packet.ip.daddr);
		if (sendto(raw, &packet, sizeof(packet), 0,
			   (struct sockaddr *)&server, sizeof(server)) < 0)
			err(1, "sendto");
	}
}

static void say_and_wait(const char *word)
{
	puts(word);
	fflush(stdout);
	while (getchar() != '\n' && !feof(stdin))
		;
}

int main(int argc, char **argv)
{
	int listener, client, child, raw, count, size, listeners[PORTS];

	if (argc < 3)
		errx(2, "usage: load connect|write|flood|churn COUNT [BYTES] [SERVER-NETNS]");
	count = atoi(argv[2]);
	if (!strcmp(argv[1], "connect")) {
		listener = server_listen(argv[3]);
		connections(listener, count / 4);
		say_and_wait("ready");
		connections(listener, count);
	} else if (!strcmp(argv[1], "write") && argc > 3) {
		size = atoi(argv[3]);
		if (size < 1 || size > WRITE_MAX)
			errx(2, "BYTES: 1 to %d", WRITE_MAX);
		listener = server_listen(argv[4]);
		client = tcp_socket();
		if (connect(client, (struct sockaddr *)&server, sizeof(server)))
			err(1, "connect");
		child = accept(listener, NULL, NULL);
		writes(client, child, count / 4, size);
		say_and_wait("ready");
		writes(client, child, count, size);
	} else if (!strcmp(argv[1], "flood") && argc > 3) {
		listener = server_listen(argv[3]);
		raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
		if (raw < 0)
			err(1, "raw socket");
		flood(raw, count / 4);
		say_and_wait("ready");
		flood(raw, count);
	} else if (!strcmp(argv[1], "churn")) {
		servers_listen(argv[3], listeners, PORTS);
		say_and_wait("ready");
		printf("%ld\n", churn(listeners, count));
	} else {
		errx(2, "load %s: connect, write, flood or churn", argv[1]);
	}
	say_and_wait("done");
	return 0;
}
