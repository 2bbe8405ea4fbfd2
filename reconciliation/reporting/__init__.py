"""In: the books and the findings. Out: report.json, report.html, evidence and dispositions."""
