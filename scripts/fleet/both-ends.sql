-- SPDX-License-Identifier: GPL-2.0
-- Both ends of one connection, as its two hosts recorded them: the newest one that
-- both opened, or the newest that the conditions marked below leave. A ladder of it:
--
--	clickhouse-client -q "$(cat both-ends.sql)" | tcphs timeline -r -
--
-- The ends belong together by their addresses and ports and by both initial sequence
-- numbers. What the same ports did before and after comes along, as further ladders.
SELECT
	kind, cpu, n, ts, wall, host, boot, session, release, segments, missing,
	complete, count, since, until, netns, family, saddr, sport, daddr, dport, sock,
	mapped, old, new, via, snd_nxt, snd_una, rcv_nxt, write_seq, iss, irs, pid,
	comm, uid, cgroup, mark, backlog, error, unread, timeouts, linger, process,
	dead, listener, drops, syns, accepts, dir, flags, seq, ack, len, win,
	retransmit, header, urg, state, cookie, socket, probe, answer, accept_full,
	reserved, option_bytes, reason, probes, reply, retransmits, bytes_sent,
	bytes_acked, bytes_received, bytes_retrans, segs_in, segs_out,
	data_segs_in, data_segs_out, rtt_us, min_rtt_us
FROM tcphs.events FINAL
WHERE (pair, host, boot) GLOBAL IN
(
	SELECT pair, arrayElement(ends, 1) AS host, arrayElement(ends, 2) AS boot
	FROM
	(
		SELECT pair, [[client_host, client_boot], [server_host, server_boot]] AS both
		FROM
		(
			SELECT pair, assumeNotNull(iss) AS client_isn, assumeNotNull(irs) AS server_isn,
				host AS client_host, boot AS client_boot, wall
			FROM tcphs.events
			WHERE kind = 'transition' AND old = 'SYN_SENT' AND new = 'ESTABLISHED'
			-- Which one, as its client has it:
			-- AND saddr = '192.0.2.1' AND sport = 40000
			-- AND daddr = '192.0.2.2' AND dport = 80
		)
		ANY INNER JOIN
		(
			SELECT pair, assumeNotNull(irs) AS client_isn, assumeNotNull(iss) AS server_isn,
				host AS server_host, boot AS server_boot
			FROM tcphs.events
			WHERE kind = 'transition' AND old = 'SYN_RECV' AND new = 'ESTABLISHED'
		)
		USING pair, client_isn, server_isn
		WHERE client_boot != server_boot
		ORDER BY wall DESC
		LIMIT 1
	)
	ARRAY JOIN both AS ends
)
ORDER BY host, boot, ts, cpu, n
FORMAT JSONEachRow
