-- SPDX-License-Identifier: GPL-2.0
-- Whether all has come: per host, load of the module and CPU the records that are
-- here, those that the stream itself says were lost before they were read, and those
-- that neither is true of. Records are numbered: `missing` is what lies between the
-- first and the last one, or is still on its way. The numbers of a feed that sees one
-- network namespace alone do not tell that: they are each stream's own.
SELECT
	host,
	boot,
	session,
	cpu,
	countIf(kind != 'lost') AS records,
	minIf(n, kind != 'lost') AS first,
	maxIf(n, kind != 'lost') AS last,
	ifNull(sumIf(count, kind = 'lost'), 0) AS lost,
	toInt64(last) - first + 1 - records AS absent,
	absent - toInt64(lost) AS missing
FROM tcphs.events FINAL
GROUP BY host, boot, session, cpu
ORDER BY host, boot, session, cpu
FORMAT PrettyCompactNoEscapes
