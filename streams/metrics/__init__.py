"""What a worker shows of itself: Prometheus metrics and health pages.

`catalogue.py` names every metric there is, `networks.py` and `collector.py` read them from the state when somebody
scrapes, `http.py` answers. Nothing is counted for the metrics' sake while events are applied. What a worker is to them
stands in `views.py`.
"""
