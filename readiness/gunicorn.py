"""How gunicorn serves: threads in two processes, loaded once, no log of who asked for what."""

import multiprocessing

worker_class = "gthread"
workers = min(2, multiprocessing.cpu_count())
threads = 4
preload_app = True
accesslog = None
control_socket_disable = True
max_requests = 20_000
max_requests_jitter = 2_000
