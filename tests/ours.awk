# SPDX-License-Identifier: GPL-2.0
# A kernel log without what is not for us to answer for. KCSAN finds races all over the
# kernel: of its reports, each between two lines of "=", only those with tcphs in them
# count. And tests/life_failures.sh has ordered allocations to fail, as "tcphs-faults":
# each with a trace, which has an end or is no longer than that.
/tcphs-faults: (vmalloc error|page allocation failure)/ {
	ordered = 60
}
ordered {
	ordered = /<\/TASK>/ ? 0 : ordered - 1
	next
}
/==============================/ {
	if (report ~ /tcphs/)
		printf "%s", report
	opening = report == ""
	report = ""
	next
}
opening {
	opening = 0
	if (/BUG: KCSAN/) {
		report = $0 "\n"
		next
	}
}
report != "" {
	report = report $0 "\n"
	next
}
{ print }
END {
	if (report ~ /tcphs/)
		printf "%s", report
}
