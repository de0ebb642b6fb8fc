// SPDX-License-Identifier: GPL-2.0
/*
 * Counts a recording, without the reader's code: is each record of each CPU there,
 * or told as lost, just where it is missing?
 *
 * usage: census RECORDING
 *
 * Prints "cpuN_read COUNT", "cpuN_lost COUNT", "cpuN_gaps COUNT", and "syns COUNT",
 * the SYNs received. Exit status 1 where records are neither there nor told as lost.
 */
#include <err.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include <tcphs.h>

#define CPUS		256
#define SYN_ACK		0x12
#define SYN		0x02

static struct {
	unsigned long long next, read, lost, gaps;
} cpus[CPUS];

int main(int argc, char **argv)
{
	struct tcphs_header header;
	struct tcphs_record r;
	unsigned long long syns = 0, untold = 0;
	unsigned int i;
	FILE *file;

	if (argc != 2)
		errx(2, "usage: census RECORDING");
	file = fopen(argv[1], "r");
	if (!file || fread(&header, sizeof(header), 1, file) != 1)
		err(2, "%s", argv[1]);
	if (memcmp(header.magic, TCPHS_MAGIC, sizeof(header.magic)) ||
	    header.header_size != sizeof(header) || header.record_size != sizeof(r))
		errx(2, "%s is no recording of this version", argv[1]);
	while (fread(&r, sizeof(r), 1, file) == 1) {
		if (r.cpu >= CPUS)
			errx(1, "CPU %u", r.cpu);
		if (r.n != cpus[r.cpu].next) {
			warnx("CPU %u: record %llu follows %lld", r.cpu, (unsigned long long)r.n,
			      (long long)cpus[r.cpu].next - 1);
			untold++;
		}
		cpus[r.cpu].next = r.n + 1;
		if (r.kind == TCPHS_LOST) {
			cpus[r.cpu].next = r.n + r.lost.count;
			cpus[r.cpu].lost += r.lost.count;
			cpus[r.cpu].gaps++;
			continue;
		}
		cpus[r.cpu].read++;
		if (r.kind == TCPHS_SEGMENT && !(r.segment.mark & TCPHS_SEG_OUT) &&
		    (r.segment.flags & SYN_ACK) == SYN)
			syns++;
	}
	for (i = 0; i < CPUS && i < header.cpus; i++)
		printf("cpu%u_read %llu\ncpu%u_lost %llu\ncpu%u_gaps %llu\n", i,
		       cpus[i].read, i, cpus[i].lost, i, cpus[i].gaps);
	printf("syns %llu\n", syns);
	return untold || ferror(file);
}
