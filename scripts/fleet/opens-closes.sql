-- SPDX-License-Identifier: GPL-2.0
-- How connections opened and closed, see VERDICTS in tcphs(8), and how many of each
-- kind: as clients' hosts told them and as servers' hosts did, whose connections are
-- partly the same ones. A close that is empty is one of what never opened.
SELECT
	open,
	close,
	countIf(isNotNull(`client.host`)) AS by_client,
	countIf(isNull(`client.host`)) AS by_server,
	countIf(record != 'complete') AS not_complete
FROM tcphs.connections FINAL
GROUP BY open, close
ORDER BY by_client + by_server DESC, open, close
FORMAT PrettyCompactNoEscapes
