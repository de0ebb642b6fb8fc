#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Header and options: MSS, window scale, SACK permitted and timestamps, each
# absent at least once, and headers of 20 (RST) to 60 bytes (a SYN out of a raw
# socket with 40 bytes of options).
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged opened options,sack=0 options,timestamps=0 options,window_scaling=0 \
	options,sack=0,timestamps=0,window_scaling=0 options,mss=700 \
	options,rcvbuf=5000000 raw_syn,family=inet raw_syn,family=inet,size=4 \
	raw_syn,family=inet,size=20 refused
