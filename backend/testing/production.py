"""Django's settings for tests of the production footprint: the servers of `--both-footprints`."""

import os

from cryptography.fernet import Fernet

os.environ["PYTHON_DOTENV_DISABLED"] = "1"
os.environ["DATABASE_URL"] = os.environ["SYNC2GEAR_TEST_DATABASE_URL"]
os.environ["REDIS_URL"] = os.environ["SYNC2GEAR_TEST_REDIS_URL"]
os.environ["SECRET_KEY"] = "a-secret-that-only-tests-use-and-that-is-long-enough-for-django"
os.environ["ENCRYPTION_KEYS"] = Fernet.generate_key().decode()

from core.settings import *  # noqa: F403  # the environment above must stand first
from core.settings import STORAGES

# Nobody has run collectstatic: files are served from where the packages have them.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True  # see testing.embedded
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
