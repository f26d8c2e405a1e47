"""A TCP proxy that treats the replies of a server badly.

usage: tcp_proxy.py PORT_FILE TARGET_PORT MODE

Listens on a free port of 127.0.0.1, writes it to PORT_FILE and forwards to TARGET_PORT. MODE is one of
  delay:MS    each reply comes MS milliseconds later
  cut         the connection ends where the reply to a command (not to AUTH or SELECT) would begin
  blackhole   takes connections and bytes, and never answers
  says:TEXT   each command gets TEXT in place of a reply, with \\r and \\n for line ends; nothing is forwarded
  switch:FILE new connections go to the port that FILE names, in place of TARGET_PORT; older ones stay where they are
"""

import asyncio
import os
import sys

READ_BYTES = 65536


async def pump(reader, writer):
    """Copies until one side ends."""
    try:
        while data := await reader.read(READ_BYTES):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def pump_late(reader, writer, seconds):
    """Copies each piece `seconds` after it came, without slowing down those after it."""
    loop = asyncio.get_running_loop()
    pieces = asyncio.Queue()

    async def send():
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                break
            writer.write(data)
        writer.close()

    sender = asyncio.create_task(send())
    try:
        while data := await reader.read(READ_BYTES):
            pieces.put_nowait((loop.time() + seconds, data))
    except ConnectionError:
        pass
    pieces.put_nowait((loop.time() + seconds, b""))
    await sender


async def serve_cut(reader, writer, target):
    """Lets logging in pass, then hands the command over and ends before its reply."""
    server_reader, server_writer = await asyncio.open_connection("127.0.0.1", target)
    while data := await reader.read(READ_BYTES):
        server_writer.write(data)
        reply = await server_reader.read(READ_BYTES)
        if not any(word in data[:64].lower() for word in (b"auth", b"select")):
            break
        writer.write(reply)
    server_writer.close()
    writer.close()


async def serve_saying(reader, writer, text):
    """Answers all commands alike, whatever they ask."""
    while head := await reader.readline():
        for _ in range(int(head[1:])):
            length = await reader.readline()
            await reader.readexactly(int(length[1:]) + 2)
        writer.write(text)
        await writer.drain()
    writer.close()


async def serve_switched(reader, writer, file):
    """Forwards to wherever `file` says when the connection begins, as a name does that DNS gives another address."""
    with open(file, encoding="ascii") as target:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", int(target.read()))
    await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer))


async def main(port_file, target, mode):
    """Runs until it is stopped."""
    name, _, argument = mode.partition(":")

    async def serve(reader, writer):
        try:
            if name == "blackhole":
                while await reader.read(READ_BYTES):
                    pass
            elif name == "cut":
                await serve_cut(reader, writer, target)
            elif name == "says":
                await serve_saying(reader, writer, argument.encode().decode("unicode_escape").encode("latin-1"))
            elif name == "switch":
                await serve_switched(reader, writer, argument)
            elif name == "delay":
                server_reader, server_writer = await asyncio.open_connection("127.0.0.1", target)
                await asyncio.gather(
                    pump(reader, server_writer),
                    pump_late(server_reader, writer, float(argument) / 1000),
                )
            else:
                raise SystemExit(__doc__)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with open(port_file + ".new", "w", encoding="ascii") as file:
        file.write(str(port))
    os.rename(port_file + ".new", port_file)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
