-- SPDX-License-Identifier: GPL-2.0
-- Where TIME_WAIT piles up: per host and what it talks to, how many of its ports
-- entered TIME_WAIT in the worst minute, which is about as many as were in it at once.
-- Ephemeral ports to one address and port are 28,232 (ip_local_port_range); `share` is
-- what of them that is. At the end that holds the service's port they cost memory only.
SELECT
	host,
	side,
	peer,
	service,
	max(entered) AS worst_minute,
	argMax(minute, entered) AS minute_of_it,
	sum(entered) AS entered_in_all,
	if(side = 'client', round(worst_minute / 28232, 3), 0) AS share
FROM
(
	SELECT
		host,
		if(sport < dport, 'server', 'client') AS side,
		if(sport < dport, '', assumeNotNull(daddr)) AS peer,
		if(sport < dport, assumeNotNull(sport), assumeNotNull(dport)) AS service,
		toStartOfMinute(time) AS minute,
		count() AS entered
	FROM tcphs.events FINAL
	WHERE kind = 'transition' AND new = 'TIME_WAIT' AND old != 'TIME_WAIT'
	GROUP BY host, side, peer, service, minute
)
GROUP BY host, side, peer, service
ORDER BY worst_minute DESC, host, peer, service
LIMIT 50
FORMAT PrettyCompactNoEscapes
