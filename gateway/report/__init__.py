"""What happened in a time, and what would have happened: summed up from the store, as JSON values and as a page."""

from gateway.report.page import page
from gateway.report.summing import Period, summed
from gateway.report.views import report_view
from gateway.report.wording import figures, matrix, said

__all__ = ["Period", "figures", "matrix", "page", "report_view", "said", "summed"]
