# SPDX-License-Identifier: GPL-2.0
# The bench's picture: gnuplot -e 'data="BARS.dat"; out="bench.svg"' bars.gnuplot
stats data using 2 nooutput
set terminal svg size 760,430 background "white" font "sans,12" noenhanced
set output out
set title "Instructions added to one loopback connection (logarithmic)"
set style fill solid 0.85 noborder
set logscale x
set xrange [100:10000000]
set xtics ("100" 100, "1,000" 1000, "10,000" 10000, "100,000" 100000, "1,000,000" 1000000)
set grid xtics
set yrange [STATS_records - 0.4:-0.6]
set lmargin 32
set boxwidth 0.7
unset key
height = 0.38
plot data using (sqrt(100 * $2)):0:(100):2:($0 - height):($0 + height):\
	($3 == 1 ? 0x2a6f97 : 0xb0b0b0):ytic(1) with boxxyerror lc rgb variable, \
	data using ($2 * 1.15):0:(sprintf("%d", $2)) with labels left
