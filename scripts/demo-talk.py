#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One end of one TCP connection of the demo.

usage: demo-talk.py server|client|refused [HOW] ADDRESS PORT

HOW is who ends it: client-closes, server-closes, client-resets. The client
asks, the server answers, then one of them ends it. A server that finds the
connection closed has something left to do before it closes too: its ACK and its
FIN are two segments. A client has not: they are one. The server prints "ready"
when it listens. refused: a connect that nobody answers.
"""

import socket
import struct
import sys
import time


def server(how, address, port):
    with socket.create_server((address, port), family=family(address)) as listener:
        print("ready", flush=True)
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"welcome")
            if how == "server-closes":
                return
            try:
                connection.recv(100)  # until the client ends it
                time.sleep(0.1)
            except ConnectionResetError:
                assert how == "client-resets"


def client(how, address, port):
    with socket.create_connection((address, port)) as connection:
        connection.sendall(b"hello")
        connection.recv(100)
        if how == "server-closes":
            assert connection.recv(100) == b""
        elif how == "client-resets":
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def refused(address, port):
    try:
        socket.create_connection((address, port)).close()
    except ConnectionRefusedError:
        return
    sys.exit(f"{address} port {port}: somebody listens")


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


if __name__ == "__main__":
    role, *rest = sys.argv[1:]
    {"server": server, "client": client, "refused": refused}[role](*rest[:-1], int(rest[-1]))
