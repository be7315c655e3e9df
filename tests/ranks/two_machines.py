#!/usr/bin/env python3
"""Trains on two machines (tests/cluster/machines.py), loses processes and machines, and goes on from what is left.

two_machines.py GLIDEPATH [WORD]; with WORD only the cases whose name has it. Needs root; ends with 77 where there can be no
machines. torchrun and mpirun are tried where they are.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from ranks import (check, check_same_losses, environment, has_evaluated, last_checkpoint, mpirun, run_cases,
                   torchrun, wait_until)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import machines  # noqa: E402

PROGRAM = sys.argv[1]
MOST_SECONDS = 30
AT_ONCE_SECONDS = 10  # and the 15 without a sign of life are more
TRAIN = ["train", "--quiet", "--data", "digits", "--precision", "fp32", "--threads", "1", "--base-lr", "0.05"]
NETWORKS = {"mlp": [*TRAIN, "--model", "mlp", "--budget", "2ep", "--full", "2ep"],
            "sync-bn": [*TRAIN, "--model", "convnet", "--width", "0.5", "--budget", "1ep", "--full", "1ep", "--sync-bn", "true"]}
LONG = [*TRAIN, "--model", "convnet", "--width", "0.5", "--budget", "5000it", "--full", "5000it", "--eval-every", "20it",
        "--checkpoint-every", "100it"]


class Job:
    """Commands on machines, and what they print."""

    def __init__(self, folder, name, commands):
        self.name, self.run = name, folder / name
        self.prints = [folder / f"{name}-{place}.err" for place in range(len(commands))]
        self.processes = []
        for (machine, command, variables), file in zip(commands, self.prints):
            with open(file, "wb") as stream:
                self.processes.append(machine.start([*command, "--out", self.run], stdout=stream, stderr=stream,
                                                    env=environment(OMP_NUM_THREADS=1, **variables)))

    def printed(self, place):
        return self.prints[place].read_text()

    def said(self):
        return "\n".join(f"[{place}] {self.printed(place)}" for place in range(len(self.prints)))

    def ended(self):
        return all(process.poll() is not None for process in self.processes)

    def wait(self, seconds=200):
        """How long it took, and the exit statuses."""
        begun = time.monotonic()
        wait_until(self.ended, lambda: f"{self.name}: {[process.poll() for process in self.processes]}: {self.said()}", seconds)
        return time.monotonic() - begun, [process.returncode for process in self.processes]

    def must_end_well(self):
        _, statuses = self.wait()
        check(not any(statuses), f"{self.name}: {statuses}: {self.said()}")

    def wait_until_it_trains(self):
        wait_until(lambda: has_evaluated(self.run) or any(process.poll() is not None for process in self.processes), self.said)
        check(not any(process.poll() is not None for process in self.processes), f"{self.name}: ended early: {self.said()}")


class Test:
    def __init__(self, folder, nodes):
        self.folder, self.nodes, self.port = folder, nodes, 29500
        self.alone = {}
        for name, train in NETWORKS.items():
            self.alone[name] = folder / f"alone-{name}"
            subprocess.run([PROGRAM, *train, "--out", str(self.alone[name])], check=True, stdin=subprocess.DEVNULL,
                           env=environment(OMP_NUM_THREADS=1))

    def launch(self, name, per_node, train, *more, places=(0, 1), address=None, variables=None):
        """`glidepath launch` on each machine."""
        self.port += 1
        return Job(self.folder, name,
                   [(self.nodes[place],
                     [PROGRAM, "launch", "--nodes", 2, "--node-rank", place, "--master-addr", address or self.nodes[0].address,
                      "--master-port", self.port, "-n", per_node, "--threads-per-rank", 1, *more, *train], variables or {})
                    for place in places])

    def by_variables(self, name, per_node, train, only=(0, 1), **more):
        """Every process on its own, told as torchrun tells."""
        self.port += 1
        common = {"WORLD_SIZE": 2 * per_node, "LOCAL_WORLD_SIZE": per_node, "MASTER_ADDR": "node0", "MASTER_PORT": self.port}
        return Job(self.folder, name,
                   [(node, [PROGRAM, *train], {"RANK": place * per_node + local, "LOCAL_RANK": local, **common, **more})
                    for place, node in enumerate(self.nodes) if place in only for local in range(per_node)])

    def by_torchrun(self, name, per_node, train):
        self.port += 1
        return Job(self.folder, name,
                   [(node, [*torchrun(), "--nnodes", 2, "--node_rank", place, "--nproc_per_node", per_node, "--master_addr",
                            self.nodes[0].address, "--master_port", self.port, PROGRAM, *train], {})
                    for place, node in enumerate(self.nodes)])

    def by_mpirun(self, name, per_node, train):
        """mpirun on node0, which has node1 start its part through a pipe, in place of ssh."""
        self.port += 1
        pipe, agent = self.folder / f"shell-{name}", self.folder / f"agent-{name}"
        os.mkfifo(pipe)
        agent.write_text(f'#!/bin/sh\nshift\necho "$*" > {pipe}\n')
        agent.chmod(0o755)
        self.nodes[1].start(["sh", "-c", f'read -r line < {pipe}; exec sh -c "$line"'], env=environment())
        return Job(self.folder, name, [(self.nodes[0], [
            *mpirun(), "--mca", "plm_rsh_agent", agent, "--mca", "btl", "tcp,self", "-n", 2 * per_node, "--host",
            ",".join(f"{node.name}:{per_node}" for node in self.nodes), "-x", "MASTER_ADDR=node0", "-x",
            f"MASTER_PORT={self.port}", "-x", "OMP_NUM_THREADS=1", PROGRAM, *train], {})])

    def rank(self, job, rank):
        """The process that is one rank, and its machine."""
        for node in self.nodes:
            for process in node.processes(PROGRAM, job.run):
                if process.environment.get("RANK", process.environment.get("OMPI_COMM_WORLD_RANK")) == str(rank):
                    return node, process
        raise AssertionError(f"{job.name}: no rank {rank}")

    def nothing_is_left(self, job):
        left = [process.pid for node in self.nodes for process in node.processes(PROGRAM, job.run)]
        check(not left, f"{job.name}: processes {left} are left")

    def goes_on(self, job, ranks):
        """From the checkpoint, for 40 updates, with other processes than before."""
        budget = ["train", "--quiet", "--resume", job.run, "--budget", f"{last_checkpoint(job.run) + 40}it"]
        if ranks > 1:
            budget = ["launch", "-n", ranks, "--threads-per-rank", 1, *budget]
        self.nodes[0].run([PROGRAM, *budget])
        summary = json.loads((job.run / "summary.json").read_text())
        check(summary["updates"] == last_checkpoint(job.run) and summary["ranks"] == ranks, f"{job.name}: {summary}")


def the_same_losses(test):
    starts = {"launch": test.launch, "variables": test.by_variables}
    for name, start, there in (("torchrun", test.by_torchrun, torchrun()), ("mpirun", test.by_mpirun, mpirun())):
        if there:
            starts[name] = start
        else:
            print(f"{name} is not there; scripts/setup --python --cluster installs it", flush=True)
    for network, train in NETWORKS.items():
        for per_node in (1, 2):
            for name, start in starts.items():
                if network == "sync-bn" and name != "launch":
                    continue
                begun = time.monotonic()
                job = start(f"{name}-{network}-{per_node}", per_node, train)
                job.must_end_well()
                count = check_same_losses(job.name, test.alone[network], job.run, 2 * per_node)
                print(f"{job.name}: the same {count} losses, {time.monotonic() - begun:.1f} s", flush=True)


def a_rank_is_killed(test):
    # Alone on its machine nobody but its launcher can tell at once.
    for name, start, per_node, rank in (("launch", test.launch, 1, 1), ("launch", test.launch, 2, 3), ("launch", test.launch, 2, 0),
                                        ("variables", test.by_variables, 1, 1), ("variables", test.by_variables, 1, 0)):
        job = start(f"kill-{rank}-{name}-{per_node}", per_node, LONG)
        job.wait_until_it_trains()
        node, victim = test.rank(job, rank)
        victim.send(signal.SIGKILL)
        seconds, statuses = job.wait()
        print(f"{job.name}: {seconds:.1f} s, {statuses}, {last_checkpoint(job.run)}: {job.said()}", flush=True)
        check(seconds < MOST_SECONDS, f"{job.name}: took {seconds:.0f} s: {job.said()}")
        check(all(statuses), f"{job.name}: {statuses}")
        if name == "launch" and per_node == 1:
            check(seconds < AT_ONCE_SECONDS and "was killed by signal 9" in job.said(), f"{job.name}: {seconds:.0f} s: {job.said()}")
        named = f"rank {rank} (host {node.name}, pid {victim.pid_there})"
        for lines in (job.printed(place).splitlines() for place in range(len(job.prints))):
            check(len(lines) <= 1 and all(named in line or f"(pid {victim.pid_there})" in line for line in lines),
                  f"{job.name}: {job.said()}")
        check(named in job.said() and f"go on with: glidepath train --resume {job.run}" in job.said(), f"{job.name}: {job.said()}")
        test.nothing_is_left(job)
        test.goes_on(job, 1)


def a_machine_is_gone(test):
    # In the last cases a process beyond the gap ends before the silence counts: what stays there hears a connection break.
    for name, start, per_node, killed in (("launch", test.launch, 1, None), ("variables", test.by_variables, 2, None),
                                          ("first-killed", test.by_variables, 2, 2), ("last-killed", test.by_variables, 2, 3)):
        job = start(f"unplugged-{name}", per_node, LONG)
        job.wait_until_it_trains()
        test.rank(job, per_node)  # is on the machine that goes
        test.nodes[1].unplug()
        try:
            if killed is not None:
                time.sleep(8)
                test.rank(job, killed)[1].send(signal.SIGKILL)
            seconds, statuses = job.wait()
        finally:
            test.nodes[1].plug_in()
        print(f"{job.name}: {seconds:.1f} s, {statuses}, {last_checkpoint(job.run)}: {job.said()}", flush=True)
        check(seconds < MOST_SECONDS, f"{job.name}: took {seconds:.0f} s: {job.said()}")
        check(all(statuses), f"{job.name}: {statuses}")
        test.nothing_is_left(job)
        test.goes_on(job, 3 - per_node)


def expect_refusal(test, job, most_seconds, *words):
    """One message that has all the words, and not well ended processes, soon. c10d's own log may come before it."""
    seconds, statuses = job.wait(seconds=60)
    print(f"{job.name}: {seconds:.1f} s, {statuses}: {job.said()}", flush=True)
    check(all(statuses), f"{job.name}: {statuses}: {job.said()}")
    check(seconds < most_seconds, f"{job.name}: took {seconds:.0f} s: {job.said()}")
    said = [line for line in job.said().splitlines() if "glidepath " in line]
    check(len(said) == 1 and all(word in said[0] for word in words), f"{job.name}: {job.said()}")
    test.nothing_is_left(job)


def they_do_not_meet(test):
    patience = ["--join-seconds", 5]
    train, first = NETWORKS["mlp"], test.nodes[0]
    expect_refusal(test, test.launch("one-machine-comes", 2, train, *patience, places=[0]), 15,
                   "waited 5 s for rank(s) 2, 3 of 4, which have not come")
    job = test.by_variables("one-rank-comes", 1, train, GLIDEPATH_JOIN_SECONDS=5, only=[0])
    expect_refusal(test, job, 15, "rank 0 waited 5 s for rank(s) 1 of 2")
    expect_refusal(test, test.launch("rank-0-does-not-come", 2, train, *patience, places=[1]), 15,
                   f"rank 2: the job's store at {first.address}:{test.port} (MASTER_ADDR, MASTER_PORT)")
    expect_refusal(test, test.launch("no-such-address", 2, train, *patience, places=[1], address="10.77.0.99"), 15,
                   f"10.77.0.99:{test.port} (MASTER_ADDR, MASTER_PORT)")
    expect_refusal(test, test.launch("no-such-name", 2, train, *patience, places=[1], address="nowhere.invalid"), 15,
                   f"nowhere.invalid:{test.port} (MASTER_ADDR, MASTER_PORT)")
    expect_refusal(test, test.launch("address-of-another", 2, train, *patience, places=[0], address="10.77.0.99"), 15,
                   f"glidepath launch: 10.77.0.99:{test.port}: the job's store cannot be served there")
    # A port that is another program's, which takes connections and answers nothing.
    listener = first.start([sys.executable, "-c", "import socket,time; s = socket.create_server(('', 29400)); "
                            "print('ready', flush=True); time.sleep(1000)"], stdout=subprocess.PIPE)
    check(listener.stdout.readline() == b"ready\n", "no listener")
    try:
        for name, places in (("port-in-use-here", [0]), ("port-in-use-there", [1])):
            test.port = 29399
            expect_refusal(test, test.launch(name, 2, train, *patience, places=places), MOST_SECONDS, f"{first.address}:29400")
    finally:
        for process in first.processes(sys.executable):
            process.send(signal.SIGKILL)
        test.port = 29600
    # Two jobs with one port: the one that came first goes on.
    job = test.launch("has-the-port", 1, LONG)
    job.wait_until_it_trains()
    test.port -= 1
    expect_refusal(test, test.launch("wants-the-port", 1, train, *patience, places=[1]), 15, f"{test.port}",
                   "has a process of this rank already")
    check(not job.ended(), f"{job.name} was disturbed: {job.said()}")
    for rank in (0, 1):
        test.rank(job, rank)[1].send(signal.SIGTERM)
    _, statuses = job.wait()
    check(statuses == [143, 143] and job.said().count("go on with") == 1, f"{job.name}: {statuses}: {job.said()}")


CASES = [the_same_losses, they_do_not_meet, a_rank_is_killed, a_machine_is_gone]


def main():
    reason = machines.why_not()
    if reason:
        print(f"skipped: {reason}")
        return 77
    with tempfile.TemporaryDirectory(prefix="glidepath-machines-") as name:
        folder = pathlib.Path(name)
        with machines.Machines(folder) as nodes:
            run_cases(CASES, Test(folder, nodes))
    return 0


sys.exit(main())
