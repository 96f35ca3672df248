"""Checks the practice server with clients that nobody here wrote.

    python peers.py HOST PORT PASSWORD

needs the packages python-a2s (A2S) and rcon (RCON). The server must be up,
with challenges on and RCON bans on (the default of five failures); it is left
as it was, except that failed logins are counted against this address until the
next good one. Exit code 0 when every check agrees.
"""

import socket
import sys

import a2s
import rcon.exceptions
from rcon.source import Client

FAILED = []


def check(what, agreed, seen=""):
    print(("agrees  " if agreed else "DIFFERS ") + what + ("" if agreed else f": {seen!r}"))
    if not agreed:
        FAILED.append(what)


def check_a2s(address):
    info = a2s.info(address, timeout=5)
    check("info: folder", info.folder == "garrysmod", info.folder)
    check("info: protocol", info.protocol == 17, info.protocol)
    check("info: type and platform", (info.server_type, info.platform) == ("d", "l"), info)
    check("info: port", info.port == address[1], info.port)
    check("info: game id", info.game_id == 4000, info.game_id)
    check("info: steam id", info.steam_id >> 52 == 0x14, info.steam_id)
    check("info: keywords", " gm:" in info.keywords and " ver:" in info.keywords, info.keywords)
    check("info: vac, no password", info.vac_enabled and not info.password_protected, info)

    players = a2s.players(address, timeout=5)
    check("players: as many as info says", len(players) == info.player_count, players)
    check("players: they have names", all(player.name for player in players), players)
    check("players: they have been here", all(player.duration >= 0 for player in players), players)

    rules = a2s.rules(address, timeout=5)
    check("rules: several datagrams' worth", len(rules) > 60, len(rules))
    check("rules: gravity", rules.get("sv_gravity") == "600", rules.get("sv_gravity"))
    return info


def check_split(host, port, password):
    """A full town makes the players' reply span several datagrams."""
    run = lambda command: ask(host, port, password, command)
    before = int(run("players").split()[2])
    try:
        full = int(run("players 255").split()[2])
        players = a2s.players((host, port), timeout=5)
        check(f"players: all {full} of a full server", len(players) == full, len(players))
    finally:
        run(f"players {before}")


def ask(host, port, password, command):
    """One command on a connection of its own, as this client is meant to be
    used: after a long answer it does not expect what a real server sends
    behind the mirrored end marker. 4086 is the longest body of one packet."""
    with Client(host, port, passwd=password, timeout=10, frag_threshold=4086) as client:
        return client.run(command)


def check_rcon(host, port, password, info):
    check("rcon: echo", ask(host, port, password, "echo bonjour à tous") == "bonjour à tous\n")
    with Client(host, port, passwd=password, timeout=10) as client:
        first, second = client.run("echo 1"), client.run("echo 2")
    check("rcon: two commands on one connection", (first, second) == ("1\n", "2\n"), (first, second))
    status = ask(host, port, password, "status")
    check("rcon: status agrees with info on the name", f"hostname: {info.server_name}\n" in status, status)
    check("rcon: status agrees with info on the map", f"map     : {info.map_name} " in status, status)
    unknown = ask(host, port, password, "frobnicate")
    check("rcon: unknown command", unknown == 'Unknown command "frobnicate"\n', unknown)
    for length in (4085, 4086, 4087, 8172, 50_000):
        answer = ask(host, port, password, f"practice long {length}")
        check(f"rcon: an answer of {length} bytes", len(answer) == length, len(answer))
    try:
        ask(host, port, password + "x", "echo")
        check("rcon: a wrong password is refused", False, "let in")
    except rcon.exceptions.WrongPassword:
        check("rcon: a wrong password is refused", True)
    check("rcon: the right one still works", ask(host, port, password, "echo in") == "in\n")


def check_junk(host, port, password):
    with socket.create_connection((host, port), timeout=5) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            closed = stream.recv(64) == b""
        except ConnectionResetError:
            closed = True
    check("rcon: junk closes the connection", closed)
    check("rcon: and harms nobody", ask(host, port, password, "echo in") == "in\n")


def main():
    host, port, password = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    info = check_a2s((host, port))
    check_rcon(host, port, password, info)
    check_split(host, port, password)
    check_junk(host, port, password)
    print(f"{len(FAILED)} differ")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
