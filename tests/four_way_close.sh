#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Four-way close, by the client first and by the server first, and with a FIN that
# is on data:
#
#	active  FIN_WAIT1  ---FIN seq=u--->  CLOSE_WAIT  passive
#	        FIN_WAIT2  <--ACK ack=u+1--
#	        TIME_WAIT  <--FIN seq=v----  LAST_ACK
#	                   ---ACK ack=v+1->  CLOSE
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged close close,first=server,there=3000,back=9000 fin_on_data fin_on_data,first=server
