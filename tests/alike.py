#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Connections with the same two ends in several network namespaces: all are opened
before the first is closed.

usage: alike.py NETNS...
"""
import subprocess
import sys

CLIENT, SERVER = ("127.0.0.1", 4321), ("127.0.0.1", 1234)
TALK = """
import socket, sys
server = socket.create_server(%r)
client = socket.create_connection(%r, source_address=%r)
served = server.accept()[0]
print("open", flush=True)
sys.stdin.readline()
client.close()
served.close()
""" % (SERVER, SERVER, CLIENT)


def main():
    talks = [subprocess.Popen(["ip", "netns", "exec", netns, "python3", "-c", TALK],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
             for netns in sys.argv[1:]]
    good = all([talk.stdout.readline() == "open\n" for talk in talks])
    for talk in talks:
        talk.communicate("close\n")
    sys.exit(not good or any(talk.returncode for talk in talks))


if __name__ == "__main__":
    main()
