-- SPDX-License-Identifier: GPL-2.0
-- The tables of all shards as one: clickhouse-client -n <distributed.sql, after
-- schema.sql, on every server that is asked or fed. `tcphs` is the cluster's name in
-- its configuration, see cluster.xml; one server alone is a cluster of one shard.
--
-- Both ends of a connection go to the same shard, and each record always to the same
-- one, so that one that is sent again meets itself.
CREATE TABLE IF NOT EXISTS tcphs.events AS tcphs.events_local
ENGINE = Distributed(tcphs, tcphs, events_local,
	cityHash64(ifNull(saddr, ''), ifNull(sport, 0)) +
	cityHash64(ifNull(daddr, ''), ifNull(dport, 0)));

CREATE TABLE IF NOT EXISTS tcphs.connections AS tcphs.connections_local
ENGINE = Distributed(tcphs, tcphs, connections_local, cityHash64(
	ifNull(`client.addr`, ''), ifNull(`client.port`, 0),
	ifNull(`server.addr`, ''), ifNull(`server.port`, 0)));
