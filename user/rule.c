// SPDX-License-Identifier: GPL-2.0
/*
 * tcphs(8) has these texts word for word, and `timeline --explain` says which one it
 * was.
 */
#include "rule.h"

static const struct {
	enum tcphs_open open;
	const char *text;
} open_rules[] = {
	[TCPHS_RULE_OPEN_BEFORE] = { TCPHS_OPEN_UNSEEN,
		"It began before the records do." },
	[TCPHS_RULE_OPEN_LOST] = { TCPHS_OPEN_UNSEEN,
		"Records were lost, and neither a SYN nor SYN_SENT or SYN_RECV was seen." },
	[TCPHS_RULE_OPEN_CROSSED] = { TCPHS_OPEN_SIMULTANEOUS,
		"The client was in SYN_SENT and then in SYN_RECV: both ends had sent a SYN." },
	[TCPHS_RULE_OPEN_COOKIE] = { TCPHS_OPEN_SYN_COOKIE,
		"The number of the server's SYN,ACK was a SYN cookie, and an end became ESTABLISHED." },
	[TCPHS_RULE_OPEN_SYN_DATA] = { TCPHS_OPEN_FAST_OPEN,
		"The SYN,ACK acknowledged data of the SYN, and an end became ESTABLISHED or the server was closing already." },
	[TCPHS_RULE_OPEN_RESTORED] = { TCPHS_OPEN_UNSEEN,
		"Segments are recorded and no SYN left, but the client became ESTABLISHED: it was restored with TCP_REPAIR." },
	[TCPHS_RULE_OPEN_ESTABLISHED] = { TCPHS_OPEN_THREE_WAY,
		"The client became ESTABLISHED, or the server did where the client is not on this machine." },
	[TCPHS_RULE_OPEN_REFUSED] = { TCPHS_OPEN_REFUSED,
		"There was no SYN,ACK, and a RST from the server answered the SYN or connect() failed with ECONNREFUSED." },
	[TCPHS_RULE_OPEN_RESET] = { TCPHS_OPEN_RESET,
		"A RST ended the handshake." },
	[TCPHS_RULE_OPEN_NO_SYN] = { TCPHS_OPEN_UNSEEN,
		"Segments are recorded and no SYN left: connect() itself failed." },
	[TCPHS_RULE_OPEN_GAVE_UP] = { TCPHS_OPEN_TIMED_OUT,
		"The client's socket went to CLOSE without ESTABLISHED, and neither a RST nor a process had told it to." },
	[TCPHS_RULE_OPEN_HALF] = { TCPHS_OPEN_HALF_OPEN,
		"There was a SYN, or SYN_SENT or SYN_RECV, and the handshake got no further." },
	[TCPHS_RULE_OPEN_UNKNOWN] = { TCPHS_OPEN_UNSEEN,
		"The records do not tell how it opened." },
};

static const struct {
	enum tcphs_close close;
	const char *text;
} close_rules[] = {
	[TCPHS_RULE_CLOSE_NEVER] = { TCPHS_CLOSE_NONE,
		"It never opened: there is nothing to close." },
	[TCPHS_RULE_CLOSE_GAVE_UP] = { TCPHS_CLOSE_TIMED_OUT,
		"An end gave up: ETIMEDOUT, or retransmissions or probes that nobody answered." },
	[TCPHS_RULE_CLOSE_CLIENT_RST] = { TCPHS_CLOSE_RESET_BY_CLIENT,
		"The first RST that ended a socket came from the client." },
	[TCPHS_RULE_CLOSE_SERVER_RST] = { TCPHS_CLOSE_RESET_BY_SERVER,
		"The first RST that ended a socket came from the server." },
	[TCPHS_RULE_CLOSE_CROSSED] = { TCPHS_CLOSE_SIMULTANEOUS,
		"An end was in CLOSING, or both were in FIN_WAIT1: each sent its FIN before it had the other's." },
	[TCPHS_RULE_CLOSE_HALF] = { TCPHS_CLOSE_HALF_CLOSE,
		"After the first FIN had come, the other end still sent data." },
	[TCPHS_RULE_CLOSE_ONE_SEGMENT] = { TCPHS_CLOSE_THREE_SEGMENT,
		"Both ends sent a FIN, and nothing that the second end had sent before its own acknowledged the first." },
	[TCPHS_RULE_CLOSE_BOTH] = { TCPHS_CLOSE_FOUR_WAY,
		"Both ends sent a FIN, one after the other." },
	[TCPHS_RULE_CLOSE_NO_FIN] = { TCPHS_CLOSE_TIMED_OUT,
		"A socket went from FIN_WAIT2 to CLOSE: the other end's FIN never came." },
	[TCPHS_RULE_CLOSE_NOT_YET] = { TCPHS_CLOSE_OPEN,
		"A socket of it still lived when the records ended." },
	[TCPHS_RULE_CLOSE_UNKNOWN] = { TCPHS_CLOSE_UNSEEN,
		"The records do not tell how it closed." },
};

const char *tcphs_rule_open(size_t i, enum tcphs_open *open)
{
	if (i >= sizeof(open_rules) / sizeof(open_rules[0]))
		return NULL;
	*open = open_rules[i].open;
	return open_rules[i].text;
}

const char *tcphs_rule_close(size_t i, enum tcphs_close *close)
{
	if (i >= sizeof(close_rules) / sizeof(close_rules[0]))
		return NULL;
	*close = close_rules[i].close;
	return close_rules[i].text;
}
