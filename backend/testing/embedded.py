"""Django's settings for tests of the embedded footprint: nothing configured, data in a passing folder."""

import atexit
import os
import shutil
import tempfile

os.environ["PYTHON_DOTENV_DISABLED"] = "1"  # a developer's .env must not decide what the tests see
for _name in ("DATABASE_URL", "REDIS_URL", "REDIS_HOST", "CELERY_BROKER_URL", "ALLOWED_HOSTS", "DEBUG"):
    os.environ.pop(_name, None)
_folder = tempfile.mkdtemp(prefix="sync2gear-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["SYNC2GEAR_DATA"] = _folder

from core.settings import *  # noqa: E402, F403  # the environment above must stand first
from core.settings import DATABASES  # noqa: E402

# A file, as in a shop: SQLite's in-memory database has other locks, and no write-ahead log.
DATABASES["default"]["TEST"] = {"NAME": f"{_folder}/tests.sqlite3"}

# Each test client makes the middlewares anew: static files are looked for when one is asked for, not listed before.
WHITENOISE_AUTOREFRESH = True
