"""Pages of lists: `count`, `next`, `previous`, `results`; `?page=` and `?page_size=` up to 200."""

from __future__ import annotations

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """50 rows a page unless the caller asks for 1 to 200."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
