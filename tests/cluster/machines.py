"""Machines of their own on this one, as root: each with its own network, host name, processes and /tmp.

  with Machines(folder) as machines:                  # node0 and node1
      machines[0].start(["hostname"]).wait()
      machines[1].unplug()

They are Linux namespaces, joined by a bridge in one more; files are shared, but for /tmp, of which `folder` alone is
everyone's. Each machine reaches the others by name and address, and nothing else. A machine lasts as long as its first
process, which ends with this one: then the kernel ends all its processes and takes its network away.
"""
import os
import pathlib
import shutil
import subprocess

PROGRAMS = ("ip", "unshare", "nsenter", "mount")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

# As first process of a machine it reaps what is orphaned, for which ignoring SIGCHLD is enough.
LAST_UNTIL_END_OF_INPUT = "echo ready; trap '' CHLD; exec cat"
MACHINE = """
set -e
hostname "$1"
mount --bind "$2/hosts" /etc/hosts
case "$2" in /tmp/*) mkdir -p "$3/${2#/tmp/}"; mount --bind "$2" "$3/${2#/tmp/}";; esac
mount --rbind "$3" /tmp
ip link set lo up
""" + LAST_UNTIL_END_OF_INPUT


def why_not():
    """Why there can be no machines here; empty when there can."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if missing:
        return f"{', '.join(missing)} not installed (iproute2, util-linux)"
    if os.geteuid() != 0:
        return "machines have to be made by root"
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "sh", "-c",
         "ip link add switch type bridge && ip link add port type veth peer name end"],
        capture_output=True, text=True, env=dict(os.environ, PATH=PATH), check=False)
    return "" if tried.returncode == 0 else f"this system gives no namespaces or no bridge: {tried.stderr.strip()}"


class Namespaces:
    """What unshare makes, until close()."""

    def __init__(self, flags, script, *arguments):
        self.holder = subprocess.Popen(["unshare", *flags, "sh", "-c", script, "machine", *map(str, arguments)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                       env=dict(os.environ, PATH=PATH))
        answer = self.holder.stdout.readline()
        if answer != "ready\n":
            self.close()
            raise RuntimeError(f"unshare: {answer}{self.holder.stdout.read()}")
        self.first = self.holder.pid
        if "--fork" in flags:
            children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text()
            self.first = int(children.split()[0])

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()

    def ip(self, words):
        subprocess.run(["nsenter", "--target", str(self.first), "--net", "ip", *words.split()], check=True,
                       env=dict(os.environ, PATH=PATH))


class Machine(Namespaces):
    def __init__(self, name, address, port, switch, folder):
        private = folder / f"tmp-{name}"
        private.mkdir(mode=0o1777)
        super().__init__(["--net", "--uts", "--mount", "--pid", "--fork", "--mount-proc"], MACHINE, name, folder, private)
        self.name, self.address, self.port, self.switch = name, address, port, switch
        switch.ip(f"link add {port} type veth peer name eth0 netns {self.first}")
        switch.ip(f"link set {port} master switch up")
        self.ip(f"addr add {address}/24 dev eth0")
        self.ip("link set eth0 up")

    def start(self, command, **options):
        """A subprocess.Popen. Its process id and signals are those of nsenter, which ends as the command does."""
        return subprocess.Popen(["nsenter", "--target", str(self.first), "--net", "--uts", "--mount", "--pid",
                                 f"--wd={os.getcwd()}", *map(str, command)],
                                **{"stdin": subprocess.DEVNULL, "env": dict(os.environ, PATH=PATH), **options})

    def run(self, command, check=True):
        """What a command prints."""
        process = self.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = process.communicate()
        if check and process.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, command))}: {err.strip()}")
        return out

    def processes(self, *words):
        """Processes of this machine that were started with all these words."""
        space = os.readlink(f"/proc/{self.first}/ns/pid")
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                said = (folder / "cmdline").read_bytes().split(b"\0")
                if os.readlink(folder / "ns/pid") == space and all(str(word).encode() in said for word in words):
                    found.append(Process(folder))
            except OSError:
                continue
        return found

    def unplug(self):
        """Nothing gets in or out, and nobody is told."""
        self.switch.ip(f"link set {self.port} down")

    def plug_in(self):
        self.switch.ip(f"link set {self.port} up")


class Process:
    def __init__(self, folder):
        self.pid = int(folder.name)  # as we see it
        status = (folder / "status").read_text()
        self.pid_there = int(next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[-1])
        pairs = (folder / "environ").read_bytes().split(b"\0")
        self.environment = dict(pair.decode(errors="replace").split("=", 1) for pair in pairs if b"=" in pair)

    def send(self, number):
        os.kill(self.pid, number)


class Machines:
    """Machines by their place, `folder` being made and seen by all of them."""

    def __init__(self, folder, names=("node0", "node1")):
        self.folder, self.names = pathlib.Path(folder), names
        self.made = []

    def __enter__(self):
        addresses = [f"10.77.0.{place + 1}" for place in range(len(self.names))]
        self.folder.mkdir(parents=True, exist_ok=True)
        hosts = ["127.0.0.1 localhost", *(f"{address} {name}" for address, name in zip(addresses, self.names))]
        (self.folder / "hosts").write_text("\n".join(hosts) + "\n")
        try:
            switch = Namespaces(["--net"], "ip link add switch type bridge && ip link set switch up; " + LAST_UNTIL_END_OF_INPUT)
            self.made.append(switch)
            for place, name in enumerate(self.names):
                self.made.append(Machine(name, addresses[place], f"port{place}", switch, self.folder))
        except BaseException:
            self.__exit__()
            raise
        return self.made[1:]

    def __exit__(self, *_):
        for each in reversed(self.made):
            each.close()
        self.made = []
