"""A Slurm of its own in a folder: munged, slurmctld and slurmd, on this machine, as root, without systemd.

  with Sandbox(folder) as slurm: ...      # slurm.environment makes sbatch, squeue and scancel talk to it
  with Machines(shared) as nodes, Sandbox(shared / "slurm", nodes=nodes) as slurm: ...

This machine is its only node, or each of `nodes` (machines.py) is one; slurmctld and the commands then run on the first. It
has its own ports, key, state and logs, and touches nothing of a Slurm that is installed. Partition "low" is the
default; a job of partition "high" preempts its jobs, which are put back into the queue. There is no accounting
(slurmdbd), as on many small clusters.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")

CONFIG = """
ClusterName=glidepath
SlurmctldHost={controller}
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MaxArraySize={max_array_size}
ReturnToService=2
InactiveLimit=0
KillWait=30
MinJobAge=300
JobRequeue=1
{nodes}
PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=10 PriorityTier=1 PreemptMode=REQUEUE GraceTime=0 State=UP
PartitionName=high Nodes=ALL MaxTime=INFINITE DefaultTime=10 PriorityTier=10 PreemptMode=OFF State=UP
"""


def why_not():
    """Why there can be no sandbox here; empty when there can."""
    missing = [name for name in PROGRAMS if find(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed; scripts/setup --cluster gets Slurm"
    if os.geteuid() != 0:
        return "slurmd has to be started by root"
    return ""


def find(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sandbox:
    def __init__(self, folder, cpus=2, max_array_size=1001, nodes=()):
        self.folder, self.nodes = pathlib.Path(folder), nodes
        self.processes = []
        addresses = {node.name: node.address for node in nodes} or {socket.gethostname().split(".")[0]: "127.0.0.1"}
        for name in ("state", *(f"spool-{host}" for host in addresses)):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        self.config = self.folder / "slurm.conf"
        controller = next(f"{host}({address})" for host, address in addresses.items())
        node_lines = "\n".join(f"NodeName={host} NodeAddr={address} CPUs={cpus} State=UNKNOWN"
                               for host, address in addresses.items())
        self.config.write_text(CONFIG.format(controller=controller, nodes=node_lines, folder=self.folder,
                                             controller_port=free_port(), node_port=free_port(),
                                             max_array_size=max_array_size))
        self.environment = dict(os.environ, SLURM_CONF=str(self.config))
        # Of a Slurm job that this may itself be in.
        for name in [name for name in self.environment if name.startswith(("SLURM_", "SBATCH_")) and name != "SLURM_CONF"]:
            del self.environment[name]

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.launch(self.nodes[0] if self.nodes else None, find("munged"), "--foreground", "--force", f"--key-file={key}", f"--socket={self.folder}/munge.socket",
                    f"--pid-file={self.folder}/munge.pid", f"--log-file={self.folder}/munge.log",
                    f"--seed-file={self.folder}/munge.seed")
        self.wait(lambda: (self.folder / "munge.socket").exists(), "munged to listen", 30)
        self.launch(self.nodes[0] if self.nodes else None, find("slurmctld"), "-D", "-c", "-f", str(self.config))
        for node in self.nodes or (None,):
            self.launch(node, find("slurmd"), "-D", "-c", "-f", str(self.config))
        self.wait(lambda: set(self.run("sinfo", "-h", "-N", "-o", "%T", check=False).split()) == {"idle"},
                  "the nodes to be idle", 60)

    def popen(self, node, command, **options):
        start = subprocess.Popen if node is None else node.start
        if node is None and shutil.which("setpriv"):  # a machine's processes end with it
            command = ("setpriv", "--pdeathsig", "KILL", *command)
        return start(command, stdin=subprocess.DEVNULL, env=self.environment, **options)

    def launch(self, node, *command):
        name = pathlib.Path(command[0]).name + (f"-{node.name}" if node else "")
        with open(self.folder / f"{name}.out", "wb") as log:
            self.processes.append(self.popen(node, command, stdout=log, stderr=log, start_new_session=True))

    def command(self, *command, **options):
        """A process of the first node, or of this machine: srun, for example."""
        return self.popen(self.nodes[0] if self.nodes else None, command, **options)

    def run(self, *command, check=True):
        process = self.command(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = process.communicate()
        if check and process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {err.strip()}")
        return out

    def wait(self, condition, what, seconds):
        end = time.monotonic() + seconds
        while not condition():
            for process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args[0]} ended with {process.returncode}\n{self.logs()}")
            if time.monotonic() > end:
                raise RuntimeError(f"waited {seconds} s for {what}\n{self.logs()}")
            time.sleep(0.1)

    def logs(self):
        parts = []
        for log in sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")]):
            parts.append(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]))
        return "\n".join(parts)

    def stop(self):
        if len(self.processes) == 2 + max(1, len(self.nodes)):
            self.run("scancel", "--state=PENDING", "--user=root", check=False)
            self.run("scancel", "--signal=KILL", "--full", "--user=root", check=False)
            end = time.monotonic() + 20
            while self.run("squeue", "-h", check=False).strip() and time.monotonic() < end:
                self.run("scancel", "--user=root", check=False)
                time.sleep(0.5)
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.processes = []
