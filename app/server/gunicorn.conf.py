"""Settings of gunicorn in the image: https://docs.gunicorn.org/en/stable/settings.html."""

import os

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
workers = 2
threads = 4
# Seconds. Less than Kubernetes' terminationGracePeriodSeconds (30 by default), so that requests in
# progress end before the pod is killed.
graceful_timeout = 20
# In memory: a slow disk would delay the heartbeat, so that the worker seems to hang. It is also
# writable with a read-only root file system.
worker_tmp_dir = "/dev/shm"
# Not used, and there is no home directory for the socket.
control_socket_disable = True
accesslog = "-"
