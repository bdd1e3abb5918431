"""How gunicorn serves: threads in two processes, loaded once, no log of who asked for what."""

import multiprocessing
import threading

from gunicorn.glogging import Logger as GunicornLogger  # type: ignore[import-untyped]

from readiness.logs import WithoutCodes

worker_class = "gthread"
workers = min(2, multiprocessing.cpu_count())
threads = 4
preload_app = True
accesslog = None
# Ours are short: the longest address has some 100 signs, a browser sends some 15 headers.
limit_request_line = 4_094
limit_request_fields = 60
limit_request_field_size = 8_190
control_socket_disable = True
max_requests = 20_000
max_requests_jitter = 2_000


class logger_class(GunicornLogger):
    """gunicorn’s own log, as clean as ours."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.addFilter(WithoutCodes())


def post_worker_init(worker: object) -> None:
    """Get ready to print beside the first requests, which do not wait for it."""
    from assessments import press

    threading.Thread(target=press.warm, daemon=True).start()
