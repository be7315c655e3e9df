# Makes events.bin: three Event messages framed by PyPI's tensorboard package, without the version record that
# begins a file (it holds the time). Run: python3 make_events.py
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def scalar(tag, step, value, wall_time):
    return Event(wall_time=wall_time, step=step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=value)]))


EVENTS = [
    scalar("train/loss", 0, 2.5, 1700000000.25),
    scalar("lr", 300, 0.1, 1700000001.5),
    Event(wall_time=1700000002.0, step=250, session_log=SessionLog(status=SessionLog.START)),
]

with open(Path(__file__).with_name("events.bin"), "wb") as file:
    writer = RecordWriter(file)
    for event in EVENTS:
        writer.write(event.SerializeToString())
    writer.flush()
