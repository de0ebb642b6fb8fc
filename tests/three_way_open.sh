#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Three-way open, and nothing more:
#
#	client CLOSE -> SYN_SENT ---SYN seq=x-------------> SYN_RECV   server
#	                         <--SYN,ACK seq=y ack=x+1--
#	       ESTABLISHED       ---ACK seq=x+1 ack=y+1---> ESTABLISHED
#
# with a client that lets connect() choose its port, and one that has bind();
# and one that has sent data, which a record of the handshake cannot count yet; and a
# server whose segments are to leave later than they are made (TCP_TX_DELAY).
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged opened opened,bound=1 opened,talk=1 opened,tx_delay=2000
