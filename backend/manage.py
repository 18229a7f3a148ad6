#!/usr/bin/env python
"""Django's command line."""

import os
import sys


def main() -> None:
    """Runs the command named on the command line; settings that cannot work are told in a sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
