// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/tcphs/events: the header, then records for as long as there are any.
 *
 * Each open file is a reader of its own, with a cursor. Records go from the ring
 * to the reader, and are behind the cursor only when they are there, so that a
 * read() that fails half-way (bad address) loses none. What takes more than a copy,
 * a gap or the records of one netns, goes by a buffer of the file: what was not
 * delivered of it stays there.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>

#include "compat.h"
#include "filter.h"
#include "identity.h"
#include "proc.h"
#include "ring.h"
#include "scope.h"
#include "segment.h"

#define BATCH 64

struct stream {
	struct mutex lock;		/* one read() at a time */
	struct tcphs_cursor *cursor;
	struct tcphs_scope scope;
	unsigned int begin, end;	/* of what is left in batch */
	bool header_read;
	struct tcphs_header header;
	struct tcphs_record batch[BATCH];
};

static atomic_t open_files = ATOMIC_INIT(0);

/** tcphs_stream_open_files() - Return: true while anyone has events open */
bool tcphs_stream_open_files(void)
{
	return atomic_read(&open_files);
}

static void header_set(struct tcphs_header *h, u32 netns)
{
	memcpy(h->magic, TCPHS_MAGIC, sizeof(h->magic));
	h->byte_order = TCPHS_BYTE_ORDER;
	h->abi_major = TCPHS_ABI_MAJOR;
	h->abi_minor = TCPHS_ABI_MINOR;
	h->header_size = TCPHS_HEADER_SIZE;
	h->record_size = TCPHS_RECORD_SIZE;
	h->cpus = nr_cpu_ids;
	h->ring_records = tcphs_ring_records;
	h->session = tcphs_identity_session();
	h->opened = ktime_get_ns();
	/* Not two readings: every stream of this boot has the same. */
	h->wall_offset = ktime_to_ns(ktime_mono_to_real(0));
	h->loaded = tcphs_identity_loaded();
	h->netns = netns;
	h->missing = tcphs_proc_missing();
	h->segments = tcphs_segment_mode();
	h->filtered = tcphs_filter_active();
	h->complete = tcphs_ring_complete();
	/* It is the time of a record, which may be another namespace's. */
	if (netns)
		h->complete = min(roundup(h->complete, NSEC_PER_SEC), h->opened);
	strscpy(h->hostname, utsname()->nodename, sizeof(h->hostname));
	strscpy(h->release, utsname()->release, sizeof(h->release));
}

static int events_open(struct inode *inode, struct file *file)
{
	struct stream *stream;
	struct tcphs_scope scope;
	int err;

	err = tcphs_proc_access(&scope);
	if (err)
		return err;
	stream = kvzalloc(sizeof(*stream), GFP_KERNEL_ACCOUNT);
	if (!stream)
		return -ENOMEM;
	stream->cursor = tcphs_ring_open();
	if (!stream->cursor) {
		kvfree(stream);
		return -ENOMEM;
	}
	mutex_init(&stream->lock);
	stream->scope = scope;
	tcphs_scope_hold(&stream->scope);
	header_set(&stream->header, scope.netns);
	file->private_data = stream;
	atomic_inc(&open_files);
	return stream_open(inode, file);
}

static int events_release(struct inode *inode, struct file *file)
{
	struct stream *stream = file->private_data;

	tcphs_scope_release(&stream->scope);
	kvfree(stream->cursor);
	kvfree(stream);
	atomic_dec(&open_files);
	return 0;
}

/*
 * Return: false if nothing new is there, or a signal is. What is there by now is
 * settled: see records_copy().
 */
static bool batch_fill(struct stream *stream)
{
	/* One that tcphs_ring_give() has left: it goes on behind it. */
	unsigned int room = stream->scope.netns ? BATCH : 1;
	struct tcphs_record *record;

	stream->begin = 0;
	stream->end = 0;
	while (stream->end < room) {
		record = &stream->batch[stream->end];
		if (!tcphs_ring_next(stream->cursor, record))
			break;
		if (tcphs_scope_shows(&stream->scope, record)) {
			if (stream->scope.netns)
				tcphs_ring_limit(stream->cursor, record);
			stream->end++;
		}
		/* A whole ring of others' records may lie before one of its own. */
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return stream->end;
}

static size_t records_give(struct stream *stream, char __user *buffer,
			   size_t count)
{
	return tcphs_ring_give(stream->cursor,
			       (struct tcphs_record __user *)buffer,
			       count / TCPHS_RECORD_SIZE) * TCPHS_RECORD_SIZE;
}

/*
 * Copies whole records, as many as there are and fit.
 * Return: bytes copied, or -EFAULT when none were.
 */
static ssize_t records_copy(struct stream *stream, char __user *buffer,
			    size_t count)
{
	size_t done = 0, bytes, room;
	bool settled = false;

	while (count - done >= TCPHS_RECORD_SIZE) {
		if (stream->begin == stream->end) {
			/* That takes a while: not by what others have done. */
			if (!settled && (stream->scope.netns ||
					 tcphs_ring_pending(stream->cursor)))
				tcphs_ring_settle(stream->cursor, U64_MAX);
			settled = true;
			if (!stream->scope.netns)
				done += records_give(stream, buffer + done,
						     count - done);
			if (count - done < TCPHS_RECORD_SIZE ||
			    !batch_fill(stream))
				break;
		}
		room = min_t(size_t, stream->end - stream->begin,
			     (count - done) / TCPHS_RECORD_SIZE);
		bytes = room * TCPHS_RECORD_SIZE;
		if (copy_to_user(buffer + done, &stream->batch[stream->begin],
				 bytes))
			return done ?: -EFAULT;
		stream->begin += room;
		done += bytes;
		cond_resched();
	}
	return done;
}

static ssize_t header_copy(struct stream *stream, char __user *buffer,
			   size_t count)
{
	if (count < TCPHS_HEADER_SIZE)
		return -EINVAL;
	if (copy_to_user(buffer, &stream->header, TCPHS_HEADER_SIZE))
		return -EFAULT;
	stream->header_read = true;
	return TCPHS_HEADER_SIZE;
}

/* With the lock held. Return: bytes; 0 if there is nothing; an error. */
static ssize_t stream_copy(struct stream *stream, char __user *buffer,
			   size_t count)
{
	ssize_t done = 0, more;

	if (!stream->header_read) {
		done = header_copy(stream, buffer, count);
		if (done < 0)
			return done;
	} else if (count < TCPHS_RECORD_SIZE) {
		return -EINVAL;
	}
	more = records_copy(stream, buffer + done, count - done);
	if (more < 0)
		return done ?: more;
	return done + more;
}

static bool readable(const struct stream *stream)
{
	return !stream->header_read || stream->begin != stream->end ||
	       tcphs_ring_pending(stream->cursor) || tcphs_ring_closing();
}

/*
 * Sleeps until there may be something. What came meanwhile may be of no concern to
 * a reader of one netns, again and again: it looks as often as others are woken.
 * Return: 0 or -ERESTARTSYS.
 */
static int stream_sleep(const struct stream *stream)
{
	struct wait_queue_head *queue = tcphs_ring_waitqueue();
	DEFINE_WAIT(wait);
	int err = 0;

	prepare_to_wait(queue, &wait, TASK_INTERRUPTIBLE);
	tcphs_ring_wait();
	if (signal_pending(current))
		err = -ERESTARTSYS;
	else if (!readable(stream))
		schedule();
	else if (stream->scope.netns)
		schedule_timeout(msecs_to_jiffies(TCPHS_RING_WAKE_MS));
	finish_wait(queue, &wait);
	return err;
}

/*
 * EINVAL: the buffer is smaller than the header, or later than a record.
 * EAGAIN: O_NONBLOCK and nothing there. 0: the module is being unloaded.
 */
static ssize_t stream_read(struct file *file, char __user *buffer,
			   size_t count, loff_t *pos)
{
	struct stream *stream = file->private_data;
	ssize_t done;
	int err;

	for (;;) {
		if (mutex_lock_interruptible(&stream->lock))
			return -ERESTARTSYS;
		done = stream_copy(stream, buffer, count);
		mutex_unlock(&stream->lock);
		if (done || tcphs_ring_closing())
			return done;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		err = stream_sleep(stream);
		if (err)
			return err;
	}
}

/*
 * Is there anything that this reader may see? That others' records have come is
 * nothing that a reader of one netns is to learn: see tcphs_ring_limit(). epoll asks
 * once for each wake-up: where it could not be looked there is to be another one.
 */
static bool shown(struct stream *stream)
{
	bool some;

	if (!stream->scope.netns)
		return readable(stream);
	/* Who reads may stand still for as long as its buffer is not there. */
	if (!mutex_trylock(&stream->lock)) {
		tcphs_ring_again();
		return tcphs_ring_closing();
	}
	some = !stream->header_read || stream->begin != stream->end;
	if (!some) {
		tcphs_ring_settle(stream->cursor, U64_MAX);
		some = batch_fill(stream);
		if (!some && signal_pending(current))
			tcphs_ring_again();
	}
	mutex_unlock(&stream->lock);
	return some || tcphs_ring_closing();
}

/* May sleep, where not all may be seen. */
static __poll_t stream_poll(struct file *file, struct poll_table_struct *wait)
{
	struct stream *stream = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, tcphs_ring_waitqueue(), wait);
	tcphs_ring_wait();
	if (shown(stream))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (tcphs_ring_closing())
		mask |= EPOLLHUP;
	return mask;
}

const struct proc_ops tcphs_stream_ops = {
	.proc_open = events_open,
	.proc_read = stream_read,
	.proc_poll = stream_poll,
	.proc_lseek = noop_llseek,
	.proc_release = events_release,
};
