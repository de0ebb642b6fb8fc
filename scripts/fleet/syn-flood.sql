-- SPDX-License-Identifier: GPL-2.0
-- Where SYNs come from that open nothing: per host, service and network of the
-- sources (/24 and, of IPv6, its first 48 bits), the SYNs that arrived, their
-- sources, and the connections that were established. A flood has many of the first
-- and hardly any of the last.
SELECT
	host,
	sport AS service,
	if(family = 'inet6', IPv6NumToString(toFixedString(substring(IPv6StringToNum(assumeNotNull(daddr)), 1, 6), 16)),
	   IPv4NumToString(bitAnd(IPv4StringToNum(assumeNotNull(daddr)), 4294967040))) AS network,
	countIf(kind = 'segment') AS syns,
	uniqIf(daddr, kind = 'segment') AS sources,
	countIf(kind = 'transition') AS established,
	toDateTime(intDiv(max(wall), 1000000000)) AS last
FROM tcphs.events FINAL
WHERE (kind = 'segment' AND dir = 'in' AND flags = ['SYN']) OR
	(kind = 'transition' AND old = 'SYN_RECV' AND new = 'ESTABLISHED')
GROUP BY host, service, network
HAVING syns > 2 * established
ORDER BY syns - established DESC
LIMIT 50
FORMAT PrettyCompactNoEscapes
