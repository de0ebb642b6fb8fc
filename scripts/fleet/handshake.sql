-- SPDX-License-Identifier: GPL-2.0
-- How long handshakes took (microseconds), per service and hour: from the SYN to
-- ESTABLISHED as the client's host saw it, or the server's where only that is of the
-- fleet. A connection with both ends here has a row of each view.
SELECT
	service,
	toStartOfHour(time) AS hour,
	if(isNotNull(`client.host`), 'client', 'server') AS seen_by,
	count() AS handshakes,
	round(quantile(0.5)(open_us)) AS p50,
	round(quantile(0.9)(open_us)) AS p90,
	round(quantile(0.99)(open_us)) AS p99,
	max(open_us) AS longest
FROM tcphs.connections FINAL
WHERE isNotNull(open_us)
GROUP BY service, hour, seen_by
ORDER BY service, hour, seen_by
FORMAT PrettyCompactNoEscapes
