"""Settings of gunicorn in the image: https://docs.gunicorn.org/en/stable/settings.html."""

import os

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
workers = 2
threads = 4
# Seconds. Below Kubernetes' terminationGracePeriodSeconds (30 by default), so that requests under
# way end before the pod is killed.
graceful_timeout = 20
# Memory, not a disk: a slow disk would make the heartbeat late and the worker look hung, and this
# directory stays writable where the root file system is read-only.
worker_tmp_dir = "/dev/shm"
# Nobody manages the workers by hand, and there is no home directory to put the socket into.
control_socket_disable = True
accesslog = "-"
