-- SPDX-License-Identifier: GPL-2.0
-- On each shard, in place of expire.sql, where the server knows TTL: not tried, since
-- Debian's 18.16 answers it with a syntax error.
ALTER TABLE tcphs.events_local MODIFY TTL time + INTERVAL 30 DAY;
ALTER TABLE tcphs.connections_local MODIFY TTL time + INTERVAL 30 DAY;
