// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/tcphs/timeline: the rings as text, for cat, where no reader is
 * installed. One block per connection, one line per record, A and B for the
 * ends. A snapshot made at open; it consumes nothing.
 */
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/time64.h>

#include "proc.h"
#include "scope.h"
#include "snapshot.h"

static const char * const state_names[] = {
	"?", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
	"TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
};

static const char * const via_names[] = { "", "", " (request)", " (timewait)" };

/* Bit 0 of the flags byte first. */
static const char * const flag_names[] = {
	"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR",
};

static const char *state_name(u8 state)
{
	return state <= TCPHS_STATE_MAX ? state_names[state] : "?";
}

static void end_show(struct seq_file *seq, const struct tcphs_record *r,
		     bool local)
{
	const u8 *addr = local ? r->saddr : r->daddr;
	u16 port = local ? r->sport : r->dport;

	if (!port)
		seq_puts(seq, "?");
	else if (r->flags & TCPHS_INET6)
		seq_printf(seq, "[%pI6c]:%u", addr, port);
	else
		seq_printf(seq, "%pI4:%u", addr, port);
}

/* Is the record's local end the one that opened, as far as this one tells? */
static bool local_is_client(const struct tcphs_record *first)
{
	if (first->kind == TCPHS_TRANSITION)
		return first->transition.old != TCPHS_LISTEN &&
		       first->transition.old != TCPHS_SYN_RECV;
	if (first->kind == TCPHS_SEGMENT)
		return !!(first->segment.mark & TCPHS_SEG_OUT) ==
		       !(first->segment.flags & 0x10);
	return true;
}

static bool same_end(const struct tcphs_record *a, bool a_local,
		     const struct tcphs_record *b)
{
	return (a_local ? a->sport : a->dport) == b->sport &&
	       !memcmp(a_local ? a->saddr : a->daddr, b->saddr, 16);
}

static void block_show(struct seq_file *seq, const struct tcphs_record *first)
{
	bool client = local_is_client(first);

	seq_puts(seq, "A ");
	end_show(seq, first, client);
	if (first->flags & TCPHS_NO_REMOTE) {
		seq_puts(seq, "\n");
		return;
	}
	seq_puts(seq, "  B ");
	end_show(seq, first, !client);
	seq_puts(seq, "\n");
}

static void owner_show(struct seq_file *seq, u8 has, u32 pid, const char *comm)
{
	if (!(has & TCPHS_HAS_OWNER))
		return;
	seq_printf(seq, " pid %u ", pid);
	seq_escape(seq, comm, "\n\t\\");
}

static void transition_show(struct seq_file *seq,
			    const struct tcphs_record *r)
{
	const struct tcphs_transition *t = &r->transition;

	seq_printf(seq, "%s -> %s%s", state_name(t->old), state_name(t->new),
		   t->via < ARRAY_SIZE(via_names) ? via_names[t->via] : "");
	if (t->has & TCPHS_HAS_BIRTH) {
		if (t->new == TCPHS_LISTEN)
			seq_printf(seq, " backlog %u", t->birth.backlog);
	} else {
		if (t->has & TCPHS_HAS_SND_NXT)
			seq_printf(seq, " snd_nxt %u", t->nr.snd_nxt);
		if (t->has & TCPHS_HAS_RCV_NXT)
			seq_printf(seq, " rcv_nxt %u", t->nr.rcv_nxt);
	}
	owner_show(seq, t->has, t->pid, t->comm);
}

static void segment_show(struct seq_file *seq, const struct tcphs_record *r)
{
	const struct tcphs_segment *s = &r->segment;
	const char *comma = "";
	unsigned int i;

	seq_puts(seq, s->mark & TCPHS_SEG_OUT ? "out " : "in  ");
	for (i = 0; i < ARRAY_SIZE(flag_names); i++) {
		if (!(s->flags & 1 << i))
			continue;
		seq_printf(seq, "%s%s", comma, flag_names[i]);
		comma = ",";
	}
	seq_printf(seq, " seq %u", s->seq);
	if (s->flags & 0x10)
		seq_printf(seq, " ack %u", s->ack);
	if (s->len)
		seq_printf(seq, " len %u", s->len);
	seq_printf(seq, " win %u", s->win);
	if (s->mark & TCPHS_SEG_RETRANSMIT)
		seq_puts(seq, " retransmit");
	if (s->mark & TCPHS_SEG_COOKIE)
		seq_puts(seq, " cookie");
	if (s->mark & TCPHS_SEG_PROBE)
		seq_puts(seq, " probe");
	if (s->mark & TCPHS_SEG_ANSWER)
		seq_puts(seq, " answer");
}

static void reset_show(struct seq_file *seq, const struct tcphs_record *r)
{
	const struct tcphs_reset *reset = &r->reset;

	seq_printf(seq, "reset %s in %s", reset->out ? "sent" : "received",
		   state_name(reset->state));
	if (reset->unread)
		seq_printf(seq, " unread %u", reset->unread);
	if (reset->fact & TCPHS_FACT_LINGER)
		seq_puts(seq, " linger");
	owner_show(seq, reset->has, reset->pid, reset->comm);
}

static void destroy_show(struct seq_file *seq, const struct tcphs_record *r)
{
	const struct tcphs_destroy *d = &r->destroy;

	seq_printf(seq, "socket gone: segments in %u out %u, sent again %u",
		   d->segs_in, d->segs_out, d->retransmits);
}

/* @width: of the seconds */
static void time_show(struct seq_file *seq, int width, u64 ts)
{
	u32 ns;
	u64 s = div_u64_rem(ts, NSEC_PER_SEC, &ns);

	seq_printf(seq, " %*llu.%06u", width, s, ns / 1000);
}

static void record_show(struct seq_file *seq, const struct tcphs_record *r)
{
	switch (r->kind) {
	case TCPHS_TRANSITION:
		transition_show(seq, r);
		break;
	case TCPHS_SEGMENT:
		segment_show(seq, r);
		break;
	case TCPHS_RESET:
		reset_show(seq, r);
		break;
	case TCPHS_DESTROY:
		destroy_show(seq, r);
		break;
	case TCPHS_ACCEPT:
		seq_puts(seq, "accept()");
		owner_show(seq, TCPHS_HAS_OWNER, r->accept.pid,
			   r->accept.comm);
		break;
	case TCPHS_LOST:
		if (r->flags & TCPHS_SOME)
			seq_puts(seq, "lost some");
		else
			seq_printf(seq, "lost %llu", r->lost.count);
		seq_printf(seq, " records of CPU %u until", r->cpu);
		time_show(seq, 0, r->lost.until);
		break;
	}
}

static void *timeline_start(struct seq_file *seq, loff_t *pos)
{
	const struct tcphs_snapshot *snapshot = seq->private;

	return *pos < snapshot->count ? &snapshot->lines[*pos] : NULL;
}

static void *timeline_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return timeline_start(seq, pos);
}

static void timeline_stop(struct seq_file *seq, void *v)
{
}

static int timeline_show(struct seq_file *seq, void *v)
{
	const struct tcphs_snapshot *snapshot = seq->private;
	const struct tcphs_line *line = v;
	const struct tcphs_record *r, *first;

	r = &snapshot->records[line->record];
	first = &snapshot->records[line->first];
	if (r == first) {
		if (line != snapshot->lines)
			seq_puts(seq, "\n");
		if (r->kind != TCPHS_LOST)
			block_show(seq, first);
	}
	time_show(seq, 5, r->ts);
	seq_putc(seq, ' ');
	if (r->kind != TCPHS_LOST)
		seq_printf(seq, "%c ",
			   same_end(first, local_is_client(first), r) ? 'A' :
			   'B');
	record_show(seq, r);
	seq_putc(seq, '\n');
	return 0;
}

static const struct seq_operations timeline_seq_ops = {
	.start = timeline_start,
	.next = timeline_next,
	.stop = timeline_stop,
	.show = timeline_show,
};

static int timeline_open(struct inode *inode, struct file *file)
{
	struct tcphs_snapshot *snapshot;
	struct tcphs_scope scope;
	int err;

	err = tcphs_proc_access(&scope);
	if (err)
		return err;
	snapshot = tcphs_snapshot_take(&scope);
	if (!snapshot)
		return -ENOMEM;
	err = seq_open(file, &timeline_seq_ops);
	if (err) {
		tcphs_snapshot_free(snapshot);
		return err;
	}
	((struct seq_file *)file->private_data)->private = snapshot;
	return 0;
}

static int timeline_release(struct inode *inode, struct file *file)
{
	tcphs_snapshot_free(((struct seq_file *)file->private_data)->private);
	return seq_release(inode, file);
}

const struct proc_ops tcphs_timeline_ops = {
	.proc_open = timeline_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = timeline_release,
};
