"""How gunicorn serves: threads in two processes, loaded once, no log of who asked for what."""

import multiprocessing
import threading

worker_class = "gthread"
workers = min(2, multiprocessing.cpu_count())
threads = 4
preload_app = True
accesslog = None
control_socket_disable = True
max_requests = 20_000
max_requests_jitter = 2_000


def post_worker_init(worker: object) -> None:
    """Get ready to print beside the first requests, which do not wait for it."""
    from assessments import press

    threading.Thread(target=press.warm, daemon=True).start()
