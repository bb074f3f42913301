"""One line a notebook, on stdout: Snakemake's logger plugin "degnext"."""

import sys
import time
from logging import ERROR

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    writes_to_stream = True
    writes_to_file = has_filter = has_formatter = needs_rulegraph = False

    def __post_init__(self) -> None:
        self.names, self.started, self.total, self.done = {}, {}, 0, 0

    def emit(self, record) -> None:
        event, now = getattr(record, "event", None), time.monotonic()
        if event == LogEvent.RUN_INFO:
            self.total = record.stats.get("total", 1) - record.stats.get("all", 0)
        elif event == LogEvent.JOB_INFO:
            cancer = dict(record.wildcards or {}).get("cancer", "")
            self.names[record.jobid] = f"{record.rule_name} on {cancer}" if cancer else ""
            self.started[record.jobid] = now
        elif event in (LogEvent.JOB_FINISHED, LogEvent.JOB_ERROR):
            ended = event == LogEvent.JOB_FINISHED
            number = record.job_id if ended else record.jobid
            if name := self.names.get(number):
                self.done += 1
                how = "" if ended else "failed after "
                took = f"{now - self.started[number]:.0f} s"
                self.say(f"[{self.done}/{self.total}] {name}: {how}{took}")
        elif event in (None, LogEvent.ERROR) and record.levelno >= ERROR and not self.started:
            self.say(str(record.getMessage()))  # later ones are in the notebooks' logs

    def say(self, line: str) -> None:
        print(line, file=sys.stdout, flush=True)
