-- SPDX-License-Identifier: GPL-2.0
-- Statements that drop the days which are older than 30; on each shard, once a day:
--
--	clickhouse-client -q "$(cat expire.sql)" | clickhouse-client -n
--
-- A server from 19.6 on has TTL for it, see ttl.sql; 18.16 of Debian 12 has not.
SELECT concat('ALTER TABLE ', database, '.', table, ' DROP PARTITION ', partition, ';')
FROM system.parts
WHERE active AND database = 'tcphs' AND
	partition < toString(toYYYYMMDD(today() - 30))
GROUP BY database, table, partition
ORDER BY partition
FORMAT TSVRaw
