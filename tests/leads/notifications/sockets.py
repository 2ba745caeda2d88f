"""A watch over the network: who is looked up, and who is connected to."""

import socket
from ipaddress import ip_address


class Sockets:
    """`names`: {name: [answer of the first look-up, of the second, …]}, each a list of addresses; the last one stays.

    `asked`: names looked up. `connected`: (address, port) of every connection begun. None leaves this machine.
    """

    def __init__(self):
        self.names, self.asked, self.connected = {}, [], []

    def install(self, monkeypatch):
        look_up, connect = socket.getaddrinfo, socket.socket.connect

        def resolved(host, port, *args, **kwargs):
            if is_address(host):
                return look_up(host, port, *args, **kwargs)
            self.asked.append(host)
            answers = self.names.get(host)
            if not answers:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            addresses = answers.pop(0) if len(answers) > 1 else answers[0]
            return [entry for address in addresses for entry in look_up(address, port, type=socket.SOCK_STREAM)]

        def connected(opened, address):
            self.connected.append((address[0], address[1]))
            if not ip_address(address[0]).is_loopback:
                raise ConnectionRefusedError("tests stay on this machine")
            return connect(opened, address)

        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        monkeypatch.setattr(socket.socket, "connect", connected)


def is_address(host):
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
