-- SPDX-License-Identifier: GPL-2.0
-- Who was refused by whom, and who timed out, per pair of hosts and service: as the
-- clients saw it. A server's address is of the host that told a record of its own end
-- of it; one outside of the fleet has no name.
SELECT
	client_host,
	any(name) AS server_host,
	server,
	service,
	countIf(open = 'refused') AS refused,
	countIf(open = 'timed-out') AS timed_out,
	max(time) AS last
FROM
(
	SELECT `client.host` AS client_host, server, service, open, time
	FROM tcphs.connections FINAL
	WHERE isNotNull(`client.host`) AND open IN ('refused', 'timed-out')
)
ANY LEFT JOIN
(
	SELECT assumeNotNull(saddr) AS server, any(host) AS name
	FROM tcphs.events
	WHERE isNotNull(saddr) AND saddr NOT IN ('127.0.0.1', '::1')
	GROUP BY server
) USING server
GROUP BY client_host, server, service
ORDER BY refused + timed_out DESC, client_host, server, service
FORMAT PrettyCompactNoEscapes
